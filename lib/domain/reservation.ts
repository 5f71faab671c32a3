/**
 * Decides on withdrawals before they are signed. What is admitted is charged in the same decision,
 * so that no number of callers can overshoot a limit together.
 */

import * as Charge from './charge.ts';
import * as Draft from './draft.ts';
import * as Enforce from './enforce.ts';
import type { Leases } from './flag.ts';
import type * as Ledger from './ledger.ts';
import * as Matching from './matching.ts';
import * as Misfit from './misfit.ts';
import * as Policy from './policy.ts';
import * as Scope from './scope.ts';
import * as Standing from './standing.ts';
import type { Refusal, Verdict } from './verdict.ts';
import * as Withdrawal from './withdrawal.ts';

/** One withdrawal to decide on, with the hash of its canonical body. */
export type Ask = { readonly withdrawal: Withdrawal.Withdrawal; readonly bodyHash: string };

/** What a reservation is judged with besides: until when each chain's proof of health holds. */
export type Context = Draft.Context & { readonly leases: Leases };

/** One verdict per withdrawal in order, and what they change; absent when nothing is to be written. */
export type Decided = {
  readonly verdicts: readonly Verdict[];
  readonly changes?: Ledger.Changes;
  /** Told even where nothing is written: refusals, once per limit and window. */
  readonly alerts: readonly Ledger.Alert[];
};

/** What must be loaded before these withdrawals can be decided on. */
export function keys(
  policy: Policy.Policy,
  asks: readonly Ask[],
): { readonly rows: readonly string[]; readonly items: readonly Scope.Key[] } {
  const rows = new Set<string>();
  const items = new Set<Scope.Key>([Scope.GLOBAL_KEY]);
  for (const { withdrawal, bodyHash } of asks) {
    const resolved = Policy.resolve(policy, withdrawal.transfer);
    for (const key of Charge.keys(resolved)) items.add(key);
    for (const scope of Scope.stopping('destination', resolved.subject))
      items.add(Scope.key(scope));
    for (const rowId of Matching.rowIds({ event: withdrawal, bodyHash })) rows.add(rowId);
  }
  return { rows: [...rows], items: [...items] };
}

/** Decides in order, each seeing what those before it charged; one misfit never fails the others. */
export function decide(context: Context, loaded: Ledger.Loaded, asks: readonly Ask[]): Decided {
  const draft = Draft.start(context, loaded);
  const verdicts = asks.map((ask) => decideOne(draft, ask, context.leases));
  const alerts = [...draft.alerts.values()];
  const isWritten = draft.rows.size > 0 || draft.items.size > 0;
  return isWritten ? { verdicts, alerts, changes: Draft.changes(draft) } : { verdicts, alerts };
}

function decideOne(draft: Draft.Draft, ask: Ask, leases: Leases): Verdict {
  const { withdrawal } = ask;
  const { withdrawalId } = withdrawal;
  const row = Draft.row(draft, Withdrawal.rowId(withdrawal));
  const resolved = Policy.resolve(draft.context.policy, withdrawal.transfer);
  const never = row && unfit(draft, ask, row);
  if (never) return isShadow(draft) ? allow(withdrawalId, expiryOf(draft), never) : never;
  const refusal =
    Standing.standing(draft, withdrawalId, resolved) ??
    Standing.tooManyOpen(draft, withdrawalId, { subject: resolved.subject, row }) ??
    Standing.unproven(draft, withdrawalId, { resolved, leases });
  if (refusal && !isShadow(draft)) return refusal;
  const admittedUntilMs = row?.admittedUntilMs ?? 0;
  if (row && admittedUntilMs > draft.atMs) {
    return allow(withdrawalId, admittedUntilMs, refusal);
  }
  return charge(draft, ask, { resolved, row, refusal });
}

/** Why what is known of this id rules it out for good: nothing is charged for it again. */
function unfit(draft: Draft.Draft, ask: Ask, row: Ledger.Row): Refusal | undefined {
  if (row.bodyHash !== ask.bodyHash) return conflict(draft, ask);
  if (row.state === 'reserved') return undefined;
  const { withdrawalId } = ask.withdrawal;
  const text = `withdrawal ${withdrawalId} is ${row.state} already`;
  return { kind: 'block', withdrawalId, reason: 'final', text, provisional: false };
}

/**
 * Charges and judges. Does it not fit, everything is put back as it was: a reservation whose
 * admission has expired keeps its old charge then, since what was signed may still leave.
 */
function charge(
  draft: Draft.Draft,
  ask: Ask,
  about: {
    readonly resolved: Policy.Resolved;
    readonly row: Ledger.Row | undefined;
    readonly refusal: Refusal | undefined;
  },
): Verdict {
  const { withdrawalId } = ask.withdrawal;
  const { resolved, row } = about;
  const { subject, legs } = resolved;
  const before = new Map(draft.items);
  if (row?.money) {
    Draft.giveBack(draft, row.money);
    Draft.countOutstanding(draft, row.money.subject, -1);
  }
  const uncharged = Draft.charge(draft, { subject, legs, withdrawals: 1 });
  const misfit = Misfit.refused(draft, { withdrawalId, resolved, uncharged });
  if (misfit?.acts) {
    draft.items.clear();
    for (const [key, item] of before) draft.items.set(key, item);
    return Misfit.told(draft, misfit);
  }
  Draft.countOutstanding(draft, subject, 1);
  const expiresAtMs = expiryOf(draft);
  const { transfer } = ask.withdrawal;
  Draft.putRow(draft, {
    rowId: Withdrawal.rowId(ask.withdrawal),
    state: 'reserved',
    bodyHash: ask.bodyHash,
    atMs: row?.atMs ?? draft.atMs,
    admittedUntilMs: expiresAtMs,
    money: { transfer, subject, charged: legs, chargedAtMs: draft.atMs },
  });
  return allow(withdrawalId, expiresAtMs, about.refusal ?? misfit?.refusal);
}

function conflict(draft: Draft.Draft, ask: Ask): Refusal {
  const hashed = { event: ask.withdrawal, bodyHash: ask.bodyHash };
  const match = Matching.match(hashed, (rowId) => Draft.row(draft, rowId));
  if (match.kind === 'conflict') Enforce.raiseConflict(draft, hashed, match.noteId);
  const { withdrawalId } = ask.withdrawal;
  const text = `withdrawal ${withdrawalId} was asked for or reported with other content before`;
  return { kind: 'block', withdrawalId, reason: 'conflict', text, provisional: false };
}

function isShadow(draft: Draft.Draft): boolean {
  return draft.context.policy.mode === 'shadow';
}

function expiryOf(draft: Draft.Draft): number {
  return draft.atMs + draft.context.policy.timing.admissionMs;
}

function allow(withdrawalId: string, expiresAtMs: number, wouldBe: Refusal | undefined): Verdict {
  return { kind: 'allow', withdrawalId, expiresAtMs, ...(wouldBe ? { wouldBe } : {}) };
}
