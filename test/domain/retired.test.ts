import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as Draft from '../../lib/domain/draft.ts';
import * as Policy from '../../lib/domain/policy.ts';
import * as PolicyChange from '../../lib/domain/policy-change.ts';
import * as Retired from '../../lib/domain/retired.ts';
import {
  DAY_MS,
  ETH,
  HOT_1,
  HOT_2,
  HOUR_MS,
  incoming,
  limit,
  MINUTE_MS,
  PRICELESS,
  policy,
  T0_MS,
  transfer,
  USDC,
  usd,
  WRAPPED_ETH,
  withdrawal,
} from '../support/builders.ts';
import { contextOf, load, reserve, world } from '../support/world.ts';

const ALLOWING: Policy.UnknownRule = { withdrawal: 'allow', outflow: 'alert', scope: 'wallet' };
const without = (address: string, more: Partial<Policy.Policy> = {}) =>
  policy({
    wallets: policy().wallets.map((wallet) => ({
      ...wallet,
      addresses: wallet.addresses.filter((each) => each !== address),
    })),
    ...more,
  });
const following = (before: Policy.Policy, next: Policy.Policy, atMs = T0_MS): Policy.Policy => ({
  ...next,
  retired: Retired.carried({ before, after: next }, atMs),
});

describe('moves', () => {
  const renamed = policy({
    wallets: policy().wallets.map((wallet) =>
      wallet.name === 'hot-1' ? { ...wallet, name: 'fresh' } : wallet,
    ),
  });

  test('default: H50: an address keeps its wallet and its key domain', () => {
    const [move] = Retired.moves({ before: policy(), after: renamed }, T0_MS);
    expect(move).toEqual({
      field: 'wallets.fresh.addresses',
      why: `${HOT_1} counts in wallet hot-1 in key domain vault-a until 33 days after it was last named so (2023-10-15T13:21Z at the earliest); give the other wallet another address`,
    });
  });

  test('behavior: H50: taking it out in between does not help, until 33 days later', () => {
    const gone = following(policy(), without(HOT_1));
    const again = (atMs: number) => Retired.moves({ before: gone, after: renamed }, atMs).length;
    const later = following(gone, without(HOT_1), T0_MS + DAY_MS);
    expect(later.retired).toEqual(gone.retired);
    expect(again(T0_MS + Retired.RETIRED_MS - 1)).toBeGreaterThan(
      again(T0_MS + Retired.RETIRED_MS),
    );
    expect(Retired.moves({ before: gone, after: policy() }, T0_MS)).toEqual([]);
  });

  test('behavior: H26: an asset keeps its budget', () => {
    const own = policy({
      assets: policy().assets.map(({ sameAs: _, ...asset }) => asset),
    });
    for (const both of [
      { before: policy(), after: own },
      { before: own, after: policy() },
      { before: following(policy(), policy({ assets: [] })), after: own },
    ]) {
      expect(Retired.moves(both, T0_MS)).toMatchObject([{ field: `assets.${WRAPPED_ETH}.sameAs` }]);
    }
  });

  test('behavior: a pattern moves nothing either', () => {
    const all = { pattern: 'eip155:56/*', symbol: 'X', decimals: 8 };
    const [before, next] = [{ assets: [all] }, { assets: [{ ...all, sameAs: ETH }] }].map(policy);
    expect(Retired.moves({ before: before!, after: next! }, T0_MS)).toHaveLength(1);
    expect(Retired.moves({ before: next!, after: next! }, T0_MS)).toEqual([]);
  });
});

describe('moves, in detail', () => {
  const moves = (before: Policy.Policy, after: Policy.Policy) =>
    Retired.moves({ before, after }, T0_MS);
  const rule = (pattern: string, sameAs?: string): Policy.AssetRule => ({
    pattern,
    symbol: 'X',
    decimals: 8,
    ...(sameAs === undefined ? {} : { sameAs: sameAs as typeof ETH }),
  });
  const assets = (...all: readonly Policy.AssetRule[]) => policy({ assets: all, wallets: [] });

  test('behavior: H50: into another key domain alone is a move as well', () => {
    const wallets = policy().wallets.map((one) => ({ ...one, keyDomain: 'vault-z' }));
    const found = moves(policy(), policy({ wallets }));
    expect(found.map(({ field }) => field)).toContain('wallets.hot-3.addresses');
    expect(moves(policy(), policy())).toEqual([]);
  });

  test('behavior: H26: it says where the money counts until then', () => {
    const until =
      'until 33 days after it was last named so (2023-10-15T13:21Z at the earliest); what has left would count nowhere';
    const shared = assets(rule(WRAPPED_ETH, ETH));
    const own = assets(rule(WRAPPED_ETH));
    expect(moves(own, shared)).toEqual([
      {
        field: `assets.${WRAPPED_ETH}.sameAs`,
        why: `${WRAPPED_ETH} counts in its own budget ${until}`,
      },
    ]);
    expect(moves(shared, own)[0]?.why).toBe(`${WRAPPED_ETH} counts in ${ETH} ${until}`);
  });

  test('behavior: H26: patterns that overlap and stay as they are move nothing', () => {
    const [all, some] = [rule('eip155:*'), rule('*/erc20:*', ETH)];
    expect(moves(assets(all, some), assets(all, some))).toEqual([]);
    expect(moves(assets(all, some), assets(some, all))).toEqual([]);
  });

  test('behavior: H26: a pattern that is new, or gone, moves what it shares with others of another budget', () => {
    const [all, some] = [rule('eip155:*'), rule('*/erc20:*', ETH)];
    expect(moves(assets(all), assets(all, some))).toHaveLength(1);
    expect(moves(assets(all, some), assets(all))).toHaveLength(1);
    expect(moves(assets(all), assets(all, rule('solana:*', ETH)))).toEqual([]);
    expect(moves(assets(all), assets(all, rule('*/erc20:*')))).toEqual([]);
  });

  test('behavior: H26: a new pattern moves what it shares with others, though its budget is known from elsewhere', () => {
    const all = rule('eip155:*');
    const elsewhere = rule('solana:*', ETH);
    const before = assets(all, elsewhere);
    const after = assets(all, elsewhere, rule('*/erc20:*', ETH));
    expect(moves(before, after)).toMatchObject([{ field: 'assets.*/erc20:*.sameAs' }]);
  });

  test('behavior: H26: an id with a rule of its own stays, whatever pattern comes or goes', () => {
    const own = rule(WRAPPED_ETH, ETH);
    expect(moves(assets(rule('eip155:*'), own), assets(own))).toEqual([]);
    expect(moves(assets(own), assets(rule('eip155:*'), own))).toEqual([]);
  });

  test('behavior: an id that one side does not speak of moves nowhere', () => {
    expect(moves(assets(), assets(rule(WRAPPED_ETH, ETH)))).toEqual([]);
    expect(moves(assets(rule(WRAPPED_ETH, ETH)), assets())).toEqual([]);
  });
});

describe('ownerOf, assetOf', () => {
  test('default: what is not named any more, each by its own name', () => {
    const gone = following(policy(), policy({ wallets: [], assets: [] }));
    expect(Retired.ownerOf(gone, HOT_2)).toMatchObject({ address: HOT_2, wallet: 'hot-2' });
    expect(Retired.ownerOf(gone, 'eip155:1:0x0')).toBeUndefined();
    expect(Retired.assetOf(gone, USDC)).toMatchObject({ pattern: USDC, decimals: 6 });
    expect(Retired.assetOf(gone, WRAPPED_ETH)).toMatchObject({
      sameAs: { asset: ETH, decimals: 18 },
    });
    const bare = Retired.assetOf(gone, PRICELESS);
    expect(bare).not.toHaveProperty('floorPricePicoUsd');
    expect(bare).not.toHaveProperty('sameAs');
  });

  test('behavior: the decimals of a shared budget are its own, wherever it stands', () => {
    const assets = policy().assets.toReversed();
    const gone = following(policy({ assets }), policy({ assets: [] }));
    expect(Retired.assetOf(gone, WRAPPED_ETH)?.sameAs).toEqual({ asset: ETH, decimals: 18 });
  });

  test('args: a policy that remembers nothing', () => {
    expect(Retired.ownerOf(policy(), HOT_1)).toBeUndefined();
    expect(Retired.assetOf(policy(), USDC)).toBeUndefined();
    expect(Retired.carried({ before: policy(), after: policy() }, T0_MS)).toEqual([]);
  });
});

describe('carried', () => {
  test('behavior: what is gone alone, also while others stay', () => {
    const assets = policy().assets.filter(({ pattern }) => pattern !== USDC);
    expect(following(policy(), policy({ assets })).retired).toMatchObject([{ pattern: USDC }]);
    expect(following(policy(), without(HOT_2)).retired).toMatchObject([{ address: HOT_2 }]);
  });

  test('default: H50: what is gone counts where it did, and is unknown', () => {
    const gone = following(policy(), without(HOT_1, { assets: [] }));
    const resolved = Policy.resolve(
      gone,
      transfer({ account: HOT_1, asset: USDC, amount: usd(5) }),
    );
    expect(resolved.unknown).toEqual(['wallet', 'asset', 'price']);
    expect(resolved.subject).toMatchObject({ wallet: 'hot-1', keyDomain: 'vault-a' });
    expect(resolved.legs).toMatchObject([{ asset: USDC, notional: usd(5) }]);
    const wrapped = Policy.resolve(gone, transfer({ asset: WRAPPED_ETH, amount: 10n ** 8n }));
    expect(wrapped.legs).toMatchObject([{ asset: ETH, amount: 10n ** 18n, notional: usd(1_500) }]);
  });
});

/** One edit of the rules; `undefined`: time passes and money asks. */
type Edit = Partial<Policy.Policy>;
const edits = fc.constantFrom<Edit>(
  { limits: [limit({ allowed: usd(1_000) })] },
  { limits: [limit({ allowed: usd(600) })] },
  { limits: [limit({ allowed: usd(300), action: { kind: 'hold' } })] },
  { limits: [limit({ limitId: 'other', allowed: usd(1_000) })] },
  { limits: [limit({ allowed: usd(1_000), windowMs: HOUR_MS })] },
  { wallets: without(HOT_1).wallets },
  { wallets: policy().wallets },
  { wallets: policy().wallets.map((one) => ({ ...one, name: `${one.name}-new` })) },
  { wallets: policy().wallets.map((one) => ({ ...one, keyDomain: 'other' })) },
  { assets: policy().assets },
  { assets: [] },
  { assets: policy().assets.map(({ sameAs: _, ...asset }) => asset) },
  { own: [] },
  { mode: 'enforce' },
);
const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ edit: edits, afterMs: fc.nat({ max: 20 * MINUTE_MS }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      size: fc.constantFrom(100, 250, 299, 300, 301, 600, 1_000),
      account: fc.constantFrom(HOT_1, HOT_2),
      afterMs: fc.nat({ max: 20 * MINUTE_MS }),
    }),
  },
);

describe('putInForce', () => {
  test('P12: H46: no sequence of edits lets more leave a wallet than the highest limit in force', () => {
    let refusals = 0;
    let admitted = 0;
    const law = fc.property(fc.array(step, { minLength: 4, maxLength: 12 }), (steps) => {
      const here = world();
      const unknown = { wallet: ALLOWING, asset: ALLOWING, chain: ALLOWING, price: ALLOWING };
      let rules = policy({ limits: [limit({ allowed: usd(600) })], unknown });
      let nowMs = T0_MS;
      const inForce: { readonly fromMs: number; readonly allowed: bigint }[] = [];
      const left: { readonly account: string; readonly atMs: number; readonly size: bigint }[] = [];
      const note = () => inForce.push({ fromMs: nowMs, allowed: rules.limits[0]!.allowed });
      note();
      for (const [at, one] of steps.entries()) {
        nowMs += one.afterMs;
        if ('edit' in one) {
          const next = { ...rules, ...one.edit, retired: undefined };
          const loaded = load(here, { rows: [], items: ['global'] });
          const draft = Draft.start({ ...contextOf(here, rules, nowMs) }, loaded);
          if (PolicyChange.obstacle(draft, next) !== undefined) {
            refusals += 1;
            continue;
          }
          const compiled = { policy: next, compiled: '' };
          const by = { hash: 'h', source: '', compiled, actor: 'a' };
          const { retired } = PolicyChange.putInForce(draft, by);
          rules = { ...next, retired };
          note();
          continue;
        }
        const event = withdrawal(`w${at}`, { account: one.account, amount: usd(one.size) });
        const asks = [{ withdrawal: event, bodyHash: incoming(event).bodyHash }];
        if (reserve(here, { policy: rules, nowMs, asks }).verdicts[0]?.kind !== 'allow') continue;
        admitted += 1;
        left.push({ account: one.account, atMs: nowMs, size: usd(one.size) });
      }
      for (const { account, atMs } of left) {
        const inWindow = left.filter(
          (other) => other.account === account && other.atMs <= atMs && other.atMs > atMs - HOUR_MS,
        );
        const sum = inWindow.reduce((total, { size }) => total + size, 0n);
        // Whatever was in force at some time of the window.
        const spans = inForce.filter(({ fromMs }, position) => {
          const untilMs = inForce[position + 1]?.fromMs ?? Number.POSITIVE_INFINITY;
          return fromMs <= atMs && untilMs >= atMs - HOUR_MS;
        });
        const most = spans.reduce((max, { allowed }) => (allowed > max ? allowed : max), 0n);
        expect(sum).toBeLessThanOrEqual(most);
      }
    });
    fc.assert(law, { numRuns: 10_000 });
    expect(refusals).toBeGreaterThan(1_000);
    expect(admitted).toBeGreaterThan(1_000);
  }, 240_000);
});
