/** Each limit with what is used and what is left, for people. */

import { chainOf } from '../domain/caip.ts';
import * as Evaluate from '../domain/evaluate.ts';
import * as Explain from '../domain/explain.ts';
import * as Facts from '../domain/facts.ts';
import type * as Ledger from '../domain/ledger.ts';
import * as Meter from '../domain/meter.ts';
import * as Pattern from '../domain/pattern.ts';
import * as Policy from '../domain/policy.ts';
import * as Price from '../domain/price.ts';
import * as Scope from '../domain/scope.ts';
import * as Step from '../domain/step.ts';
import type { Clock, DecisionStore } from '../ports.ts';
import type { PolicyInForce } from './policy-in-force.ts';

/** What reporting needs. */
export type Deps = {
  readonly decisions: DecisionStore;
  readonly policy: PolicyInForce;
  readonly clock: Clock;
};

/** One limit in one scope. Quantities both exact and as people read them. */
export type Line = {
  readonly limitId: string;
  readonly scope: string;
  readonly metric: string;
  readonly window: string;
  readonly used: string;
  readonly limit: string;
  readonly headroom: string;
  readonly usedText: string;
  readonly limitText: string;
  readonly headroomText: string;
  /** Share used, basis points, capped at 99 999. */
  readonly usedBps: number;
  readonly mode: Policy.Mode;
  /** Present where it is what a step of a resume allows, on what left since it began. */
  readonly step?: {
    readonly number: number;
    readonly of: number;
    readonly shareBps: number;
    readonly sinceMs: number;
  };
  /** The share of itself that an overlay lets it allow; it is in `limit`. */
  readonly overlayBps?: number;
  /** What an allowance adds to it until a time; it is in `limit`. */
  readonly allowance?: { readonly extraBps: number; readonly untilMs: number };
  /** It counts from this time on, because a resume named it. */
  readonly baseMs?: number;
};

/** A feed whose last good price is older than the policy wants. */
export type StalePrice = {
  readonly feed: string;
  readonly symbols: readonly string[];
  readonly text: string;
  /** Absent where no price was ever read. */
  readonly ageMs?: number;
};

/** The lines, and whether scopes were left out for being too many. */
export type Report = {
  readonly lines: readonly Line[];
  readonly truncated: boolean;
  /** Absent where there is none. */
  readonly stalePrices?: readonly StalePrice[];
};

/** Largest share that is told. */
const USED_BPS_MAX = 99_999n;
/** Scopes read for one report. */
const SCOPES_MAX = 300;

/**
 * Reads every scope that the policy can name (wallets, key domains, chains, assets, global), or the
 * one that is asked for; customers and destinations are too many to list and must be asked for.
 */
export async function reportLimits(
  deps: Deps,
  parameters: { readonly scope?: string | undefined } = {},
): Promise<Report> {
  const { policy: loaded } = await deps.policy.refresh();
  const all =
    parameters.scope === undefined ? scopesOf(loaded) : [Scope.parseKey(parameters.scope)];
  const scopes = all.slice(0, SCOPES_MAX);
  const keys = scopes.map(Scope.key);
  const asked = { rows: [], items: keys, facts: Facts.keys(loaded, keys) };
  const { items, facts } = await deps.decisions.load(asked);
  const nowMs = deps.clock.nowMs();
  const policy = Policy.at(loaded, facts, nowMs);
  const lines = scopes.flatMap((scope) =>
    linesOf(policy, { scope, item: items.get(Scope.key(scope)), nowMs }),
  );
  const stalePrices = staleOf(policy);
  const truncated = all.length > scopes.length;
  return { lines, truncated, ...(stalePrices.length > 0 ? { stalePrices } : {}) };
}

/** The limits of a scope as they stand there, and behind them what a step of its resume allows of them. */
function linesOf(
  policy: Policy.Policy,
  about: {
    readonly scope: Scope.Scope;
    readonly item: Ledger.Item | undefined;
    readonly nowMs: number;
  },
): readonly Line[] {
  const { scope, item, nowMs } = about;
  const at = { scope: Scope.key(scope), nowMs, widenMs: Policy.widenMs(policy, scope) };
  const limits = policy.limits
    .filter((limit) => limit.scope === scope.kind && speaksOf(policy, limit, scope))
    .map((limit) => ({
      metric: limit.metric,
      limit: Evaluate.inForce(Policy.standing(policy, limit, scope), item, nowMs),
    }));
  const bounds = Step.boundsOf(item, { scope, limits: limits.map(({ limit }) => limit) });
  const steps = bounds.map((limit) => ({ metric: limit.metric, limit }));
  return [...limits, ...steps].map(({ limit, metric }) => ({
    ...line(policy, Evaluate.use(item, limit, at), metric),
    ...agreed(item, limit, nowMs),
  }));
}

/** What people have agreed on that makes a limit stand otherwise than the policy says. */
function agreed(
  item: Ledger.Item | undefined,
  { limitId, step }: Step.Bound,
  nowMs: number,
): Pick<Line, 'step' | 'overlayBps' | 'allowance' | 'baseMs'> {
  const { overlay, allowances = [], bases = [] } = item ?? {};
  const more = allowances.find((each) => each.limitId === limitId && each.untilMs > nowMs);
  const base = bases.find(({ limitIds }) => limitIds.includes(limitId));
  return {
    ...(step && {
      step: {
        number: step.step + 1,
        of: step.steps,
        shareBps: step.shareBps,
        sinceMs: step.sinceMs,
      },
    }),
    ...(overlay && { overlayBps: overlay.shareBps }),
    ...(more && !overlay && { allowance: { extraBps: more.extraBps, untilMs: more.untilMs } }),
    ...(base && !step && { baseMs: base.mark.atMs }),
  };
}

/** Feeds that the policy names and whose price is too old, each with the assets that it is of. */
function staleOf({ assets, known }: Policy.Policy): readonly StalePrice[] {
  const { quotes = new Map(), atMs = 0 } = known ?? {};
  const all = assets.flatMap(({ symbol, sources = [] }) =>
    Price.stale(sources, quotes, atMs).map((doubt) => ({ symbol, doubt })),
  );
  const byFeed = Map.groupBy(all, ({ doubt }) => doubt.feedId);
  return [...byFeed.values()].flatMap((some) => {
    const [first] = some;
    if (!first) return [];
    const { feedId: feed, why: text, ageMs } = first.doubt;
    const symbols = some.map(({ symbol }) => symbol);
    return [{ feed, symbols, text, ...(ageMs === undefined ? {} : { ageMs }) }];
  });
}

function line(policy: Policy.Policy, use: Evaluate.Use, metric: Policy.Limit['metric']): Line {
  const { limit, scope, used, headroom } = use;
  return {
    limitId: limit.limitId,
    scope,
    metric,
    window: limit.metric === 'single' ? '' : Explain.duration(limit.windowMs),
    used: used.toString(),
    limit: limit.allowed.toString(),
    headroom: headroom.toString(),
    usedText: Explain.quantity(policy, limit, used),
    limitText: `${Explain.quantity(policy, limit, limit.allowed)}${Explain.ofWhat(policy, limit)}`,
    headroomText: Explain.headroom(policy, limit, headroom),
    usedBps: usedBps(used, limit.allowed),
    mode: policy.mode === 'shadow' ? 'shadow' : limit.mode,
  };
}

/** A share of nothing is used up. */
function usedBps(used: bigint, allowed: bigint): number {
  const bps = allowed === 0n ? USED_BPS_MAX : (used * 10_000n) / allowed;
  return Number(bps > USED_BPS_MAX ? USED_BPS_MAX : bps);
}

function scopesOf(policy: Policy.Policy): readonly Scope.Scope[] {
  const chains = new Set(policy.wallets.flatMap((wallet) => wallet.addresses.map(chainOf)));
  const named = policy.assets.filter((asset) => !asset.pattern.includes('*'));
  const assets = named.filter((asset) => !asset.sameAs);
  const domains = new Set(policy.wallets.map((wallet) => wallet.keyDomain));
  const pairs = policy.wallets.flatMap((wallet) =>
    named
      .filter((asset) =>
        wallet.addresses.some((account) => asset.pattern.startsWith(`${chainOf(account)}/`)),
      )
      .map((asset) => `${wallet.name}|${asset.sameAs ?? asset.pattern}`),
  );
  const scopes = (kind: Scope.Kind, ids: Iterable<string>) => [...ids].map((id) => ({ kind, id }));
  return [
    Scope.GLOBAL,
    ...scopes('key-domain', domains),
    ...scopes('chain', chains),
    ...scopes(
      'wallet',
      policy.wallets.map((wallet) => wallet.name),
    ),
    ...scopes(
      'asset',
      assets.map((asset) => asset.pattern),
    ),
    ...scopes('wallet-asset', new Set(pairs)),
  ];
}

/** Whether a limit's `where` allows this scope, as far as the scope's id tells. */
function speaksOf(policy: Policy.Policy, limit: Policy.Limit, scope: Scope.Scope): boolean {
  if (limit.metric !== 'single' && !Meter.stepFor(limit.windowMs)) return false;
  const fits = (pattern: string | undefined, value: string) =>
    pattern === undefined || Pattern.matches(pattern, value);
  const { where } = limit;
  const [first = '', second = ''] = scope.id.split('|');
  const keyDomain = Policy.walletOf(policy, first)?.keyDomain ?? Policy.UNKNOWN_KEY_DOMAIN;
  const fitsWallet = fits(where.wallet, first) && fits(where.keyDomain, keyDomain);
  switch (scope.kind) {
    case 'wallet-asset':
      return fitsWallet && fits(where.asset, second);
    case 'wallet':
      return fitsWallet;
    case 'asset':
      return fits(where.asset, first);
    case 'chain':
      return fits(where.chain, first);
    case 'key-domain':
      return fits(where.keyDomain, first);
    case 'destination':
      return fits(where.destination, first);
    case 'actor':
      return fits(where.actor, first);
    case 'global':
      return true;
    default:
      return scope.kind satisfies never;
  }
}
