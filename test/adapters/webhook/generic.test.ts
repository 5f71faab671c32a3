import { describe, expect, test } from 'vitest';
import {
  isFromReporter,
  parseGenericSettings,
  readGeneric,
} from '../../../lib/adapters/webhook/generic.ts';
import * as Build from '../../support/builders.ts';
import { delivery, hmac } from './deliveries.ts';

const KEY = 'a-key-of-at-least-thirty-two-characters';
const NOW_MS = 1_700_000_000_000;
const TRANSFER = {
  kind: 'transfer',
  transaction: 'tx-1',
  wallet: 'stellar:pubnet:GHOT',
  asset: 'stellar:pubnet/slip44:148',
  destination: 'stellar:pubnet:GCUSTOMER',
  memo: '10442',
  amount: '10000000',
};

function signed(text: string, at: { readonly timestamp: string; readonly key?: string }) {
  return delivery(text, {
    'x-breakwater-timestamp': at.timestamp,
    'x-breakwater-signature': hmac(at.key ?? KEY, `${at.timestamp}.${text}`),
  });
}

describe('parseGenericSettings', () => {
  test('default', () => {
    expect(parseGenericSettings(JSON.stringify({ keys: [KEY] }))).toEqual({ keys: [KEY] });
  });

  test('error: a key that could be guessed, or none', () => {
    expect(() => parseGenericSettings('{"keys":["short"]}')).toThrow(/keys\.0/);
    expect(() => parseGenericSettings('{"keys":[]}')).toThrow(/keys/);
  });
});

describe('isFromReporter', () => {
  const is = (given: ReturnType<typeof delivery>, keys = [KEY]) =>
    isFromReporter(given, { keys, nowMs: NOW_MS });

  test('default', () => {
    expect(is(signed('{}', { timestamp: '1700000000' }))).toBe(true);
  });

  test.each([
    [1_699_999_699, false],
    [1_699_999_700, true],
    [1_700_000_300, true],
    [1_700_000_301, false],
  ])('behavior: replayed: signed at %i: %s', (timestamp, taken) => {
    expect(is(signed('{}', { timestamp: String(timestamp) }))).toBe(taken);
  });

  test('behavior: forged, altered, or moved to another time', () => {
    const good = signed('{"a":1}', { timestamp: '1700000000' });
    expect(is(signed('{"a":1}', { timestamp: '1700000000', key: 'x' }))).toBe(false);
    expect(is({ ...good, body: Buffer.from('{"a":2}') })).toBe(false);
    expect(
      is({ ...good, headers: { ...good.headers, 'x-breakwater-timestamp': '1700000001' } }),
    ).toBe(false);
    expect(is(delivery('{"a":1}'))).toBe(false);
    expect(is(good, [])).toBe(false);
  });

  test.each(['', 'now', '-1', '1.7e9', '1700000000000', ' 1700000000', '0x6553f100'])(
    'error: timestamp "%s"',
    (timestamp) => {
      expect(is(signed('{}', { timestamp }))).toBe(false);
    },
  );
});

describe('readGeneric', () => {
  const read = (outflows: unknown) => readGeneric(Build.policy(), delivery({ outflows }));

  test('default: a transfer with its memo', () => {
    expect(read([TRANSFER])).toMatchInlineSnapshot(`
      {
        "events": [
          {
            "detail": {
              "amount": "10000000",
              "asset": "stellar:pubnet/slip44:148",
              "destination": "stellar:pubnet:GCUSTOMER",
              "memo": "10442",
              "place": "top",
              "transaction": "tx-1",
              "wallet": "stellar:pubnet:GHOT",
            },
            "detailType": "outflow.observed",
          },
        ],
        "left": [],
      }
    `);
  });

  test('behavior: place, fee and withdrawal are passed on as they are', () => {
    const fee = { asset: TRANSFER.asset, amount: '100' };
    const more = { place: 'log:3', fee, withdrawalId: 'w-1' };
    expect(read([{ ...TRANSFER, ...more }]).events).toMatchObject([{ detail: more }]);
  });

  test('behavior: a wallet that the policy does not know is passed on: the policy decides (H40)', () => {
    expect(read([TRANSFER]).events).toHaveLength(1);
  });

  test.each([
    ['nothing', [], /outflows/],
    ['too many', Array(201).fill(TRANSFER), /outflows/],
    ['an unknown kind', [{ ...TRANSFER, kind: 'gift' }], /outflows\.0/],
    ['an unknown field', [{ ...TRANSFER, amout: '1' }], /amout/],
    ['a number as amount', [{ ...TRANSFER, amount: 5 }], /outflows\.0\.amount/],
    [
      'a memo on an EVM chain',
      [{ ...TRANSFER, wallet: Build.HOT_1, asset: Build.ETH, destination: Build.CUSTOMER }],
      /memo/,
    ],
    ['a sign in the amount', [{ ...TRANSFER, amount: '-5' }], /outflows\.0\.amount/],
    ['two chains', [{ ...TRANSFER, destination: Build.CUSTOMER }], /outflows\.0\.destination/],
    ['one bad among good', [TRANSFER, { ...TRANSFER, place: 'log:07' }], /outflows\.1\.place/],
  ])('error: %s', (_name, outflows, problem) => {
    expect(() => read(outflows)).toThrow(problem);
  });
});
