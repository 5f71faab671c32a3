/** Lets people hear that a command was refused which nobody waits for an answer to. */

import * as Command from '../domain/command.ts';
import { commitDecision, type Deps } from './commit-decision.ts';
import { orUnread } from './policy-in-force.ts';

/**
 * Raises the alert for a refused message of the control topic, once for each `messageId`.
 * Fail direction: a failure throws, so that the message is delivered, and refused, again.
 */
export async function reportRefusal(
  deps: Deps,
  refused: { readonly messageId: string; readonly why: string },
): Promise<void> {
  await commitDecision(
    { ...deps, policy: orUnread(deps.policy) },
    {
      keys: () => ({ rows: [], items: [] }),
      decide: (context, loaded) => ({
        result: undefined,
        changes: Command.refusal(context, loaded, refused),
      }),
    },
  );
}
