/**
 * What a theft came from and went to is stopped beside what the policy stops: the wallet and the
 * destination, each with an incident of its own. They stay stopped when the incident is resumed,
 * unless the resume names them too.
 */

import * as Breaker from './breaker.ts';
import * as Canary from './canary.ts';
import * as Draft from './draft.ts';
import type * as Policy from './policy.ts';
import * as Scope from './scope.ts';

/**
 * Causes of one incident that have their destination stopped: a thief who pays thousands must not
 * bury what else is open under them. The wallet is stopped in any case.
 */
export const CAUSES_MAX = 200;

/** Scopes of some money that are stopped: its wallet, its destination with its memo, and as a whole. */
export function keys(subject: Scope.Subject): readonly Scope.Key[] {
  const scopes = [Scope.of('wallet', subject), ...Scope.stopping('destination', subject)];
  return scopes.map(Scope.key);
}

/**
 * Scopes whose breakers money that nobody approved may open, or open again: what has to be loaded
 * before it is judged.
 */
export function allKeys(policy: Policy.Policy, subject: Scope.Subject): readonly Scope.Key[] {
  const { scope } = policy.unmatched;
  const main = [Scope.of(scope, subject), ...Scope.covering(scope, subject)].map(Scope.key);
  return [...new Set([...main, ...keys(subject)])];
}

/**
 * Stops wallet and destination of the money beside the breaker that it has tripped. What is open
 * already stays as it is; what resumes in steps opens again with its own incident.
 *
 * @param about.trip what the cause has tripped: its incident is told with theirs.
 */
export function quarantine(
  draft: Draft.Draft,
  about: {
    readonly subject: Scope.Subject;
    readonly cause: Breaker.Cause;
    readonly trip: Draft.Trip;
  },
): void {
  const { subject, cause, trip } = about;
  const { breaker } = Draft.item(draft, trip.scope);
  const isFlood = breaker.state !== 'closed' && breaker.causes > CAUSES_MAX;
  const [wallet = '', ...destinations] = keys(subject);
  const isNobody = /:0x0+$/.test(subject.destination);
  for (const key of [wallet, ...(isFlood || isNobody ? [] : destinations)]) {
    if (isStopped(draft, key, trip)) {
      Draft.pin(draft, key);
      continue;
    }
    const text = `stopped beside incident ${trip.incidentId}: ${cause.text}`;
    const { incidentId } = trip;
    Draft.tripBeside(draft, key, { incidentId, cause: { ...cause, text } });
  }
}

/** By a drill alone is not stopped: its reset would set the wallet of a theft free. */
function isStopped(draft: Draft.Draft, key: Scope.Key, trip: Draft.Trip): boolean {
  const { breaker } = Draft.item(draft, key);
  const canary = Canary.canaryOf(draft.context.policy);
  const isCanary = canary !== undefined && key === Canary.scopeOf(canary) && key !== trip.scope;
  const isAlone = breaker.state !== 'closed' && breaker.causes === 1;
  return Breaker.stops(breaker) && !(isCanary && isAlone);
}
