import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AccountId } from '../../lib/domain/caip.ts';
import * as Money from '../../lib/domain/money.ts';
import * as Policy from '../../lib/domain/policy.ts';
import * as Scope from '../../lib/domain/scope.ts';
import {
  CHAIN,
  CUSTOMER,
  ETH,
  eth,
  HOT_1,
  HOT_1_OTHER_CHAIN,
  limit,
  OTHER_CHAIN,
  PRICELESS,
  policy,
  STRANGER,
  subject,
  transfer,
  UNLISTED,
  USDC,
  usd,
  WRAPPED_ETH,
} from '../support/builders.ts';

/** The wallets of the sample policy, `hot-1` with this life of its admissions. */
function attended(admissionMs: number, timing: Partial<Policy.Timing> = {}): Policy.Policy {
  const { wallets, timing: sample } = policy();
  return policy({
    wallets: wallets.map((wallet) =>
      wallet.name === 'hot-1' ? { ...wallet, admissionMs } : wallet,
    ),
    timing: { ...sample, ...timing },
  });
}

describe('admissionMs', () => {
  test('default: that of the timing', () => {
    expect(Policy.admissionMs(policy(), 'hot-1')).toBe(30_000);
  });

  test('behavior: a wallet with its own, by name and by each account; others have the default', () => {
    const rules = attended(600_000);
    const lives = ['hot-1', HOT_1, HOT_1_OTHER_CHAIN, 'hot-3', STRANGER, 'no-wallet'].map(
      (wallet) => Policy.admissionMs(rules, wallet),
    );
    expect(lives).toEqual([600_000, 600_000, 600_000, 30_000, 30_000, 30_000]);
  });

  test('behavior: a life of its own may be shorter', () => {
    expect(Policy.admissionMs(attended(1_000), 'hot-1')).toBe(1_000);
  });
});

describe('wideningMs', () => {
  const none = { clockToleranceMs: 0, admissionMs: 0, commitDelayMs: 0, leaseMs: 0 };

  test.each([
    [{ clockToleranceMs: 1 }, 0, 2],
    [{ admissionMs: 1 }, 0, 0],
    [{}, 1, 1],
    [{ commitDelayMs: 1 }, 0, 1],
    [{ leaseMs: 1 }, 0, 0],
  ])('args: %o, admission %d', (timing, admissionMs, widened) => {
    expect(Policy.wideningMs({ ...none, ...timing }, admissionMs)).toBe(widened);
  });
});

describe('widenMs', () => {
  const widened = (rules: Policy.Policy, wallet: string) =>
    Object.fromEntries(
      Scope.all(subject({ wallet })).map((scope) => [scope.kind, Policy.widenMs(rules, scope)]),
    );

  test('default: the same everywhere', () => {
    expect(new Set(Object.values(widened(policy(), 'hot-1')))).toEqual(new Set([40_000]));
  });

  test('behavior: a wallet by its own admissions, what others charge too by the longest', () => {
    const rules = attended(600_000);
    expect(widened(rules, 'hot-1')).toEqual({
      actor: 610_000,
      destination: 610_000,
      'wallet-asset': 610_000,
      wallet: 610_000,
      asset: 610_000,
      chain: 610_000,
      'key-domain': 610_000,
      global: 610_000,
    });
    for (const other of ['hot-3', STRANGER]) {
      expect(widened(rules, other)).toMatchObject({
        'wallet-asset': 40_000,
        wallet: 40_000,
        'key-domain': 610_000,
        global: 610_000,
      });
    }
  });

  test('behavior: the default counts where wallets have shorter ones', () => {
    const rules = attended(1_000, { admissionMs: 60_000 });
    expect(widened(rules, 'hot-1')).toMatchObject({ wallet: 11_000, global: 70_000 });
  });
});

describe('walletOf', () => {
  test('args: an address on each chain, and a name', () => {
    const names = [HOT_1, HOT_1_OTHER_CHAIN, 'hot-3'].map(
      (id) => Policy.walletOf(policy(), id)?.name,
    );
    expect(names).toEqual(['hot-1', 'hot-1', 'hot-3']);
  });

  test('args: H40, H44: a stranger, and a policy without wallets', () => {
    expect(Policy.walletOf(policy(), STRANGER)).toBeUndefined();
    expect(Policy.walletOf(policy({ wallets: [] }), HOT_1)).toBeUndefined();
  });
});

describe('resolve', () => {
  test('default', () => {
    expect(
      Policy.resolve(policy(), transfer({ asset: ETH, amount: eth(2) })),
    ).toMatchInlineSnapshot(`
      {
        "legs": [
          {
            "amount": 2000000000000000000n,
            "asset": "eip155:1/slip44:60",
            "notional": 3000000000n,
            "pricePicoUsd": 1500000000000000n,
          },
        ],
        "subject": {
          "actor": "customer-1",
          "asset": "eip155:1/slip44:60",
          "chain": "eip155:1",
          "destination": "eip155:1:0xcccccccccccccccccccccccccccccccccccccccc",
          "keyDomain": "vault-a",
          "memo": undefined,
          "wallet": "hot-1",
        },
        "unknown": [],
      }
    `);
  });

  test('behavior: H24: a fee in the same asset leaves with the amount', () => {
    const fee = { asset: USDC, amount: usd(2) };
    const { legs } = Policy.resolve(policy(), transfer({ fee }));
    expect(legs.map((leg) => [leg.asset, leg.amount, leg.notional])).toEqual([
      [USDC, usd(3), usd(3)],
    ]);
  });

  test('behavior: H24: a fee in another asset is a leg of its own', () => {
    const fee = { asset: ETH, amount: eth(1) };
    const { legs, subject: touched } = Policy.resolve(policy(), transfer({ fee }));
    expect(legs.map((leg) => [leg.asset, leg.amount, leg.notional])).toEqual([
      [USDC, usd(1), usd(1)],
      [ETH, eth(1), usd(1_500)],
    ]);
    expect(touched.asset).toBe(USDC);
  });

  test('behavior: H26: the same money under another id uses one budget, in that budget’s units', () => {
    const wrapped = transfer({ account: HOT_1_OTHER_CHAIN, asset: WRAPPED_ETH, amount: 10n ** 8n });
    const resolved = Policy.resolve(policy(), wrapped);
    expect(resolved.unknown).toEqual([]);
    expect(resolved.subject).toMatchObject({ asset: ETH, chain: OTHER_CHAIN, wallet: 'hot-1' });
    expect(resolved.legs).toEqual([
      { asset: ETH, amount: eth(1), notional: usd(1_500), pricePicoUsd: 1_500n * 10n ** 12n },
    ]);
  });

  test('behavior: H26: a budget that the policy does not know is an unknown asset', () => {
    const { assets } = policy();
    const without = policy({ assets: assets.filter((rule) => rule.pattern !== ETH) });
    const wrapped = transfer({ account: HOT_1_OTHER_CHAIN, asset: WRAPPED_ETH, amount: 5n });
    const resolved = Policy.resolve(without, wrapped);
    expect(resolved.unknown).toEqual(['asset']);
    expect(resolved.legs[0]?.amount).toBe(5n);
  });

  test.each([
    ['wallet', { account: STRANGER }, ['wallet']],
    ['asset', { asset: UNLISTED }, ['asset', 'price']],
    ['chain', { account: `eip155:5:${HOT_1.slice(9)}` as AccountId }, ['wallet', 'chain']],
    ['price', { asset: PRICELESS }, ['price']],
    ['asset of the fee', { fee: { asset: UNLISTED, amount: 1n } }, ['asset', 'price']],
  ])('behavior: H40: unknown %s is named', (_, overrides, unknown) => {
    const resolved = Policy.resolve(policy(), transfer(overrides));
    expect(resolved.unknown).toEqual(unknown);
  });

  test('behavior: H40: a wallet that nobody named is a scope of its own', () => {
    const { subject: touched } = Policy.resolve(policy(), transfer({ account: STRANGER }));
    expect([touched.wallet, touched.keyDomain]).toEqual([STRANGER, Policy.UNKNOWN_KEY_DOMAIN]);
  });

  test('behavior: H39: a floor price of zero is a price, no price is not', () => {
    const priced = (floorPricePicoUsd?: bigint) =>
      policy({ assets: [{ pattern: USDC, symbol: 'USDC', decimals: 6, floorPricePicoUsd }] });
    expect(Policy.resolve(priced(0n), transfer()).unknown).toEqual([]);
    expect(Policy.resolve(priced(), transfer()).unknown).toEqual(['price']);
  });

  test('error: H37: a negative amount', () => {
    expect(() => Policy.resolve(policy(), transfer({ amount: -1n }))).toThrow(
      Money.NegativeAmountError,
    );
  });
});

describe('limitsOn', () => {
  const ids = (where: Policy.Where, overrides = {}) =>
    Policy.limitsOn(policy({ limits: [limit({ where })] }), 'wallet', subject(overrides)).map(
      (found) => found.limitId,
    );

  test('behavior: of this kind of scope only, in the order of the policy', () => {
    const limits = ['c', 'a', 'b'].map((limitId) => limit({ limitId }));
    const rules = policy({ limits: [...limits, limit({ limitId: 'd', scope: 'global' })] });
    expect(Policy.limitsOn(rules, 'wallet', subject()).map((one) => one.limitId)).toEqual([
      'c',
      'a',
      'b',
    ]);
    expect(Policy.limitsOn(rules, 'global', subject()).map((one) => one.limitId)).toEqual(['d']);
    expect(Policy.limitsOn(rules, 'chain', subject())).toEqual([]);
  });

  test.each([
    [{ wallet: 'hot-1' }, true],
    [{ wallet: 'hot-*' }, true],
    [{ wallet: 'hot-11' }, false],
    [{ keyDomain: 'vault-b' }, false],
    [{ chain: CHAIN, asset: 'eip155:1/erc20:*' }, true],
    [{ chain: CHAIN, asset: ETH }, false],
    [{ destination: CUSTOMER }, true],
    [{ actor: 'customer-2' }, false],
    [{}, true],
  ])('args: where %o', (where, applies) => {
    expect(ids(where)).toHaveLength(applies ? 1 : 0);
  });

  test('behavior: H43: leaving a field out escapes no limit', () => {
    expect(ids({ actor: 'customer-2' }, { actor: undefined })).toEqual(['wallet-hour']);
  });

  test('behavior: H43: no limit hides another, in any order', () => {
    const limits = fc.shuffledSubarray(
      [{}, { wallet: '*' }, { wallet: 'hot-1' }, { asset: USDC }, { actor: 'customer-1' }].map(
        (where, i) => limit({ limitId: `limit-${i}`, where }),
      ),
    );
    fc.assert(
      fc.property(limits, (some) => {
        expect(Policy.limitsOn(policy({ limits: some }), 'wallet', subject())).toEqual(some);
      }),
    );
  });
});

describe('isObserved', () => {
  test.each([
    [{}, false],
    [{ observed: true }, true],
    [{ watch: { confirmations: 0, blindAfterMs: 1 } }, true],
  ] as const)('args: a chain with %o', (how, expected) => {
    const rules = { chains: [{ pattern: CHAIN, name: 'Ethereum', ...how }] };
    expect(Policy.isObserved(rules, CHAIN)).toBe(expected);
    expect(Policy.isObserved(rules, OTHER_CHAIN)).toBe(false);
  });
});

describe('assetRule', () => {
  test('behavior: an exact rule before a pattern, wherever it stands', () => {
    const any = { pattern: 'eip155:1/erc20:*', symbol: 'ERC20', decimals: 18 };
    const exact = { pattern: USDC, symbol: 'USDC', decimals: 6 };
    for (const assets of [
      [any, exact],
      [exact, any],
    ]) {
      expect(Policy.assetRule(policy({ assets }), USDC)).toBe(exact);
      expect(Policy.assetRule(policy({ assets }), UNLISTED)).toBe(any);
      expect(Policy.assetRule(policy({ assets }), ETH)).toBeUndefined();
    }
  });
});
