/**
 * What waits between one wallet and one destination, for one asset: approved money for its outflow,
 * and outflows for their approval. An outflow that names no withdrawal is matched here, so that what
 * the chain shows needs no report of a hash.
 */

import { chainOf } from './caip.ts';
import * as Draft from './draft.ts';
import type * as Ledger from './ledger.ts';
import * as Policy from './policy.ts';
import type * as Withdrawal from './withdrawal.ts';

/** Approved money whose outflow has not been seen. */
export type Approval = {
  /** The withdrawals that it stands for: one, or all that a batch pays. */
  readonly rowIds: readonly string[];
  /** What is to leave, base units. */
  readonly amount: bigint;
  /** What the service said of the transaction that carries it: a hint, never a condition. */
  readonly transaction?: string;
  /** The nonce that it said to use: an outflow with another one is not this. */
  readonly nonce?: number;
};

/** An outflow that nobody had approved when it was seen. */
export type Seen = {
  readonly rowId: string;
  readonly amount: bigint;
  readonly transaction: string;
  readonly nonce?: number;
};

/** A movement that operators declared: what leaves on this way is approved, and counted. */
export type Movement = {
  readonly movementId: string;
  /** What is left of the declared maximum, base units. */
  readonly left: bigint;
  readonly untilMs: number;
};

/** An outflow that has met its withdrawals, with the nonce that it used up. */
export type Met = { readonly rowId: string; readonly nonce: number };

/** Everything that waits between two ends, oldest first. */
export type Ends = {
  readonly approvals: readonly Approval[];
  readonly seen: readonly Seen[];
  readonly movements: readonly Movement[];
  /** The newest of those that met; absent where no nonce is known. */
  readonly met?: readonly Met[];
};

/** An outflow, as far as it is held against what waits. */
export type Sight = {
  readonly amount: bigint;
  readonly transaction: string;
  readonly nonce?: number | undefined;
  /** What of an approved amount may be missing, because the network took its fee out of it. */
  readonly deductedMax: bigint;
};

/** Nothing waits. */
export const NOTHING: Ends = { approvals: [], seen: [], movements: [] };

/** Approvals that one pair of ends keeps, and outflows that wait there for a late report: all of them fit one item. */
const APPROVALS_MAX = 500;
/** Where nobody looks nothing is ever matched, and whoever withdraws there again and again pays for the whole row each time. */
const APPROVALS_UNSEEN_MAX = 25;
const SEEN_MAX = 50;
/** Only one that a reorganisation may still replace is looked for again: each adds to the cost of every later event. */
const MET_MAX = 10;

/** Ledger id of what waits between a transfer's ends. Injective: only the memo, at its end, is free text. */
export function endsId(transfer: Withdrawal.Transfer): string {
  const { account, asset, destination, memo } = transfer;
  return `match:${account}|${asset}|${destination}${memo === undefined ? '' : `|${memo}`}`;
}

/** What waits between a transfer's ends, as the decision sees it now. */
export function at(draft: Draft.Draft, transfer: Withdrawal.Transfer): Ends {
  return Draft.row(draft, endsId(transfer))?.ends ?? NOTHING;
}

/**
 * The approvals that an outflow may be, the best first: with the hash that was said, else the nonce,
 * else the oldest with its amount, those that were said to be in another transaction last; then those
 * whose amount it falls short of by no more than a fee; then those that hash or nonce name and it goes
 * beyond. One that was said to use another nonce is none.
 */
export function candidates(approvals: readonly Approval[], sight: Sight): readonly Approval[] {
  const possible = approvals.filter(
    ({ nonce }) => nonce === undefined || sight.nonce === undefined || nonce === sight.nonce,
  );
  const isExact = ({ amount }: Approval) => amount === sight.amount;
  // Where nothing arrived, nothing was paid: a transaction of zero is nobody's withdrawal less a fee.
  const isShort = ({ amount }: Approval) =>
    sight.amount > 0n && sight.amount < amount && sight.amount + sight.deductedMax >= amount;
  const isBeyond = ({ amount }: Approval) => sight.amount > amount;
  const isHinted = ({ transaction }: Approval) => transaction === sight.transaction;
  const isNumbered = ({ nonce }: Approval) => nonce !== undefined && nonce === sight.nonce;
  const isNamed = (one: Approval) => isHinted(one) || isNumbered(one);
  const orders = [
    (one: Approval) => isExact(one) && isHinted(one),
    (one: Approval) => isExact(one) && isNumbered(one),
    (one: Approval) => isExact(one) && one.transaction === undefined,
    isExact,
    (one: Approval) => isShort(one) && isNamed(one),
    isShort,
    (one: Approval) => isBeyond(one) && isNamed(one),
  ];
  return [...new Set(orders.flatMap((order) => possible.filter(order)))];
}

/** The approval that an outflow is, and what it moved beyond it. */
export function find(
  approvals: readonly Approval[],
  sight: Sight,
): { readonly approval: Approval; readonly excess: bigint } | undefined {
  const [approval] = candidates(approvals, sight);
  if (!approval) return undefined;
  const excess = sight.amount > approval.amount ? sight.amount - approval.amount : 0n;
  return { approval, excess };
}

/** The outflow that a report is about which comes after it. */
export function findSeen(seen: readonly Seen[], approval: Approval): Seen | undefined {
  const possible = seen.filter(
    ({ amount, nonce }) =>
      amount === approval.amount &&
      (nonce === undefined || approval.nonce === undefined || nonce === approval.nonce),
  );
  return possible.find(({ transaction }) => transaction === approval.transaction) ?? possible[0];
}

/**
 * Puts approved money where its outflow will look for it. What waits there already is brought up to
 * date. Of too many the oldest is forgotten: nobody may look at that chain at all. Its outflow, should
 * it come after all, is matched only by its withdrawal's id.
 */
export function expect(
  draft: Draft.Draft,
  transfer: Withdrawal.Transfer,
  approval: Approval,
): void {
  const ends = at(draft, transfer);
  const known = ends.approvals.find(({ rowIds }) => rowIds[0] === approval.rowIds[0]);
  if (known && isSame(known, approval)) return;
  const approvals = known
    ? ends.approvals.map((each) => (each === known ? approval : each))
    : [...ends.approvals, approval];
  const isSeen = Policy.isObserved(draft.context.policy, chainOf(transfer.account));
  const kept = approvals.slice(-(isSeen ? APPROVALS_MAX : APPROVALS_UNSEEN_MAX));
  put(draft, endsId(transfer), { ...ends, approvals: kept });
}

/** Takes the approval of a withdrawal away: its outflow was seen, or it will not leave. */
export function consume(draft: Draft.Draft, transfer: Withdrawal.Transfer, rowId: string): void {
  withdraw(draft, endsId(transfer), rowId);
}

/**
 * Takes what names a withdrawal away from the ends with this ledger id.
 *
 * @returns everything that was named together with it, itself included.
 */
export function withdraw(draft: Draft.Draft, endsRowId: string, rowId: string): readonly string[] {
  const ends = Draft.row(draft, endsRowId)?.ends ?? NOTHING;
  const taken = ends.approvals.filter(({ rowIds }) => rowIds.includes(rowId));
  const approvals = ends.approvals.filter((each) => !taken.includes(each));
  if (taken.length > 0) put(draft, endsRowId, { ...ends, approvals });
  return taken.flatMap(({ rowIds }) => rowIds);
}

/** Keeps an outflow that has met its withdrawals, for another transaction with its nonce. Of too many the oldest is forgotten. */
export function keep(draft: Draft.Draft, transfer: Withdrawal.Transfer, one: Met): void {
  const ends = at(draft, transfer);
  const others = (ends.met ?? []).filter(({ rowId }) => rowId !== one.rowId);
  put(draft, endsId(transfer), { ...ends, met: [...others, one].slice(-MET_MAX) });
}

/** Notes an outflow that nobody approved: its report may come late. Of too many the oldest is forgotten, and then counted twice. */
export function note(draft: Draft.Draft, transfer: Withdrawal.Transfer, seen: Seen): void {
  const ends = at(draft, transfer);
  const others = ends.seen.filter(({ rowId }) => rowId !== seen.rowId);
  put(draft, endsId(transfer), { ...ends, seen: [...others, seen].slice(-SEEN_MAX) });
}

/** Forgets an outflow that has found its report, or was removed from the chain. */
export function forget(draft: Draft.Draft, transfer: Withdrawal.Transfer, rowId: string): void {
  const { met: known = [], ...ends } = at(draft, transfer);
  const seen = ends.seen.filter((each) => each.rowId !== rowId);
  const met = known.filter((each) => each.rowId !== rowId);
  if (seen.length === ends.seen.length && met.length === known.length) return;
  put(draft, endsId(transfer), { ...ends, seen, ...(met.length > 0 && { met }) });
}

/** The declared movement that an outflow is part of: alive, with room for it. */
export function movementFor(ends: Ends, amount: bigint, atMs: number): Movement | undefined {
  return ends.movements.find(({ left, untilMs }) => untilMs > atMs && left >= amount);
}

/** Declares a movement, or changes what is left of it; what is over is forgotten. */
export function declare(
  draft: Draft.Draft,
  transfer: Withdrawal.Transfer,
  movement: Movement,
): void {
  const ends = at(draft, transfer);
  const others = ends.movements.filter(
    ({ movementId, untilMs }) => movementId !== movement.movementId && untilMs > draft.atMs,
  );
  put(draft, endsId(transfer), { ...ends, movements: [...others, movement] });
}

/** Gives a movement back what an outflow used of it that is not on the chain any more. */
export function restore(
  draft: Draft.Draft,
  transfer: Withdrawal.Transfer,
  movementId: string,
): void {
  const movement = at(draft, transfer).movements.find((each) => each.movementId === movementId);
  if (movement) declare(draft, transfer, { ...movement, left: movement.left + transfer.amount });
}

function put(draft: Draft.Draft, rowId: string, ends: Ends): void {
  const before: Ledger.Row | undefined = Draft.row(draft, rowId);
  const atMs = before?.atMs ?? draft.atMs;
  Draft.putRow(draft, { rowId, state: 'noted', bodyHash: '', atMs, ends });
}

function isSame(left: Approval, right: Approval): boolean {
  const sameRows = left.rowIds.join('|') === right.rowIds.join('|');
  const sameHints = left.transaction === right.transaction && left.nonce === right.nonce;
  return sameRows && sameHints && left.amount === right.amount;
}
