/** Which approved withdrawal an outflow is, and what a second sight of either one is. */

import type * as Ledger from './ledger.ts';
import * as Withdrawal from './withdrawal.ts';

/** An event with the hash of its canonical body. */
export type Hashed = {
  readonly event: Withdrawal.Withdrawal | Withdrawal.Outflow;
  readonly bodyHash: string;
};

/**
 * What an event is in the light of the rows.
 * `new-withdrawal`: approved and not counted before, held or not seen at all: counted.
 * `late-report`: its outflow was counted when it was seen: linked, counted no more.
 * `matched-outflow`: the outflow of an approved withdrawal that no other outflow has consumed.
 * `nothing-moved`: an outflow of zero that names no withdrawal. Anybody can make a wallet emit one
 *   (address poisoning), so it is noted and stops nothing.
 * `unmatched-outflow`: nobody approved it: counted, and a cause.
 * `duplicate`: the same again: nothing.
 * `conflict`: the same id with another body: nothing counted, and a cause.
 */
export type Match =
  | { readonly kind: 'new-withdrawal' }
  | { readonly kind: 'late-report'; readonly claimed: Ledger.Row }
  | { readonly kind: 'matched-outflow'; readonly withdrawal: Ledger.Row }
  | { readonly kind: 'unmatched-outflow'; readonly why: string; readonly claims?: string }
  | { readonly kind: 'nothing-moved' }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'conflict'; readonly noteId: string };

/** Rows that an event is judged by: its own, the withdrawal it names, and the note of its conflict. */
export function rowIds(hashed: Hashed): readonly string[] {
  const own = Withdrawal.rowId(hashed.event);
  const named =
    hashed.event.kind === 'outflow' && hashed.event.withdrawalId !== undefined
      ? [Withdrawal.withdrawalRowId(hashed.event.withdrawalId)]
      : [];
  return [own, ...named, conflictId(own, hashed.bodyHash)];
}

/**
 * Decides what an event is. An outflow is approved only if it names a withdrawal that was reported
 * with the same wallet, asset, destination, memo and amount, and that no other outflow has consumed.
 * Fail direction: closed, everything else is unmatched.
 */
export function match(hashed: Hashed, rowOf: (rowId: string) => Ledger.Row | undefined): Match {
  const own = Withdrawal.rowId(hashed.event);
  const seen = rowOf(own);
  if (hashed.event.kind === 'withdrawal') {
    if (!seen) return { kind: 'new-withdrawal' };
    if (seen.bodyHash !== hashed.bodyHash) return conflict(own, hashed.bodyHash, rowOf);
    if (seen.state === 'held') return { kind: 'new-withdrawal' };
    return seen.state === 'claimed'
      ? { kind: 'late-report', claimed: seen }
      : { kind: 'duplicate' };
  }
  if (seen) {
    const same = seen.bodyHash === hashed.bodyHash;
    return same ? { kind: 'duplicate' } : conflict(own, hashed.bodyHash, rowOf);
  }
  return matchOutflow(hashed.event, hashed.bodyHash, rowOf);
}

function matchOutflow(
  outflow: Withdrawal.Outflow,
  bodyHash: string,
  rowOf: (rowId: string) => Ledger.Row | undefined,
): Match {
  const { withdrawalId } = outflow;
  const unmatched = (why: string, claims?: string): Match => ({
    kind: 'unmatched-outflow',
    why,
    ...(claims === undefined ? {} : { claims }),
  });
  const { amount, fee } = outflow.transfer;
  if (withdrawalId === undefined && amount === 0n && !fee?.amount) return { kind: 'nothing-moved' };
  if (withdrawalId === undefined) return unmatched('it names no approved withdrawal');
  const rowId = Withdrawal.withdrawalRowId(withdrawalId);
  const withdrawal = rowOf(rowId);
  if (!withdrawal) return unmatched(`withdrawal ${withdrawalId} was never approved`, rowId);
  if (withdrawal.state !== 'reported' && withdrawal.state !== 'reserved') {
    return unmatched(`withdrawal ${withdrawalId} is ${withdrawal.state} and awaits no outflow`);
  }
  if (withdrawal.bodyHash !== bodyHash) {
    return unmatched(`withdrawal ${withdrawalId} was approved with other content`);
  }
  return { kind: 'matched-outflow', withdrawal };
}

function conflict(
  rowId: string,
  bodyHash: string,
  rowOf: (rowId: string) => Ledger.Row | undefined,
): Match {
  const noteId = conflictId(rowId, bodyHash);
  return rowOf(noteId) ? { kind: 'duplicate' } : { kind: 'conflict', noteId };
}

function conflictId(rowId: string, bodyHash: string): string {
  return `conflict:${rowId}:${bodyHash}`;
}
