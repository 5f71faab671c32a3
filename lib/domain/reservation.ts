/**
 * Decides on withdrawals before they are signed. What is admitted is charged in the same decision,
 * so that no number of callers can overshoot a limit together.
 */

import * as Approval from './approval.ts';
import * as Charge from './charge.ts';
import * as Draft from './draft.ts';
import * as Enforce from './enforce.ts';
import type { Leases } from './flag.ts';
import * as Hold from './hold.ts';
import type * as Ledger from './ledger.ts';
import * as Matching from './matching.ts';
import * as Misfit from './misfit.ts';
import * as Policy from './policy.ts';
import * as Queue from './queue.ts';
import * as Scope from './scope.ts';
import * as Standing from './standing.ts';
import type { Refusal, Verdict } from './verdict.ts';
import * as Withdrawal from './withdrawal.ts';

/** One withdrawal to decide on, with the hash of its canonical body. */
export type Ask = { readonly withdrawal: Withdrawal.Withdrawal; readonly bodyHash: string };

/**
 * On whose word it is decided. `caller`: whoever wants to sign. `room`: held ones are tried again,
 * because there may be room now. `operator`: a person lets held ones go.
 */
export type By =
  | { readonly kind: 'caller' | 'room' }
  | { readonly kind: 'operator'; readonly actor: string };

/** What a reservation is judged with besides: until when each chain's proof of health holds. */
export type Context = Draft.Context & {
  readonly leases: Leases;
  readonly by?: By;
  /** Who may accept the admissions. */
  readonly audience?: string;
};

/** One verdict per withdrawal in order, and what they change; absent when nothing is to be written. */
export type Decided = {
  readonly verdicts: readonly Verdict[];
  readonly changes?: Ledger.Changes;
  /** Told even where nothing is written: refusals, once per limit and window. */
  readonly alerts: readonly Ledger.Alert[];
};

/** One ask with everything that is known of it. */
type Case = Ask & {
  readonly withdrawalId: string;
  readonly row: Ledger.Row | undefined;
  readonly resolved: Policy.Resolved;
  readonly by: By;
  readonly isReleased: boolean;
  readonly audience: string | undefined;
};

/** What must be loaded before these withdrawals can be decided on. */
export function keys(
  policy: Policy.Policy,
  asks: readonly Ask[],
): {
  readonly rows: readonly string[];
  readonly items: readonly Scope.Key[];
  /** Destinations as wholes, for those of whom only a part is charged: another may charge the whole. */
  readonly gates: readonly Scope.Key[];
  readonly queues: readonly Pick<Queue.Place, 'limitId' | 'scope'>[];
} {
  const rows = new Set<string>();
  const items = new Set<Scope.Key>([Scope.GLOBAL_KEY]);
  const gates = new Set<Scope.Key>();
  const queues = new Map<Queue.Key, Pick<Queue.Place, 'limitId' | 'scope'>>();
  for (const { withdrawal, bodyHash } of asks) {
    const resolved = Policy.resolve(policy, withdrawal.transfer);
    const charged = new Set(Charge.keys(resolved));
    for (const key of charged) items.add(key);
    const stopping = Scope.stopping('destination', resolved.subject).map(Scope.key);
    for (const key of stopping) if (!charged.has(key)) gates.add(key);
    for (const { limit, scope } of Queue.gates(policy, resolved)) {
      const place = { limitId: limit.limitId, scope: Scope.key(scope) };
      queues.set(Queue.key(place), place);
    }
    for (const rowId of Matching.rowIds({ event: withdrawal, bodyHash })) rows.add(rowId);
  }
  return {
    rows: [...rows],
    items: [...items],
    gates: [...gates],
    queues: [...queues.values()],
  };
}

/** Decides in order, each seeing what those before it charged; one misfit never fails the others. */
export function decide(context: Context, loaded: Ledger.Loaded, asks: readonly Ask[]): Decided {
  const draft = Draft.start(context, loaded);
  const { leases, audience, by = { kind: 'caller' } } = context;
  const verdicts = asks.map((ask) => {
    const row = Draft.row(draft, Withdrawal.rowId(ask.withdrawal));
    const resolved = Policy.resolve(draft.context.policy, ask.withdrawal.transfer);
    const { withdrawalId } = ask.withdrawal;
    // A word of that age says nothing about today.
    const releasedUntilMs = (row?.released?.atMs ?? 0) + context.policy.overdueMs;
    const isReleased = by.kind === 'operator' || (row?.released && releasedUntilMs > draft.atMs);
    const about = { withdrawalId, row, resolved, by, audience, isReleased: isReleased === true };
    return decideOne(draft, { ...ask, ...about }, leases);
  });
  const alerts = [...draft.alerts.values()];
  const isWritten = draft.rows.size > 0 || draft.items.size > 0;
  if (isWritten) pinAllowed(draft, asks, verdicts);
  return isWritten ? { verdicts, alerts, changes: Draft.changes(draft) } : { verdicts, alerts };
}

/** What is admitted already and allowed again charges nothing: that it is not stopped is a condition all the same. */
function pinAllowed(draft: Draft.Draft, asks: readonly Ask[], verdicts: readonly Verdict[]): void {
  for (const [position, { withdrawal }] of asks.entries()) {
    if (verdicts[position]?.kind !== 'allow') continue;
    const resolved = Policy.resolve(draft.context.policy, withdrawal.transfer);
    for (const key of Charge.keys(resolved)) Draft.pin(draft, key);
  }
}

function decideOne(draft: Draft.Draft, ask: Case, leases: Leases): Verdict {
  const { withdrawalId, row, resolved, by, isReleased } = ask;
  if (by.kind !== 'caller' && row?.state !== 'held') return notHeld(withdrawalId);
  const never = row && unfit(draft, ask, row);
  if (never) return isShadow(draft) ? allow(withdrawalId, expiryOf(draft, ask), never) : never;
  const refusal =
    Standing.standing(draft, withdrawalId, { resolved, isReleased }) ??
    Standing.tooManyOpen(draft, withdrawalId, { subject: resolved.subject, row }) ??
    Standing.unproven(draft, withdrawalId, { resolved, leases });
  if (refusal && !isShadow(draft)) return refused(draft, ask, refusal);
  const admittedUntilMs = row?.admittedUntilMs ?? 0;
  if (row && admittedUntilMs > draft.atMs && !isBeforeStep(draft, ask)) {
    const elsewhere = admittedElsewhere(draft, ask, admittedUntilMs);
    if (elsewhere && !isShadow(draft)) return elsewhere;
    return allow(withdrawalId, admittedUntilMs, refusal ?? elsewhere);
  }
  return charge(draft, ask, refusal);
}

/**
 * What was admitted before a step of a resume began is not in the step's budget: its charge moves to
 * now, or what waited with its admission through the pause would pass beside the budget.
 */
function isBeforeStep(draft: Draft.Draft, { row, resolved }: Case): boolean {
  const chargedAtMs = row?.money?.chargedAtMs ?? 0;
  return Charge.keys(resolved).some((key) => {
    const { breaker } = Draft.item(draft, key);
    return breaker.state === 'half-open' && chargedAtMs <= breaker.mark.atMs;
  });
}

/** One withdrawal opens one signer at a time: two of them would sign twice for one charge. */
function admittedElsewhere(
  draft: Draft.Draft,
  { withdrawalId, row, audience }: Case,
  untilMs: number,
): Refusal | undefined {
  if (audience === undefined || row?.audience === undefined || row.audience === audience) {
    return undefined;
  }
  const until = new Date(Math.max(untilMs, draft.atMs)).toISOString();
  const text = `withdrawal ${withdrawalId} is admitted for another signer until ${until}`;
  return { kind: 'block', withdrawalId, reason: 'conflict', text, provisional: true };
}

/** Why what is known of this id rules it out for good: nothing is charged for it again. */
function unfit(draft: Draft.Draft, ask: Ask, row: Ledger.Row): Refusal | undefined {
  if (row.bodyHash !== ask.bodyHash) return conflict(draft, ask);
  if (row.state === 'reserved' || row.state === 'held') return undefined;
  const { withdrawalId } = ask.withdrawal;
  const text = `withdrawal ${withdrawalId} is ${row.state} already`;
  return { kind: 'block', withdrawalId, reason: 'final', text, provisional: false };
}

/** What stands against it may be for people to lift: then it waits for them. What is held keeps its place. */
function refused(draft: Draft.Draft, ask: Case, refusal: Refusal): Refusal {
  const held = Queue.heldOf(ask.row);
  if (refusal.kind === 'hold' && ask.by.kind === 'caller') {
    if (held.length === 0) Draft.alert(draft, Standing.heldAlert(draft, refusal));
    return Hold.hold(draft, ask, { refusal });
  }
  return stopped(draft, ask, refusal);
}

/** What is held keeps its place, and nobody waits for it while something else than room stops it. */
function stopped(draft: Draft.Draft, { row }: Case, refusal: Refusal): Refusal {
  const held = Queue.heldOf(row);
  if (held.length === 0) return refusal;
  // Without proof of health nobody else goes either.
  if (refusal.reason !== 'lease') Hold.stop(draft, row);
  return Hold.waiting(draft, held, refusal);
}

/**
 * Charges and judges. Does it not fit, everything is put back as it was: a reservation whose
 * admission has expired keeps its old charge then, since what was signed may still leave.
 */
function charge(draft: Draft.Draft, ask: Case, standing: Refusal | undefined): Verdict {
  const { withdrawalId, resolved, row, isReleased } = ask;
  const { subject, legs } = resolved;
  const before = { items: new Map(draft.items), alerts: new Map(draft.alerts) };
  const [held] = Queue.heldOf(row);
  if (row?.money && !held) {
    Draft.giveBack(draft, row.money);
    Draft.countOutstanding(draft, row.money.subject, -1);
  }
  const uncharged = Draft.charge(draft, { subject, legs, withdrawals: 1 });
  const misfit = Misfit.refused(draft, { withdrawalId, resolved, uncharged, isReleased });
  // One that a queue let go, and that nobody has asked for since, has waited: it only takes its admission.
  const hasWaited = !held && row !== undefined && row.admittedUntilMs === row.money?.chargedAtMs;
  const mayWait = !misfit?.acts && !isReleased && !hasWaited && !isShadow(draft);
  // One whose admission has expired moves its charge, and is as old as when it was admitted first;
  // of the same millisecond whoever waits is older.
  const admittedAtMs = row ? row.atMs + 0.5 : Number.POSITIVE_INFINITY;
  const heldAtMs = held?.heldAtMs ?? admittedAtMs;
  const wait = mayWait && Hold.behind(draft, { withdrawalId, heldAtMs, resolved, uncharged });
  const restore = () => {
    draft.items.clear();
    for (const [key, item] of before.items) draft.items.set(key, item);
    draft.alerts.clear();
    for (const [alertId, alert] of before.alerts) draft.alerts.set(alertId, alert);
  };
  if (misfit?.acts) {
    restore();
    return doesNotFit(draft, ask, misfit);
  }
  if (wait) {
    restore();
    if (ask.by.kind === 'caller') Draft.alert(draft, Hold.queueAlert(draft, wait.refusal));
    return Hold.hold(draft, ask, wait);
  }
  return admit(draft, ask, standing ?? misfit?.refusal);
}

function admit(draft: Draft.Draft, ask: Case, wouldBe: Refusal | undefined): Verdict {
  const { withdrawal, withdrawalId, bodyHash, row, resolved, by } = ask;
  const { subject, legs } = resolved;
  Hold.leave(draft, row);
  Draft.countOutstanding(draft, subject, 1);
  const isAsked = by.kind === 'caller';
  // Nobody is there to take an admission: the next time it is asked for gives one, from then on.
  const expiresAtMs = isAsked ? expiryOf(draft, ask) : draft.atMs;
  const released = by.kind === 'operator' ? { by: by.actor, atMs: draft.atMs } : row?.released;
  const { audience } = ask;
  const rowId = Withdrawal.rowId(withdrawal);
  const sent = withdrawal.sent ?? row?.sent;
  Draft.putRow(draft, {
    rowId,
    state: 'reserved',
    bodyHash,
    atMs: row?.atMs ?? draft.atMs,
    admittedUntilMs: expiresAtMs,
    ...(released && { released }),
    ...(isAsked && audience !== undefined ? { audience } : {}),
    ...(sent && { sent }),
    ...(row?.payout === undefined ? {} : { payout: row.payout }),
    ...(Policy.watchOf(draft.context.policy, subject.chain) ? { isAwaited: true } : {}),
    money: { transfer: withdrawal.transfer, subject, charged: legs, chargedAtMs: draft.atMs },
  });
  // One that a batch pays awaits nothing of its own.
  if (row?.payout === undefined) {
    const { transfer } = withdrawal;
    Approval.expect(draft, transfer, Matching.approvalOf(rowId, transfer, sent));
  }
  return allow(withdrawalId, expiresAtMs, wouldBe);
}

/** Only who asks is told of, and trips: held ones are tried again and again. */
function doesNotFit(draft: Draft.Draft, ask: Case, misfit: Misfit.Misfit): Verdict {
  const refusal = ask.by.kind === 'caller' ? Misfit.told(draft, misfit) : misfit.refusal;
  if (refusal.kind === 'hold') {
    return Hold.hold(draft, ask, { refusal, places: Hold.placesOf(draft, ask.resolved) });
  }
  return stopped(draft, ask, refusal);
}

function conflict(draft: Draft.Draft, ask: Ask): Refusal {
  const hashed = { event: ask.withdrawal, bodyHash: ask.bodyHash };
  const match = Matching.match(hashed, (rowId) => Draft.row(draft, rowId));
  if (match.kind === 'conflict') Enforce.raiseConflict(draft, hashed, match.noteId);
  const { withdrawalId } = ask.withdrawal;
  const text = `withdrawal ${withdrawalId} was asked for or reported with other content before`;
  return { kind: 'block', withdrawalId, reason: 'conflict', text, provisional: false };
}

function notHeld(withdrawalId: string): Refusal {
  const text = `withdrawal ${withdrawalId} is not held`;
  return { kind: 'block', withdrawalId, reason: 'final', text, provisional: false };
}

function isShadow(draft: Draft.Draft): boolean {
  return draft.context.policy.mode === 'shadow';
}

function expiryOf(draft: Draft.Draft, { resolved }: Pick<Case, 'resolved'>): number {
  return draft.atMs + Policy.admissionMs(draft.context.policy, resolved.subject.wallet);
}

function allow(withdrawalId: string, expiresAtMs: number, wouldBe: Refusal | undefined): Verdict {
  return { kind: 'allow', withdrawalId, expiresAtMs, ...(wouldBe ? { wouldBe } : {}) };
}
