/** The one way in which a breaker closes without people: the canary's, after a drill that tripped it. */

import * as Breaker from './breaker.ts';
import * as Canary from './canary.ts';
import * as Draft from './draft.ts';
import type * as Ledger from './ledger.ts';
import type * as Scope from './scope.ts';

/** What became of a reset that a drill asked for. */
export type Reset =
  | { readonly kind: 'drill-reset'; readonly scope: Scope.Key; readonly incidentId: string }
  | { readonly kind: 'refused'; readonly why: string };

/**
 * Resets the breaker of a drill's incident, without a quorum. Fail direction: closed. It is refused
 * unless the policy in force marks the incident's scope as canary, the incident was opened by a drill,
 * it holds the breaker, and nothing else has joined it: a real cause is for people.
 */
export function reset(
  draft: Draft.Draft,
  incident: Breaker.Incident | undefined,
  by: { readonly actor: string; readonly incidentId: string },
): { readonly result: Reset; readonly changes?: Ledger.Changes } {
  const refused = (why: string) => ({ result: { kind: 'refused', why } }) as const;
  const { policy } = draft.context;
  const canary = Canary.canaryOf(policy);
  if (incident?.incidentId !== by.incidentId)
    return refused(`there is no incident ${by.incidentId}`);
  if (!canary) return refused('the policy marks no canary wallet: a drill may reset nothing');
  if (incident.scope !== Canary.scopeOf(canary)) {
    return refused(`${incident.scope} is not the canary: only people resume it`);
  }
  if (!incident.drill || !Canary.opens(policy, incident.scope, incident.first)) {
    return refused('no drill opened this incident: only people resume it');
  }
  if (incident.state === 'closed') return refused(`incident ${by.incidentId} is closed already`);
  const current = Draft.item(draft, incident.scope);
  const { breaker } = current;
  if (breaker.state === 'closed' || breaker.incidentId !== incident.incidentId) {
    return refused(`the breaker of ${incident.scope} is not held by ${incident.incidentId}`);
  }
  if (breaker.causes > 1) {
    return refused(
      `${breaker.causes - 1} more causes have joined the drill: only people resume it`,
    );
  }
  const closed = Breaker.reset(breaker, incident.incidentId);
  if (!closed) return refused(`the breaker of ${incident.scope} is held by another incident`);
  draft.items.set(incident.scope, { ...current, breaker: closed });
  const { scope, incidentId } = incident;
  const closing = { atMs: draft.atMs, actor: by.actor, reason: 'drill: verified and reset' };
  return {
    result: { kind: 'drill-reset', scope, incidentId },
    changes: {
      ...Draft.changes(draft),
      incidents: [
        { incident: { ...incident, state: 'closed', closed: closing }, expected: 'open' },
      ],
    },
  };
}
