/**
 * The working copy that one decision writes to, event by event, before it is committed whole.
 * Mutable inside one call of the domain and never outside it.
 */

import * as Breaker from './breaker.ts';
import * as Canary from './canary.ts';
import { type Chargeable, charges } from './charge.ts';
import * as Ledger from './ledger.ts';
import * as Meter from './meter.ts';
import * as Policy from './policy.ts';
import * as Queue from './queue.ts';
import * as Scope from './scope.ts';

/** What a decision is made with: no clock, no randomness of its own. */
export type Context = {
  readonly policy: Policy.Policy;
  readonly policyVersion: number;
  /** Of the policy's text; empty before any was applied. */
  readonly policyHash: string;
  readonly decisionId: string;
  /** The worker's clock. The decision never runs behind what it loaded, see {@link start}. */
  readonly nowMs: number;
  readonly newIncidentId: () => string;
  /** What tells a new stack from every other, 64 hex digits. */
  readonly newStackId: () => string;
  /** 32-bit hash of a text; equal texts give equal hashes. */
  readonly shortHash: (text: string) => number;
};

/** A decision under way. */
export type Draft = {
  readonly context: Context;
  readonly atMs: number;
  readonly loaded: Ledger.Loaded;
  readonly rows: Map<string, Ledger.Row>;
  readonly items: Map<Scope.Key, Ledger.Item>;
  readonly incidents: Breaker.Incident[];
  /** Queues as the decision sees them now, oldest first. */
  readonly queues: Map<Queue.Key, readonly Queue.Held[]>;
  /** By row, and by queue where one goes from one to another. */
  readonly held: Map<string, Ledger.HeldWrite>;
  /** By end and row. */
  readonly graces: Map<string, Ledger.GraceWrite>;
  readonly causes: Ledger.CauseWrite[];
  readonly alerts: Map<string, Ledger.Alert>;
};

/** Alerts that one event may raise: a policy with hundreds of limits must still fit one transaction. */
const ALERTS_PER_EVENT_MAX = 10;
/** Further causes that one event may add in full, for the same reason; the rest are counted. */
const CAUSES_PER_EVENT_MAX = 20;

/** A breaker that an event opened, again or for the first time, or added a cause to. */
export type Trip = {
  readonly scope: Scope.Key;
  readonly incidentId: string;
  readonly opened: boolean;
};

/**
 * Starts a decision. Its time is the clock's, or the newest charge or mark among the loaded items if
 * that is later: what is charged after a mark must not lie before it. Its policy knows what was
 * loaded of the world.
 */
export function start(context: Context, loaded: Ledger.Loaded): Draft {
  let atMs = context.nowMs;
  for (const item of loaded.items.values()) {
    atMs = Math.max(atMs, item.meter.newestMs, ...marksOf(item).map((mark) => mark.atMs));
  }
  return {
    context: { ...context, policy: Policy.at(context.policy, loaded.facts, atMs) },
    atMs,
    loaded,
    rows: new Map(),
    items: new Map(),
    queues: new Map(loaded.queues),
    held: new Map(),
    graces: new Map(),
    incidents: [],
    causes: [],
    alerts: new Map(),
  };
}

/** A row as the decision sees it now. */
export function row(draft: Draft, rowId: string): Ledger.Row | undefined {
  return draft.rows.get(rowId) ?? draft.loaded.rows.get(rowId);
}

/** An item as the decision sees it now; a new one where nothing is stored. */
export function item(draft: Draft, key: Scope.Key): Ledger.Item {
  return draft.items.get(key) ?? draft.loaded.items.get(key) ?? Ledger.newItem(draft.atMs);
}

/**
 * Writes an item as it is: what was left undone because of it holds only as long as it stays so. Reading
 * alone does not vouch for that, since a batch read is no instant.
 */
export function pin(draft: Draft, key: Scope.Key): void {
  draft.items.set(key, item(draft, key));
}

/** Puts a new row, or the next version of one. */
export function putRow(
  draft: Draft,
  next: Omit<Ledger.Row, 'version' | 'decisionId' | 'policyVersion'>,
): void {
  const { decisionId } = draft.context;
  const stored = draft.loaded.rows.get(next.rowId);
  const version = (stored?.version ?? 0) + 1;
  // What was charged stays charged by the policy of its time; a charge made now is made by this one.
  const isOldCharge = stored && stored.money?.chargedAtMs === next.money?.chargedAtMs;
  const policyVersion = isOldCharge ? stored.policyVersion : draft.context.policyVersion;
  draft.rows.set(next.rowId, { ...next, version, decisionId, policyVersion });
}

/** Puts a row that only keeps its event from acting twice. */
export function putNote(
  draft: Draft,
  noted: { readonly rowId: string; readonly bodyHash: string; readonly note: string },
): void {
  putRow(draft, { ...noted, state: 'noted', atMs: draft.atMs });
}

/** Charges money to every scope that it touches, and gives back the items as they were before. */
export function charge(draft: Draft, money: Chargeable): ReadonlyMap<Scope.Key, Ledger.Item> {
  const before = new Map<Scope.Key, Ledger.Item>();
  for (const [key, added] of charges(money, draft.context.shortHash)) {
    const current = item(draft, key);
    before.set(key, current);
    const meter = Meter.charge(current.meter, added, draft.atMs);
    draft.items.set(key, { ...withoutOldBases(current, draft.atMs), meter });
  }
  return before;
}

/** Bases that lie before every window say nothing any more. */
function withoutOldBases(current: Ledger.Item, atMs: number): Ledger.Item {
  const { bases, ...rest } = current;
  const reachesMs = atMs - Meter.SILENCE_MS;
  const young = bases?.filter(({ mark }) => mark.atMs >= reachesMs);
  if (!young || young.length === bases?.length) return current;
  return young.length === 0 ? rest : { ...rest, bases: young };
}

function marksOf({ breaker, bases = [] }: Ledger.Item): readonly Meter.Mark[] {
  const marks = bases.map(({ mark }) => mark);
  return breaker.state === 'half-open' ? [breaker.mark, ...marks] : marks;
}

/**
 * Takes what a row was charged out of exactly the slots that it was charged to, and out of what marks
 * hold of these. The caller changes the row in the same decision, so that it happens once.
 *
 * @param withdrawals what it was charged as: 0 for the fee of an outflow, whose withdrawal counts on.
 */
export function giveBack(draft: Draft, money: Ledger.Money, withdrawals: 0 | 1 = 1): void {
  const { subject, charged: legs, chargedAtMs } = money;
  for (const [key, taken] of charges({ subject, legs, withdrawals }, draft.context.shortHash)) {
    const current = item(draft, key);
    const meter = Meter.giveBack(current.meter, taken, chargedAtMs);
    draft.items.set(key, { ...withLowerMarks(current, taken, chargedAtMs), meter });
  }
}

function withLowerMarks(current: Ledger.Item, taken: Meter.Charge, atMs: number): Ledger.Item {
  const lower = <T extends { readonly mark: Meter.Mark }>(marked: T): T => ({
    ...marked,
    mark: Meter.lowerMark(marked.mark, taken, atMs),
  });
  const { breaker, bases } = current;
  return {
    ...current,
    breaker: breaker.state === 'half-open' ? lower(breaker) : breaker,
    ...(bases && { bases: bases.map(lower) }),
  };
}

/** Counts a reservation of the subject's actor as open (1) or as no longer open (-1); never below zero. */
export function countOutstanding(draft: Draft, subject: Scope.Subject, by: 1 | -1): void {
  const key = Scope.key(Scope.of('actor', subject));
  const current = item(draft, key);
  const outstanding = Math.max(0, (current.outstanding ?? 0) + by);
  const { outstanding: _, ...rest } = current;
  draft.items.set(key, outstanding === 0 ? rest : { ...current, outstanding });
}

/** Puts a withdrawal into its queue, at its age. The caller puts its row. */
export function enqueue(draft: Draft, held: Queue.Held): void {
  const key = Queue.keyOf(held);
  const others = (draft.queues.get(key) ?? []).filter(({ rowId }) => rowId !== held.rowId);
  draft.queues.set(key, [...others, held].sort(Queue.byAge));
  draft.held.set(`${key}|${held.rowId}`, { held, change: 'put' });
  if (held.place) countWaiting(draft, held.place, 1);
}

/** Takes a withdrawal out of its queue. The caller puts its row. */
export function dequeue(draft: Draft, held: Queue.Held): void {
  const key = Queue.keyOf(held);
  const queue = draft.queues.get(key);
  // Of a queue that was not read nobody knows who is left in it.
  if (queue) {
    const others = queue.filter(({ rowId }) => rowId !== held.rowId);
    draft.queues.set(key, others);
  }
  draft.held.set(`${key}|${held.rowId}`, { held, change: 'delete' });
  if (held.place) countWaiting(draft, held.place, -1);
}

function countWaiting(draft: Draft, { scope, limitId }: Queue.Place, by: 1 | -1): void {
  const current = item(draft, scope);
  const { waiting = [], ...rest } = current;
  const count = Math.max(0, Queue.waiting(current, limitId) + by);
  const others = waiting.filter((each) => each.limitId !== limitId);
  const next = count === 0 ? others : [...others, { limitId, count }];
  draft.items.set(scope, next.length === 0 ? rest : { ...rest, waiting: next });
}

/**
 * Opens the breaker of a scope, or adds the cause to what is open already: the scope's own incident,
 * or that of one of `collectors`, wider scopes that stop the same money. One that is resuming in steps
 * opens again; wider ones that are stop nothing, and collect nothing. Later causes are kept up to
 * {@link Breaker.CAUSES_MAX} and counted beyond; the first unmatched one among them is always kept.
 * Fail direction: closed, without an open collector the scope's own breaker opens.
 */
export function trip(
  draft: Draft,
  target: { readonly own: Scope.Key; readonly collectors: readonly Scope.Key[] },
  cause: Breaker.Cause,
): Trip {
  const { own, collectors } = target;
  if (!Breaker.permits(item(draft, own).breaker)) return tripKey(draft, own, cause);
  const open = collectors.find((key) => Breaker.stops(item(draft, key).breaker));
  return tripKey(draft, open ?? own, cause);
}

/** Opens, or adds a cause to, exactly the scope with this key. */
export function tripKey(draft: Draft, key: Scope.Key, cause: Breaker.Cause): Trip {
  const current = item(draft, key);
  const { newIncidentId, policyVersion } = draft.context;
  const tripped = Breaker.trip(current.breaker, {
    scope: key,
    cause,
    incidentId: Breaker.permits(current.breaker) ? newIncidentId() : '',
    policyVersion,
  });
  draft.items.set(key, { ...current, breaker: tripped.breaker });
  const { incidentId, opened, reopened, causeNumber: number } = tripped;
  if (opened) draft.incidents.push(marked(draft, opened));
  else if (reopened) {
    // Always kept: people hear of it through this cause.
    draft.causes.push({ incidentId, number, cause: { ...cause, reopened: tripped.breaker.epoch } });
  } else if (isFirstTheft(tripped, cause) || hasRoom(draft, tripped, cause)) {
    draft.causes.push({ incidentId, number, cause });
  }
  return { scope: key, incidentId, opened: opened !== undefined || reopened === true };
}

/** As {@link tripKey}, beside an incident with which it is told: one that it opens names that one. */
export function tripBeside(
  draft: Draft,
  key: Scope.Key,
  by: { readonly incidentId: string; readonly cause: Breaker.Cause },
): Trip {
  const trip = tripKey(draft, key, by.cause);
  const last = draft.incidents.at(-1);
  if (last?.incidentId === trip.incidentId) {
    draft.incidents.splice(-1, 1, { ...last, quarantinedBy: by.incidentId });
  }
  return trip;
}

/** The incident that a drill's outflow opens on the canary is marked; no other is. */
function marked(draft: Draft, incident: Breaker.Incident): Breaker.Incident {
  const isDrill = Canary.opens(draft.context.policy, incident.scope, incident.first);
  return isDrill ? { ...incident, drill: true } : incident;
}

/** Notes an alert, up to {@link ALERTS_PER_EVENT_MAX}; the same id twice in one decision is told once. */
export function alert(draft: Draft, next: Ledger.Alert): void {
  if (draft.alerts.has(next.alertId)) return;
  const raised = [...draft.alerts.values()].filter((told) => told.rowId === next.rowId).length;
  if (raised < ALERTS_PER_EVENT_MAX) draft.alerts.set(next.alertId, next);
}

/** People hear of it through this cause: a flood of others before it must not leave it out. */
function isFirstTheft({ breaker }: Breaker.Tripped, cause: Breaker.Cause): boolean {
  return cause.kind === 'unmatched' && Breaker.alsoUnmatched(breaker) === 1;
}

function hasRoom(draft: Draft, tripped: Breaker.Tripped, cause: Breaker.Cause): boolean {
  if (tripped.causeNumber > Breaker.CAUSES_MAX) return false;
  const kept = draft.causes.filter((further) => further.cause.rowId === cause.rowId).length;
  return kept < CAUSES_PER_EVENT_MAX;
}

/** Everything that the draft changed, with the versions that it must still find. `global` is always among them. */
export function changes(draft: Draft): Ledger.Changes {
  if (!draft.items.has(Scope.GLOBAL_KEY)) {
    draft.items.set(Scope.GLOBAL_KEY, item(draft, Scope.GLOBAL_KEY));
  }
  const expectedVersion = (version: number | undefined) => version ?? ('absent' as const);
  return {
    decisionId: draft.context.decisionId,
    atMs: draft.atMs,
    rows: [...draft.rows.values()].map((next) => ({
      row: next,
      expected: expectedVersion(draft.loaded.rows.get(next.rowId)?.version),
    })),
    items: [...draft.items].map(([key, next]) => {
      const expected = expectedVersion(draft.loaded.items.get(key)?.version);
      const version = expected === 'absent' ? draft.atMs : expected + 1;
      return { key, item: { ...next, version }, expected };
    }),
    incidents: draft.incidents.map((incident) => ({ incident, expected: 'absent' })),
    causes: draft.causes,
    alerts: [...draft.alerts.values()],
    ...(draft.held.size > 0 ? { held: [...draft.held.values()] } : {}),
    ...(draft.graces.size > 0 ? { graces: [...draft.graces.values()] } : {}),
  };
}
