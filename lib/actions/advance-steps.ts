/** Moves breakers that resume in steps on, and closes those whose last step is over. */

import * as Advance from '../domain/advance.ts';
import * as Draft from '../domain/draft.ts';
import type { IncidentStore } from '../ports.ts';
import { commitDecision, type Deps as DecisionDeps } from './commit-decision.ts';

/** What it needs beyond a decision. */
export type Deps = DecisionDeps & { readonly incidents: IncidentStore };

/** Open incidents that one round looks at. Those that resume are few; what is quarantined may be many. */
const OPEN_MAX = 10_000;
/** Breakers that one round moves on; the next one goes on. */
const MOVED_MAX = 50;

/** What moved on, and what could not be decided on: it is tried again by the next round. */
export type Round = {
  readonly advanced: readonly Advance.Advanced[];
  readonly errors: readonly unknown[];
};

/**
 * One round: every breaker whose step is over moves on by one step, each in a transaction of its own
 * that also closes its incident after the last. It can run twice and at the same time as others, and
 * stop anywhere: the breaker's version lets each step begin once. One that fails holds up no other.
 *
 * @throws what the store throws when open incidents cannot be listed.
 */
export async function advanceSteps(deps: Deps): Promise<Round> {
  const open = await deps.incidents.listOpen(OPEN_MAX);
  const resuming = open.filter((incident) => incident.resuming !== undefined).reverse();
  const advanced: Advance.Advanced[] = [];
  const errors: unknown[] = [];
  for (const { incidentId, scope } of resuming) {
    if (advanced.length >= MOVED_MAX) break;
    try {
      const moved = await advanceOne(deps, { incidentId, scope });
      if (moved) advanced.push(moved);
    } catch (error) {
      errors.push(error);
    }
  }
  return { advanced, errors };
}

/** The incident is read before the breaker: what changes it later changes the breaker too. */
async function advanceOne(
  deps: Deps,
  { incidentId, scope }: { readonly incidentId: string; readonly scope: string },
): Promise<Advance.Advanced | undefined> {
  const incident = await deps.incidents.get(incidentId);
  return commitDecision(deps, {
    keys: () => ({ rows: [], items: [scope] }),
    decide: (context, loaded) => {
      const draft = Draft.start(context, loaded);
      const { advanced, changes } = Advance.advance(draft, { scope, incidentId, incident });
      return { result: advanced, changes };
    },
  });
}
