/**
 * One decision over a batch of events: what each one is, what it charges, what it trips.
 * Pure: everything it judges by is a parameter, everything it changes is in its result.
 */

import * as Batch from './batch.ts';
import * as Charge from './charge.ts';
import * as Draft from './draft.ts';
import * as Enforce from './enforce.ts';
import * as FirstSight from './first-sight.ts';
import * as Forewarn from './forewarn.ts';
import type * as Ledger from './ledger.ts';
import * as Matching from './matching.ts';
import * as Outflow from './outflow.ts';
import * as Policy from './policy.ts';
import * as Reorg from './reorg.ts';
import * as Report from './report.ts';
import type { Risk } from './risk.ts';
import * as Scope from './scope.ts';
import * as Withdrawal from './withdrawal.ts';

/** Something to decide on. `lagMs` is how long it waited before it came to us. */
export type Incoming =
  | ({
      readonly kind: 'transfer';
      readonly lagMs: number;
      /** People may have heard of it at first sight, before it was confirmed. */
      readonly wasSighted?: true | undefined;
    } & Matching.Hashed)
  | ({ readonly kind: 'sighted' } & FirstSight.Sighted)
  | { readonly kind: 'heartbeat'; readonly heartbeat: Ledger.Heartbeat }
  | {
      /** A record that could not be decided on: it counts as over the limit until a person clears it. */
      readonly kind: 'parked';
      readonly event: Withdrawal.Withdrawal | Withdrawal.Outflow;
      readonly reason: string;
    }
  | { readonly kind: 'batch'; readonly batch: Batch.Batch; readonly bodyHash: string }
  | { readonly kind: 'removed'; readonly removed: Reorg.Removed }
  | { readonly kind: 'risk'; readonly risk: Risk };

/** What became of one event. */
export type Outcome = {
  readonly rowId: string;
  readonly result:
    | Matching.Match['kind']
    | 'heartbeat'
    | 'parked'
    | 'removed'
    | 'risk'
    | 'sighted'
    | 'expected'
    | 'batch'
    | 'refused';
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
    if (incoming.kind === 'batch') {
      for (const rowId of Batch.rowIds(incoming.batch)) rows.add(rowId);
      continue;
    }
    if (incoming.kind === 'removed') {
      for (const rowId of Reorg.rowIds(incoming.removed)) rows.add(rowId);
      continue;
    }
    if (incoming.kind === 'risk') {
      for (const key of Forewarn.keys(policy, incoming.risk)) items.add(key);
      for (const rowId of Forewarn.rowIds(incoming.risk)) rows.add(rowId);
      continue;
    }
    if (incoming.kind === 'sighted') {
      for (const key of FirstSight.keys(policy, incoming)) items.add(key);
      for (const rowId of FirstSight.rowIds(incoming)) rows.add(rowId);
      continue;
    }
    if (incoming.kind === 'transfer' && incoming.wasSighted) {
      rows.add(FirstSight.rowIdOf(incoming.event));
    }
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

/** Rows that must be loaded besides, as the loaded ones tell. */
export function further(
  policy: Policy.Policy,
  rows: Ledger.Loaded['rows'],
  events: readonly Incoming[],
): readonly string[] {
  const transfers = events.flatMap((incoming) =>
    incoming.kind === 'transfer' || incoming.kind === 'sighted' ? [incoming.event] : [],
  );
  const removed = events.flatMap((incoming) =>
    incoming.kind === 'removed'
      ? Reorg.further(rows, incoming.removed)
      : incoming.kind === 'batch'
        ? Batch.further(rows, incoming.batch)
        : [],
  );
  // One that names a withdrawal pays it alone.
  const alone = transfers.flatMap((event) =>
    event.kind === 'outflow' && event.withdrawalId !== undefined
      ? Batch.together(rows, rows.get(Withdrawal.withdrawalRowId(event.withdrawalId)))
      : [],
  );
  const deductedMaxOf = (transfer: Withdrawal.Transfer) => Outflow.deductedMax(policy, transfer);
  const matched = Matching.further(rows, transfers, deductedMaxOf);
  return [...new Set([...matched, ...alone, ...removed])];
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
    if (incoming.kind === 'batch') return declare(draft, incoming);
    if (incoming.kind === 'removed') return remove(draft, incoming.removed);
    if (incoming.kind === 'risk') return warn(draft, incoming.risk);
    if (incoming.kind === 'sighted') return glimpse(draft, incoming);
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
  const { event } = incoming;
  const rowId = Withdrawal.rowId(event);
  if (event.kind === 'outflow') Reorg.supersede(draft, event);
  const rules = Outflow.rules(draft, event.transfer);
  const match = Matching.match(incoming, (id) => Draft.row(draft, id), rules);
  const none: Outcome = { rowId, result: match.kind, notional: 0n, trips: [], wouldTrip: [] };
  switch (match.kind) {
    case 'duplicate':
      if (event.kind === 'withdrawal') Report.again(draft, event);
      else Outflow.again(draft, event);
      return none;
    case 'nothing-moved':
      Draft.putNote(draft, { rowId, bodyHash: incoming.bodyHash, note: 'an outflow of zero' });
      return none;
    case 'late-report':
      Report.late(draft, incoming, match.seen);
      return none;
    case 'new-withdrawal':
      return { ...none, ...Report.count(draft, incoming) };
    case 'conflict':
      return { ...none, ...Enforce.raiseConflict(draft, incoming, match.noteId) };
    case 'matched-outflow':
      return { ...none, ...Outflow.consume(draft, incoming, match) };
    case 'moved-outflow':
      return { ...none, ...Outflow.move(draft, incoming, match.movement) };
    case 'fee-only':
      return { ...none, ...Outflow.payFee(draft, incoming) };
    case 'unmatched-outflow': {
      const isTold = FirstSight.isTold(draft, event);
      return { ...none, ...Outflow.count(draft, incoming, { ...match, isTold }) };
    }
    default:
      return match satisfies never;
  }
}

function declare(draft: Draft.Draft, incoming: Extract<Incoming, { kind: 'batch' }>): Outcome {
  const declared = Batch.declare(draft, incoming);
  const result = declared === 'declared' ? 'batch' : declared;
  return { rowId: Batch.rowIdOf(incoming.batch), result, notional: 0n, ...Enforce.noEffect() };
}

function remove(draft: Draft.Draft, removed: Reorg.Removed): Outcome {
  const none = { notional: 0n, trips: [], wouldTrip: [] };
  const result = Reorg.remove(draft, removed) ? 'removed' : 'duplicate';
  return { rowId: removed.rowId, result, ...none };
}

function warn(draft: Draft.Draft, risk: Risk): Outcome {
  const effect = Forewarn.raise(draft, risk);
  const result = effect ? 'risk' : 'duplicate';
  return { rowId: Forewarn.rowIdOf(risk), result, notional: 0n, ...(effect ?? Enforce.noEffect()) };
}

/** `expected`: somebody approved it, or it was seen before; there is nothing to write. */
function glimpse(draft: Draft.Draft, sighted: FirstSight.Sighted): Outcome {
  const effect = FirstSight.see(draft, sighted);
  const result = effect ? 'sighted' : 'expected';
  const none = { notional: 0n, ...Enforce.noEffect() };
  return { rowId: FirstSight.rowIdOf(sighted.event), result, ...(effect ?? none) };
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

function parkedId(incoming: Parked): string {
  return `parked:${Withdrawal.rowId(incoming.event)}`;
}
