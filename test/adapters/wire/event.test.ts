import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  fromEnvelope,
  InvalidEventError,
  parseEnvelope,
} from '../../../lib/adapters/wire/event.ts';

const WALLET = 'eip155:1:0x8bf8cd7F001D0584F98F53a3d82eD0bA498cC3dE';
const TO = `eip155:1:0x${'cd'.repeat(20)}`;
const reported = {
  withdrawalId: 'w-1',
  wallet: WALLET,
  asset: 'eip155:1/slip44:60',
  destination: TO,
  amount: '1000000000000000000',
};
const observed = {
  ...reported,
  transaction: '0xabc',
  place: 'log:3',
  observedAt: '2023-09-12T13:20:59Z',
};
const batch = {
  batchId: 'b-1',
  wallet: WALLET,
  contract: TO,
  asset: 'eip155:1/slip44:60',
  sum: '1000000000000000000',
  withdrawalIds: ['w-1', 'w-2'],
};

function envelope(detailType: string, detail: unknown): unknown {
  return { version: '0', id: 'e-1', 'detail-type': detailType, source: 'test', detail };
}

function problemsOf(detailType: string, detail: unknown): readonly string[] {
  try {
    fromEnvelope(envelope(detailType, detail));
    return [];
  } catch (error) {
    if (error instanceof InvalidEventError) return error.problems;
    throw error;
  }
}

describe('fromEnvelope', () => {
  test('default', () => {
    expect(fromEnvelope(envelope('withdrawal.reported', reported))).toMatchInlineSnapshot(`
      {
        "kind": "withdrawal",
        "transfer": {
          "account": "eip155:1:0x8bf8cd7f001d0584f98f53a3d82ed0ba498cc3de",
          "actor": undefined,
          "amount": 1000000000000000000n,
          "asset": "eip155:1/slip44:60",
          "destination": "eip155:1:0xcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
          "fee": undefined,
          "memo": undefined,
        },
        "withdrawalId": "w-1",
      }
    `);
  });

  test('args: outflow.observed', () => {
    const event = fromEnvelope(envelope('outflow.observed', observed));
    expect(event).toMatchObject({
      kind: 'outflow',
      transaction: '0xabc',
      place: 'log:3',
      withdrawalId: 'w-1',
    });
  });

  const hash = 'aB'.repeat(32);
  const bitcoin = 'bip122:000000000019d6689c085ae165831e93';
  const solana = 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp';
  test.each([
    ['an EVM hash without its 0x', WALLET, hash, `0x${hash.toLowerCase()}`],
    ['an EVM hash in another case', WALLET, `0X${hash}`, `0x${hash.toLowerCase()}`],
    ['a Bitcoin hash in another case', `${bitcoin}:bc1qa`, hash, hash.toLowerCase()],
    ['base 58, where the case counts', `${solana}:7Ab`, hash, hash],
  ])(
    'behavior: H14, H25: one spelling of a transaction: %s',
    (...[, wallet, transaction, spelled]) => {
      const chain = wallet.split(':').slice(0, 2).join(':');
      const there = { wallet, asset: `${chain}/slip44:0`, destination: wallet };
      const event = fromEnvelope(
        envelope('outflow.observed', { ...observed, ...there, transaction }),
      );
      expect(event).toMatchObject({ transaction: spelled });
    },
  );

  test('args: heartbeat', () => {
    const event = fromEnvelope(envelope('heartbeat', { sentAt: '2023-09-12T13:20:59Z' }));
    expect(event).toEqual({ kind: 'heartbeat', sentAtMs: Date.UTC(2023, 8, 12, 13, 20, 59) });
  });

  const evidence = { kind: 'nonce-spent', reference: '0xdef' };

  test.each([
    ['settled', { withdrawalId: 'w-1' }],
    ['failed', { withdrawalId: 'w-1', evidence }],
    ['cancelled', { withdrawalId: 'w-1', evidence: { ...evidence, kind: 'never-signed' } }],
    ['replaced', { withdrawalId: 'w-1', transaction: '0xABC', evidence }],
  ])('args: withdrawal.%s', (kind, detail) => {
    expect(fromEnvelope(envelope(`withdrawal.${kind}`, detail))).toEqual({ kind, ...detail });
  });

  test.each([
    ['failed', { evidence: undefined }, 'detail.evidence'],
    ['cancelled', { evidence: { kind: 'nonce-spent' } }, 'detail.evidence.reference'],
    ['failed', { evidence: { ...evidence, reference: '' } }, 'detail.evidence.reference'],
    ['failed', { evidence: { ...evidence, kind: 'expired' } }, 'detail.evidence.kind'],
    ['failed', { evidence: { ...evidence, kind: 'operator' } }, 'detail.evidence.kind'],
    ['failed', { withdrawalId: undefined }, 'detail.withdrawalId'],
    ['settled', {}, 'detail'],
    ['replaced', { transaction: undefined }, 'detail.transaction'],
    ['replaced', { evidence: { ...evidence, kind: 'never-signed' } }, 'detail.evidence.kind'],
  ])('error: H19: withdrawal.%s with %j', (kind, change, field) => {
    const transaction = kind === 'replaced' ? { transaction: '0xabc' } : {};
    const detail = { withdrawalId: 'w-1', evidence, ...transaction, ...change };
    expect(problemsOf(`withdrawal.${kind}`, detail)[0]?.split(': ')[0]).toBe(field);
  });

  test('args: a fee in another asset', () => {
    const fee = { asset: 'eip155:1/slip44:60', amount: '21000' };
    const event = fromEnvelope(envelope('withdrawal.reported', { ...reported, fee }));
    expect(event).toMatchObject({ transfer: { fee: { amount: 21000n } } });
  });

  test.each([
    ['an amount below zero', { amount: '-1' }, 'detail.amount'],
    ['an amount with a point', { amount: '1.5' }, 'detail.amount'],
    ['an amount with an exponent', { amount: '1e18' }, 'detail.amount'],
    ['a JSON number as amount', { amount: 5 }, 'detail.amount'],
    ['an amount above 2^256 − 1', { amount: (2n ** 256n).toString() }, 'detail.amount'],
    ['a short address', { wallet: 'eip155:1:0xabc' }, 'detail.wallet'],
    [
      'an address with a wrong checksum',
      { wallet: WALLET.replace('cD7F', 'Cd7F').replace('cd7F', 'Cd7F') },
      'detail.wallet',
    ],
    ['an asset on another chain', { asset: 'eip155:56/slip44:714' }, 'detail.asset'],
    [
      'a destination on another chain',
      { destination: TO.replace(':1:', ':56:') },
      'detail.destination',
    ],
    ['an empty id', { withdrawalId: '' }, 'detail.withdrawalId'],
    ['an id with a control character', { withdrawalId: 'a\u0000b' }, 'detail.withdrawalId'],
    ['an id with half a character', { withdrawalId: 'a\ud800' }, 'detail.withdrawalId'],
    ['an overlong memo', { memo: 'm'.repeat(257) }, 'detail.memo'],
    ['a field that is not known', { amountt: '1' }, 'detail'],
    ['a missing field', { asset: undefined }, 'detail.asset'],
  ])('error: %s', (_name, change, field) => {
    const problems = problemsOf('withdrawal.reported', { ...reported, ...change });
    expect(problems.length).toBeGreaterThan(0);
    expect(problems[0]?.startsWith(`${field}: `)).toBe(true);
  });

  test.each<[string, object, object | undefined]>([
    ['nothing', {}, undefined],
    ['a hash', { transaction: '0xAB' }, { transaction: '0xab' }],
    [
      'a hash without 0x',
      { transaction: 'AB'.repeat(32) },
      { transaction: `0x${'ab'.repeat(32)}` },
    ],
    ['nonce 0', { nonce: 0 }, { nonce: 0 }],
    ['both', { transaction: '0xab', nonce: 7 }, { transaction: '0xab', nonce: 7 }],
  ])('args: withdrawal.reported with %s of its transaction', (_name, more, sent) => {
    const event = fromEnvelope(envelope('withdrawal.reported', { ...reported, ...more }));
    expect(event.kind === 'withdrawal' && event.sent).toEqual(sent ?? undefined);
  });

  test.each([[-1], [1.5], ['7'], [2 ** 53], [null]])('error: nonce %j', (nonce) => {
    expect(problemsOf('withdrawal.reported', { ...reported, nonce })).toEqual([
      expect.stringContaining('detail.nonce'),
    ]);
  });

  test('args: batch.declared', () => {
    expect(fromEnvelope(envelope('batch.declared', batch))).toEqual({
      kind: 'batch',
      batchId: 'b-1',
      transfer: {
        account: WALLET.toLowerCase(),
        asset: 'eip155:1/slip44:60',
        destination: TO,
        amount: 10n ** 18n,
      },
      withdrawalIds: ['w-1', 'w-2'],
    });
  });

  test.each([
    [1, true],
    [40, true],
    [41, false],
    [0, false],
  ])('args: a batch of %d withdrawals: %s', (count, fits) => {
    const withdrawalIds = Array.from({ length: count }, (_, number) => `w-${number}`);
    const problems = problemsOf('batch.declared', { ...batch, withdrawalIds });
    expect(problems.length === 0).toBe(fits);
    if (!fits) expect(problems[0]).toContain('detail.withdrawalIds');
  });

  test.each<[string, object, string]>([
    ['an id with a line break', { batchId: 'a\nb' }, 'detail.batchId'],
    ['an empty id', { batchId: '' }, 'detail.batchId'],
    ['a withdrawal without id', { withdrawalIds: ['w-1', ''] }, 'detail.withdrawalIds.1'],
    ['a contract on another chain', { contract: TO.replace(':1:', ':56:') }, 'detail.contract'],
    ['a sum above 2^256', { sum: `${2n ** 256n}` }, 'detail.sum'],
    ['a sum with a sign', { sum: '-1' }, 'detail.sum'],
    ['a field that is not known', { evidence: 'x' }, 'detail'],
  ])('error: a batch with %s', (_name, wrong, field) => {
    expect(problemsOf('batch.declared', { ...batch, ...wrong })).toEqual([
      expect.stringContaining(field),
    ]);
  });

  test.each(['log:', 'log:-1', 'trace:x', 'elsewhere', ''])('error: place %j', (place) => {
    expect(problemsOf('outflow.observed', { ...observed, place })[0]).toMatch(/^detail\.place: /);
  });

  test('error: an unknown detail-type names those that are known', () => {
    expect(problemsOf('withdrawal.invented', reported)).toEqual([
      'detail-type: must be one of withdrawal.reported, batch.declared, outflow.observed, withdrawal.settled, withdrawal.failed, withdrawal.cancelled, withdrawal.replaced, balance.reported, heartbeat',
    ]);
  });

  test.prop([fc.json()])('behavior: any JSON gives an event or a named problem', (text) => {
    try {
      parseEnvelope(text);
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidEventError);
    }
  });

  test.prop([fc.constantFrom(...Object.keys(observed)), fc.jsonValue()])(
    'behavior: any value in any field gives an event or a problem that names a field',
    (field, value) => {
      for (const problem of problemsOf('outflow.observed', { ...observed, [field]: value })) {
        expect(problem).toMatch(/^detail(\.\w+)*: ./);
      }
    },
  );
});

describe('parseEnvelope', () => {
  test('default', () => {
    const text = JSON.stringify(envelope('withdrawal.reported', reported));
    expect(parseEnvelope(text)).toMatchObject({ withdrawalId: 'w-1' });
  });

  test('error: not JSON', () => {
    expect(() => parseEnvelope('{')).toThrow('event: is not JSON');
  });
});
