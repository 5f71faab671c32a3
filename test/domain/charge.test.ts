import { describe, expect, test } from 'vitest';
import * as Charge from '../../lib/domain/charge.ts';
import * as Policy from '../../lib/domain/policy.ts';
import * as Scope from '../../lib/domain/scope.ts';
import {
  CUSTOMER,
  ETH,
  eth,
  HOT_1_OTHER_CHAIN,
  policy,
  transfer,
  USDC,
  usd,
  WRAPPED_ETH,
} from '../support/builders.ts';

const hash = (text: string) => text.length;

function chargesOf(money: Parameters<typeof transfer>[0], withdrawals: 0 | 1 = 1) {
  const { subject, legs } = Policy.resolve(policy(), transfer(money));
  return Charge.charges({ subject, legs, withdrawals }, hash);
}

describe('charges', () => {
  test('default', () => {
    expect(Object.fromEntries(chargesOf({}))).toMatchInlineSnapshot(`
      {
        "actor:customer-1": {
          "amount": 0n,
          "assets": [
            57,
          ],
          "count": 1,
          "notional": 1000000n,
        },
        "asset:eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48": {
          "amount": 1000000n,
          "assets": [],
          "count": 1,
          "notional": 1000000n,
        },
        "chain:eip155:1": {
          "amount": 0n,
          "assets": [
            57,
          ],
          "count": 1,
          "notional": 1000000n,
        },
        "destination:eip155:1:0xcccccccccccccccccccccccccccccccccccccccc": {
          "amount": 0n,
          "assets": [
            57,
          ],
          "count": 1,
          "notional": 1000000n,
        },
        "global": {
          "amount": 0n,
          "assets": [
            57,
          ],
          "count": 1,
          "notional": 1000000n,
        },
        "key-domain:vault-a": {
          "amount": 0n,
          "assets": [
            57,
          ],
          "count": 1,
          "notional": 1000000n,
        },
        "wallet-asset:hot-1|eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48": {
          "amount": 1000000n,
          "assets": [],
          "count": 1,
          "notional": 1000000n,
        },
        "wallet:hot-1": {
          "amount": 0n,
          "assets": [
            57,
          ],
          "count": 1,
          "notional": 1000000n,
        },
      }
    `);
  });

  test('behavior: H24: a fee in another asset is charged everywhere it leaves from, and is no withdrawal', () => {
    const charges = chargesOf({ fee: { asset: ETH, amount: eth(1) } });
    expect(charges.size).toBe(10);
    expect(charges.get('wallet:hot-1')).toEqual({
      notional: usd(1_501),
      amount: 0n,
      count: 1,
      assets: [USDC.length, ETH.length],
    });
    expect(charges.get(`asset:${ETH}`)).toEqual({
      notional: usd(1_500),
      amount: eth(1),
      count: 0,
      assets: [],
    });
    expect(charges.get(`asset:${USDC}`)).toEqual({
      notional: usd(1),
      amount: usd(1),
      count: 1,
      assets: [],
    });
  });

  test('behavior: H14: a fee whose withdrawal was counted before adds to no count', () => {
    const counts = [...chargesOf({}, 0).values()].map((charge) => charge.count);
    expect(counts).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('behavior: H26: amount and fee in two ids of one money meet in one budget', () => {
    const fee = { asset: ETH, amount: eth(1) };
    const charges = chargesOf({
      account: HOT_1_OTHER_CHAIN,
      asset: WRAPPED_ETH,
      amount: 10n ** 8n,
      fee,
    });
    expect(charges.size).toBe(8);
    expect(charges.get(`asset:${ETH}`)).toMatchObject({ amount: eth(2), count: 1 });
  });

  test('behavior: H44: no legs, no charges', () => {
    const { subject } = Policy.resolve(policy(), transfer());
    expect(Charge.charges({ subject, legs: [], withdrawals: 1 }, hash).size).toBe(0);
  });
});

describe('keys', () => {
  test('behavior: exactly the scopes that are charged', () => {
    for (const fee of [undefined, { asset: USDC, amount: 1n }, { asset: ETH, amount: 1n }]) {
      const resolved = Policy.resolve(policy(), transfer({ fee, memo: 'a|b' }));
      const charged = Charge.charges({ ...resolved, withdrawals: 1 }, hash).keys();
      expect(Charge.keys(resolved).toSorted()).toEqual([...charged].toSorted());
    }
  });

  test('behavior: narrowest first, and each once', () => {
    const keys = Charge.keys(Policy.resolve(policy(), transfer()));
    expect(keys).toEqual([
      'actor:customer-1',
      `destination:${CUSTOMER}`,
      `wallet-asset:hot-1|${USDC}`,
      'wallet:hot-1',
      `asset:${USDC}`,
      'chain:eip155:1',
      'key-domain:vault-a',
      Scope.GLOBAL_KEY,
    ]);
  });
});
