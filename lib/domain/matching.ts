/** Which approved withdrawal an outflow is, and what a second sight of either one is. */

import * as Approval from './approval.ts';
import type * as Ledger from './ledger.ts';
import * as Withdrawal from './withdrawal.ts';

/** An event with the hash of its canonical body. */
export type Hashed = {
  readonly event: Withdrawal.Withdrawal | Withdrawal.Outflow;
  readonly bodyHash: string;
};

/** What matching knows besides the rows. */
export type Rules = {
  /** What of an approved amount may be missing, base units: the network took its fee out of it. */
  readonly deductedMax: bigint;
  readonly atMs: number;
  /** Whether an address is the exchange's own. */
  readonly isOwn: (account: string) => boolean;
};

/** Everything is somebody else's, and nothing may be missing. */
const STRICT: Rules = { deductedMax: 0n, atMs: 0, isOwn: () => false };

/**
 * What an event is in the light of the rows.
 * `new-withdrawal`: approved and not counted before, held or not seen at all: counted.
 * `late-report`: its outflow was counted when it was seen: linked, counted no more. `seen` is the
 *   outflow's row.
 * `matched-outflow`: the outflow of approved withdrawals that no other outflow has consumed;
 *   `excess` is what it moved beyond them.
 * `moved-outflow`: to an address of the exchange's own, which stays its money; or part of a movement
 *   that operators declared, which is counted.
 * `nothing-moved`: an outflow of zero that names no withdrawal. Anybody can make a wallet emit one
 *   (address poisoning), so it is noted and stops nothing.
 * `fee-only`: nothing moved, and the wallet paid for it: counted, and told.
 * `unmatched-outflow`: nobody approved it: counted, and a cause.
 * `duplicate`: the same again: nothing.
 * `conflict`: the same id with another body: nothing counted, and a cause.
 */
export type Match =
  | { readonly kind: 'new-withdrawal' }
  | { readonly kind: 'late-report'; readonly seen: Ledger.Row }
  | {
      readonly kind: 'matched-outflow';
      readonly withdrawals: readonly Ledger.Row[];
      readonly excess: bigint;
    }
  | { readonly kind: 'moved-outflow'; readonly movement?: Approval.Movement }
  | { readonly kind: 'unmatched-outflow'; readonly why: string; readonly claims?: string }
  | { readonly kind: 'nothing-moved' | 'fee-only' }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'conflict'; readonly noteId: string };

type RowOf = (rowId: string) => Ledger.Row | undefined;

/** Rows that an event is judged by: its own, the withdrawal it names, what waits between its ends, and the note of its conflict. */
export function rowIds(hashed: Hashed): readonly string[] {
  const { event, bodyHash } = hashed;
  const own = Withdrawal.rowId(event);
  return [own, ...named(event), Approval.endsId(event.transfer), conflictId(own, bodyHash)];
}

/** The withdrawal that an outflow says it is. */
function named(event: Withdrawal.Withdrawal | Withdrawal.Outflow): readonly string[] {
  return event.kind === 'outflow' && event.withdrawalId !== undefined
    ? [Withdrawal.withdrawalRowId(event.withdrawalId)]
    : [];
}

/**
 * Rows that must be loaded besides, as the loaded ones tell: the withdrawals that outflows may be or
 * say that they are, and the outflows that reports may be about. As many of each as there are events
 * between their ends.
 */
export function further(
  rows: ReadonlyMap<string, Ledger.Row>,
  events: readonly (Withdrawal.Withdrawal | Withdrawal.Outflow)[],
  deductedMaxOf: (transfer: Withdrawal.Transfer) => bigint,
): readonly string[] {
  const ids = new Set<string>();
  for (const event of events) {
    const ends = rows.get(Approval.endsId(event.transfer))?.ends;
    const count = events.filter(
      ({ transfer }) => Approval.endsId(transfer) === Approval.endsId(event.transfer),
    ).length;
    for (const rowId of linked(rows.get(Withdrawal.rowId(event)))) ids.add(rowId);
    for (const rowId of named(event)) ids.add(rowId);
    if (!ends) continue;
    if (event.kind === 'withdrawal') {
      for (const { rowId } of ends.seen) ids.add(rowId);
      continue;
    }
    for (const { rowId } of replaceable(ends, event)) {
      for (const each of [rowId, ...linked(rows.get(rowId))]) ids.add(each);
    }
    const sight = sightOf(event, deductedMaxOf(event.transfer));
    for (const { rowIds: some } of Approval.candidates(ends.approvals, sight).slice(0, count)) {
      for (const rowId of some) ids.add(rowId);
    }
  }
  return [...ids];
}

/** Outflows between the same ends that used up the nonce which this one uses, in another transaction. */
export function replaceable(
  ends: Approval.Ends,
  outflow: Withdrawal.Outflow,
): readonly Approval.Met[] {
  const own = Withdrawal.outflowRowId({ ...outflow, place: '' });
  return (ends.met ?? []).filter(
    ({ rowId, nonce }) => nonce === outflow.nonce && !rowId.startsWith(own),
  );
}

/** The rows that a row is linked to. */
export function linked(row: Ledger.Row | undefined): readonly string[] {
  if (!row) return [];
  return [...(row.link === undefined ? [] : [row.link]), ...(row.links ?? [])];
}

/**
 * Decides what an event is. An outflow is approved if it names a withdrawal that was reported with
 * the same ends and amount, or if one waits between its ends, and no other outflow has consumed it.
 * Fail direction: closed, everything else is unmatched.
 */
export function match(hashed: Hashed, rowOf: RowOf, rules: Rules = STRICT): Match {
  const { event, bodyHash } = hashed;
  const own = Withdrawal.rowId(event);
  const before = rowOf(own);
  if (event.kind === 'withdrawal') return matchReport(hashed, event, rowOf);
  if (before && before.state !== 'removed') {
    const same = before.bodyHash === bodyHash;
    return same ? { kind: 'duplicate' } : conflict(own, bodyHash, rowOf);
  }
  if (before && isOutdated(before, event)) return { kind: 'duplicate' };
  return matchOutflow(event, rowOf, rules);
}

/** Whether a row knows of something that came after this sight of its outflow. */
export function isOutdated(
  row: Ledger.Row,
  event: { readonly sequence?: number | undefined },
): boolean {
  return event.sequence !== undefined && (row.sequence ?? 0) >= event.sequence;
}

function matchReport(hashed: Hashed, event: Withdrawal.Withdrawal, rowOf: RowOf): Match {
  const own = Withdrawal.rowId(event);
  const before = rowOf(own);
  if (before && before.bodyHash !== hashed.bodyHash) {
    return conflict(own, hashed.bodyHash, rowOf);
  }
  if (before && before.state !== 'held' && before.state !== 'claimed') return { kind: 'duplicate' };
  const claimant = before?.link === undefined ? undefined : rowOf(before.link);
  // An outflow that is not on the chain any more carries no charge.
  if (claimant?.state === 'unmatched') return { kind: 'late-report', seen: claimant };
  const { transfer, sent } = event;
  const seen = rowOf(Approval.endsId(transfer))?.ends?.seen ?? [];
  const waiting = seen.filter(({ rowId }) => rowOf(rowId)?.state === 'unmatched');
  const approval = approvalOf(own, transfer, sent);
  const found = Approval.findSeen(waiting, approval);
  const row = found && rowOf(found.rowId);
  return row ? { kind: 'late-report', seen: row } : { kind: 'new-withdrawal' };
}

/** What a withdrawal lets leave. */
export function approvalOf(
  rowId: string,
  transfer: Withdrawal.Transfer,
  sent: Withdrawal.Sent | undefined,
): Approval.Approval {
  return {
    rowIds: [rowId],
    amount: transfer.amount,
    ...(sent?.transaction === undefined ? {} : { transaction: sent.transaction }),
    ...(sent?.nonce === undefined ? {} : { nonce: sent.nonce }),
  };
}

function matchOutflow(outflow: Withdrawal.Outflow, rowOf: RowOf, rules: Rules): Match {
  const { withdrawalId, transfer } = outflow;
  const { amount, fee, destination } = transfer;
  if (withdrawalId !== undefined) return matchClaim(outflow, withdrawalId, { rowOf, rules });
  const ends = rowOf(Approval.endsId(transfer))?.ends ?? Approval.NOTHING;
  if (amount === 0n && !fee?.amount) return { kind: 'nothing-moved' };
  const isOpen = (rowId: string) => awaitsOutflow(rowOf(rowId));
  const approvals = ends.approvals.filter((approval) => approval.rowIds.every(isOpen));
  const found = Approval.find(approvals, sightOf(outflow, rules.deductedMax));
  if (found) {
    const withdrawals = found.approval.rowIds.flatMap((rowId) => rowOf(rowId) ?? []);
    return { kind: 'matched-outflow', withdrawals, excess: found.excess };
  }
  if (rules.isOwn(destination)) return { kind: 'moved-outflow' };
  const movement = Approval.movementFor(ends, amount, rules.atMs);
  if (movement) return { kind: 'moved-outflow', movement };
  if (amount === 0n) return { kind: 'fee-only' };
  return { kind: 'unmatched-outflow', why: 'no approved withdrawal awaits it' };
}

/** An outflow that says which withdrawal it is: a claim, held against what was approved. */
function matchClaim(
  outflow: Withdrawal.Outflow,
  withdrawalId: string,
  { rowOf, rules }: { readonly rowOf: RowOf; readonly rules: Rules },
): Match {
  const unmatched = (why: string, claims?: string): Match => ({
    kind: 'unmatched-outflow',
    why,
    ...(claims === undefined ? {} : { claims }),
  });
  const rowId = Withdrawal.withdrawalRowId(withdrawalId);
  const withdrawal = rowOf(rowId);
  if (!withdrawal) return unmatched(`withdrawal ${withdrawalId} was never approved`, rowId);
  if (!awaitsOutflow(withdrawal) || !withdrawal.money) {
    return unmatched(`withdrawal ${withdrawalId} is ${withdrawal.state} and awaits no outflow`);
  }
  const { transfer, sent } = { ...withdrawal, transfer: withdrawal.money.transfer };
  const approval = { ...approvalOf(rowId, transfer, sent), transaction: outflow.transaction };
  const isSameWay = Approval.endsId(transfer) === Approval.endsId(outflow.transfer);
  const sight = sightOf(outflow, rules.deductedMax);
  const found = isSameWay ? Approval.find([approval], sight) : undefined;
  if (!found) return unmatched(`withdrawal ${withdrawalId} was approved with other content`);
  return { kind: 'matched-outflow', withdrawals: [withdrawal], excess: found.excess };
}

/** Whether an outflow of this withdrawal is still to come. */
export function awaitsOutflow(row: Ledger.Row | undefined): boolean {
  return row?.state === 'reported' || row?.state === 'reserved';
}

function sightOf(
  { transfer, transaction, nonce }: Withdrawal.Outflow,
  deductedMax: bigint,
): Approval.Sight {
  return { amount: transfer.amount, transaction, nonce, deductedMax };
}

function conflict(rowId: string, bodyHash: string, rowOf: RowOf): Match {
  const noteId = conflictId(rowId, bodyHash);
  return rowOf(noteId) ? { kind: 'duplicate' } : { kind: 'conflict', noteId };
}

function conflictId(rowId: string, bodyHash: string): string {
  return `conflict:${rowId}:${bodyHash}`;
}
