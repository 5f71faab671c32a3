/**
 * A payout by a contract that pays many: the wallet sends one sum to the contract, and the contract
 * pays the withdrawals. Declared beforehand, the sum is the outflow of all of them.
 */

import * as Approval from './approval.ts';
import * as Draft from './draft.ts';
import type * as Ledger from './ledger.ts';
import * as Matching from './matching.ts';
import * as Policy from './policy.ts';
import * as Scope from './scope.ts';
import * as Withdrawal from './withdrawal.ts';

/** A batch. `transfer`: from the wallet to the contract, the sum of all. */
export type Batch = {
  readonly batchId: string;
  readonly transfer: Withdrawal.Transfer;
  readonly withdrawalIds: readonly string[];
};

/** Withdrawals of one batch: each changes its ends' row, and all of them fit one transaction. */
export const WITHDRAWALS_MAX = 40;

/** Ledger id of a batch. */
export function rowIdOf({ batchId }: Batch): string {
  return `batch:${batchId}`;
}

/** Rows that a batch is judged by. */
export function rowIds(batch: Batch): readonly string[] {
  const ids = batch.withdrawalIds.map(Withdrawal.withdrawalRowId);
  return [rowIdOf(batch), Approval.endsId(batch.transfer), ...ids];
}

/**
 * Rows that must be loaded besides: where each of its withdrawals waits by itself, and what else the
 * batches pay that wait between the same ends and share a withdrawal with it.
 */
export function further(rows: Ledger.Loaded['rows'], batch: Batch): readonly string[] {
  const own = batch.withdrawalIds.map(Withdrawal.withdrawalRowId);
  const ways = own.flatMap((rowId) => {
    const transfer = rows.get(rowId)?.money?.transfer;
    return transfer ? [Approval.endsId(transfer)] : [];
  });
  const waiting = rows.get(Approval.endsId(batch.transfer))?.ends?.approvals ?? [];
  const shared = waiting.filter(({ rowIds: some }) => some.some((rowId) => own.includes(rowId)));
  return [...ways, ...shared.flatMap(({ rowIds: some }) => some)];
}

/** Rows that change when a withdrawal leaves its batch: where the batch waits, its others, and where each of those waits by itself. */
export function together(
  rows: Ledger.Loaded['rows'],
  row: Ledger.Row | undefined,
): readonly string[] {
  const { rowId = '', payout } = row ?? {};
  if (payout === undefined) return [];
  const approvals = rows.get(payout)?.ends?.approvals ?? [];
  const all = approvals.flatMap(({ rowIds: some }) => (some.includes(rowId) ? some : []));
  const ways = all.flatMap((one) => {
    const transfer = rows.get(one)?.money?.transfer;
    return transfer ? [Approval.endsId(transfer)] : [];
  });
  return [payout, ...all, ...ways];
}

/** What a batch says apart from its id, as one text. The order of its withdrawals says nothing. */
export function canonicalBody({ transfer, withdrawalIds }: Batch): string {
  return JSON.stringify([Withdrawal.canonicalBody(transfer), [...withdrawalIds].sort()]);
}

/**
 * Lets the withdrawals wait together between the wallet and the contract, and no longer each on its
 * own way: their money leaves once. Fail direction: closed, a batch that does not add up changes
 * nothing, its outflow will be one that nobody approved, and people are told.
 *
 * @returns whether it was declared now; `duplicate` for the same again.
 */
export function declare(
  draft: Draft.Draft,
  { batch, bodyHash }: { readonly batch: Batch; readonly bodyHash: string },
): 'declared' | 'duplicate' | 'refused' {
  const rowId = rowIdOf(batch);
  const before = Draft.row(draft, rowId);
  if (before?.bodyHash === bodyHash) return 'duplicate';
  const rows = batch.withdrawalIds.map((id) => Draft.row(draft, Withdrawal.withdrawalRowId(id)));
  const why = before ? 'its id was used for another one' : whyNot(draft, batch, rows);
  if (why !== undefined) return refuse(draft, batch, why);
  Draft.putNote(draft, { rowId, bodyHash, note: `a batch of ${rows.length} withdrawals` });
  const paid = rows.flatMap((row) => row ?? []);
  const { transfer } = batch;
  const payout = Approval.endsId(transfer);
  for (const row of paid) {
    Draft.putRow(draft, { ...row, payout });
    if (row.money) Approval.consume(draft, row.money.transfer, row.rowId);
    // A batch that can pay no more may have named it too.
    Approval.consume(draft, transfer, row.rowId);
  }
  Approval.expect(draft, transfer, {
    rowIds: paid.map((row) => row.rowId),
    amount: transfer.amount,
  });
  return 'declared';
}

/**
 * A withdrawal will not be paid with its batch, which is over then: what its contract was to be paid
 * nobody awaits any more, and each of the others waits by itself again. The caller puts its row.
 */
export function leave(draft: Draft.Draft, { rowId, payout }: Ledger.Row): void {
  if (payout === undefined) return;
  for (const other of Approval.withdraw(draft, payout, rowId)) {
    const row = Draft.row(draft, other);
    if (other === rowId || !row?.money || !Matching.awaitsOutflow(row)) continue;
    const { payout: _, ...alone } = row;
    const { transfer } = row.money;
    Draft.putRow(draft, alone);
    Approval.expect(draft, transfer, Matching.approvalOf(other, transfer, row.sent));
  }
}

function whyNot(
  draft: Draft.Draft,
  { transfer, withdrawalIds }: Batch,
  rows: readonly (Ledger.Row | undefined)[],
): string | undefined {
  if (new Set(withdrawalIds).size < withdrawalIds.length) return 'it names a withdrawal twice';
  let sum = 0n;
  for (const [position, row] of rows.entries()) {
    const id = withdrawalIds[position] ?? '';
    if (!row?.money || !Matching.awaitsOutflow(row)) {
      return `withdrawal ${id} awaits no outflow`;
    }
    const { transfer: paid } = row.money;
    if (paid.account !== transfer.account || paid.asset !== transfer.asset) {
      return `withdrawal ${id} leaves another wallet, or another asset`;
    }
    if (!isFree(draft, transfer, row)) return `withdrawal ${id} is in another batch`;
    sum += paid.amount;
  }
  return sum === transfer.amount
    ? undefined
    : `its withdrawals sum to ${sum}, not ${transfer.amount}`;
}

/** It waits by itself; or in a batch between the same ends that can pay no more, since one of its own left otherwise, or will not. */
function isFree(draft: Draft.Draft, transfer: Withdrawal.Transfer, row: Ledger.Row): boolean {
  const ways = [...(row.money ? [row.money.transfer] : []), transfer];
  const named = ways
    .flatMap((way) => Approval.at(draft, way).approvals)
    .filter(({ rowIds: some }) => some.includes(row.rowId));
  const isOver = (rowId: string) => !Matching.awaitsOutflow(Draft.row(draft, rowId));
  return named.some(({ rowIds: some }) => some.length === 1 || some.some(isOver));
}

function refuse(draft: Draft.Draft, batch: Batch, why: string): 'refused' {
  const { subject } = Policy.resolve(draft.context.policy, batch.transfer);
  const rowId = rowIdOf(batch);
  Draft.alert(draft, {
    alertId: `refused|${rowId}|${why}`.slice(0, 500),
    kind: 'refused',
    atMs: draft.atMs,
    scope: Scope.key(Scope.of('wallet', subject)),
    rowId,
    text: `batch ${batch.batchId} was not taken: ${why}; its payout would be an outflow that nobody approved`,
  });
  return 'refused';
}
