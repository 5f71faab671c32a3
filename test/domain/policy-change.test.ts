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
  HOT_1_OTHER_CHAIN,
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

const floorOf = (of: string, amount: bigint) => ({ asset: of as typeof ETH, amount });
const watched = (part: Part): Part => ({
  ...chain({ watch: { confirmations: 0, blindAfterMs: 1 } }),
  ...part,
});
const single = { limitId: 'one', metric: 'single', windowMs: 0 } as const;
const LAX: Policy.UnknownRule = { withdrawal: 'allow', outflow: 'alert', scope: 'wallet' };
const NEITHER = ['loosens', 'loosens'] as const;

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
  [
    'roles in another order',
    operators({ roles: ['resume', 'pause'] }),
    operators({ roles: ['pause', 'resume'] }),
    'neutral',
    'neutral',
  ],
  [
    'addresses in another order',
    wallet({ addresses: [HOT_1, HOT_2] }),
    wallet({ addresses: [HOT_2, HOT_1] }),
    'neutral',
    'neutral',
  ],
  ['a wallet on a watched chain', watched(wallet({})), watched({ wallets: [] }), ...NEITHER],
  [
    'an address on a watched chain, beside one that is not',
    watched(wallet({ addresses: [HOT_1, HOT_1_OTHER_CHAIN, HOT_2] })),
    watched(wallet({ addresses: [HOT_2] })),
    ...NEITHER,
  ],
  [
    'an address on a chain nobody looks at',
    watched(wallet({ addresses: [HOT_1, HOT_1_OTHER_CHAIN] })),
    watched(wallet({ addresses: [HOT_1] })),
    'tightens',
    'loosens',
  ],
  [
    'a pattern of which others speak in part',
    { chains: [pattern('eip155:*'), pattern('eip155:1*')] },
    { chains: [pattern('eip155:1*'), pattern('solana:*')] },
    ...NEITHER,
  ],
  ['a pattern alone', { chains: [pattern('eip155:*')] }, { chains: [] }, 'tightens', 'loosens'],
  [
    'floors of which one is lower',
    wallet({ floors: [floorOf(ETH, 2n), floorOf(USDC, 2n)] }),
    wallet({ floors: [floorOf(ETH, 3n), floorOf(USDC, 1n)] }),
    ...NEITHER,
  ],
  [
    'one more floor',
    wallet({ floors: [floorOf(ETH, 2n)] }),
    wallet({ floors: [floorOf(ETH, 2n), floorOf(USDC, 1n)] }),
    'tightens',
    'loosens',
  ],
  [
    'a first floor of a wallet',
    wallet({}),
    wallet({ floors: [floorOf(ETH, 1n)] }),
    'tightens',
    'loosens',
  ],
  [
    'patterns of other lengths that overlap',
    { chains: [pattern('a*'), pattern('*bc')] },
    { chains: [pattern('*bc'), pattern('a*')] },
    'neutral',
    'neutral',
  ],
  [
    'a pattern that is gone from before another',
    { chains: [pattern('a*'), pattern('*b')] },
    { chains: [pattern('*b')] },
    ...NEITHER,
  ],
  [
    'assets of a step, one more',
    staged({ ...ten, assets: [ETH] }),
    staged({ ...ten, assets: [ETH, USDC] }),
    'loosens',
    'tightens',
  ],
  ['a limit on one withdrawal', limits(single), { limits: [] }, 'loosens', 'tightens'],
  [
    'a share over another window, and no share any more',
    limits({ metric: 'share' as never }),
    limits({ windowMs: 6 * HOUR_MS }),
    ...NEITHER,
  ],
  [
    'a limit on two fields',
    limits(),
    limits({ where: { wallet: 'hot-1', keyDomain: 'vault-a' } }),
    'loosens',
    'tightens',
  ],
  [
    'a feed where only one side has a floor',
    asset({ sources: [feed('a')] }),
    asset({ ...floor, sources: [feed('a'), feed('b')] }),
    ...NEITHER,
  ],
  [
    'decimals of a budget that is shared no more',
    asset({}, [{ pattern: ETH, symbol: 'E', decimals: 6, sameAs: USDC }]),
    asset({ decimals: 7 }, [{ pattern: ETH, symbol: 'E', decimals: 6 }]),
    ...NEITHER,
  ],
  [
    'a wallet where the unknown passes',
    { ...wallet({}), unknown: { ...policy().unknown, wallet: LAX } },
    { wallets: [], unknown: { ...policy().unknown, wallet: LAX } },
    ...NEITHER,
  ],
  [
    'a pattern and an id that it means, in another order',
    { chains: [pattern('eip155:*'), pattern(CHAIN)] },
    { chains: [pattern(CHAIN), pattern('eip155:*')] },
    'neutral',
    'neutral',
  ],
  [
    'patterns of one length that overlap and stay in their order',
    { chains: [pattern('a*'), pattern('*b')] },
    { chains: [pattern('a*'), pattern('*b')], name: 'other' },
    'neutral',
    'neutral',
  ],
  [
    'a pattern that is gone from behind another',
    { chains: [pattern('a*'), pattern('*b')] },
    { chains: [pattern('a*')] },
    ...NEITHER,
  ],
  [
    'a chain that a pattern knew by the same name',
    { chains: [{ pattern: 'eip155:*', name: 'EVM' }] },
    {
      chains: [
        { pattern: 'eip155:*', name: 'EVM' },
        { pattern: CHAIN, name: 'EVM' },
      ],
    },
    'neutral',
    'neutral',
  ],
  [
    'a chain that was watched by its pattern under another name',
    { chains: [{ ...pattern('eip155:*'), watch: { confirmations: 0, blindAfterMs: 1 } }] },
    {
      chains: [
        { ...pattern('eip155:*'), watch: { confirmations: 0, blindAfterMs: 1 } },
        pattern(CHAIN),
      ],
    },
    'loosens',
    'tightens',
  ],
  [
    'a wallet on a watched chain, beside a chain nobody looks at',
    { ...wallet({}), chains: [...(watched({}).chains ?? []), pattern('solana:*')] },
    { wallets: [], chains: [...(watched({}).chains ?? []), pattern('solana:*')] },
    ...NEITHER,
  ],
  [
    'feeds in another order',
    asset({ sources: [feed('a'), feed('b')] }),
    asset({ sources: [feed('b'), feed('a')] }),
    'neutral',
    'neutral',
  ],
  [
    'the age of a price without a floor',
    asset({ sources: [feed('a')] }),
    asset({ sources: [feed('a', { maxAgeMs: 60_001 })] }),
    'loosens',
    'tightens',
  ],
  [
    'a limit on one withdrawal that becomes one over a window',
    limits({ metric: 'single', windowMs: 0 }),
    limits(),
    ...NEITHER,
  ],
  [
    'a limit on a wallet that is left open',
    limits({ where: { wallet: 'hot-1' } }),
    limits({ where: { wallet: undefined } }),
    'tightens',
    'loosens',
  ],
  ['a word that nobody knows', {}, { mode: 'unheard-of' as never }, ...NEITHER],
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

  test('default: what people read before they agree, there and back', () => {
    const said = (before: Part, after: Part) =>
      PolicyChange.judge(policy(before), policy(after)).map(PolicyChange.text);
    const lines = BOTH_WAYS.flatMap(([name, left, right]) => [
      `${name}:`,
      ...said(left, right).map((line) => `  → ${line}`),
      ...said(right, left).map((line) => `  ← ${line}`),
    ]);
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "mode:
        → policy mode enforce → shadow (nothing is stopped any more)
        ← policy mode shadow → enforce (what it says is done)
      name:
        → policy name test → other (for people; it decides nothing)
        ← policy name other → test (for people; it decides nothing)
      a limit, one unit more:
        → limit wallet-hour limit $0.01 → $0.01 (more may leave)
        ← limit wallet-hour limit $0.01 → $0.01 (less may leave)
      a limit of another share:
        → limit wallet-hour limit 0.1% → 0.11% (more may leave)
        ← limit wallet-hour limit 0.11% → 0.1% (less may leave)
      a limit over another window:
        → limit wallet-hour window 1h → 5m (the same sum may leave again sooner)
        ← limit wallet-hour window 5m → 1h (the same sum must last for longer)
      a share over another window:
        → limit wallet-hour window 1h → 6h (a share of another balance, that at the start of another window)
        ← limit wallet-hour window 6h → 1h (a share of another balance, that at the start of another window)
      a limit that is gone:
        → limit wallet-hour (what it refused or told passes)
        ← limit wallet-hour (one more limit, with the history of what has left)
      a limit in shadow mode that is gone:
        → limit wallet-hour (what it refused or told passes)
        ← limit wallet-hour (one more that only tells)
      a limit that alerts and is gone:
        → limit wallet-hour (what it refused or told passes)
        ← limit wallet-hour (one more that only tells)
      a limit narrowed:
        → limit wallet-hour where none → wallet=hot-* (it does not speak of all that it spoke of)
        ← limit wallet-hour where wallet=hot-* → none (it speaks of everything that it spoke of, and more)
      a limit narrowed more:
        → limit wallet-hour where wallet=hot-* → wallet=hot-1* (it does not speak of all that it spoke of)
        ← limit wallet-hour where wallet=hot-1* → wallet=hot-* (it speaks of everything that it spoke of, and more)
      a limit on others:
        → limit wallet-hour where wallet=hot-1 → wallet=hot-2 (it does not speak of all that it spoke of)
        ← limit wallet-hour where wallet=hot-2 → wallet=hot-1 (it does not speak of all that it spoke of)
      one field wider, one narrower:
        → limit wallet-hour where wallet=hot-1 → keyDomain=vault-a (it does not speak of all that it spoke of)
        ← limit wallet-hour where keyDomain=vault-a → wallet=hot-1 (it does not speak of all that it spoke of)
      a limit on another scope:
        → limit wallet-hour scope wallet → key-domain (totals of another scope are others)
        ← limit wallet-hour scope key-domain → wallet (totals of another scope are others)
      a limit on another metric:
        → limit wallet-hour metric notional → count (another thing is counted)
        ← limit wallet-hour metric count → notional (another thing is counted)
      a limit that holds:
        → limit wallet-hour action pause wallet → hold (it does less)
        ← limit wallet-hour action hold → pause wallet (it does more)
      a limit that alerts:
        → limit wallet-hour action hold → alert (it does less)
        ← limit wallet-hour action alert → hold (it does more)
      a limit that pauses less:
        → limit wallet-hour action pause key-domain → pause wallet (another scope stops, and not all of the old one)
        ← limit wallet-hour action pause wallet → pause key-domain (a wider scope stops, the old one in it)
      a limit that pauses something else:
        → limit wallet-hour action pause wallet → pause asset (another scope stops, and not all of the old one)
        ← limit wallet-hour action pause asset → pause wallet (another scope stops, and not all of the old one)
      a limit that trips on refusal:
        → limit wallet-hour tripOnRefusal true → none (what does not fit is refused alone)
        ← limit wallet-hour tripOnRefusal none → true (what does not fit also opens the breaker)
      a limit that does not, said otherwise:
        → limit wallet-hour tripOnRefusal none → none (absent is false)
        ← limit wallet-hour tripOnRefusal none → none (absent is false)
      a limit that warns later:
        → limit wallet-hour warn 1% → 1.01% (people hear of it later, or not at all)
        ← limit wallet-hour warn 1.01% → 1% (people hear of it earlier)
      a limit that does not warn:
        → limit wallet-hour warn 1% → none (people hear of it later, or not at all)
        ← limit wallet-hour warn none → 1% (people hear of it earlier)
      a limit in shadow mode:
        → limit wallet-hour mode enforce → shadow (it only tells what it would have done)
        ← limit wallet-hour mode shadow → enforce (it acts)
      own addresses:
        → own eip155:1:0xcccccccccccccccccccccccccccccccccccccccc (what goes there needs no approval, counts nothing and passes a pause)
        ← own eip155:1:0xcccccccccccccccccccccccccccccccccccccccc (what goes there is money that leaves)
      unknown, before:
        → unknown price withdrawal block → hold (more passes)
        ← unknown price withdrawal hold → block (less passes)
      unknown, before, more:
        → unknown price withdrawal hold → allow (more passes)
        ← unknown price withdrawal allow → hold (less passes)
      unknown, after:
        → unknown price outflow pause → alert (more passes)
        ← unknown price outflow alert → pause (less passes)
      unknown, the scope:
        → unknown price scope global → wallet (another scope stops, and not all of the old one)
        ← unknown price scope wallet → global (a wider scope stops, the old one in it)
      unmatched, the scope:
        → unmatched scope key-domain → wallet (another scope stops, and not all of the old one)
        ← unmatched scope wallet → key-domain (a wider scope stops, the old one in it)
      unmatched, the risks:
        → unmatched risks pause → alert (what comes before a theft only tells)
        ← unmatched risks alert → pause (what comes before a theft stops)
      conflict:
        → conflict scope global → wallet (another scope stops, and not all of the old one)
        ← conflict scope wallet → global (a wider scope stops, the old one in it)
      a deducted fee:
        → matching deductedFeeMaxUsd $0.00 → $0.01 (outflows that differ more from what was approved match)
        ← matching deductedFeeMaxUsd $0.01 → $0.00 (outflows must be closer to what was approved)
      a grace:
        → matching grace 0s → 0.001s (a thief has more time)
        ← matching grace 0.001s → 0s (what nobody approved trips sooner)
      unseen:
        → matching unseen 86400s → 86400.001s (people hear of it later)
        ← matching unseen 86400.001s → 86400s (people hear of it earlier)
      open reservations:
        → reservations outstandingPerActor 100 → 101 (one customer may hold more open)
        ← reservations outstandingPerActor 101 → 100 (one customer may hold less open)
      overdue:
        → reservations overdue 21600s → 21600.001s (people hear of it later)
        ← reservations overdue 21600.001s → 21600s (people hear of it earlier)
      clock tolerance:
        → timing clockTolerance 2.001s → 2s (windows reach back less)
        ← timing clockTolerance 2s → 2.001s (windows reach back further)
      clock tolerance beside a share:
        → timing clockTolerance 2.001s → 2s (windows reach back less)
        ← timing clockTolerance 2s → 2.001s (a share is one of an older balance)
      commit delay:
        → timing commitDelay 6.001s → 6s (windows reach back less)
        ← timing commitDelay 6s → 6.001s (windows reach back further)
      admissions:
        → timing admission 30s → 30.001s (longer: more leaves after a trip; shorter: windows reach back less)
        ← timing admission 30.001s → 30s (longer: more leaves after a trip; shorter: windows reach back less)
      the lease:
        → timing lease 180s → 180.001s (withdrawals go on for longer without a proof of health)
        ← timing lease 180.001s → 180s (withdrawals stop sooner without a proof of health)
      a chain nobody looks at:
        → chain eip155:1 (the chain was unknown and is known now)
        ← chain eip155:1 (it is unknown: unknown.chain stops it)
      a watched chain:
        → chain eip155:1 (the chain was unknown and is known now)
        ← chain eip155:1 (nobody looks at what leaves there)
      watching:
        → chain eip155:1 watch 0 confirmations, blind after 0.001s → none (nobody looks at what leaves there)
        ← chain eip155:1 watch none → 0 confirmations, blind after 0.001s (what leaves there is seen)
      confirmations:
        → chain eip155:1 watch 3 confirmations, blind after 0.001s → 4 confirmations, blind after 0.001s (what leaves is counted later)
        ← chain eip155:1 watch 4 confirmations, blind after 0.001s → 3 confirmations, blind after 0.001s (what leaves is counted earlier, or blindness stops sooner)
      blindness:
        → chain eip155:1 watch 3 confirmations, blind after 0.001s → 3 confirmations, blind after 0.002s (withdrawals go on for longer while nobody sees them)
        ← chain eip155:1 watch 3 confirmations, blind after 0.002s → 3 confirmations, blind after 0.001s (what leaves is counted earlier, or blindness stops sooner)
      observed:
        → chain eip155:1 observed none → true (more of what was approved waits for its outflow)
        ← chain eip155:1 observed true → none (nobody is told of what does not show)
      a chain that a pattern knew as well:
        → chain eip155:1 (for people; it decides nothing)
        ← chain eip155:1 (for people; it decides nothing)
      patterns of one length that overlap:
        → chains order a* → later (of two patterns that are equally long the earlier one counts)
        ← chains order *b → later (of two patterns that are equally long the earlier one counts)
      patterns that do not:
      decimals:
        → asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 decimals 6 → 7 (the same money looks smaller)
        ← asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 decimals 7 → 6 (the same money looks larger)
      decimals of a shared budget:
        → asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 decimals 6 → 7 (the same money looks smaller)
        ← asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 decimals 7 → 6 (what shares its budget counts less)
      a floor:
        → asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 floorPriceUsd $0.000000000101 → $0.0000000001 (the same money looks smaller)
        ← asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 floorPriceUsd $0.0000000001 → $0.000000000101 (the same money looks larger)
      a first floor:
        → asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 floorPriceUsd none → $0.0000000001 (what had no price, or none at times, is known)
        ← asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 floorPriceUsd $0.0000000001 → none (it can count nothing)
      a feed beside a floor:
        → asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 price http a maxAge 60s keep 90s → none (a feed that raised values is gone)
        ← asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 price none → http a maxAge 60s keep 90s (a feed only raises a value)
      a feed alone:
        → asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 price http a maxAge 60s keep 90s → none (a feed that raised values is gone)
        ← asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 price none → http a maxAge 60s keep 90s (what had no price, or none at times, is known)
      another feed:
        → asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 price http a maxAge 60s keep 90s → http b maxAge 60s keep 90s (a feed that raised values is gone)
        ← asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 price http b maxAge 60s keep 90s → http a maxAge 60s keep 90s (a feed that raised values is gone)
      a price that is kept:
        → asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 price http a maxAge 60s keep 90.001s → http a maxAge 60s keep 90s (a price that raised a value is given up earlier)
        ← asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 price http a maxAge 60s keep 90s → http a maxAge 60s keep 90.001s (a feed only raises a value)
      a price that is kept without a floor:
        → asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 price http a maxAge 60s keep 90.001s → http a maxAge 60s keep 90s (a price that raised a value is given up earlier)
        ← asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 price http a maxAge 60s keep 90s → http a maxAge 60s keep 90.001s (what had no price, or none at times, is known)
      the age of a price:
        → asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 price http a maxAge 60s keep 90s → http a maxAge 60.001s keep 90s (people hear of an old price later)
        ← asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 price http a maxAge 60.001s keep 90s → http a maxAge 60s keep 90s (people hear of an old price earlier)
      the same budget:
        → asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 sameAs none → eip155:1/slip44:60 (it uses another budget)
        ← asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 sameAs eip155:1/slip44:60 → none (it uses another budget)
      a symbol:
        → asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 symbol USDC → U (for people; it decides nothing)
        ← asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 symbol U → USDC (for people; it decides nothing)
      an asset:
        → asset eip155:1/erc20:0x00000000000000000000000000000000000000ff (the asset was unknown and is known now)
        ← asset eip155:1/erc20:0x00000000000000000000000000000000000000ff (it is unknown: unknown.asset stops it)
      an asset on a watched chain:
        → asset eip155:1/slip44:60 (a token that is not listed is seen only where the wallet signed for it)
        ← asset eip155:1/slip44:60 (the asset was unknown and is known now)
      a wallet:
        → wallet hot-1 (it is unknown: unknown.wallet stops it)
        ← wallet hot-1 (money may leave from it, and it has its own budget)
      an address:
        → wallet hot-1 addresses eip155:1:0x1111111111111111111111111111111111111111 → eip155:1:0x1111111111111111111111111111111111111111 eip155:1:0x2222222222222222222222222222222222222222 (money may leave from more)
        ← wallet hot-1 addresses eip155:1:0x1111111111111111111111111111111111111111 eip155:1:0x2222222222222222222222222222222222222222 → eip155:1:0x1111111111111111111111111111111111111111 (it is unknown: unknown.wallet stops it)
      another address:
        → wallet hot-1 addresses eip155:1:0x1111111111111111111111111111111111111111 → eip155:1:0x9999999999999999999999999999999999999999 (money may leave from more)
        ← wallet hot-1 addresses eip155:1:0x9999999999999999999999999999999999999999 → eip155:1:0x1111111111111111111111111111111111111111 (money may leave from more)
      a key domain:
        → wallet hot-1 keyDomain vault-a → vault-b (its money counts in another key domain)
        ← wallet hot-1 keyDomain vault-b → vault-a (its money counts in another key domain)
      admissions of a wallet:
        → wallet hot-1 admission none → 1s (longer: more leaves after a trip; shorter: windows reach back less)
        ← wallet hot-1 admission 1s → none (longer: more leaves after a trip; shorter: windows reach back less)
      a floor of a wallet:
        → wallet hot-1 floors 2 of eip155:1/slip44:60 → 1 of eip155:1/slip44:60 (people hear of it later, or not at all)
        ← wallet hot-1 floors 1 of eip155:1/slip44:60 → 2 of eip155:1/slip44:60 (people hear of it earlier)
      a canary:
        → wallet hot-1 canary none → true (a made-up outflow of it stops it alone, and a drill may reset it)
        ← wallet hot-1 canary true → none (drills trip nothing: nobody sees in time that a pause does not work)
      an operator:
        → operator alice (one more may resume, veto or stop everything)
        ← operator alice (somebody has no rights any more)
      a role:
        → operator alice roles resume → pause resume (somebody has one more right)
        ← operator alice roles pause resume → resume (somebody has one right less)
      a role for another:
        → operator alice roles resume → panic (somebody has one more right)
        ← operator alice roles panic → resume (somebody has one more right)
      a key:
        → operator alice address 0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa → 0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb (another key signs)
        ← operator alice address 0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb → 0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa (another key signs)
      a caller:
        → operator alice iam none → arn (another caller is taken for this operator)
        ← operator alice iam arn → none (no caller is taken for this operator)
      a number to call:
        → operator alice contact none → +41 (for people; it decides nothing)
        ← operator alice contact +41 → none (for people; it decides nothing)
      contacts:
        → contact a (for people; it decides nothing)
        ← contact a (for people; it decides nothing)
      a quorum:
        → resume kind quorum → trial (one operator alone resumes, and changes the policy at once)
        → resume quorum 2 → 1 (it comes with the quorum)
        → resume pauserCounts false → true (it comes with the quorum)
        ← resume kind trial → quorum (several resume together)
        ← resume quorum 1 → 2 (it comes with the quorum)
        ← resume pauserCounts true → false (it comes with the quorum)
      the size of a quorum:
        → resume quorum 3 → 2 (fewer can resume)
        ← resume quorum 2 → 3 (fewer cannot resume any more, nor undo this)
      who pauses counts:
        → resume pauserCounts false → true (whoever paused may count towards the resume)
        ← resume pauserCounts true → false (whoever paused does not count any more)
      the delay:
        → changes delay 86400s → 86399.999s (what loosens comes into force sooner)
        ← changes delay 86399.999s → 86400s (what people agreed on takes longer, also undoing this)
      steps:
        → resume steps 10% for 3600s → none (a step gives more, gives it sooner, or is gone)
        → resume budgetUsd $0.01 → $0.00 (a step gives less where a scope has no limit of its own)
        ← resume steps none → 10% for 3600s (no step gives more, or gives it sooner)
        ← resume budgetUsd $0.00 → $0.01 (it comes with the steps)
      the share of a step:
        → resume steps 10% for 3600s → 10.01% for 3600s (a step gives more, gives it sooner, or is gone)
        ← resume steps 10.01% for 3600s → 10% for 3600s (no step gives more, or gives it sooner)
      the time of a step:
        → resume steps 10% for 3600s → 10% for 3599.999s (a step gives more, gives it sooner, or is gone)
        ← resume steps 10% for 3599.999s → 10% for 3600s (no step gives more, or gives it sooner)
      what a step names:
        → resume steps 10% for 3600s of eip155:1/slip44:60 → 10% for 3600s (a step gives more, gives it sooner, or is gone)
        ← resume steps 10% for 3600s → 10% for 3600s of eip155:1/slip44:60 (no step gives more, or gives it sooner)
      what a step names by pattern:
        → resume steps 10% for 3600s of eip155:1/slip44:60 → 10% for 3600s of eip155:1/* (a step gives more, gives it sooner, or is gone)
        ← resume steps 10% for 3600s of eip155:1/* → 10% for 3600s of eip155:1/slip44:60 (no step gives more, or gives it sooner)
      one step less:
        → resume steps 10% for 3600s; 20% for 3600s → 10% for 3600s (a step gives more, gives it sooner, or is gone)
        ← resume steps 10% for 3600s → 10% for 3600s; 20% for 3600s (no step gives more, or gives it sooner)
      a budget:
        → resume budgetUsd $0.01 → $0.01 (a step gives more where a scope has no limit of its own)
        ← resume budgetUsd $0.01 → $0.01 (a step gives less where a scope has no limit of its own)
      roles in another order:
        → operator alice roles pause resume → pause resume (another order)
        ← operator alice roles pause resume → pause resume (another order)
      addresses in another order:
        → wallet hot-1 addresses eip155:1:0x1111111111111111111111111111111111111111 eip155:1:0x2222222222222222222222222222222222222222 → eip155:1:0x1111111111111111111111111111111111111111 eip155:1:0x2222222222222222222222222222222222222222 (another order)
        ← wallet hot-1 addresses eip155:1:0x1111111111111111111111111111111111111111 eip155:1:0x2222222222222222222222222222222222222222 → eip155:1:0x1111111111111111111111111111111111111111 eip155:1:0x2222222222222222222222222222222222222222 (another order)
      a wallet on a watched chain:
        → wallet hot-1 (nobody looks at what leaves from it)
        ← wallet hot-1 (money may leave from it, and it has its own budget)
      an address on a watched chain, beside one that is not:
        → wallet hot-1 addresses eip155:1:0x1111111111111111111111111111111111111111 eip155:1:0x2222222222222222222222222222222222222222 eip155:56:0x1111111111111111111111111111111111111111 → eip155:1:0x2222222222222222222222222222222222222222 (nobody looks at what leaves from it)
        ← wallet hot-1 addresses eip155:1:0x2222222222222222222222222222222222222222 → eip155:1:0x1111111111111111111111111111111111111111 eip155:1:0x2222222222222222222222222222222222222222 eip155:56:0x1111111111111111111111111111111111111111 (money may leave from more)
      an address on a chain nobody looks at:
        → wallet hot-1 addresses eip155:1:0x1111111111111111111111111111111111111111 eip155:56:0x1111111111111111111111111111111111111111 → eip155:1:0x1111111111111111111111111111111111111111 (it is unknown: unknown.wallet stops it)
        ← wallet hot-1 addresses eip155:1:0x1111111111111111111111111111111111111111 → eip155:1:0x1111111111111111111111111111111111111111 eip155:56:0x1111111111111111111111111111111111111111 (money may leave from more)
      a pattern of which others speak in part:
        → chain solana:* (the chain was unknown and is known now)
        → chain eip155:* (another rule speaks of some of it)
        ← chain eip155:* (the chain was unknown and is known now)
        ← chain solana:* (it is unknown: unknown.chain stops it)
      a pattern alone:
        → chain eip155:* (it is unknown: unknown.chain stops it)
        ← chain eip155:* (the chain was unknown and is known now)
      floors of which one is lower:
        → wallet hot-1 floors 2 of eip155:1/slip44:60 and 2 of eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 → 3 of eip155:1/slip44:60 and 1 of eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 (people hear of it later, or not at all)
        ← wallet hot-1 floors 3 of eip155:1/slip44:60 and 1 of eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 → 2 of eip155:1/slip44:60 and 2 of eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 (people hear of it later, or not at all)
      one more floor:
        → wallet hot-1 floors 2 of eip155:1/slip44:60 → 2 of eip155:1/slip44:60 and 1 of eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 (people hear of it earlier)
        ← wallet hot-1 floors 2 of eip155:1/slip44:60 and 1 of eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 → 2 of eip155:1/slip44:60 (people hear of it later, or not at all)
      a first floor of a wallet:
        → wallet hot-1 floors none → 1 of eip155:1/slip44:60 (people hear of it earlier)
        ← wallet hot-1 floors 1 of eip155:1/slip44:60 → none (people hear of it later, or not at all)
      patterns of other lengths that overlap:
      a pattern that is gone from before another:
        → chain a* (another rule speaks of some of it)
        ← chain a* (the chain was unknown and is known now)
      assets of a step, one more:
        → resume steps 10% for 3600s of eip155:1/slip44:60 → 10% for 3600s of eip155:1/slip44:60 eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 (a step gives more, gives it sooner, or is gone)
        ← resume steps 10% for 3600s of eip155:1/slip44:60 eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 → 10% for 3600s of eip155:1/slip44:60 (no step gives more, or gives it sooner)
      a limit on one withdrawal:
        → limit one (what it refused or told passes)
        ← limit one (one more limit, with the history of what has left)
      a share over another window, and no share any more:
        → limit wallet-hour metric share → notional (another thing is counted)
        → limit wallet-hour window 1h → 6h (a share of another balance, that at the start of another window)
        ← limit wallet-hour metric notional → share (another thing is counted)
        ← limit wallet-hour window 6h → 1h (a share of another balance, that at the start of another window)
      a limit on two fields:
        → limit wallet-hour where none → keyDomain=vault-a wallet=hot-1 (it does not speak of all that it spoke of)
        ← limit wallet-hour where keyDomain=vault-a wallet=hot-1 → none (it speaks of everything that it spoke of, and more)
      a feed where only one side has a floor:
        → asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 floorPriceUsd none → $0.0000000001 (what had no price, or none at times, is known)
        → asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 price http a maxAge 60s keep 90s → http a maxAge 60s keep 90s and http b maxAge 60s keep 90s (what had no price, or none at times, is known)
        ← asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 floorPriceUsd $0.0000000001 → none (it can count nothing)
        ← asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 price http a maxAge 60s keep 90s and http b maxAge 60s keep 90s → http a maxAge 60s keep 90s (a feed that raised values is gone)
      decimals of a budget that is shared no more:
        → asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 decimals 6 → 7 (the same money looks smaller)
        → asset eip155:1/slip44:60 sameAs eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 → none (it uses another budget)
        ← asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 decimals 7 → 6 (what shares its budget counts less)
        ← asset eip155:1/slip44:60 sameAs none → eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 (it uses another budget)
      a wallet where the unknown passes:
        → wallet hot-1 (it is unknown: unknown.wallet lets it pass)
        ← wallet hot-1 (money may leave from it, and it has its own budget)
      a pattern and an id that it means, in another order:
      patterns of one length that overlap and stay in their order:
        → policy name test → other (for people; it decides nothing)
        ← policy name other → test (for people; it decides nothing)
      a pattern that is gone from behind another:
        → chain *b (another rule speaks of some of it)
        ← chain *b (the chain was unknown and is known now)
      a chain that a pattern knew by the same name:
        → chain eip155:1 (eip155:* said the same)
        ← chain eip155:1 (eip155:* says the same)
      a chain that was watched by its pattern under another name:
        → chain eip155:1 (nobody looks at what leaves there)
        ← chain eip155:1 (what leaves there is seen)
      a wallet on a watched chain, beside a chain nobody looks at:
        → wallet hot-1 (nobody looks at what leaves from it)
        ← wallet hot-1 (money may leave from it, and it has its own budget)
      feeds in another order:
        → asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 price http a maxAge 60s keep 90s and http b maxAge 60s keep 90s → http b maxAge 60s keep 90s and http a maxAge 60s keep 90s (another order)
        ← asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 price http b maxAge 60s keep 90s and http a maxAge 60s keep 90s → http a maxAge 60s keep 90s and http b maxAge 60s keep 90s (another order)
      the age of a price without a floor:
        → asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 price http a maxAge 60s keep 90s → http a maxAge 60.001s keep 90s (people hear of an old price later)
        ← asset eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 price http a maxAge 60.001s keep 90s → http a maxAge 60s keep 90s (people hear of an old price earlier)
      a limit on one withdrawal that becomes one over a window:
        → limit wallet-hour metric single → notional (another thing is counted)
        → limit wallet-hour window none → 1h (the same sum must last for longer)
        ← limit wallet-hour metric notional → single (another thing is counted)
        ← limit wallet-hour window 1h → none (the same sum may leave again sooner)
      a limit on a wallet that is left open:
        → limit wallet-hour where wallet=hot-1 → none (it speaks of everything that it spoke of, and more)
        ← limit wallet-hour where none → wallet=hot-1 (it does not speak of all that it spoke of)
      a word that nobody knows:
        → policy mode enforce → unheard-of (nothing is stopped any more)
        ← policy mode unheard-of → enforce (nothing is stopped any more)"
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
