/** Keeps that a command was refused, and lets people hear of one that nobody waits for an answer to. */

import * as Audit from '../domain/audit.ts';
import * as Command from '../domain/command.ts';
import type { AuditStore } from '../ports.ts';
import { commitDecision, type Deps } from './commit-decision.ts';
import { orUnread } from './policy-in-force.ts';

/**
 * Keeps for the audit chain that a command was refused whose caller has the answer. Each one counts:
 * who tries the same again is refused again.
 * Fail direction: a failure throws; nothing was done that the caller could take for done.
 */
export async function noteRefusal(
  deps: Pick<Deps, 'clock' | 'ids'> & { readonly audit: Pick<AuditStore, 'note'> },
  refused: { readonly who: string; readonly command: string; readonly why: string },
): Promise<void> {
  const { audit, clock, ids } = deps;
  const refusalId = ids.decisionId();
  await audit.note(Audit.refusal({ refusalId, atMs: clock.nowMs(), ...refused }));
}

/**
 * Raises the alert for a refused message of the control topic, once for each `messageId`.
 * Fail direction: a failure throws, so that the message is delivered, and refused, again.
 */
export async function reportRefusal(
  deps: Deps,
  refused: {
    readonly messageId: string;
    readonly why: string;
    readonly who: string;
    readonly command: string;
  },
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
