/** Trips for outflows whose report did not come in its time. */

import * as Draft from '../domain/draft.ts';
import type * as Enforce from '../domain/enforce.ts';
import * as Grace from '../domain/grace.ts';
import type { GraceStore } from '../ports.ts';
import { commitDecision, type Deps as DecisionDeps } from './commit-decision.ts';

/** What it needs beyond a decision. */
export type Deps = DecisionDeps & { readonly graces: GraceStore };

/**
 * Outflows that one round looks at, so that they fit one transaction: each changes a row and its entry,
 * up to four breakers with their incidents, and two that are wider with a cause each.
 */
const TAKEN_MAX = 6;

/** Looks at those whose grace is over, the first first. What they set off; nothing where there was none. */
export async function expireGraces(deps: Deps): Promise<Enforce.Effect | undefined> {
  const rowIds = await deps.graces.over(deps.clock.nowMs(), TAKEN_MAX);
  if (rowIds.length === 0) return undefined;
  const { rows } = await deps.decisions.load({ rows: rowIds, items: [] });
  return commitDecision(deps, {
    keys: (policy) => ({ rows: rowIds, items: Grace.keys(policy, [...rows.values()]) }),
    decide: (context, loaded) => {
      const draft = Draft.start(context, loaded);
      const result = Grace.expire(draft, rowIds);
      return result ? { result, changes: Draft.changes(draft) } : { result };
    },
  });
}
