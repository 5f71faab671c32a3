import { describe, expect, test } from 'vitest';
import { decisionOf, fromRow, toRow } from '../../../lib/adapters/dynamodb/row-codec.ts';
import type * as Ledger from '../../../lib/domain/ledger.ts';
import * as Build from '../../support/builders.ts';

const leg = {
  asset: Build.ETH,
  amount: 4_947n * 10n ** 18n,
  notional: 7_887_348_390_000n,
  pricePicoUsd: 1_594_370_000_000_000n,
};

function row(money: Partial<Ledger.Money> = {}): Ledger.Row {
  const transfer = Build.transfer({ asset: Build.ETH, amount: leg.amount });
  return {
    rowId: 'withdrawal:0b1a9f6e-6c0f-4d54-9a4f-1d0c9b6d2f11',
    version: 1,
    state: 'reported',
    decisionId: '5d0c7a52-9f0e-4b7c-8a61-0f2f3a1c9d77',
    bodyHash: Build.hash('body'),
    atMs: Build.T0_MS,
    policyVersion: 3,
    money: {
      transfer,
      subject: Build.subject({ asset: Build.ETH }),
      charged: [leg],
      chargedAtMs: Build.T0_MS,
      ...money,
    },
  };
}

function bytesOf(value: Ledger.Row): number {
  return Object.entries(toRow(value)).reduce(
    (sum, [name, { S, N }]) => sum + name.length + Buffer.byteLength(S ?? N ?? ''),
    0,
  );
}

describe('toRow', () => {
  test('default: a withdrawal as it lies in the table', () => {
    expect(toRow(row())).toMatchInlineSnapshot(`
      {
        "b": {
          "S": "{"s":"reported","h":"230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5","t":1694524860000,"p":3,"m":{"r":{"f":"eip155:1:0x1111111111111111111111111111111111111111","a":"eip155:1/slip44:60","t":"eip155:1:0xcccccccccccccccccccccccccccccccccccccccc","n":"4947000000000000000000","c":"customer-1"},"u":{"wallet":"hot-1","keyDomain":"vault-a"},"l":[[0,"4947000000000000000000","7887348390000","1594370000000000"]]}}",
        },
        "d": {
          "S": "5d0c7a52-9f0e-4b7c-8a61-0f2f3a1c9d77",
        },
        "pk": {
          "S": "row#withdrawal:0b1a9f6e-6c0f-4d54-9a4f-1d0c9b6d2f11",
        },
        "v": {
          "N": "1",
        },
      }
    `);
  });

  test('behavior: a withdrawal with memo and fee fits 1 KB', () => {
    const fee = { asset: Build.USDC, amount: 21_000n * 123_456_789n };
    const memo = 'memo-1234567890';
    const transfer = Build.transfer({ asset: Build.ETH, amount: leg.amount, fee, memo });
    const subject = Build.subject({ asset: Build.ETH, memo });
    const charged = [leg, { ...leg, asset: Build.USDC }];
    expect(bytesOf(row({ transfer, subject, charged }))).toBeLessThan(1_024);
  });
});

describe('fromRow', () => {
  test.each([
    ['a row with money', row()],
    ['a note', { ...row(), money: undefined, state: 'noted', note: 'why', link: 'other' }],
    ['nothing charged', row({ charged: [] })],
    ['a reservation that settled', { ...row(), admittedUntilMs: 1, settledAtMs: 2 }],
    ['an outflow that was replaced', { ...row(), state: 'replaced', note: 'why' }],
    ['one that waits for a person', { ...row({ charged: [] }), state: 'held' }],
    [
      'one that waits for room',
      {
        ...row({ charged: [] }),
        state: 'held',
        places: [
          { limitId: 'wallet-hour', scope: 'wallet:hot-1', need: 2n ** 255n },
          { limitId: 'asset-hour', scope: 'asset:x', need: 1n },
        ],
      },
    ],
    ['one that a person let go', { ...row(), state: 'reserved', released: { by: 'ann', atMs: 7 } }],
    ['an outflow of a batch', { ...row(), state: 'matched', link: 'a', links: ['b', 'c'] }],
    ['an outflow that was removed', { ...row({ charged: [] }), state: 'removed', sequence: 7 }],
    ['a removal before its sight', { ...row(), money: undefined, state: 'removed', sequence: 0 }],
    ['a withdrawal of a batch', { ...row(), state: 'reserved', payout: 'match:a' }],
    [
      'outflows that met',
      {
        ...row(),
        money: undefined,
        state: 'noted',
        ends: { approvals: [], seen: [], movements: [], met: [{ rowId: 'a', nonce: 0 }] },
      },
    ],
    ['an outflow that was declared', { ...row(), state: 'moved', movementId: 'm' }],
    ['an outflow to its own', { ...row(), state: 'kept' }],
    ['an outflow in its grace', { ...row(), state: 'unmatched', graceUntilMs: 9 }],
    ['a withdrawal that has to show', { ...row(), isAwaited: true, sent: { nonce: 0 } }],
    ['one whose outflow a reorg took off', { ...row(), wasSeen: true }],
    ['what was said of a transaction', { ...row(), sent: { transaction: '0xa', nonce: 3 } }],
    [
      'what waits between two ends',
      {
        ...row(),
        money: undefined,
        state: 'noted',
        ends: {
          approvals: [
            { rowIds: ['a'], amount: 2n ** 256n - 1n },
            { rowIds: ['b', 'c'], amount: 0n, transaction: '0xa', nonce: 0 },
          ],
          seen: [
            { rowId: 'd', amount: 1n, transaction: '0xb' },
            { rowId: 'e', amount: 1n, transaction: '0xc', nonce: 1 },
          ],
          movements: [{ movementId: 'm', left: 5n, untilMs: 6 }],
        },
      },
    ],
    ['a charge at another time', row({ chargedAtMs: 1 })],
    ['a subject of another asset', row({ subject: Build.subject({ asset: Build.USDC }) })],
    ['a transfer without actor', row({ transfer: Build.transfer({ actor: undefined }) })],
    ['a subject without actor', row({ subject: Build.subject({ actor: undefined }) })],
    [
      'a subject that shares nothing with the transfer',
      row({
        subject: {
          chain: Build.OTHER_CHAIN,
          wallet: 'w',
          keyDomain: 'k',
          asset: Build.PRICELESS,
          destination: Build.STRANGER,
          memo: 'm',
          actor: 'a',
        },
      }),
    ],
  ] satisfies [string, Omit<Ledger.Row, 'money'> & { money?: Ledger.Money | undefined }][])(
    'behavior: %s comes back',
    (_, value) => {
      const { money, ...rest } = value;
      const stored = money ? { ...rest, money } : rest;
      expect(fromRow(stored.rowId, toRow(stored))).toEqual(stored);
    },
  );

  test.each([
    ['a state that nobody knows', '"s":"lost"', /b at s/],
    ['an amount that is no number', '"n":"1.5"', /b at m\.r\.n/],
  ])('error: %s', (_, wrong, message) => {
    const stored = toRow(row());
    const name = wrong.slice(0, 4);
    const b = stored.b?.S?.replace(new RegExp(`${name}"[^"]*"`), wrong) ?? '';
    expect(() => fromRow('r', { ...stored, b: { S: b } })).toThrowError(message);
  });
});

describe('decisionOf', () => {
  test('default', () => {
    expect(decisionOf(toRow(row()))).toBe('5d0c7a52-9f0e-4b7c-8a61-0f2f3a1c9d77');
  });
});
