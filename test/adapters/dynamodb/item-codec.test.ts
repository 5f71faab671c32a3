import { describe, expect, test } from 'vitest';
import { fromItem, toItem } from '../../../lib/adapters/dynamodb/item-codec.ts';
import type * as Breaker from '../../../lib/domain/breaker.ts';
import * as Meter from '../../../lib/domain/meter.ts';
import * as Build from '../../support/builders.ts';

const OPEN: Breaker.Breaker = {
  state: 'open',
  epoch: 1,
  incidentId: 'INC',
  openedAtMs: 5,
  causes: 1,
};

const charged = Meter.charge(Meter.EMPTY, Build.charge({ count: 1 }), Build.T0_MS + 1);
const expiresAtS = { N: String((Build.T0_MS + 33 * Build.DAY_MS) / 1_000 + 1) };

describe('toItem', () => {
  test('default: what has nothing to remember takes no room', () => {
    const item = toItem('wallet:hot-1', Build.item({ meter: charged }));
    expect(Object.keys(item).sort()).toEqual(['m', 'pk', 'v']);
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
    ['a wallet', 'wallet:actor:1', Build.item({ meter: charged })],
    ['global', 'global', Build.item({ meter: charged, policyVersion: 1 })],
    ['an open breaker', 'actor:a', Build.item({ meter: charged, breaker: OPEN })],
    [
      'a breaker that has been open',
      'actor:a',
      Build.item({ meter: charged, breaker: { state: 'closed', epoch: 1 } }),
    ],
    ['a meter without a charge', 'actor:a', Build.item()],
  ])('behavior: %s never expires (H84)', (_, key, item) => {
    expect(toItem(key, item).expiresAtS).toBeUndefined();
    expect(fromItem(toItem(key, item))).toEqual(item);
  });
});

describe('fromItem', () => {
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
