import { describe, expect, test } from 'vitest';
import { readFireblocks } from '../../../lib/adapters/webhook/fireblocks.ts';
import { parseFireblocksSettings } from '../../../lib/adapters/webhook/fireblocks-settings.ts';
import {
  BLOCK,
  delivery,
  FIREBLOCKS_SETTINGS,
  HASH,
  node,
  notification,
  receipt,
  transaction,
} from './deliveries.ts';

const BITCOIN = 'bip122:000000000019d6689c085ae165831e93';
const settings = parseFireblocksSettings(JSON.stringify(FIREBLOCKS_SETTINGS));
const deps = { settings, receipts: node({ [HASH]: receipt() }) };

function read(data: unknown, more: Readonly<Record<string, unknown>> = {}) {
  return readFireblocks(deps, delivery(notification(data, more)));
}

async function detailOf(more: Readonly<Record<string, unknown>>): Promise<unknown> {
  const { events } = await read(transaction(more));
  expect(events).toHaveLength(1);
  return events[0]?.detail;
}

describe('parseFireblocksSettings', () => {
  const parse = (more: Readonly<Record<string, unknown>>) =>
    parseFireblocksSettings(JSON.stringify({ ...FIREBLOCKS_SETTINGS, ...more }));

  test('default', () => {
    expect(settings.vaults.get('0')?.get('xrpl:0')).toBe(
      'xrpl:0:rHotWallet1111111111111111111111111',
    );
    expect(settings.assets.get('XRP')).toEqual({ asset: 'xrpl:0/slip44:144', decimals: 6 });
  });

  test('error: names the field', () => {
    expect(() => parse({ workspaceId: undefined })).toThrow(/workspaceId: is missing/);
    expect(() => parse({ environment: 'moon' })).toThrow(/environment/);
    expect(() => parse({ vaults: { '0': ['xrpl'] } })).toThrow(/vaults\.0\.0: /);
    expect(() => parse({ vaults: { '0': ['xrpl:0:a', 'xrpl:0:b'] } })).toThrow(/two accounts/);
    expect(() => parse({ assets: { X: { asset: 'no', decimals: 6 } } })).toThrow(
      /assets\.X\.asset: /,
    );
    expect(() => parse({ assets: { X: { asset: 'xrpl:0/slip44:144', decimals: -1 } } })).toThrow(
      /decimals/,
    );
    expect(() => parse({ unknown: 1 })).toThrow(/unknown/i);
  });
});

describe('readFireblocks', () => {
  test('default: a payment that left, with tag, fee and the withdrawal that it names', async () => {
    expect(await read(transaction())).toMatchInlineSnapshot(`
      {
        "events": [
          {
            "detail": {
              "amount": "25500000",
              "asset": "xrpl:0/slip44:144",
              "destination": "xrpl:0:rCustomer22222222222222222222222222",
              "fee": {
                "amount": "12",
                "asset": "xrpl:0/slip44:144",
              },
              "memo": "77001",
              "place": "top",
              "transaction": "A1B2C3D4E5F60718293A4B5C6D7E8F90A1B2C3D4E5F60718293A4B5C6D7E8F90",
              "wallet": "xrpl:0:rHotWallet1111111111111111111111111",
              "withdrawalId": "w-77",
            },
            "detailType": "outflow.observed",
          },
        ],
        "left": [],
      }
    `);
  });

  test('behavior: delivered again, the same event (H14)', async () => {
    const first = await read(transaction());
    const again = await read(transaction({ numOfConfirmations: 9, lastUpdated: 1 }), {
      id: 'other',
    });
    expect(again).toEqual(first);
  });

  test('behavior: amounts are those in strings, exact and net of what was taken for the fee (H11, H24)', async () => {
    const amountInfo = { amount: '9007199254.740993', netAmount: '9007199254.740981' };
    expect(await detailOf({ amountInfo, amount: 9007199254.74 })).toMatchObject({
      amount: '9007199254740981',
      fee: { asset: 'xrpl:0/slip44:144', amount: '12' },
    });
    for (const netAmount of [null, '', '-1', '0', '0.0']) {
      const detail = await detailOf({ amountInfo: { amount: '25.5', netAmount } });
      expect(detail).toMatchObject({ amount: '25500000' });
    }
  });

  test('behavior: a UTXO payment lies at its output', async () => {
    const utxo = {
      assetId: 'BTC',
      feeCurrency: 'BTC',
      feeInfo: { networkFee: '0.00001' },
      destinationAddress: 'bc1qcustomer',
      destinationTag: '',
      index: 1,
    };
    expect(await detailOf(utxo)).toMatchObject({
      place: 'log:1',
      wallet: `${BITCOIN}:bc1qhotwallet`,
      destination: `${BITCOIN}:bc1qcustomer`,
      amount: '2550000000',
      fee: { amount: '1000' },
    });
    await expect(read(transaction({ ...utxo, index: undefined }))).rejects.toThrow(
      'index: is missing',
    );
  });

  test('behavior: several destinations are legs, in one order however they come, one fee (H23)', async () => {
    const destinations = [
      { amount: '2', destinationAddress: 'rBBB', destinationTag: '7' },
      { amount: '1', destinationAddress: 'rAAA' },
      { amount: '3', destinationAddress: 'rBBB', destinationTag: '7' },
    ];
    const { events } = await read(transaction({ destinations, destinationAddress: '' }));
    const legs = events.map(({ detail }) => detail);
    expect(legs).toMatchObject([
      { place: 'log:0', destination: 'xrpl:0:rAAA', amount: '1000000', fee: { amount: '12' } },
      { place: 'log:1', destination: 'xrpl:0:rBBB', memo: '7', amount: '2000000' },
      { place: 'log:2', destination: 'xrpl:0:rBBB', memo: '7', amount: '3000000' },
    ]);
    expect(legs.filter((leg) => 'fee' in (leg as object))).toHaveLength(1);
    expect(legs.some((leg) => 'withdrawalId' in (leg as object))).toBe(false);
    const turned = transaction({ destinations: destinations.toReversed(), destinationAddress: '' });
    expect((await read(turned)).events).toEqual(events);
  });

  test('behavior: an EVM chain with a watcher is left to it', async () => {
    const { events, left } = await read(transaction({ assetId: 'ETH', txHash: HASH }));
    expect(events).toEqual([]);
    expect(left).toMatchObject([{ why: 'the watcher of its chain counts it' }]);
  });

  test('behavior: on an EVM chain without one, the place that a watcher would name (H66)', async () => {
    const evm = {
      txHash: HASH,
      assetId: 'USDC_POLYGON',
      feeCurrency: 'MATIC_POLYGON',
      destinationAddress: `0x${'C'.repeat(40)}`,
      destinationTag: '',
      logIndex: 0x6e,
      blockInfo: { blockHash: BLOCK },
    };
    expect(await detailOf(evm)).toMatchObject({
      place: 'log:2',
      destination: `eip155:137:0x${'c'.repeat(40)}`,
      fee: { asset: 'eip155:137/slip44:966', amount: '12000000000000' },
    });
    expect(await detailOf({ ...evm, assetId: 'MATIC_POLYGON' })).toMatchObject({ place: 'top' });
    await expect(read(transaction({ ...evm, logIndex: undefined }))).rejects.toThrow('logIndex');
    const blockInfo = { blockHash: `0x${'5'.repeat(64)}` };
    await expect(read(transaction({ ...evm, blockInfo }))).rejects.toMatchObject({
      name: 'Webhook.LaterError',
    });
  });

  test('behavior: a fee that a relay paid did not leave the wallet', async () => {
    const feeInfo = { networkFee: '0.000012', paidByRelay: true };
    expect(await detailOf({ feeInfo })).not.toHaveProperty('fee');
  });

  test('behavior: ids are taken whole: vault 1 is not vault 11 (H25)', async () => {
    const vaults = { '11': ['xrpl:0:rEleven'], '1': ['xrpl:0:rOne'] };
    const both = parseFireblocksSettings(JSON.stringify({ ...FIREBLOCKS_SETTINGS, vaults }));
    for (const [id, wallet] of [
      ['1', 'xrpl:0:rOne'],
      ['11', 'xrpl:0:rEleven'],
    ] as const) {
      const data = transaction({ source: { type: 'VAULT_ACCOUNT', id } });
      const { events } = await readFireblocks(
        { ...deps, settings: both },
        delivery(notification(data)),
      );
      expect(events).toMatchObject([{ detail: { wallet } }]);
    }
  });

  test('behavior: two ids of one asset are one asset here (H26)', async () => {
    const assets = { ...FIREBLOCKS_SETTINGS.assets, XRP_OLD: FIREBLOCKS_SETTINGS.assets.XRP };
    const two = parseFireblocksSettings(JSON.stringify({ ...FIREBLOCKS_SETTINGS, assets }));
    const of = (assetId: string) =>
      readFireblocks(
        { ...deps, settings: two },
        delivery(notification(transaction({ assetId, feeCurrency: assetId }))),
      );
    expect(await of('XRP_OLD')).toEqual(await of('XRP'));
  });

  test('behavior: of a speed-up only what completed counts (H22)', async () => {
    const first = { status: 'FAILED', subStatus: 'DROPPED_BY_BLOCKCHAIN', txHash: 'AAAA' };
    expect((await read(transaction(first))).events).toEqual([]);
    const second = await detailOf({ txHash: 'BBBB', replacedTxHash: 'AAAA' });
    expect(second).toMatchObject({ transaction: 'BBBB' });
  });

  test('behavior: deposits and other events are left', async () => {
    const source = { type: 'UNKNOWN', id: '' };
    const ignored = { type: 'VAULT_ACCOUNT', id: '9' };
    for (const [data, more] of [
      [transaction({ source }), {}],
      [transaction({ source: ignored }), {}],
      [transaction({ status: 'CONFIRMING' }), {}],
      [transaction({ status: 'PARTIALLY_COMPLETED' }), {}],
      [{ anything: 1 }, { eventType: 'vault_account.created' }],
    ] as const) {
      const { events, left } = await read(data, more);
      expect(events).toEqual([]);
      expect(left).toHaveLength(1);
    }
  });

  test.each([
    ['REJECTED', 'REJECTED_BY_USER', 'withdrawal.cancelled', 'never-signed'],
    ['CANCELLED', 'CANCELLED_BY_USER', 'withdrawal.cancelled', 'never-signed'],
    ['BLOCKED', 'BLOCKED_BY_POLICY', 'withdrawal.cancelled', 'never-signed'],
    ['FAILED', 'INSUFFICIENT_FUNDS', 'withdrawal.failed', 'never-signed'],
  ])(
    'behavior: %s for %s before a signature: %s, %s (H19)',
    async (...[status, subStatus, type, kind]) => {
      const { events } = await read(transaction({ status, subStatus, txHash: '' }));
      expect(events).toMatchObject([
        { detailType: type, detail: { withdrawalId: 'w-77', evidence: { kind } } },
      ]);
      const reference = `fireblocks:${transaction().id}:${status}:${subStatus}`;
      expect(events).toMatchObject([{ detail: { evidence: { reference } } }]);
    },
  );

  test('behavior: reverted on chain, its own transaction proves it', async () => {
    const reverted = {
      status: 'FAILED',
      subStatus: 'SMART_CONTRACT_EXECUTION_FAILED',
      txHash: HASH,
    };
    const { events } = await read(transaction(reverted));
    expect(events).toMatchObject([
      {
        detailType: 'withdrawal.failed',
        detail: { evidence: { kind: 'nonce-spent', reference: HASH } },
      },
    ]);
  });

  test.each([
    ['DROPPED_BY_BLOCKCHAIN', HASH],
    ['TIMEOUT', ''],
    ['', ''],
    ['SMART_CONTRACT_EXECUTION_FAILED', ''],
  ])(
    'behavior: FAILED for "%s" proves nothing and gives nothing back (H19)',
    async (subStatus, txHash) => {
      const { events, left } = await read(transaction({ status: 'FAILED', subStatus, txHash }));
      expect(events).toEqual([]);
      expect(left).toHaveLength(1);
    },
  );

  test('behavior: what was cancelled after it was signed gives nothing back', async () => {
    expect((await read(transaction({ status: 'CANCELLED' }))).events).toEqual([]);
  });

  test('behavior: a failure that names no withdrawal ends none', async () => {
    const failed = { status: 'REJECTED', txHash: '', externalTxId: null };
    expect((await read(transaction(failed))).events).toEqual([]);
  });

  test("error: signed by Fireblocks for another customer's workspace", async () => {
    const other = read(transaction(), { workspaceId: 'e2a6a8d3-0000-4000-8000-000000000000' });
    await expect(other).rejects.toMatchObject({ name: 'Webhook.UnsignedError' });
  });

  test.each([
    [
      'an unmapped vault',
      { source: { type: 'VAULT_ACCOUNT', id: '4' } },
      /vault account "4" is neither/,
    ],
    ['an unmapped asset', { assetId: 'DOGE' }, /"DOGE" is not in assets/],
    ['an unmapped fee', { feeCurrency: 'DOGE' }, /feeCurrency: "DOGE"/],
    ['a fee on another chain', { feeCurrency: 'BTC' }, /feeCurrency: "BTC" is not on xrpl:0/],
    ['an unmappable destination', { destinationAddress: 'no good' }, /detail\.destination/],
  ])('error: %s', async (_name, more, problem) => {
    const refused = read(transaction(more));
    await expect(refused).rejects.toMatchObject({ name: 'Webhook.UnmappedError' });
    await expect(refused).rejects.toThrow(problem);
  });

  test.each([
    ['no hash', { txHash: '', operation: 'RAW' }, /RAW was signed without a transaction/],
    ['no amount', { amountInfo: {} }, /amount: is missing/],
    ['a negative amount', { amountInfo: { amount: '-5' } }, /amount: "-5" is no decimal/],
    ['an exponent', { amountInfo: { netAmount: '1e3' } }, /amount: "1e3" is no decimal/],
    ['more places than the asset has', { amountInfo: { amount: '1.0000001' } }, /6 places/],
    ['an amount as a number', { amountInfo: { amount: 25.5 } }, /amountInfo\.amount/],
    ['no destination', { destinationAddress: '' }, /destinationAddress: is missing/],
    [
      'a contract call that paid several',
      {
        networkRecords: [
          { source: { type: 'VAULT_ACCOUNT', id: '0' } },
          { source: { type: 'VAULT_ACCOUNT', id: '0' } },
        ],
      },
      /several transfers/,
    ],
    ['no status', { status: undefined }, /data\.status: is missing/],
  ])('error: %s', async (_name, more, problem) => {
    const refused = read(transaction(more));
    await expect(refused).rejects.toMatchObject({ name: 'Webhook.MalformedError' });
    await expect(refused).rejects.toThrow(problem);
  });
});
