/** Outflows that a reorg took off the chain: what they were charged is given back, once. */

import * as Approval from './approval.ts';
import * as Draft from './draft.ts';
import * as Grace from './grace.ts';
import type * as Ledger from './ledger.ts';
import * as Matching from './matching.ts';
import * as Withdrawal from './withdrawal.ts';

/** An outflow that is no longer on its chain. */
export type Removed = {
  /** Its ledger id. */
  readonly rowId: string;
  /** The observer's count: an older one than the row knows of changes nothing. */
  readonly sequence: number;
};

/** States of outflows that are on the chain, and of those that were counted as a withdrawal. */
const ON_CHAIN: ReadonlySet<Ledger.RowState> = new Set(['matched', 'unmatched', 'moved', 'kept']);
const COUNTED: ReadonlySet<Ledger.RowState> = new Set(['unmatched', 'moved']);

/** Rows that a removal is judged by. */
export function rowIds({ rowId }: Removed): readonly string[] {
  return [rowId];
}

/** Rows that must be loaded besides: its withdrawals, and what waits between its ends. */
export function further(rows: Ledger.Loaded['rows'], { rowId }: Removed): readonly string[] {
  const row = rows.get(rowId);
  if (!row?.money) return [];
  return [...Matching.linked(row), Approval.endsId(row.money.transfer)];
}

/**
 * Undoes what an outflow did: what it was charged is given back out of the slots that it was charged
 * to, and its withdrawals wait for it again. The incident that it opened stays: people close it.
 * Should it come back in another block, it matches and is charged afresh.
 *
 * @returns whether anything changed.
 */
export function remove(draft: Draft.Draft, removed: Removed): boolean {
  const { rowId, sequence } = removed;
  const row = Draft.row(draft, rowId);
  if (row && Matching.isOutdated(row, removed)) return false;
  const isGone = !row || row.state === 'removed';
  if (isGone) {
    // Told before its first sight, or again: what is older than this must not count it.
    const { atMs } = draft;
    Draft.putRow(draft, { rowId, bodyHash: '', atMs, ...row, state: 'removed', sequence });
    return true;
  }
  const { state, money } = row;
  if (!money || !ON_CHAIN.has(state)) return false;
  const withdrawals = Matching.linked(row).flatMap((id) => Draft.row(draft, id) ?? []);
  const carries = withdrawals.some((each) => isCarriedBy(each, row));
  for (const withdrawal of withdrawals) reopen(draft, withdrawal, row);
  if (withdrawals.length > 0) waitAgain(draft, money.transfer, withdrawals);
  if (!carries) Draft.giveBack(draft, money, COUNTED.has(state) ? 1 : 0);
  Grace.end(draft, row);
  Approval.forget(draft, money.transfer, rowId);
  const { link: _, links: __, graceUntilMs: ___, movementId, ...rest } = row;
  if (movementId !== undefined) Approval.restore(draft, money.transfer, movementId);
  Draft.putRow(draft, { ...rest, state: 'removed', sequence, money: { ...money, charged: [] } });
  return true;
}

/**
 * Two transactions with one nonce of one wallet cannot both stand. One that is seen after another
 * between the same ends took its place in a reorganisation whose removal is still to be told: the
 * first one is as removed, so that its withdrawals wait for the second. Only the observer's count
 * tells which one was later.
 * Fail direction: closed, where no count or nonce is known both stand.
 */
export function supersede(draft: Draft.Draft, outflow: Withdrawal.Outflow): void {
  const { sequence, transfer } = outflow;
  const known = Draft.row(draft, Withdrawal.rowId(outflow));
  if (sequence === undefined || outflow.nonce === undefined) return;
  if (known && (known.state !== 'removed' || Matching.isOutdated(known, outflow))) return;
  for (const { rowId } of Matching.replaceable(Approval.at(draft, transfer), outflow)) {
    if (Draft.row(draft, rowId)?.state === 'matched') remove(draft, { rowId, sequence });
  }
}

/** Between the ends of the outflow: a batch waits there for all that it pays. */
function waitAgain(
  draft: Draft.Draft,
  transfer: Withdrawal.Transfer,
  withdrawals: readonly Ledger.Row[],
): void {
  const amount = withdrawals.reduce((sum, each) => sum + (each.money?.transfer.amount ?? 0n), 0n);
  const [first] = withdrawals;
  const hints = first ? Matching.approvalOf(first.rowId, transfer, first.sent) : undefined;
  const rowIds = withdrawals.map(({ rowId }) => rowId);
  Approval.expect(draft, transfer, { ...hints, rowIds, amount });
}

/** Whether an outflow carries the charge of a withdrawal that was reported after it was seen. */
export function isCarriedBy(withdrawal: Ledger.Row, outflow: Ledger.Row): boolean {
  const isLate = withdrawal.money?.charged.length === 0;
  return isLate && outflow.state === 'matched' && outflow.link === withdrawal.rowId;
}

/**
 * Undoes a match: the withdrawal is as reported again, since it is signed for already. Where its
 * outflow carried the charge of both, the charge moves to it as it is: with the scopes that it was
 * charged to, and with the fee, which the next outflow has not to pay again. The caller puts the
 * outflow's row.
 */
export function reopen(draft: Draft.Draft, withdrawal: Ledger.Row, outflow: Ledger.Row): void {
  const { link: _, ...rest } = withdrawal;
  if (!rest.money || rest.state !== 'matched') return;
  const { transfer } = rest.money;
  const carried = isCarriedBy(withdrawal, outflow) ? outflow.money : undefined;
  const money = carried
    ? { ...carried, transfer: { ...transfer, fee: carried.transfer.fee } }
    : rest.money;
  Draft.putRow(draft, { ...rest, state: 'reported', money, wasSeen: true });
}
