/** The flag `withdrawals-enabled`: derived from breakers, in force under a lease, closed by default. */

import * as Breaker from './breaker.ts';
import type * as Ledger from './ledger.ts';
import type * as Policy from './policy.ts';
import * as Scope from './scope.ts';

/** Until when each chain's flag is in force, ms. A chain that is not named has no proof of health. */
export type Leases = Readonly<Record<string, number>>;

/** The answer to "may withdrawals flow?". */
export type Flag = {
  readonly enabled: boolean;
  /** `enabled`, or what stands against it. */
  readonly reason: 'enabled' | 'breaker-open' | 'lease-lapsed' | 'unknown' | 'unreachable';
  /** One sentence for people. */
  readonly text: string;
  /** The narrowest scope that is not closed, with its incident. */
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
 * subject not closed, or with a wallet, chain, asset or price unknown to a policy that blocks unknowns,
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
  for (const scope of keys(kinds, subject)) {
    const breaker = items.get(scope)?.breaker ?? Breaker.CLOSED;
    if (breaker.state === 'closed') continue;
    const { incidentId, openedAtMs: sinceMs } = breaker;
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
  return { enabled: true, reason: 'enabled', text: 'withdrawals are enabled', inForceUntilMs };
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
