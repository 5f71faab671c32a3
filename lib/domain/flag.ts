/** The flag `withdrawals-enabled`: derived from breakers, in force under a lease, closed by default. */

import * as Breaker from './breaker.ts';
import * as Evaluate from './evaluate.ts';
import type * as Ledger from './ledger.ts';
import type * as Policy from './policy.ts';
import * as Scope from './scope.ts';
import * as Step from './step.ts';

/** Until when each chain's flag is in force, ms. A chain that is not named has no proof of health. */
export type Leases = Readonly<Record<string, number>>;

/** The answer to "may withdrawals flow?". */
export type Flag = {
  readonly enabled: boolean;
  /** `enabled`, or what stands against it. */
  readonly reason: 'enabled' | 'breaker-open' | 'lease-lapsed' | 'unknown' | 'unreachable';
  /** One sentence for people. */
  readonly text: string;
  /** The narrowest scope that is not closed, with its incident; one that resumes in steps where nothing is open. */
  readonly scope?: Scope.Key;
  readonly incidentId?: string;
  readonly sinceMs?: number;
  /** Until when this answer holds without another look. */
  readonly inForceUntilMs?: number;
  /** Present in shadow mode only: what the answer would have been in enforce mode. */
  readonly wouldBe?: boolean;
};

/** What the flag is judged by: the subject's items and the lease of its chain. */
export type Evidence = {
  readonly policy: Policy.Policy;
  readonly subject: Scope.Subject;
  readonly unknown: readonly Policy.Unknown[];
  /** Kinds to look at; a caller that names no asset or destination asks about the others only. */
  readonly kinds: readonly Scope.Kind[];
  readonly items: ReadonlyMap<Scope.Key, Ledger.Item>;
  readonly leases: Leases;
  readonly nowMs: number;
};

/**
 * Evaluates the flag. Fail direction: closed. Without a lease in force, with any breaker of the
 * subject open, or half-open in a step that lets nothing of it flow or has nothing left, or with a wallet, chain, asset or price unknown to a policy that blocks unknowns,
 * the answer is not enabled.
 */
export function evaluate(evidence: Evidence): Flag {
  const flag = judge(evidence);
  if (evidence.policy.mode !== 'shadow') return flag;
  return {
    ...flag,
    enabled: true,
    wouldBe: flag.enabled,
    text: `shadow mode: enabled; enforced it would be: ${flag.text}`,
  };
}

/** The scopes that can stop a subject, narrowest first: what has to be loaded before the flag is evaluated. */
export function keys(kinds: readonly Scope.Kind[], subject: Scope.Subject): readonly Scope.Key[] {
  return kinds.flatMap((kind) => Scope.stopping(kind, subject)).map(Scope.key);
}

function judge(evidence: Evidence): Flag {
  const { policy, subject, unknown, kinds, items, leases, nowMs } = evidence;
  let resuming: Told | undefined;
  for (const scope of keys(kinds, subject)) {
    const breaker = items.get(scope)?.breaker ?? Breaker.CLOSED;
    if (breaker.state === 'closed') continue;
    const { incidentId, openedAtMs: sinceMs } = breaker;
    if (breaker.state === 'half-open') {
      const step = stepOf(evidence, scope, breaker);
      if (!step.lets) return { enabled: false, reason: 'breaker-open', ...step.told };
      resuming ??= step.told;
      continue;
    }
    const text = `${scope} is paused, incident ${incidentId}`;
    return { enabled: false, reason: 'breaker-open', scope, incidentId, sinceMs, text };
  }
  const blocked = unknown.find((what) => policy.unknown[what].withdrawal !== 'allow');
  if (blocked !== undefined) {
    return { enabled: false, reason: 'unknown', text: `the policy does not know this ${blocked}` };
  }
  const inForceUntilMs = leaseOf(leases, subject.chain);
  // Asked this way round, so that a time that is no number is not enabled either.
  if (inForceUntilMs === undefined || !(inForceUntilMs > nowMs)) {
    const since =
      inForceUntilMs === undefined
        ? 'was never given'
        : `ran out at ${new Date(inForceUntilMs).toISOString()}`;
    return {
      enabled: false,
      reason: 'lease-lapsed',
      text: `no proof of health for ${subject.chain}: its lease ${since}`,
    };
  }
  const text = 'withdrawals are enabled';
  return { enabled: true, reason: 'enabled', text, ...resuming, inForceUntilMs };
}

type Told = Required<Pick<Flag, 'text' | 'scope' | 'incidentId' | 'sinceMs'>>;

/**
 * Whether a step of a resume lets the subject's money flow, and has anything left. Fail direction:
 * closed, who names no asset where the step names some is not enabled, nor is money that the scope
 * does not count.
 */
function stepOf(
  evidence: Evidence,
  scope: Scope.Key,
  breaker: Breaker.HalfOpen,
): { readonly lets: boolean; readonly told: Told } {
  const { policy, subject, items, nowMs } = evidence;
  const { incidentId, stepSinceMs: sinceMs, steps, step } = breaker;
  const head = `${scope} resumes in steps, ${step + 1} of ${steps.length}, incident ${incidentId}`;
  const tell = (lets: boolean, text: string) => ({
    lets,
    told: { scope, incidentId, sinceMs, text: `${head}: ${text}` },
  });
  const own = Scope.all(subject).find((each) => Scope.key(each) === scope);
  if (!own || !Step.lets(Step.current(breaker), subject)) {
    return tell(false, 'this money is not resumed yet');
  }
  const item = items.get(scope);
  const bounds = Evaluate.stepBounds(policy, { item, scope: own, subject, nowMs });
  const isUsedUp = bounds.some(
    (bound) => Evaluate.used(item, bound, { nowMs, widenMs: 0 }) >= bound.allowed,
  );
  const until = new Date(Breaker.stepEndsAtMs(breaker)).toISOString();
  const share = `${(steps[step]?.shareBps ?? 0) / 100}% of the limits`;
  if (isUsedUp) return tell(false, `what this step allows, ${share}, is used up until ${until}`);
  return tell(true, `withdrawals are enabled within ${share} until ${until}`);
}

/** The lease of a chain, own properties only: a chain named `__proto__` has none, nor has one that is no time. */
export function leaseOf(leases: Leases, chain: string): number | undefined {
  const untilMs = Object.hasOwn(leases, chain) ? leases[chain] : undefined;
  return Number.isSafeInteger(untilMs) ? untilMs : undefined;
}

/** The answer when nothing could be read: not enabled, with the reason. */
export function unreachable(why: string): Flag {
  return { enabled: false, reason: 'unreachable', text: `cannot tell, so not enabled: ${why}` };
}
