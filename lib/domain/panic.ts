/**
 * What one operator, or a partner with a panic key, may do alone by signing it: stop a scope, or make
 * its limits tighter. Nothing here loosens anything; lifting it again takes the quorum.
 */

import { commandRowId } from './command.ts';
import * as Draft from './draft.ts';
import type * as Ledger from './ledger.ts';
import * as Operators from './operators.ts';
import * as Overlay from './overlay.ts';
import type * as TypedData from './typed-data.ts';

/** What became of it. `refused`: nothing has changed. */
export type Result =
  | {
      readonly kind: 'paused' | 'tightened';
      readonly scope: string;
      readonly incidentId: string;
      readonly already: boolean;
    }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'refused'; readonly why: string };

/** Furthest end of a signed command, ms: one that was never sent must not lie around for ever. */
export const LIFE_MAX_MS = 3_600_000;

/** What a panic command says, as one text: equal for a repeat. */
export function canonicalBody({ scope, shareBps, reason, expiresAtMs }: TypedData.Panic): string {
  return JSON.stringify(['panic', scope, shareBps ?? null, reason, expiresAtMs]);
}

/**
 * Carries out a signed command, once by its `commandId`: a repeat or a replay does nothing.
 *
 * @param by.address what the signature recovers to.
 */
export function decide(
  context: Draft.Context,
  loaded: Ledger.Loaded,
  parameters: {
    readonly panic: TypedData.Panic;
    readonly by: { readonly address: string; readonly bodyHash: string };
  },
): { readonly result: Result; readonly changes?: Ledger.Changes } {
  const { panic, by } = parameters;
  const { commandId, scope, shareBps, reason } = panic;
  const draft = Draft.start(context, loaded);
  const rowId = commandRowId(commandId);
  const seen = Draft.row(draft, rowId);
  if (seen?.bodyHash === by.bodyHash) return { result: { kind: 'duplicate' } };
  const operator = Operators.byAddress(context.policy, by.address);
  const why =
    (seen && `commandId ${commandId} was used for another command`) ??
    whyNot(draft, panic) ??
    (operator ? undefined : `${by.address} is no operator of the policy in force`);
  if (why !== undefined || !operator) return { result: { kind: 'refused', why: why ?? '' } };
  const actor = Operators.actorOf(operator);
  const done = act(draft, panic, { actor, rowId });
  if (done.kind === 'refused') return { result: done };
  const does = shareBps === undefined ? 'paused' : `limits at ${shareBps / 100}%`;
  const text = `${scope}: ${does} by ${actor}: ${reason}`;
  Draft.putNote(draft, { rowId, bodyHash: by.bodyHash, note: text });
  const alertId = `panic|${commandId}`;
  Draft.alert(draft, { alertId, kind: 'panic', atMs: draft.atMs, scope, rowId, text });
  return { result: done, changes: Draft.changes(draft) };
}

function act(
  draft: Draft.Draft,
  { scope, shareBps, reason }: TypedData.Panic,
  by: { readonly actor: string; readonly rowId: string },
): Exclude<Result, { kind: 'duplicate' }> {
  const { actor, rowId } = by;
  if (shareBps === undefined) {
    const text = `paused by ${actor}: ${reason}`;
    const cause = { kind: 'operator', atMs: draft.atMs, rowId, text, notional: 0n, actor } as const;
    const { incidentId, opened } = Draft.tripKey(draft, scope, cause);
    return { kind: 'paused', scope, incidentId, already: !opened };
  }
  const set = Overlay.set(draft, { scope, shareBps, by: actor, reason, rowId });
  if (set.kind === 'refused') return set;
  const { incidentId } = set;
  return { kind: 'tightened', scope, incidentId, already: set.kind === 'already' };
}

function whyNot(draft: Draft.Draft, panic: TypedData.Panic): string | undefined {
  const { expiresAtMs } = panic;
  if (!(expiresAtMs > draft.atMs)) return 'expires: is past';
  if (expiresAtMs > draft.atMs + LIFE_MAX_MS) return 'expires: is more than an hour ahead';
  return undefined;
}
