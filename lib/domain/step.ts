/**
 * What a step of a resume allows: of each limit that speaks about the breaker's own scope a share, on
 * all that left since the step began, whatever the limit's window; the full limits stay beside it.
 */

import * as Breaker from './breaker.ts';
import type * as Ledger from './ledger.ts';
import * as Meter from './meter.ts';
import * as Money from './money.ts';
import * as Pattern from './pattern.ts';
import type * as Policy from './policy.ts';
import * as Scope from './scope.ts';

/** Which step a bound belongs to, and of what it allows a share. */
export type Of = {
  readonly scope: Scope.Key;
  readonly incidentId: string;
  readonly epoch: number;
  /** From 0. */
  readonly step: number;
  readonly steps: number;
  readonly shareBps: number;
  readonly sinceMs: number;
  /** What 100 % allows. */
  readonly whole: bigint;
  /** It left where the step lets nothing flow. */
  readonly isUnnamed?: true;
};

/** A limit as it stands, or what a step allows of it. */
export type Bound = Policy.Standing & { readonly step?: Of };

/** What bounds a step in a scope that no notional limit speaks about, by name. */
export const BUDGET_ID = '%resume-budget';

/** Whether a step lets this money flow: its chain, and the asset whose budget it uses. */
export function lets(
  { chains, assets }: Breaker.Step,
  flows: Pick<Scope.Subject, 'chain' | 'asset'>,
): boolean {
  const isNamed = (patterns: readonly string[] | undefined, id: string) =>
    patterns === undefined || patterns.some((pattern) => Pattern.matches(pattern, id));
  return isNamed(chains, flows.chain) && isNamed(assets, flows.asset);
}

/** The step of a breaker that is half-open. */
export function current(breaker: Breaker.HalfOpen): Breaker.Step {
  // Stored whole or not at all; without a step nothing flows.
  return breaker.steps[breaker.step] ?? { shareBps: 0, forMs: 0, chains: [] };
}

/**
 * The bounds of a scope that resumes in steps: of each limit that acts on a sum, and of the order's
 * budget where no notional one does. Shares are rounded down.
 * Fail direction: closed, of what the step does not name nothing is allowed.
 *
 * @param about.limits what speaks about the scope and this money, as it stands.
 */
export function bounds(
  item: Ledger.Item | undefined,
  about: {
    readonly scope: Scope.Scope;
    readonly flows: Pick<Scope.Subject, 'chain' | 'asset'>;
    readonly limits: readonly Policy.Standing[];
  },
): readonly Bound[] {
  const { scope, flows, limits } = about;
  if (item?.breaker.state !== 'half-open') return [];
  const { breaker } = item;
  if (!lets(current(breaker), flows)) {
    const nothing = bound(breaker, scope, budgetOf(scope, 0n));
    return [{ ...nothing, metric: 'count', step: { ...nothing.step, isUnnamed: true } }];
  }
  return boundsOf(item, { scope, limits });
}

/** As {@link bounds}, for money that the step names. */
export function boundsOf(
  item: Ledger.Item | undefined,
  about: { readonly scope: Scope.Scope; readonly limits: readonly Policy.Standing[] },
): readonly Bound[] {
  const { scope, limits } = about;
  if (item?.breaker.state !== 'half-open') return [];
  const { breaker } = item;
  const acting = limits.filter(isBounded);
  const hasOwn = acting.some(({ metric }) => metric === 'notional');
  const all = hasOwn ? acting : [...acting, budgetOf(scope, breaker.budget)];
  return all.map((limit) => bound(breaker, scope, limit));
}

/** What the step of a scope allows of one of its limits; `undefined` where none bounds it. */
export function boundOf(
  item: Ledger.Item | undefined,
  { scope, limit }: { readonly scope: Scope.Scope; readonly limit: Policy.Standing },
): Bound | undefined {
  const isHalfOpen = item?.breaker.state === 'half-open';
  return isHalfOpen && isBounded(limit) ? bound(item.breaker, scope, limit) : undefined;
}

/** The mark that a bound counts from; `undefined` where its step is over. */
export function markOf(item: Ledger.Item, { epoch, step }: Of): Meter.Mark | undefined {
  const { breaker } = item;
  const isSame = breaker.state === 'half-open' && breaker.epoch === epoch && breaker.step === step;
  return isSame ? breaker.mark : undefined;
}

/** When a later step begins that has room for `need`, or all of them are over; `undefined` where none has. */
export function roomAtMs(
  item: Ledger.Item | undefined,
  of: Of,
  at: { readonly need: bigint; readonly nowMs: number },
): number | undefined {
  if (item?.breaker.state !== 'half-open') return undefined;
  const { breaker } = item;
  let atMs = Math.max(Breaker.stepEndsAtMs(breaker), at.nowMs);
  for (const step of breaker.steps.slice(breaker.step + 1)) {
    if (at.need <= Money.shareOf(of.whole, step.shareBps)) return atMs;
    atMs += step.forMs;
  }
  return atMs;
}

/** Limits over a window, on a sum, that do something about what passes them. */
function isBounded({ metric, action, mode }: Policy.Standing): boolean {
  const isSum = metric === 'notional' || metric === 'amount' || metric === 'count';
  return isSum && mode === 'enforce' && action.kind !== 'alert';
}

function bound(
  breaker: Breaker.HalfOpen,
  scope: Scope.Scope,
  limit: Policy.Standing,
): Required<Pick<Bound, 'step'>> & Bound {
  const { incidentId, epoch, step, steps, stepSinceMs: sinceMs } = breaker;
  const { shareBps } = current(breaker);
  const whole = limit.allowed;
  const { warnBps: _, tripOnRefusal: __, ...plain } = limit;
  const key = Scope.key(scope);
  return {
    ...plain,
    allowed: Money.shareOf(whole, shareBps),
    step: { scope: key, incidentId, epoch, step, steps: steps.length, shareBps, sinceMs, whole },
  };
}

function budgetOf({ kind }: Scope.Scope, allowed: bigint): Policy.Standing {
  return {
    limitId: BUDGET_ID,
    scope: kind,
    where: {},
    metric: 'notional',
    windowMs: Meter.LONGEST_MS,
    allowed,
    action: { kind: 'pause', scope: kind },
    mode: 'enforce',
  };
}
