/** What changes between two policies, and which changes let more money leave. */

import * as Explain from '../domain/explain.ts';
import { formatUnits, formatUsd } from '../domain/money.ts';
import type * as Policy from '../domain/policy.ts';
import { feedId } from '../domain/price.ts';

/**
 * `looser`: more can leave, or it is easier to resume. `tighter`: less can. `other`: it depends on
 * what flows, so a person has to judge.
 */
export type Effect = 'tighter' | 'looser' | 'other';

/** One change. `before` or `after` is absent where the thing was added or removed. */
export type Change = {
  /** What changes, such as `limit wallet-hour`. */
  readonly what: string;
  /** The field of it, such as `limit`; absent where the whole thing came or went. */
  readonly field?: string;
  readonly before?: string;
  readonly after?: string;
  readonly effect: Effect;
};

/** A field as text, with what a larger text-independent rank means: more money can leave. */
type Field = { readonly text: string; readonly rank?: bigint | undefined };
type Fields = Readonly<Record<string, Field>>;
/** One named thing of a policy, and what its coming or going means. */
type Part = {
  readonly what: string;
  readonly fields: Fields;
  readonly added: Effect;
  readonly removed: Effect;
};

/** What differs, in the order of the policy: settings, chains, assets, wallets, limits. */
export function diffPolicies(before: Policy.Policy, after: Policy.Policy): readonly Change[] {
  const old = new Map(partsOf(before).map((part) => [part.what, part]));
  const next = new Map(partsOf(after).map((part) => [part.what, part]));
  const kept = [...next].flatMap(([what, part]) => {
    const was = old.get(what);
    return was ? changedFields(was, part) : [come(part)];
  });
  const gone = [...old].filter(([what]) => !next.has(what)).map(([, part]) => go(part));
  return [...kept, ...gone];
}

function come(part: Part): Change {
  return { what: part.what, after: summary(part.fields), effect: part.added };
}

function go(part: Part): Change {
  return { what: part.what, before: summary(part.fields), effect: part.removed };
}

function summary(fields: Fields): string {
  return Object.entries(fields)
    .filter(([, field]) => field.text !== '')
    .map(([name, field]) => `${name} ${field.text}`)
    .join(', ');
}

function changedFields(before: Part, after: Part): readonly Change[] {
  const names = [...new Set([...Object.keys(before.fields), ...Object.keys(after.fields)])];
  return names.flatMap((field) => {
    const from = before.fields[field] ?? { text: '' };
    const to = after.fields[field] ?? { text: '' };
    if (from.text === to.text && from.rank === to.rank) return [];
    return [
      {
        what: after.what,
        field,
        before: from.text || 'none',
        after: to.text || 'none',
        effect: effectOf(from.rank, to.rank),
      },
    ];
  });
}

function effectOf(from: bigint | undefined, to: bigint | undefined): Effect {
  if (from === undefined || to === undefined || from === to) return 'other';
  return to > from ? 'looser' : 'tighter';
}

function partsOf(policy: Policy.Policy): readonly Part[] {
  return [
    settings(policy),
    ...Object.entries(policy.unknown).map(([what, rule]) => unknownRule(what, rule)),
    matching(policy),
    ...policy.own.map(own),
    ...policy.chains.map(chain),
    ...policy.assets.map(asset),
    ...policy.wallets.map(wallet),
    ...policy.limits.map((rule) => limit(policy, rule)),
  ];
}

function settings(policy: Policy.Policy): Part {
  const { clockToleranceMs, admissionMs, commitDelayMs, leaseMs } = policy.timing;
  const fields: Fields = {
    name: { text: policy.name },
    mode: ranked(policy.mode, ['enforce', 'shadow']),
    resume: ranked(policy.resume.kind, ['quorum', 'trial']),
    unmatched: { text: policy.unmatched.scope },
    risks: ranked(policy.unmatched.risks, ['pause', 'alert']),
    conflict: { text: policy.conflict.scope },
    clockTolerance: widening(clockToleranceMs),
    admission: life(admissionMs),
    commitDelay: widening(commitDelayMs),
    lease: { text: seconds(leaseMs), rank: BigInt(leaseMs) },
  };
  return { what: 'policy', fields, added: 'other', removed: 'other' };
}

/** What passes as approved, and how long it takes until people hear of what does not. */
function matching({ matching: rule }: Policy.Policy): Part {
  const { deductedFeeMax, graceMs, unseenMs } = rule;
  const fields: Fields = {
    deductedFeeMax: { text: formatUsd(deductedFeeMax), rank: deductedFeeMax },
    grace: { text: seconds(graceMs), rank: BigInt(graceMs) },
    unseen: { text: seconds(unseenMs), rank: BigInt(unseenMs) },
  };
  return { what: 'matching', fields, added: 'other', removed: 'other' };
}

/** What goes there needs nobody's approval. */
function own(account: string): Part {
  return { what: `own ${account}`, fields: {}, added: 'looser', removed: 'tighter' };
}

function chain({ pattern, name, watch, observed }: Policy.ChainRule): Part {
  const watched =
    watch && `${watch.confirmations} confirmations, blind after ${seconds(watch.blindAfterMs)}`;
  return known(`chain ${pattern}`, {
    name: { text: name },
    // A chain that nobody looks at is never blind.
    watch: { text: watched ?? '', rank: BigInt(watch?.blindAfterMs ?? Number.MAX_SAFE_INTEGER) },
    // How much approved money may wait there, and no more.
    observed: { text: observed ? 'true' : '' },
  });
}

/** A longer time counts more into every window. */
function widening(spanMs: number): Field {
  return { text: seconds(spanMs), rank: -BigInt(spanMs) };
}

/**
 * The life of an admission, without a rank: a longer one counts more into every window, and lets
 * more leave after a trip.
 */
function life(spanMs: number | undefined): Field {
  return { text: spanMs === undefined ? '' : seconds(spanMs) };
}

function unknownRule(what: string, rule: Policy.UnknownRule): Part {
  return known(`unknown ${what}`, {
    withdrawal: ranked(rule.withdrawal, ['block', 'hold', 'allow']),
    outflow: ranked(rule.outflow, ['pause', 'alert']),
    scope: { text: rule.scope },
  });
}

function asset(rule: Policy.AssetRule): Part {
  const price = rule.floorPricePicoUsd;
  return known(`asset ${rule.pattern}`, {
    symbol: { text: rule.symbol },
    decimals: { text: `${rule.decimals}` },
    // A lower price makes the same withdrawal look smaller.
    floorPrice: {
      text: price === undefined ? '' : `$${formatUnits(price, 12)}`,
      rank: price === undefined ? undefined : -price,
    },
    // A feed can only raise a value; without it the floor is what counts.
    price: { text: (rule.sources ?? []).map(({ feed }) => feedId(feed)).join(' and ') },
    sameAs: { text: rule.sameAs ?? '' },
  });
}

/** What the policy does not know it blocks, so knowing more lets more through. */
function known(what: string, fields: Fields): Part {
  return { what, fields, added: 'looser', removed: 'tighter' };
}

function wallet(rule: Policy.Wallet): Part {
  return known(`wallet ${rule.name}`, {
    keyDomain: { text: rule.keyDomain },
    addresses: { text: [...rule.addresses].sort().join(' ') },
    admission: life(rule.admissionMs),
  });
}

function limit(policy: Policy.Policy, rule: Policy.Limit): Part {
  const { action, warnBps, where } = rule;
  const fields: Fields = {
    scope: { text: rule.scope },
    where: { text: whereText(where) },
    metric: { text: rule.metric },
    // The same sum over a longer window lets less leave.
    window: {
      text: rule.windowMs === 0 ? '' : Explain.duration(rule.windowMs),
      rank: -BigInt(rule.windowMs),
    },
    limit: { text: Explain.quantity(policy, rule, rule.allowed), rank: rule.allowed },
    warn: { text: warnBps === undefined ? '' : `${warnBps / 100}%` },
    action: {
      text: action.kind === 'pause' ? `pause ${action.scope}` : action.kind,
      rank: BigInt(['pause', 'hold', 'alert'].indexOf(action.kind)),
    },
    mode: ranked(rule.mode, ['enforce', 'shadow']),
  };
  return { what: `limit ${rule.limitId}`, fields, added: 'tighter', removed: 'looser' };
}

function whereText(where: Policy.Where): string {
  return Object.entries(where)
    .filter(([, pattern]) => pattern !== undefined)
    .map(([field, pattern]) => `${field}=${pattern}`)
    .sort()
    .join(' ');
}

/** A word whose place in a list, strictest first, is its rank. */
function ranked(text: string, strictestFirst: readonly string[]): Field {
  return { text, rank: BigInt(strictestFirst.indexOf(text)) };
}

function seconds(spanMs: number): string {
  return `${spanMs / 1_000}s`;
}
