/**
 * One decision over a batch of events: what each one is, what it charges, what it trips.
 * Pure: everything it judges by is a parameter, everything it changes is in its result.
 */

import type * as Breaker from './breaker.ts';
import * as Charge from './charge.ts';
import * as Draft from './draft.ts';
import * as Evaluate from './evaluate.ts';
import * as Explain from './explain.ts';
import type * as Ledger from './ledger.ts';
import * as Matching from './matching.ts';
import * as Policy from './policy.ts';
import * as Scope from './scope.ts';
import * as Withdrawal from './withdrawal.ts';

/** Something to decide on. `lagMs` is how long it waited before it came to us. */
export type Incoming =
  | ({ readonly kind: 'transfer'; readonly lagMs: number } & Matching.Hashed)
  | { readonly kind: 'heartbeat'; readonly heartbeat: Ledger.Heartbeat }
  | {
      /** A record that could not be decided on: it counts as over the limit until a person clears it. */
      readonly kind: 'parked';
      readonly event: Withdrawal.Withdrawal | Withdrawal.Outflow;
      readonly reason: string;
    };

/** What became of one event. */
export type Outcome = {
  readonly rowId: string;
  readonly result: Matching.Match['kind'] | 'heartbeat' | 'parked';
  /** micro-USD added to the meters; 0 when nothing was charged. */
  readonly notional: bigint;
  readonly trips: readonly Draft.Trip[];
  /** Scopes that would have been tripped in enforce mode. */
  readonly wouldTrip: readonly Scope.Key[];
};

/** The result for a batch: one outcome per event, in order, and one set of changes. */
export type Decision = {
  readonly outcomes: readonly Outcome[];
  readonly changes: Ledger.Changes;
};

/** Limits whose window is shorter than this many lags alert instead of tripping: a backlog lands in one slot. */
const LAG_FACTOR = 10;

type Transfer = Extract<Incoming, { kind: 'transfer' }>;
type Parked = Extract<Incoming, { kind: 'parked' }>;
type Fact = Pick<Breaker.Cause, 'atMs' | 'rowId' | 'notional'>;
type Effect = { readonly trips: Draft.Trip[]; readonly wouldTrip: Scope.Key[] };

/** What must be loaded before these events can be decided on. */
export function keys(
  policy: Policy.Policy,
  events: readonly Incoming[],
): { readonly rows: readonly string[]; readonly items: readonly Scope.Key[] } {
  const rows = new Set<string>();
  const items = new Set<Scope.Key>([Scope.GLOBAL_KEY]);
  for (const incoming of events) {
    if (incoming.kind === 'heartbeat') continue;
    const { transfer } = incoming.event;
    for (const key of Charge.keys(Policy.resolve(policy, transfer))) items.add(key);
    if (incoming.kind === 'parked') rows.add(parkedId(incoming));
    else for (const rowId of Matching.rowIds(incoming)) rows.add(rowId);
  }
  return { rows: [...rows], items: [...items] };
}

/** Decides on events in order, each seeing what those before it charged and tripped. */
export function decide(
  context: Draft.Context,
  loaded: Ledger.Loaded,
  events: readonly Incoming[],
): Decision {
  const draft = Draft.start(context, loaded);
  let heartbeat: Ledger.Heartbeat | undefined;
  const outcomes = events.map((incoming): Outcome => {
    if (incoming.kind === 'transfer') return decideTransfer(draft, incoming);
    if (incoming.kind === 'parked') return decideParked(draft, incoming);
    heartbeat = incoming.heartbeat;
    const none = { notional: 0n, trips: [], wouldTrip: [] };
    return { rowId: 'heartbeat', result: 'heartbeat', ...none };
  });
  const changes = Draft.changes(draft);
  return { outcomes, changes: heartbeat ? { ...changes, heartbeat } : changes };
}

function decideTransfer(draft: Draft.Draft, incoming: Transfer): Outcome {
  const rowId = Withdrawal.rowId(incoming.event);
  const match = Matching.match(incoming, (id) => Draft.row(draft, id));
  const none: Outcome = { rowId, result: match.kind, notional: 0n, trips: [], wouldTrip: [] };
  switch (match.kind) {
    case 'duplicate':
      return none;
    case 'nothing-moved':
      note(draft, { rowId, bodyHash: incoming.bodyHash, text: 'an outflow of zero' });
      return none;
    case 'late-report':
      Draft.putRow(draft, { ...match.claimed, state: 'matched' });
      return none;
    case 'matched-outflow':
      return { ...none, ...consume(draft, incoming, match.withdrawal) };
    case 'conflict':
      return { ...none, ...raiseConflict(draft, incoming, match.noteId) };
    case 'new-withdrawal':
      return { ...none, ...count(draft, incoming, { state: 'reported' }) };
    case 'unmatched-outflow':
      return { ...none, ...count(draft, incoming, { state: 'unmatched', ...match }) };
    default:
      return match satisfies never;
  }
}

/**
 * An outflow meets its withdrawal: both rows are linked; only the part of the fee that was not
 * charged with the withdrawal counts, as money and not as a withdrawal.
 */
function consume(
  draft: Draft.Draft,
  incoming: Transfer,
  withdrawal: Ledger.Row,
): Pick<Outcome, 'notional' | 'trips' | 'wouldTrip'> {
  const rowId = Withdrawal.rowId(incoming.event);
  Draft.putRow(draft, { ...withdrawal, state: 'matched', link: rowId });
  const { transfer } = incoming.event;
  const owed = feeOwed(withdrawal.money?.transfer.fee, transfer.fee);
  const asset = owed?.asset ?? transfer.asset;
  const feeOnly = { ...transfer, asset, amount: owed?.amount ?? 0n, fee: undefined };
  const resolved = Policy.resolve(draft.context.policy, feeOnly);
  const legs = owed ? resolved.legs : [];
  putMoney(draft, incoming, { state: 'matched', link: withdrawal.rowId, resolved, charged: legs });
  if (!owed) return { notional: 0n, trips: [], wouldTrip: [] };
  const { subject } = resolved;
  const before = Draft.charge(draft, { subject, legs, withdrawals: 0 });
  return enforce(draft, incoming, { resolved, before });
}

/** What of a fee was not charged with its withdrawal: all of it in another asset, else what is above. */
function feeOwed(
  charged: Withdrawal.Fee | undefined,
  seen: Withdrawal.Fee | undefined,
): Withdrawal.Fee | undefined {
  if (!seen) return undefined;
  const already = charged?.asset === seen.asset ? charged.amount : 0n;
  return seen.amount > already ? { asset: seen.asset, amount: seen.amount - already } : undefined;
}

/** Counts money that nothing has counted yet, and judges it: approval first, then what is unknown, then limits. */
function count(
  draft: Draft.Draft,
  incoming: Transfer,
  as: { readonly state: 'reported' | 'unmatched'; readonly why?: string; readonly claims?: string },
): Pick<Outcome, 'notional' | 'trips' | 'wouldTrip'> {
  const { policy } = draft.context;
  const resolved = Policy.resolve(policy, incoming.event.transfer);
  putMoney(draft, incoming, { state: as.state, resolved, charged: resolved.legs });
  if (as.claims !== undefined) {
    putMoney(draft, incoming, { rowId: as.claims, state: 'claimed', resolved, charged: [] });
  }
  const { subject, legs } = resolved;
  const before = Draft.charge(draft, { subject, legs, withdrawals: 1 });
  return enforce(draft, incoming, { resolved, before, unmatched: as.why });
}

function enforce(
  draft: Draft.Draft,
  incoming: Transfer,
  judged: {
    readonly resolved: Policy.Resolved;
    readonly before: ReadonlyMap<Scope.Key, Ledger.Item>;
    readonly unmatched?: string | undefined;
  },
): Pick<Outcome, 'notional' | 'trips' | 'wouldTrip'> {
  const { policy } = draft.context;
  const { resolved, before, unmatched } = judged;
  const { subject } = resolved;
  const notional = resolved.legs.reduce((sum, leg) => sum + leg.notional, 0n);
  const rowId = Withdrawal.rowId(incoming.event);
  const effect: Effect = { trips: [], wouldTrip: [] };
  const fact = { atMs: draft.atMs, rowId, notional };
  if (unmatched !== undefined) {
    const cause = {
      ...fact,
      kind: 'unmatched' as const,
      text: Explain.unmatched(policy, incoming.event, unmatched),
    };
    open(draft, effect, { kind: policy.unmatched.scope, subject, cause, mode: policy.mode });
  }
  for (const what of resolved.unknown) raiseUnknown(draft, effect, { what, subject, fact });
  raiseBreaches(draft, effect, { incoming, resolved, before, fact });
  return { notional, ...effect };
}

/**
 * Acts on every limit that the money passed. A fee in another asset is judged in the scopes of that
 * asset too, or it could drain them unseen; a limit speaks once about each scope.
 */
function raiseBreaches(
  draft: Draft.Draft,
  effect: Effect,
  about: {
    readonly incoming: Transfer;
    readonly resolved: Policy.Resolved;
    readonly before: ReadonlyMap<Scope.Key, Ledger.Item>;
    readonly fact: Fact;
  },
): void {
  const { policy } = draft.context;
  const { resolved, before, fact } = about;
  const { atMs: nowMs, notional } = fact;
  const told = new Set<string>();
  for (const asset of new Set(resolved.legs.map((leg) => leg.asset))) {
    const subject = { ...resolved.subject, asset };
    const event = { subject, notional, before, after: draft.items, nowMs };
    for (const breach of Evaluate.breaches(policy, event)) {
      const once = `${breach.limit.limitId}|${Scope.key(breach.scope)}`;
      if (told.has(once)) continue;
      told.add(once);
      raiseBreach(draft, effect, { breach, subject, fact, lagMs: about.incoming.lagMs });
    }
  }
}

function raiseBreach(
  draft: Draft.Draft,
  effect: Effect,
  about: {
    readonly breach: Evaluate.Breach;
    readonly subject: Scope.Subject;
    readonly fact: Fact;
    readonly lagMs: number;
  },
): void {
  const { policy } = draft.context;
  const { breach, subject, fact } = about;
  const { action, metric, mode, windowMs } = breach.limit;
  const late = about.lagMs * LAG_FACTOR > windowMs && metric !== 'single';
  if (breach.level === 'breach' && action.kind === 'pause' && !late) {
    const cause = { ...fact, kind: 'limit' as const, ...Explain.limit(policy, breach) };
    const acting = policy.mode === 'shadow' ? 'shadow' : mode;
    open(draft, effect, { kind: action.scope, subject, cause, mode: acting });
    return;
  }
  Draft.alert(draft, Explain.alert(policy, breach, { ...fact, late }));
}

function raiseUnknown(
  draft: Draft.Draft,
  effect: Effect,
  about: {
    readonly what: Policy.Unknown;
    readonly subject: Scope.Subject;
    readonly fact: Fact;
  },
): void {
  const { policy } = draft.context;
  const { what, subject, fact } = about;
  const rule = policy.unknown[what];
  const text = Explain.unknown(what, subject);
  if (rule.outflow === 'pause') {
    const cause = { ...fact, kind: 'unknown' as const, text };
    open(draft, effect, { kind: rule.scope, subject, cause, mode: policy.mode });
    return;
  }
  const scope = Scope.key(Scope.of(rule.scope, subject));
  const alertId = `unknown|${what}|${scope}|${Math.floor(fact.atMs / Explain.DAY_MS)}`;
  Draft.alert(draft, { alertId, kind: 'unknown', atMs: fact.atMs, scope, rowId: fact.rowId, text });
}

function raiseConflict(
  draft: Draft.Draft,
  incoming: Transfer,
  noteId: string,
): Pick<Outcome, 'trips' | 'wouldTrip'> {
  const { policy } = draft.context;
  const { subject, legs } = Policy.resolve(policy, incoming.event.transfer);
  const rowId = Withdrawal.rowId(incoming.event);
  const text = Explain.conflict(incoming.event, Draft.row(draft, rowId));
  note(draft, { rowId: noteId, bodyHash: incoming.bodyHash, text });
  const notional = legs.reduce((sum, leg) => sum + leg.notional, 0n);
  const cause = { kind: 'conflict' as const, atMs: draft.atMs, rowId, notional, text };
  const effect: Effect = { trips: [], wouldTrip: [] };
  open(draft, effect, { kind: policy.conflict.scope, subject, cause, mode: policy.mode });
  return effect;
}

function decideParked(draft: Draft.Draft, incoming: Parked): Outcome {
  const { policy } = draft.context;
  const rowId = parkedId(incoming);
  const effect: Effect = { trips: [], wouldTrip: [] };
  if (!Draft.row(draft, rowId)) {
    const { subject } = Policy.resolve(policy, incoming.event.transfer);
    const text = `a record could not be decided on and is parked: ${incoming.reason}`;
    note(draft, { rowId, bodyHash: '', text });
    const cause = { kind: 'parked' as const, atMs: draft.atMs, rowId, notional: 0n, text };
    open(draft, effect, { kind: policy.conflict.scope, subject, cause, mode: policy.mode });
  }
  return { rowId, result: 'parked', notional: 0n, ...effect };
}

/** Trips, or in shadow mode says that it would have. */
function open(
  draft: Draft.Draft,
  effect: Effect,
  request: {
    readonly kind: Scope.Kind;
    readonly subject: Scope.Subject;
    readonly cause: Breaker.Cause;
    readonly mode: Policy.Mode;
  },
): void {
  const { kind, subject, cause, mode } = request;
  if (mode === 'enforce') {
    effect.trips.push(Draft.trip(draft, { kind, subject }, cause));
    return;
  }
  const scope = Scope.key(Scope.of(kind, subject));
  effect.wouldTrip.push(scope);
  Draft.alert(draft, Explain.wouldTrip(scope, cause));
}

function note(
  draft: Draft.Draft,
  about: { readonly rowId: string; readonly bodyHash: string; readonly text: string },
): void {
  const { rowId, bodyHash, text } = about;
  Draft.putRow(draft, { rowId, state: 'noted', bodyHash, atMs: draft.atMs, note: text });
}

function putMoney(
  draft: Draft.Draft,
  incoming: Transfer,
  as: {
    readonly rowId?: string;
    readonly state: Ledger.RowState;
    readonly link?: string;
    readonly resolved: Policy.Resolved;
    readonly charged: readonly Policy.Leg[];
  },
): void {
  const own = Withdrawal.rowId(incoming.event);
  const link = as.link ?? (as.rowId === undefined ? undefined : own);
  Draft.putRow(draft, {
    rowId: as.rowId ?? own,
    state: as.state,
    bodyHash: incoming.bodyHash,
    atMs: draft.atMs,
    ...(link === undefined ? {} : { link }),
    money: {
      transfer: incoming.event.transfer,
      subject: as.resolved.subject,
      charged: as.charged,
      chargedAtMs: draft.atMs,
    },
  });
}

function parkedId(incoming: Parked): string {
  return `parked:${Withdrawal.rowId(incoming.event)}`;
}
