/** What a report of an approved withdrawal does: it is counted once, and its outflow is awaited. */

import * as Approval from './approval.ts';
import * as Draft from './draft.ts';
import * as Enforce from './enforce.ts';
import * as Grace from './grace.ts';
import * as Hold from './hold.ts';
import type * as Ledger from './ledger.ts';
import * as Matching from './matching.ts';
import * as Policy from './policy.ts';
import type * as Scope from './scope.ts';
import * as Withdrawal from './withdrawal.ts';

/** Counts a withdrawal that nothing has counted yet, and judges it. */
export function count(
  draft: Draft.Draft,
  reported: Enforce.Charged,
): ReturnType<typeof Enforce.enforce> {
  const { event, bodyHash } = reported;
  const { transfer } = event;
  const rowId = Withdrawal.rowId(event);
  const resolved = Policy.resolve(draft.context.policy, transfer);
  const { subject, legs } = resolved;
  const sent = sentOf(event);
  const { atMs } = draft;
  const money = { transfer, subject, charged: legs, chargedAtMs: atMs };
  Hold.leave(draft, Draft.row(draft, rowId));
  const told = { ...awaited(draft, subject), ...(sent && { sent }) };
  Draft.putRow(draft, { rowId, state: 'reported', bodyHash, atMs, money, ...told });
  Approval.expect(draft, transfer, Matching.approvalOf(rowId, transfer, sent));
  const before = Draft.charge(draft, { subject, legs, withdrawals: 1 });
  return Enforce.enforce(draft, reported, { resolved, before });
}

/**
 * A report that comes after its outflow: linked, and counted no more. The outflow carries the charge
 * of both.
 */
export function late(draft: Draft.Draft, reported: Enforce.Charged, seen: Ledger.Row): void {
  const { event, bodyHash } = reported;
  const rowId = Withdrawal.rowId(event);
  const { transfer } = event;
  const { subject } = Policy.resolve(draft.context.policy, transfer);
  const { atMs } = draft;
  Hold.leave(draft, Draft.row(draft, rowId));
  const money = { transfer, subject, charged: [], chargedAtMs: atMs };
  const sent = sentOf(event);
  const linked = { state: 'matched' as const, link: seen.rowId };
  const told = { ...awaited(draft, subject), ...(sent && { sent }) };
  Draft.putRow(draft, { rowId, bodyHash, atMs, money, ...linked, ...told });
  const { graceUntilMs: _, ...outflow } = seen;
  Grace.end(draft, seen);
  Draft.putRow(draft, { ...outflow, state: 'matched', link: rowId });
  const noted = Approval.at(draft, transfer).seen.find((one) => one.rowId === seen.rowId);
  Approval.forget(draft, transfer, seen.rowId);
  const { nonce } = noted ?? {};
  if (nonce === undefined || seen.sequence === undefined) return;
  Approval.keep(draft, transfer, { rowId: seen.rowId, nonce });
}

/** The same report again may bring what is known of the transaction by now. */
export function again(draft: Draft.Draft, event: Withdrawal.Withdrawal): void {
  const rowId = Withdrawal.rowId(event);
  const row = Draft.row(draft, rowId);
  const sent = sentOf(event);
  if (!row?.money || !sent) return;
  if (row.state !== 'reported' && row.state !== 'reserved') return;
  if (row.sent?.transaction === sent.transaction && row.sent?.nonce === sent.nonce) return;
  Draft.putRow(draft, { ...row, sent });
  // One that a batch pays awaits nothing of its own.
  if (row.payout !== undefined) return;
  Approval.expect(draft, row.money.transfer, Matching.approvalOf(rowId, row.money.transfer, sent));
}

function awaited(draft: Draft.Draft, subject: Scope.Subject): Pick<Ledger.Row, 'isAwaited'> {
  const isWatched = Policy.watchOf(draft.context.policy, subject.chain) !== undefined;
  return isWatched ? { isAwaited: true } : {};
}

function sentOf(event: Withdrawal.Withdrawal | Withdrawal.Outflow): Withdrawal.Sent | undefined {
  return event.kind === 'withdrawal' ? event.sent : undefined;
}
