/** Declares a movement of the exchange's own. */

import * as Movement from '../domain/movement.ts';
import { commitDecision, type Deps } from './commit-decision.ts';

/**
 * Declares a movement, once per `commandId`.
 * Fail direction: closed, one that fails has approved nothing that it reports.
 *
 * @param parameters.actor the caller's identity as the transport proved it.
 */
export async function declareMovement(
  deps: Deps,
  parameters: { readonly declaration: Movement.Declaration; readonly actor: string },
): Promise<Movement.Result> {
  const { declaration, actor } = parameters;
  const bodyHash = deps.digest.hash(Movement.canonicalBody(declaration));
  return commitDecision(deps, {
    keys: () => ({ rows: Movement.rowIds(declaration), items: [] }),
    decide: (context, loaded) => Movement.decide(context, loaded, { declaration, actor, bodyHash }),
  });
}
