/**
 * Decides on withdrawals before they are signed. What is admitted is charged in the same decision,
 * so that no number of callers can overshoot a limit together.
 */

import * as Charge from './charge.ts';
import * as Draft from './draft.ts';
import * as Enforce from './enforce.ts';
import * as Evaluate from './evaluate.ts';
import * as Explain from './explain.ts';
import { type Leases, leaseOf } from './flag.ts';
import type * as Ledger from './ledger.ts';
import * as Matching from './matching.ts';
import * as Policy from './policy.ts';
import * as Scope from './scope.ts';
import * as Withdrawal from './withdrawal.ts';

/** One withdrawal to decide on, with the hash of its canonical body. */
export type Ask = { readonly withdrawal: Withdrawal.Withdrawal; readonly bodyHash: string };

/** Why a withdrawal may not be signed now. */
export type Reason =
  | 'limit'
  | 'paused'
  | 'unknown'
  | 'conflict'
  | 'final'
  | 'outstanding'
  | 'lease';

/** What a reservation is judged with besides: until when each chain's proof of health holds. */
export type Context = Draft.Context & { readonly leases: Leases };

/** The answer for one withdrawal. */
export type Verdict =
  | {
      readonly kind: 'allow';
      readonly withdrawalId: string;
      /** The money may be signed for until then; asked again before, the answer is the same. */
      readonly expiresAtMs: number;
      /** In shadow mode: what the answer would have been. */
      readonly wouldBe?: Refusal;
    }
  | Refusal;

/** `hold`: people or time decide. `block`: not now (`provisional`), or never. Nothing is charged. */
export type Refusal = {
  readonly kind: 'hold' | 'block';
  readonly withdrawalId: string;
  readonly reason: Reason;
  readonly text: string;
  /** Whether asking again can help. */
  readonly provisional: boolean;
  readonly scope?: Scope.Key;
  readonly incidentId?: string;
  readonly limit?: {
    readonly limitId: string;
    readonly scope: Scope.Key;
    readonly used: bigint;
    readonly allowed: bigint;
    readonly headroom: bigint;
  };
};

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
    standing(draft, withdrawalId, resolved) ??
    tooManyOpen(draft, withdrawalId, { subject: resolved.subject, row }) ??
    unproven(draft, withdrawalId, { resolved, leases });
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

/** What stands against it whatever it weighs: an open breaker, or something unknown. */
function standing(
  draft: Draft.Draft,
  withdrawalId: string,
  resolved: Policy.Resolved,
): Refusal | undefined {
  const { subject, legs } = resolved;
  const assets = new Set(legs.map((leg) => leg.asset));
  const stopping = (kind: Scope.Kind) =>
    [...assets].flatMap((asset) => Scope.stopping(kind, { ...subject, asset }));
  for (const key of new Set(Scope.KINDS.flatMap(stopping).map(Scope.key))) {
    const { breaker } = Draft.item(draft, key);
    if (breaker.state === 'closed') continue;
    const { incidentId, state } = breaker;
    const text = `${key} is ${state === 'open' ? 'tripped' : 'paused'}, incident ${incidentId}`;
    return {
      kind: 'block',
      withdrawalId,
      reason: 'paused',
      text,
      provisional: true,
      scope: key,
      incidentId,
    };
  }
  return unknown(draft, withdrawalId, resolved);
}

/** Without proof that outflow is being counted, nothing is admitted. */
function unproven(
  draft: Draft.Draft,
  withdrawalId: string,
  about: { readonly resolved: Policy.Resolved; readonly leases: Leases },
): Refusal | undefined {
  const { chain } = about.resolved.subject;
  const untilMs = leaseOf(about.leases, chain);
  if (untilMs !== undefined && untilMs > draft.atMs) return undefined;
  const text = `no proof of health for ${chain}`;
  return { kind: 'block', withdrawalId, reason: 'lease', text, provisional: true };
}

function unknown(
  draft: Draft.Draft,
  withdrawalId: string,
  resolved: Policy.Resolved,
): Refusal | undefined {
  const { policy } = draft.context;
  const ruled = (rule: 'block' | 'hold') =>
    resolved.unknown.find((each) => policy.unknown[each].withdrawal === rule);
  const what = ruled('block') ?? ruled('hold');
  if (what === undefined) return undefined;
  const kind = policy.unknown[what].withdrawal === 'hold' ? 'hold' : 'block';
  const text = Explain.unknown(what, resolved.subject);
  return { kind, withdrawalId, reason: 'unknown', text, provisional: true };
}

/**
 * Only actors that are named: what names none shares a scope, and would share the cap. One that is
 * asked for again is open already, and is not counted against itself.
 */
function tooManyOpen(
  draft: Draft.Draft,
  withdrawalId: string,
  about: { readonly subject: Scope.Subject; readonly row: Ledger.Row | undefined },
): Refusal | undefined {
  const { subject, row } = about;
  if (subject.actor === undefined || row?.money?.subject.actor === subject.actor) return undefined;
  const scope = Scope.key(Scope.of('actor', subject));
  const { outstanding = 0 } = Draft.item(draft, scope);
  const { outstandingMax } = draft.context.policy;
  if (outstanding < outstandingMax) return undefined;
  const text = `${scope} has ${outstanding} reservations whose outcome is open, of ${outstandingMax} allowed`;
  return { kind: 'block', withdrawalId, reason: 'outstanding', text, provisional: true, scope };
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
  const misfit = refused(draft, { withdrawalId, resolved, uncharged });
  if (misfit?.acts) {
    draft.items.clear();
    for (const [key, item] of before) draft.items.set(key, item);
    return told(draft, misfit);
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

/** A refusal with what refused, and whether it acts or, in shadow, would have. */
type Misfit = {
  readonly refusal: Refusal;
  readonly by: Enforce.Passed;
  readonly notional: bigint;
  readonly acts: boolean;
};

/**
 * The limit that refuses, if one does: that of the narrowest scope, so that a customer is named
 * before the wallet that everybody shares; in one scope one that blocks before one that holds.
 * Where none refuses, people are told what would have been, warn levels and limits that only alert.
 */
function refused(
  draft: Draft.Draft,
  about: {
    readonly withdrawalId: string;
    readonly resolved: Policy.Resolved;
    readonly uncharged: ReadonlyMap<Scope.Key, Ledger.Item>;
  },
): Misfit | undefined {
  const { withdrawalId, resolved, uncharged } = about;
  const passed = Enforce.passed(draft, resolved, uncharged);
  const refuses = ({ breach: { level, limit } }: Enforce.Passed) =>
    level === 'breach' && limit.action.kind !== 'alert';
  const [by] = passed.filter(refuses).sort((left, right) => rank(left) - rank(right));
  const acts = by?.breach.limit.mode === 'enforce' && !isShadow(draft);
  const misfitOf = (each: Enforce.Passed): Misfit => ({
    by: each,
    notional: Enforce.notionalOf(resolved),
    acts,
    refusal: refusalOf(draft, { withdrawalId, by: each, uncharged }),
  });
  if (by && acts) return misfitOf(by);
  const fact = { atMs: draft.atMs, rowId: Withdrawal.withdrawalRowId(withdrawalId), late: false };
  for (const each of passed) {
    const plain = () => Explain.alert(draft.context.policy, each.breach, fact);
    Draft.alert(draft, refuses(each) ? alertOf(draft, misfitOf(each)) : plain());
  }
  return by && misfitOf(by);
}

/** Order among limits that refuse: what acts, then the narrowest scope, then what blocks. */
function rank({ breach: { limit, scope } }: Enforce.Passed): number {
  const shadow = limit.mode === 'shadow' ? 2 * Scope.KINDS.length : 0;
  return shadow + 2 * Scope.KINDS.indexOf(scope.kind) + (limit.action.kind === 'hold' ? 1 : 0);
}

function refusalOf(
  draft: Draft.Draft,
  about: {
    readonly withdrawalId: string;
    readonly by: Enforce.Passed;
    readonly uncharged: ReadonlyMap<Scope.Key, Ledger.Item>;
  },
): Refusal {
  const { policy } = draft.context;
  const { limit, scope: within } = about.by.breach;
  const scope = Scope.key(within);
  const widenMs = Policy.widenMs(policy.timing);
  const at = { scope, nowMs: draft.atMs, widenMs };
  const { used, headroom } = Evaluate.use(about.uncharged.get(scope), limit, at);
  const { limitId, allowed } = limit;
  return {
    kind: limit.action.kind === 'hold' ? 'hold' : 'block',
    withdrawalId: about.withdrawalId,
    reason: 'limit',
    text: `does not fit: ${Explain.limit(policy, about.by.breach).text}`,
    provisional: true,
    scope,
    limit: { limitId, scope, used, allowed, headroom },
  };
}

/** People hear of a refusal once per limit and window; a limit marked for it trips at once. */
function told(draft: Draft.Draft, misfit: Misfit): Refusal {
  const { policy } = draft.context;
  const { refusal, by, notional } = misfit;
  const { limit } = by.breach;
  const rowId = Withdrawal.withdrawalRowId(refusal.withdrawalId);
  const { atMs } = draft;
  if (limit.tripOnRefusal && limit.action.kind === 'pause') {
    const { text: over, limit: numbers } = Explain.limit(policy, by.breach);
    const text = `a reservation was refused: ${over}`;
    const cause = { kind: 'limit' as const, atMs, rowId, notional, limit: numbers, text };
    const effect = Enforce.noEffect();
    const { scope: kind } = limit.action;
    const request = { kind, subject: by.subject, cause, mode: 'enforce', shows: 'once' } as const;
    Enforce.open(draft, effect, request);
    const [trip] = effect.trips;
    return trip ? { ...refusal, incidentId: trip.incidentId } : refusal;
  }
  Draft.alert(draft, alertOf(draft, misfit));
  return refusal;
}

function alertOf(draft: Draft.Draft, misfit: Misfit): Ledger.Alert {
  const { refusal, by, acts } = misfit;
  const { limit } = by.breach;
  const { atMs } = draft;
  const period = Math.floor(atMs / (limit.windowMs || Explain.DAY_MS));
  const scope = Scope.key(by.breach.scope);
  const rowId = Withdrawal.withdrawalRowId(refusal.withdrawalId);
  const alertId = `${acts ? 'refused' : 'would-refuse'}|${limit.limitId}|${scope}|${period}`;
  const text = `a withdrawal ${acts ? 'was' : 'would have been'} refused, it ${refusal.text}`;
  return { alertId, kind: 'refused', atMs, scope, rowId, text };
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
