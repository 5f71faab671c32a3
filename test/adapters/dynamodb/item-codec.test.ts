import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { fromItem, toItem } from '../../../lib/adapters/dynamodb/item-codec.ts';
import type * as Breaker from '../../../lib/domain/breaker.ts';
import * as Meter from '../../../lib/domain/meter.ts';
import * as Build from '../../support/builders.ts';
import * as Busy from './busy-meter.ts';

const OPEN: Breaker.Breaker = {
  state: 'open',
  epoch: 1,
  incidentId: 'INC',
  openedAtMs: 5,
  causes: 1,
};

const charged = Meter.charge(Meter.EMPTY, Build.charge({ count: 1 }), Build.T0_MS + 1);
const expiresAtS = { N: String((Build.T0_MS + 33 * Build.DAY_MS) / 1_000 + 1) };

const HOT = `eip155:1:0x${'1'.repeat(40)}`;

/** As DynamoDB counts: names and values in bytes, numbers in pairs of digits. */
function sizeOf(item: Record<string, AttributeValue>): number {
  return Object.entries(item).reduce((sum, [name, { S = '', N, B }]) => {
    const number = N === undefined ? 0 : Math.ceil(N.length / 2) + 1;
    return sum + name.length + Buffer.byteLength(S) + number + (B?.length ?? 0);
  }, 0);
}

describe('toItem', () => {
  test('default: what has nothing to remember takes no room', () => {
    const item = toItem('wallet:hot-1', Build.item({ meter: charged }));
    expect(Object.keys(item).sort()).toEqual(['m', 'pk', 'v']);
  });

  test.each([
    [`destination:${Build.CUSTOMER}|memo-1234567890`, Busy.severalAssets()],
    ['actor:5d0c7a52-9f0e-4b7c-8a61-0f2f3a1c9d77', Busy.severalAssets()],
    ['global', Busy.severalAssets()],
    [`asset:${Build.ETH}`, Busy.eth()],
    [`wallet-asset:eth-hot-wallet-1|${Build.USDC}`, Busy.usdc()],
    [`wallet-asset:${HOT}|${Build.ETH}`, Busy.eth()],
  ])('behavior: %s with all slots full is under 1 KB, two units in a transaction', (key, meter) => {
    const item = toItem(key, Build.item({ version: Build.T0_MS, meter }));
    expect(sizeOf(item)).toBeLessThan(1_024);
  });

  test.each(['destination:eip155:1:0xab', 'actor:customer-1'])(
    'behavior: %s expires 33 days after its newest charge (H84)',
    (key) => {
      expect(toItem(key, Build.item({ meter: charged })).expiresAtS).toEqual(expiresAtS);
      expect(fromItem(toItem(key, Build.item({ meter: charged })))).toEqual(
        Build.item({ meter: charged }),
      );
    },
  );

  test.each([
    ['never charged, 33 days after it was made', Meter.EMPTY, Build.T0_MS + 1],
    ['charged before it was made anew', charged, Build.T0_MS - 1],
    ['made after its newest charge', Meter.charge(Meter.EMPTY, Build.charge(), 1), Build.T0_MS + 1],
  ])('behavior: H84: one that nobody uses expires: %s', (_, meter, version) => {
    const item = Build.item({ version, meter });
    expect(toItem('actor:customer-1', item).expiresAtS).toEqual(expiresAtS);
    expect(fromItem(toItem('actor:customer-1', item))).toEqual(item);
  });

  test.each([
    ['a wallet', 'wallet:actor:1', Build.item({ meter: charged })],
    ['global', 'global', Build.item({ meter: charged, policyVersion: 1 })],
    ['an open breaker', 'actor:a', Build.item({ meter: charged, breaker: OPEN })],
    [
      'a breaker that has been open',
      'actor:a',
      Build.item({ meter: charged, breaker: { state: 'closed', epoch: 1 } }),
    ],
    ['a meter without a charge, of a version that is no time', 'actor:a', Build.item()],
    [
      'one in which somebody waits',
      'actor:a',
      Build.item({ meter: charged, waiting: [{ limitId: 'customer-day', count: 1 }] }),
    ],
  ])('behavior: %s never expires (H84)', (_, key, item) => {
    expect(toItem(key, item).expiresAtS).toBeUndefined();
    expect(fromItem(toItem(key, item))).toEqual(item);
  });
});

describe('fromItem', () => {
  test('behavior: an open breaker comes back with what it counts, and one of an older version without', () => {
    for (const breaker of [OPEN, { ...OPEN, causes: 30, unmatched: 2 }]) {
      expect(fromItem(toItem('global', Build.item({ breaker }))).breaker).toEqual(breaker);
    }
  });

  const stored = toItem('global', Build.item({ meter: charged, breaker: OPEN, policyVersion: 3 }));

  test.each([
    ['no version', { v: { S: '7' } }, /stored item#global cannot be read: v is missing/],
    ['no meter', { m: { S: '' } }, /m is missing/],
    ['a breaker that is no JSON', { b: { S: '{' } }, /b is no JSON/],
    ['a state that nobody knows', { b: { S: '{"state":"ajar","epoch":1}' } }, /b at state/],
    ['a policy version that is no number', { p: { S: '"x"' } }, /p at/],
  ])('error: %s', (_, wrong, message) => {
    expect(() => fromItem({ ...stored, ...wrong })).toThrowError(message);
  });
});

describe('fromItem: what a resume leaves', () => {
  test.each(['wallet:hot-1', `destination:${Build.CUSTOMER}`])(
    'behavior: %s half-open, with bases, overlay and allowances comes back whole and does not expire',
    (key) => {
      const mark = Meter.mark(charged, Build.T0_MS + 1);
      const item = Build.item({
        meter: charged,
        breaker: {
          ...OPEN,
          state: 'half-open',
          steps: [{ shareBps: 1_000, forMs: 5, chains: ['eip155:*'], assets: [Build.ETH] }],
          step: 0,
          stepSinceMs: 7,
          mark,
          budget: 2n ** 200n,
        },
        bases: [{ limitIds: ['a', 'b'], mark }],
        overlay: { shareBps: 0, incidentId: 'INC2', by: 'panic', atMs: 9, causes: 1 },
        allowances: [{ limitId: 'a', extraBps: 1, untilMs: 11 }],
      });
      expect(fromItem(toItem(key, item))).toEqual(item);
      expect(toItem(key, item).expiresAtS).toBeUndefined();
    },
  );
});
