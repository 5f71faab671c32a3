import { describe, expect, test } from 'vitest';
import * as Facts from '../../lib/domain/facts.ts';
import { limit, policy } from '../support/builders.ts';

const ITEMS = ['global', 'wallet:hot-1', 'wallet-asset:hot-1|eth', 'wallet-asset:hot-1|usdc'];
const BALANCES = ITEMS.slice(2);
const sources = [{ feed: { kind: 'http', id: 'a' } as const, maxAgeMs: 1, keepMs: 1 }];
const [first, ...others] = policy().assets;
const priced = { assets: [{ ...first!, sources }, ...others] };
const shared = { limits: [limit(), limit({ limitId: 'share', metric: 'share' as never })] };

describe('keys', () => {
  test('default: nothing beside the ledger', () => {
    expect(Facts.keys(policy(), ITEMS)).toBeUndefined();
    expect(Facts.keys(policy({ limits: [limit()] }), ITEMS)).toBeUndefined();
  });

  test('behavior: prices where one asset has a feed, and no balances', () => {
    expect(Facts.keys(policy(priced), ITEMS)).toEqual({ prices: true, balances: [] });
  });

  test('behavior: balances of the wallets and assets that are decided on, where one limit is a share', () => {
    expect(Facts.keys(policy(shared), ITEMS)).toEqual({ prices: false, balances: BALANCES });
    expect(Facts.keys(policy(shared), ITEMS.slice(0, 2))).toBeUndefined();
  });

  test('behavior: both', () => {
    const both = policy({ ...priced, ...shared });
    expect(Facts.keys(both, ITEMS)).toEqual({ prices: true, balances: BALANCES });
  });
});
