import { describe, expect, test } from 'vitest';
import { scopesOf } from '../../bench/events.ts';
import { policySource, walletAccount, walletName } from '../../bench/sample-policy.ts';
import { parsePolicy } from '../../lib/adapters/policy-file/parse.ts';
import { walletOf } from '../../lib/domain/policy.ts';

describe('policySource', () => {
  test('default', () => {
    const policy = parsePolicy(policySource(2));
    const ofWallet = policy.limits.filter(
      ({ scope, metric }) => scope === 'wallet' && metric === 'notional',
    );
    expect(policy.limits.length).toBe(21);
    expect(ofWallet.map(({ windowMs }) => windowMs / 60_000)).toEqual([5, 15, 60, 360, 1_440]);
    expect(walletOf(policy, walletAccount(1))?.name).toBe(walletName(1));
  });
});

describe('scopesOf', () => {
  test('default', () => {
    expect(scopesOf({ wallet: 3, customer: 10 })).toMatchInlineSnapshot(`
      {
        "actor": "actor:customer-10",
        "asset": "asset:eip155:1/slip44:60",
        "chain": "chain:eip155:1",
        "destination": "destination:eip155:1:0xc00000000000000000000000000000000000000a",
        "global": "global",
        "key-domain": "key-domain:vault-3",
        "wallet": "wallet:hot-3",
        "wallet-asset": "wallet-asset:hot-3|eip155:1/slip44:60",
      }
    `);
  });
});
