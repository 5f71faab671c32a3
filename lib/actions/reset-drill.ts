/** Resets the canary after a drill: the one way in which a breaker closes without people, and for no other scope. */

import * as Command from '../domain/command.ts';
import * as Draft from '../domain/draft.ts';
import * as Drill from '../domain/drill.ts';
import type { IncidentStore } from '../ports.ts';
import { commitDecision, type Deps as DecisionDeps } from './commit-decision.ts';

/** What resetting needs beyond a decision. */
export type Deps = DecisionDeps & { readonly incidents: IncidentStore };

/**
 * Resets an incident that a drill opened, once per `commandId`. Fail direction: closed, see
 * {@link Drill.reset}.
 *
 * @param parameters.actor the caller's identity as the transport proved it.
 */
export async function resetDrill(
  deps: Deps,
  parameters: { readonly incidentId: string; readonly commandId: string; readonly actor: string },
): Promise<Drill.Reset | { readonly kind: 'duplicate' }> {
  const { incidentId, commandId, actor } = parameters;
  const incident = await deps.incidents.get(incidentId);
  const rowId = Command.commandRowId(commandId);
  const bodyHash = deps.digest.hash(JSON.stringify(['drill.reset', incidentId]));
  return commitDecision<Drill.Reset | { readonly kind: 'duplicate' }>(deps, {
    keys: () => ({ rows: [rowId], items: incident ? [incident.scope] : [] }),
    decide: (context, loaded) => {
      const draft = Draft.start(context, loaded);
      const seen = Draft.row(draft, rowId);
      if (seen?.bodyHash === bodyHash) return { result: { kind: 'duplicate' } };
      if (seen) {
        const why = `commandId ${commandId} was used for another command`;
        return { result: { kind: 'refused', why } };
      }
      Draft.putNote(draft, { rowId, bodyHash, note: `drill reset by ${actor}` });
      return Drill.reset(draft, incident, { actor, incidentId });
    },
  });
}
