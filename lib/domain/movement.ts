/** Movements that operators declare beforehand: gas top-ups, consolidations, a call of a contract. */

import * as Approval from './approval.ts';
import * as Audit from './audit.ts';
import { commandRowId } from './command.ts';
import * as Draft from './draft.ts';
import type * as Ledger from './ledger.ts';
import * as Policy from './policy.ts';
import type * as Withdrawal from './withdrawal.ts';

/** What may move, from which wallet to whom, up to how much in all, until when. */
export type Declaration = {
  readonly commandId: string;
  /** Its amount is the maximum; 0 declares calls and allowances that move nothing themselves. */
  readonly transfer: Withdrawal.Transfer;
  readonly untilMs: number;
  readonly reason: string;
};

/** What became of it; nothing has changed where it is refused. */
export type Result =
  | { readonly kind: 'declared'; readonly movementId: string; readonly untilMs: number }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'refused'; readonly why: string };

/** Longest time that a movement may be declared for. */
export const LIFE_MAX_MS = 7 * 86_400_000;

/** Movements that are alive between two ends at once. */
const ALIVE_MAX = 20;

/** Rows that a declaration is judged by. */
export function rowIds({ commandId, transfer }: Declaration): readonly string[] {
  return [commandRowId(commandId), Approval.endsId(transfer)];
}

/**
 * Declares a movement, once by its `commandId`. What moves under it is approved and counted like any
 * other money: it only trips nothing for want of an approval. Fail direction: closed, one without an
 * end, or with an end too far away, is refused.
 */
export function decide(
  context: Draft.Context,
  loaded: Ledger.Loaded,
  declared: {
    readonly declaration: Declaration;
    readonly actor: string;
    readonly bodyHash: string;
  },
): { readonly result: Result; readonly changes?: Ledger.Changes } {
  const { declaration, actor, bodyHash } = declared;
  const { commandId, transfer, untilMs, reason } = declaration;
  const draft = Draft.start(context, loaded);
  const rowId = commandRowId(commandId);
  const seen = Draft.row(draft, rowId);
  if (seen?.bodyHash === bodyHash) return { result: { kind: 'duplicate' } };
  const refused = (why: string) => ({ result: { kind: 'refused' as const, why } });
  if (seen) return refused(`commandId ${commandId} was used for another command`);
  const why = whyNot(draft, declaration);
  if (why !== undefined) return refused(why);
  const note = `movement declared by ${actor} until ${new Date(untilMs).toISOString()}: ${reason}`;
  Draft.putNote(draft, { rowId, bodyHash, note });
  const movement = { movementId: commandId, left: transfer.amount, untilMs };
  Approval.declare(draft, transfer, movement);
  const result = { kind: 'declared', movementId: commandId, untilMs } as const;
  const entry = told(declaration, { actor, atMs: draft.atMs });
  return { result, changes: { ...Draft.changes(draft), entries: [entry] } };
}

/** What the audit chain is told: no other row of the Control table tells it. */
function told(
  { commandId, transfer, untilMs, reason }: Declaration,
  by: { readonly actor: string; readonly atMs: number },
): Audit.Entry {
  const { account, asset, destination, amount } = transfer;
  const until = new Date(untilMs).toISOString();
  return Audit.entry({
    entryId: `movement:${commandId}`,
    atMs: by.atMs,
    who: by.actor,
    what: 'movement.declared',
    before: 'not approved',
    after: `approved until ${until}: up to ${amount} base units of ${asset} from ${account} to ${destination}`,
    reason,
  });
}

function whyNot(draft: Draft.Draft, { transfer, untilMs }: Declaration): string | undefined {
  const { policy, nowMs } = draft.context;
  const { account } = transfer;
  // An address that is mistyped would look declared, and its movement trip.
  if (!Policy.walletOf(policy, account)) return `${account} is no wallet of the policy`;
  if (untilMs <= nowMs) return 'its end is past';
  if (untilMs > nowMs + LIFE_MAX_MS) return 'it ends more than 7 days ahead';
  const alive = Approval.at(draft, transfer).movements.filter((each) => each.untilMs > draft.atMs);
  return alive.length < ALIVE_MAX
    ? undefined
    : `${ALIVE_MAX} movements are declared for this way already`;
}

/** What a declaration says apart from its id, as one text. */
export function canonicalBody({ transfer, untilMs, reason }: Declaration): string {
  const { account, asset, destination, memo = null, amount } = transfer;
  return JSON.stringify([account, asset, destination, memo, amount.toString(), untilMs, reason]);
}
