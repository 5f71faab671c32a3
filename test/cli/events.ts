/** A well-formed event, without its envelope. */
export function event(number: number, detail: Readonly<Record<string, unknown>> = {}) {
  return {
    'detail-type': 'withdrawal.reported',
    detail: {
      withdrawalId: `w-${number}`,
      wallet: 'eip155:1:0x1111111111111111111111111111111111111111',
      asset: 'eip155:1/slip44:60',
      destination: 'eip155:1:0x2222222222222222222222222222222222222222',
      amount: '1000000000000000000',
      ...detail,
    },
  };
}
