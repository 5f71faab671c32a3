/**
 * One decision over a batch of events: what each one is, what it charges, what it trips.
 * Pure: everything it judges by is a parameter, everything it changes is in its result.
 */

import * as Charge from './charge.ts';
import * as Draft from './draft.ts';
import * as Enforce from './enforce.ts';
import * as Hold from './hold.ts';
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

type Transfer = Extract<Incoming, { kind: 'transfer' }>;
type Parked = Extract<Incoming, { kind: 'parked' }>;

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
    const resolved = Policy.resolve(policy, transfer);
    for (const key of Charge.keys(resolved)) items.add(key);
    // Read only: a destination as a whole can be paused too, though only its parts are charged.
    for (const scope of Scope.stopping('destination', resolved.subject))
      items.add(Scope.key(scope));
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
    heartbeat = newest(heartbeat, incoming.heartbeat);
    const none = { notional: 0n, trips: [], wouldTrip: [] };
    return { rowId: 'heartbeat', result: 'heartbeat', ...none };
  });
  const changes = Draft.changes(draft);
  return { outcomes, changes: heartbeat ? { ...changes, heartbeat } : changes };
}

/** An old heartbeat that comes again proves less than the one that is there. */
function newest(known: Ledger.Heartbeat | undefined, next: Ledger.Heartbeat): Ledger.Heartbeat {
  return known && known.sentAtMs > next.sentAtMs ? known : next;
}

function decideTransfer(draft: Draft.Draft, incoming: Transfer): Outcome {
  const rowId = Withdrawal.rowId(incoming.event);
  const match = Matching.match(incoming, (id) => Draft.row(draft, id));
  const none: Outcome = { rowId, result: match.kind, notional: 0n, trips: [], wouldTrip: [] };
  switch (match.kind) {
    case 'duplicate':
      return none;
    case 'nothing-moved':
      Draft.putNote(draft, { rowId, bodyHash: incoming.bodyHash, note: 'an outflow of zero' });
      return none;
    case 'late-report':
      Draft.putRow(draft, { ...match.claimed, state: 'matched' });
      return none;
    case 'matched-outflow':
      return { ...none, ...consume(draft, incoming, match.withdrawal) };
    case 'conflict':
      return { ...none, ...Enforce.raiseConflict(draft, incoming, match.noteId) };
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
  if (withdrawal.state === 'reserved' && withdrawal.money) {
    Draft.countOutstanding(draft, withdrawal.money.subject, -1);
  }
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
  return Enforce.enforce(draft, incoming, { resolved, before });
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
  Hold.leave(draft, Draft.row(draft, Withdrawal.rowId(incoming.event)));
  putMoney(draft, incoming, { state: as.state, resolved, charged: resolved.legs });
  if (as.claims !== undefined) {
    putMoney(draft, incoming, { rowId: as.claims, state: 'claimed', resolved, charged: [] });
  }
  const { subject, legs } = resolved;
  const before = Draft.charge(draft, { subject, legs, withdrawals: 1 });
  return Enforce.enforce(draft, incoming, { resolved, before, unmatched: as.why });
}

function decideParked(draft: Draft.Draft, incoming: Parked): Outcome {
  const { policy } = draft.context;
  const rowId = parkedId(incoming);
  const effect = Enforce.noEffect();
  if (!Draft.row(draft, rowId)) {
    const { subject } = Policy.resolve(policy, incoming.event.transfer);
    const text = `a record could not be decided on and is parked: ${incoming.reason}`;
    Draft.putNote(draft, { rowId, bodyHash: '', note: text });
    const cause = { kind: 'parked' as const, atMs: draft.atMs, rowId, notional: 0n, text };
    Enforce.open(draft, effect, { kind: policy.conflict.scope, subject, cause, mode: policy.mode });
  }
  return { rowId, result: 'parked', notional: 0n, ...effect };
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
