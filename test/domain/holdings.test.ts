import { describe, expect, test } from 'vitest';
import * as Holdings from '../../lib/domain/holdings.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import * as Build from '../support/builders.ts';

const { DAY_MS, ETH, HOT_1, HOT_1_OTHER_CHAIN, HOT_2, HOUR_MS, T0_MS, USDC, WRAPPED_ETH } = Build;
const SHARE: Policy.Limit = {
  limitId: 'share-day',
  scope: 'wallet-asset',
  where: { wallet: 'hot-2', asset: USDC },
  metric: 'share',
  windowMs: DAY_MS,
  allowed: 1_000n,
  action: { kind: 'pause', scope: 'wallet' },
  mode: 'enforce',
};

/** A policy in which `hot-1` has these floors. */
function withFloors(floors: Policy.Wallet['floors']): Policy.Policy {
  const [first, ...others] = Build.policy().wallets;
  if (!first || !floors) throw new Error('the policy of the builders has a wallet');
  return Build.policy({ wallets: [{ ...first, floors }, ...others] });
}

/** `hot-1`'s ether: native on one chain with 18 decimals, wrapped on the other with 8. */
function ether(): Holdings.Holding {
  const holding = Holdings.of(Build.policy(), { account: HOT_1, asset: ETH });
  if (!holding) throw new Error('the policy of the builders knows ether');
  return holding;
}

function holding(overrides: Partial<Holdings.Holding> = {}): Holdings.Holding {
  return { ...ether(), floor: Build.eth(2), ...overrides };
}

describe('wanted', () => {
  test('default: none without a limit on a share and without a floor', () => {
    expect(Holdings.wanted(Build.policy({ limits: [Build.limit()] }))).toEqual([]);
  });

  test('behavior: those that a limit on a share speaks of, and no others', () => {
    const wanted = Holdings.wanted(Build.policy({ limits: [Build.limit(), SHARE] }));
    expect(wanted).toEqual([
      {
        scope: `wallet-asset:hot-2|${USDC}`,
        wallet: 'hot-2',
        asset: USDC,
        decimals: 6,
        parts: [{ account: HOT_2, asset: USDC, decimals: 6 }],
      },
    ]);
  });

  test('behavior: those that have a floor, with that floor', () => {
    const wanted = Holdings.wanted(withFloors([{ asset: USDC, amount: 7n }]));
    expect(wanted.map(({ wallet, asset, floor }) => [wallet, asset, floor])).toEqual([
      ['hot-1', USDC, 7n],
    ]);
  });

  test('behavior: an asset is read under all of its ids, at all addresses, once', () => {
    const wanted = Holdings.wanted(withFloors([{ asset: ETH, amount: 7n }]));
    expect(wanted.map(({ asset, parts }) => [asset, parts])).toEqual([
      [
        ETH,
        [
          { account: HOT_1, asset: ETH, decimals: 18 },
          { account: HOT_1_OTHER_CHAIN, asset: WRAPPED_ETH, decimals: 8 },
        ],
      ],
    ]);
  });

  test('behavior: no asset that the wallet has no address for, and no pattern', () => {
    const bep = 'eip155:56/erc20:0x00000000000000000000000000000000000000bb' as const;
    const any = { pattern: 'eip155:*/slip44:*', symbol: 'ANY', decimals: 18 };
    const { assets } = Build.policy();
    const own = { pattern: bep, symbol: 'BEP', decimals: 18 };
    const limits = [{ ...SHARE, where: {} }];
    const wanted = Holdings.wanted(Build.policy({ assets: [...assets, own, any], limits }));
    expect(wanted.filter(({ asset }) => asset === bep).map(({ wallet }) => wallet)).toEqual([
      'hot-1',
    ]);
    expect(wanted.filter(({ asset }) => asset.includes('*'))).toEqual([]);
    expect(wanted.filter(({ asset }) => asset === WRAPPED_ETH)).toEqual([]);
  });
});

describe('of', () => {
  test('behavior: another id of the money is that of its budget', () => {
    const asked = { account: HOT_1_OTHER_CHAIN, asset: WRAPPED_ETH };
    expect(Holdings.of(Build.policy(), asked)).toEqual(ether());
  });

  test('behavior: the floor of this asset, and none where it has none', () => {
    const policy = withFloors([
      { asset: USDC, amount: 7n },
      { asset: ETH, amount: 9n },
    ]);
    const floorOf = (asset: typeof ETH) => Holdings.of(policy, { account: HOT_1, asset })?.floor;
    expect([floorOf(ETH), floorOf(USDC), floorOf(Build.PRICELESS)]).toEqual([9n, 7n, undefined]);
    expect(ether()).not.toHaveProperty('floor');
  });

  test('behavior: nothing where the policy does not know the wallet, or the asset', () => {
    const { STRANGER, UNLISTED } = Build;
    expect(Holdings.of(Build.policy(), { account: STRANGER, asset: ETH })).toBeUndefined();
    expect(Holdings.of(Build.policy(), { account: HOT_1, asset: UNLISTED })).toBeUndefined();
  });
});

describe('sum', () => {
  test('behavior: amounts of fewer decimals count as much as they are worth', () => {
    expect(Holdings.sum(ether(), [Build.eth(3), 200_000_000n])).toBe(Build.eth(5));
  });

  test('behavior: amounts of more decimals too, rounded down', () => {
    const parts = ether().parts.toReversed();
    const inWrapped = { ...ether(), decimals: 8, parts };
    expect(Holdings.sum(inWrapped, [100_000_000n, Build.eth(1) + 10n ** 10n - 1n])).toBe(
      200_000_000n,
    );
  });

  test('behavior: what is missing is nothing', () => {
    expect(Holdings.sum(ether(), [5n])).toBe(5n);
    expect(Holdings.sum(ether(), [])).toBe(0n);
  });
});

describe('floorAlert', () => {
  const alert = (amount: bigint, atMs = T0_MS) =>
    Holdings.floorAlert(Build.policy(), holding(), { amount, atMs });

  test('default: what it holds and should hold', () => {
    expect(alert(Build.eth(1))).toEqual({
      alertId: `floor|wallet-asset:hot-1|${ETH}|${Math.floor(T0_MS / DAY_MS)}`,
      kind: 'balance',
      atMs: T0_MS,
      scope: `wallet-asset:hot-1|${ETH}`,
      rowId: `wallet-asset:hot-1|${ETH}`,
      text: 'wallet hot-1 holds 1 ETH, under its floor of 2 ETH',
    });
  });

  test('behavior: under the floor only', () => {
    expect(alert(Build.eth(2))).toBeUndefined();
    expect(alert(Build.eth(2) - 1n)).toBeDefined();
    const { floor: _, ...none } = holding();
    const seen = { amount: 0n, atMs: T0_MS };
    expect(Holdings.floorAlert(Build.policy(), none, seen)).toBeUndefined();
  });

  test('behavior: the same one all day, another one the next', () => {
    const ids = [0, HOUR_MS, DAY_MS].map((laterMs) => alert(1n, T0_MS + laterMs)?.alertId);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });
});

describe('unreadAlert', () => {
  const one = { holding: holding(), why: 'the node is down' };

  test('behavior: nothing where all were read', () => {
    expect(Holdings.unreadAlert([], T0_MS)).toBeUndefined();
  });

  test('behavior: the first one by name, how many more, and what it means', () => {
    const scope = `wallet-asset:hot-1|${ETH}`;
    const means =
      'Where none is known at the start of its window, a limit on a share of it lets nothing leave';
    expect(Holdings.unreadAlert([one], T0_MS)).toEqual({
      alertId: `balance|${Math.floor(T0_MS / HOUR_MS)}`,
      kind: 'balance',
      atMs: T0_MS,
      scope,
      rowId: scope,
      text: `the balance of ${scope} could not be read: the node is down. ${means}`,
    });
    const many = Holdings.unreadAlert([one, one, one], T0_MS)?.text;
    expect(many).toBe(
      `the balance of ${scope} could not be read: the node is down (and 2 more). ${means}`,
    );
  });
});
