import { describe, expect, test } from 'vitest';
import type { Step } from '../../lib/domain/breaker.ts';
import type { Direction } from '../../lib/domain/change.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import * as PolicyChange from '../../lib/domain/policy-change.ts';
import {
  CHAIN,
  CUSTOMER,
  ETH,
  HOT_1,
  HOT_2,
  HOUR_MS,
  limit,
  PRICELESS,
  policy,
  QUORUM,
  STRANGER,
  UNLISTED,
  USDC,
} from '../support/builders.ts';

type Part = Partial<Policy.Policy>;
type Case = readonly [string, Part, Part, Direction];

const limits = (more: Partial<Policy.Standing> = {}): Part => ({ limits: [limit(more)] });
const timing = (more: Partial<Policy.Timing>): Part => ({
  timing: { ...policy().timing, ...more },
});
const asset = (
  more: Partial<Policy.AssetRule>,
  others: readonly Policy.AssetRule[] = [],
): Part => ({
  assets: [{ pattern: USDC, symbol: 'USDC', decimals: 6, ...more }, ...others],
});
const wallet = (more: Partial<Policy.Wallet>): Part => ({
  wallets: [{ name: 'hot-1', keyDomain: 'vault-a', addresses: [HOT_1], ...more }],
});
const chain = (more: Partial<Policy.ChainRule>): Part => ({
  chains: [{ pattern: CHAIN, name: 'Ethereum', ...more }],
});
const unknown = (more: Partial<Policy.UnknownRule>): Part => ({
  unknown: { ...policy().unknown, price: { ...policy().unknown.price, ...more } },
});
const alice: Policy.Operator = { name: 'alice', address: `0x${'a'.repeat(40)}`, roles: ['resume'] };
const operators = (...all: readonly Partial<Policy.Operator>[]): Part => ({
  operators: all.map((more) => ({ ...alice, ...more })),
});
const quorum = (more: object): Part => ({ resume: { ...QUORUM, ...more } as Policy.Resume });
const staged = (...steps: readonly Step[]): Part => quorum({ steps, budget: 10n });
const ten: Step = { shareBps: 1_000, forMs: HOUR_MS };
const feed = (id: string, more: object = {}) => ({
  feed: { kind: 'http', id } as const,
  maxAgeMs: 60_000,
  keepMs: 90_000,
  ...more,
});
const floor = { floorPricePicoUsd: 100n };
const pattern = (name: string): Policy.ChainRule => ({ pattern: name, name });

/** Each with the direction from left to right, and where it says so, from right to left. */
const BOTH_WAYS: readonly (readonly [...Case, Direction])[] = [
  ['mode', {}, { mode: 'shadow' }, 'loosens', 'tightens'],
  ['name', {}, { name: 'other' }, 'neutral', 'neutral'],
  [
    'a limit, one unit more',
    limits({ allowed: 10n }),
    limits({ allowed: 11n }),
    'loosens',
    'tightens',
  ],
  [
    'a limit of another share',
    limits({ metric: 'share' as never, allowed: 10n }),
    limits({ metric: 'share' as never, allowed: 11n }),
    'loosens',
    'tightens',
  ],
  [
    'a limit over another window',
    limits(),
    limits({ windowMs: HOUR_MS / 12 }),
    'loosens',
    'tightens',
  ],
  [
    'a share over another window',
    limits({ metric: 'share' as never }),
    limits({ metric: 'share' as never, windowMs: 6 * HOUR_MS }),
    'loosens',
    'loosens',
  ],
  ['a limit that is gone', limits(), { limits: [] }, 'loosens', 'tightens'],
  [
    'a limit in shadow mode that is gone',
    limits({ mode: 'shadow' }),
    { limits: [] },
    'loosens',
    'neutral',
  ],
  [
    'a limit that alerts and is gone',
    limits({ action: { kind: 'alert' } }),
    { limits: [] },
    'loosens',
    'neutral',
  ],
  ['a limit narrowed', limits(), limits({ where: { wallet: 'hot-*' } }), 'loosens', 'tightens'],
  [
    'a limit narrowed more',
    limits({ where: { wallet: 'hot-*' } }),
    limits({ where: { wallet: 'hot-1*' } }),
    'loosens',
    'tightens',
  ],
  [
    'a limit on others',
    limits({ where: { wallet: 'hot-1' } }),
    limits({ where: { wallet: 'hot-2' } }),
    'loosens',
    'loosens',
  ],
  [
    'one field wider, one narrower',
    limits({ where: { wallet: 'hot-1' } }),
    limits({ where: { keyDomain: 'vault-a' } }),
    'loosens',
    'loosens',
  ],
  ['a limit on another scope', limits(), limits({ scope: 'key-domain' }), 'loosens', 'loosens'],
  ['a limit on another metric', limits(), limits({ metric: 'count' }), 'loosens', 'loosens'],
  ['a limit that holds', limits(), limits({ action: { kind: 'hold' } }), 'loosens', 'tightens'],
  [
    'a limit that alerts',
    limits({ action: { kind: 'hold' } }),
    limits({ action: { kind: 'alert' } }),
    'loosens',
    'tightens',
  ],
  [
    'a limit that pauses less',
    limits({ action: { kind: 'pause', scope: 'key-domain' } }),
    limits(),
    'loosens',
    'tightens',
  ],
  [
    'a limit that pauses something else',
    limits(),
    limits({ action: { kind: 'pause', scope: 'asset' } }),
    'loosens',
    'loosens',
  ],
  [
    'a limit that trips on refusal',
    limits({ tripOnRefusal: true }),
    limits(),
    'loosens',
    'tightens',
  ],
  [
    'a limit that does not, said otherwise',
    limits({ tripOnRefusal: false }),
    limits(),
    'neutral',
    'neutral',
  ],
  [
    'a limit that warns later',
    limits({ warnBps: 100 }),
    limits({ warnBps: 101 }),
    'loosens',
    'tightens',
  ],
  ['a limit that does not warn', limits({ warnBps: 100 }), limits(), 'loosens', 'tightens'],
  ['a limit in shadow mode', limits(), limits({ mode: 'shadow' }), 'loosens', 'tightens'],
  ['own addresses', {}, { own: [CUSTOMER] }, 'loosens', 'tightens'],
  ['unknown, before', unknown({}), unknown({ withdrawal: 'hold' }), 'loosens', 'tightens'],
  [
    'unknown, before, more',
    unknown({ withdrawal: 'hold' }),
    unknown({ withdrawal: 'allow' }),
    'loosens',
    'tightens',
  ],
  ['unknown, after', unknown({}), unknown({ outflow: 'alert' }), 'loosens', 'tightens'],
  ['unknown, the scope', unknown({ scope: 'global' }), unknown({}), 'loosens', 'tightens'],
  [
    'unmatched, the scope',
    { unmatched: { scope: 'key-domain', risks: 'pause' } },
    { unmatched: { scope: 'wallet', risks: 'pause' } },
    'loosens',
    'tightens',
  ],
  [
    'unmatched, the risks',
    { unmatched: { scope: 'wallet', risks: 'pause' } },
    { unmatched: { scope: 'wallet', risks: 'alert' } },
    'loosens',
    'tightens',
  ],
  [
    'conflict',
    { conflict: { scope: 'global' } },
    { conflict: { scope: 'wallet' } },
    'loosens',
    'tightens',
  ],
  [
    'a deducted fee',
    {},
    { matching: { ...policy().matching, deductedFeeMax: 1n } },
    'loosens',
    'tightens',
  ],
  ['a grace', {}, { matching: { ...policy().matching, graceMs: 1 } }, 'loosens', 'tightens'],
  [
    'unseen',
    {},
    { matching: { ...policy().matching, unseenMs: 86_400_001 } },
    'loosens',
    'tightens',
  ],
  ['open reservations', {}, { outstandingMax: 101 }, 'loosens', 'tightens'],
  ['overdue', {}, { overdueMs: 21_600_001 }, 'loosens', 'tightens'],
  ['clock tolerance', timing({ clockToleranceMs: 2_001 }), {}, 'loosens', 'tightens'],
  [
    'clock tolerance beside a share',
    { ...timing({ clockToleranceMs: 2_001 }), ...limits({ metric: 'share' as never }) },
    limits({ metric: 'share' as never }),
    'loosens',
    'loosens',
  ],
  ['commit delay', timing({ commitDelayMs: 6_001 }), {}, 'loosens', 'tightens'],
  ['admissions', {}, timing({ admissionMs: 30_001 }), 'loosens', 'loosens'],
  ['the lease', {}, timing({ leaseMs: 180_001 }), 'loosens', 'tightens'],
  ['a chain nobody looks at', { chains: [] }, chain({}), 'loosens', 'tightens'],
  [
    'a watched chain',
    { chains: [] },
    chain({ watch: { confirmations: 0, blindAfterMs: 1 } }),
    'loosens',
    'loosens',
  ],
  [
    'watching',
    chain({ watch: { confirmations: 0, blindAfterMs: 1 } }),
    chain({}),
    'loosens',
    'tightens',
  ],
  [
    'confirmations',
    chain({ watch: { confirmations: 3, blindAfterMs: 1 } }),
    chain({ watch: { confirmations: 4, blindAfterMs: 1 } }),
    'loosens',
    'tightens',
  ],
  [
    'blindness',
    chain({ watch: { confirmations: 3, blindAfterMs: 1 } }),
    chain({ watch: { confirmations: 3, blindAfterMs: 2 } }),
    'loosens',
    'tightens',
  ],
  ['observed', chain({}), chain({ observed: true }), 'loosens', 'loosens'],
  [
    'a chain that a pattern knew as well',
    { chains: [pattern('eip155:*')] },
    { chains: [pattern('eip155:*'), pattern(CHAIN)] },
    'neutral',
    'neutral',
  ],
  [
    'patterns of one length that overlap',
    { chains: [pattern('a*'), pattern('*b')] },
    { chains: [pattern('*b'), pattern('a*')] },
    'loosens',
    'loosens',
  ],
  [
    'patterns that do not',
    { chains: [pattern('a*'), pattern('b*')] },
    { chains: [pattern('b*'), pattern('a*')] },
    'neutral',
    'neutral',
  ],
  ['decimals', asset({}), asset({ decimals: 7 }), 'loosens', 'tightens'],
  [
    'decimals of a shared budget',
    asset({}, [{ pattern: ETH, symbol: 'E', decimals: 6, sameAs: USDC }]),
    asset({ decimals: 7 }, [{ pattern: ETH, symbol: 'E', decimals: 6, sameAs: USDC }]),
    'loosens',
    'loosens',
  ],
  ['a floor', asset({ floorPricePicoUsd: 101n }), asset(floor), 'loosens', 'tightens'],
  ['a first floor', asset({}), asset(floor), 'loosens', 'loosens'],
  [
    'a feed beside a floor',
    asset({ ...floor, sources: [feed('a')] }),
    asset(floor),
    'loosens',
    'tightens',
  ],
  ['a feed alone', asset({ sources: [feed('a')] }), asset({}), 'loosens', 'loosens'],
  [
    'another feed',
    asset({ ...floor, sources: [feed('a')] }),
    asset({ ...floor, sources: [feed('b')] }),
    'loosens',
    'loosens',
  ],
  [
    'a price that is kept',
    asset({ ...floor, sources: [feed('a', { keepMs: 90_001 })] }),
    asset({ ...floor, sources: [feed('a')] }),
    'loosens',
    'tightens',
  ],
  [
    'a price that is kept without a floor',
    asset({ sources: [feed('a', { keepMs: 90_001 })] }),
    asset({ sources: [feed('a')] }),
    'loosens',
    'loosens',
  ],
  [
    'the age of a price',
    asset({ ...floor, sources: [feed('a')] }),
    asset({ ...floor, sources: [feed('a', { maxAgeMs: 60_001 })] }),
    'loosens',
    'tightens',
  ],
  ['the same budget', asset({}), asset({ sameAs: ETH }), 'loosens', 'loosens'],
  ['a symbol', asset({}), asset({ symbol: 'U' }), 'neutral', 'neutral'],
  [
    'an asset',
    {},
    { assets: [...policy().assets, { pattern: UNLISTED, symbol: 'X', decimals: 1 }] },
    'loosens',
    'tightens',
  ],
  [
    'an asset on a watched chain',
    chain({ watch: { confirmations: 0, blindAfterMs: 1 } }),
    {
      ...chain({ watch: { confirmations: 0, blindAfterMs: 1 } }),
      assets: policy().assets.slice(1),
    },
    'loosens',
    'loosens',
  ],
  ['a wallet', wallet({}), { wallets: [] }, 'tightens', 'loosens'],
  ['an address', wallet({}), wallet({ addresses: [HOT_1, HOT_2] }), 'loosens', 'tightens'],
  ['another address', wallet({}), wallet({ addresses: [STRANGER] }), 'loosens', 'loosens'],
  ['a key domain', wallet({}), wallet({ keyDomain: 'vault-b' }), 'loosens', 'loosens'],
  ['admissions of a wallet', wallet({}), wallet({ admissionMs: 1_000 }), 'loosens', 'loosens'],
  [
    'a floor of a wallet',
    wallet({ floors: [{ asset: ETH, amount: 2n }] }),
    wallet({ floors: [{ asset: ETH, amount: 1n }] }),
    'loosens',
    'tightens',
  ],
  ['a canary', wallet({}), wallet({ canary: true }), 'loosens', 'loosens'],
  ['an operator', operators(), operators({}), 'loosens', 'revokes'],
  ['a role', operators({}), operators({ roles: ['resume', 'pause'] }), 'loosens', 'revokes'],
  ['a role for another', operators({}), operators({ roles: ['panic'] }), 'loosens', 'loosens'],
  ['a key', operators({}), operators({ address: `0x${'b'.repeat(40)}` }), 'loosens', 'loosens'],
  ['a caller', operators({}), operators({ iam: 'arn' }), 'loosens', 'revokes'],
  ['a number to call', operators({}), operators({ contact: '+41' }), 'neutral', 'neutral'],
  ['contacts', {}, { contacts: [{ name: 'a', kind: 'other', reach: 'b' }] }, 'neutral', 'neutral'],
  [
    'a quorum',
    quorum({}),
    { resume: { kind: 'trial', steps: [], budget: 0n } },
    'loosens',
    'tightens',
  ],
  ['the size of a quorum', quorum({ quorum: 3 }), quorum({}), 'loosens', 'revokes'],
  ['who pauses counts', quorum({}), quorum({ pauserCounts: true }), 'loosens', 'revokes'],
  ['the delay', {}, { changes: { delayMs: 86_399_999 } }, 'loosens', 'revokes'],
  ['steps', staged(ten), quorum({}), 'loosens', 'tightens'],
  ['the share of a step', staged(ten), staged({ ...ten, shareBps: 1_001 }), 'loosens', 'tightens'],
  [
    'the time of a step',
    staged(ten),
    staged({ ...ten, forMs: HOUR_MS - 1 }),
    'loosens',
    'tightens',
  ],
  ['what a step names', staged({ ...ten, assets: [ETH] }), staged(ten), 'loosens', 'tightens'],
  [
    'what a step names by pattern',
    staged({ ...ten, assets: [ETH] }),
    staged({ ...ten, assets: ['eip155:1/*'] }),
    'loosens',
    'tightens',
  ],
  ['one step less', staged(ten, { ...ten, shareBps: 2_000 }), staged(ten), 'loosens', 'tightens'],
  ['a budget', staged(ten), quorum({ steps: [ten], budget: 11n }), 'loosens', 'tightens'],
];

const directed = (before: Part, after: Part) =>
  PolicyChange.direction(PolicyChange.judge(policy(before), policy(after)));

describe('judge', () => {
  test.each(BOTH_WAYS)('H48: %s', (...[, left, right, there, back]) => {
    expect([directed(left, right), directed(right, left)]).toEqual([there, back]);
  });

  test('default: each change with its reason', () => {
    const before = policy({ limits: [limit(), limit({ limitId: 'gone' })] });
    const after = policy({ limits: [limit({ allowed: 2_000_000_000n, warnBps: 8_000 })] });
    expect(PolicyChange.judge(before, after)).toMatchInlineSnapshot(`
      [
        {
          "after": "$2,000",
          "before": "$1,000",
          "direction": "loosens",
          "field": "limit",
          "what": "limit wallet-hour",
          "why": "more may leave",
        },
        {
          "after": "80%",
          "before": "none",
          "direction": "tightens",
          "field": "warn",
          "what": "limit wallet-hour",
          "why": "people hear of it earlier",
        },
        {
          "before": "scope wallet, metric notional, window 1h, limit $1,000, action pause wallet, mode enforce",
          "direction": "loosens",
          "what": "limit gone",
          "why": "what it refused or told passes",
        },
      ]
    `);
  });

  test('behavior: what is known of the world, and the order of entries, is no change', () => {
    const before = policy({ limits: [limit(), limit({ limitId: 'b' })] });
    const after = {
      ...before,
      limits: before.limits.toReversed(),
      wallets: before.wallets.toReversed(),
      known: { quotes: new Map(), balances: new Map(), atMs: 1 },
    };
    expect(PolicyChange.judge(before, after)).toEqual([]);
  });

  test('behavior: what becomes unknown loosens where the unknown passes', () => {
    const lax = policy().unknown;
    for (const rule of [{ withdrawal: 'allow' }, { outflow: 'alert' }] as const) {
      const rules = { ...lax, asset: { ...lax.asset, ...rule } };
      const gone = policy().assets.filter(({ pattern: id }) => id !== PRICELESS);
      expect(directed({ unknown: rules }, { unknown: rules, assets: gone })).toBe('loosens');
      expect(directed({}, { assets: gone })).toBe('tightens');
    }
  });
});

describe('direction', () => {
  test('default: nothing is neutral, and what loosens anywhere loosens', () => {
    expect(directed({}, {})).toBe('neutral');
    expect(directed({ ...limits() }, { ...limits({ allowed: 1n }), own: [CUSTOMER] })).toBe(
      'loosens',
    );
    expect(directed({ ...limits(), ...operators({}) }, limits({ allowed: 1n }))).toBe('revokes');
  });
});
