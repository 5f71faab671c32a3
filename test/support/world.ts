/**
 * A world of maps that decisions are folded over: no concurrency, every condition checked, so that
 * a decision that expects the wrong version, writes a key twice or never stops asking for more fails here.
 */

import type * as Breaker from '../../lib/domain/breaker.ts';
import * as Decision from '../../lib/domain/decision.ts';
import * as Draft from '../../lib/domain/draft.ts';
import type * as Enforce from '../../lib/domain/enforce.ts';
import type { Leases } from '../../lib/domain/flag.ts';
import * as Grace from '../../lib/domain/grace.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import * as Queue from '../../lib/domain/queue.ts';
import * as Reservation from '../../lib/domain/reservation.ts';
import { GLOBAL_KEY } from '../../lib/domain/scope.ts';
import type { Keys } from '../../lib/ports.ts';
import { CHAIN, context, DAY_MS, OTHER_CHAIN } from './builders.ts';

/** Attempts at one decision: the first shows the items, one more the rows that they lead to. */
const ATTEMPTS_MAX = 4;
/** How far rows lead to others, as in the action. */
const DEPTH_MAX = 3;

/** Everything that is stored. */
export type World = {
  readonly rows: Map<string, Ledger.Row>;
  readonly items: Map<string, Ledger.Item>;
  readonly incidents: Map<string, Breaker.Incident>;
  readonly causes: Map<string, Breaker.Cause>;
  readonly alerts: Map<string, Ledger.Alert>;
  /** Held withdrawals by queue, age and row. */
  readonly held: Map<string, Queue.Held>;
  /** Outflows whose grace runs, by end and row. */
  readonly graces: Map<string, Ledger.GraceWrite['grace']>;
  readonly heartbeats: Ledger.Heartbeat[];
  decisions: number;
  opened: number;
};

/** A world in which nothing has happened. */
export function world(): World {
  return {
    rows: new Map(),
    items: new Map(),
    incidents: new Map(),
    causes: new Map(),
    alerts: new Map(),
    held: new Map(),
    graces: new Map(),
    heartbeats: [],
    decisions: 0,
    opened: 0,
  };
}

/** Loads, decides and commits one batch, as an action would. */
export function submit(
  here: World,
  batch: {
    readonly policy: Policy.Policy;
    readonly nowMs: number;
    readonly events: readonly Decision.Incoming[];
  },
): Decision.Decision {
  const { policy, nowMs, events } = batch;
  return settle(here, {
    keys: Decision.keys(policy, events),
    further: (rows) => Decision.further(policy, rows, events),
    decide: (loaded) => Decision.decide(contextOf(here, policy, nowMs), loaded, events),
  });
}

/** Ends the graces that are over, as their action would; what that set off. */
export function expire(
  here: World,
  at: { readonly policy: Policy.Policy; readonly nowMs: number },
): Enforce.Effect | undefined {
  const { policy, nowMs } = at;
  const over = [...here.graces.values()].filter(({ untilMs }) => untilMs <= nowMs);
  const rowIds = over.map(({ rowId }) => rowId);
  return settle(here, {
    keys: { rows: rowIds, items: [] },
    decide: (loaded) => {
      const draft = Draft.start(contextOf(here, policy, nowMs), loaded);
      const effect = Grace.expire(draft, rowIds);
      return effect ? { effect, changes: Draft.changes(draft) } : { effect };
    },
  }).effect;
}

/** Loads, decides and commits reservations, as their action would. Without `leases` every chain has one. */
export function reserve(
  here: World,
  batch: {
    readonly policy: Policy.Policy;
    readonly nowMs: number;
    readonly asks: readonly Reservation.Ask[];
    readonly leases?: Leases;
    readonly by?: Reservation.By;
    readonly audience?: string;
  },
): Reservation.Decided {
  const { policy, nowMs, asks, audience, by = { kind: 'caller' } } = batch;
  const signer = audience === undefined ? {} : { audience };
  const untilMs = nowMs + 365 * DAY_MS;
  const { leases = { [CHAIN]: untilMs, [OTHER_CHAIN]: untilMs } } = batch;
  const decided = settle(here, {
    keys: Reservation.keys(policy, asks),
    decide: (loaded) =>
      Reservation.decide(
        { ...contextOf(here, policy, nowMs), leases, by, ...signer },
        loaded,
        asks,
      ),
  });
  for (const alert of decided.alerts) here.alerts.set(alert.alertId, freeze(alert));
  return decided;
}

/** How one kind of decision is made. */
export type Recipe<T> = {
  readonly keys: Keys;
  readonly further?: (rows: Ledger.Loaded['rows']) => readonly string[];
  readonly decide: (loaded: Ledger.Loaded) => T;
};

/**
 * Decides with the rows that the first ones lead to, again and again with what it would write and
 * has not read, and commits.
 */
export function settle<T extends { readonly changes?: Ledger.Changes }>(
  here: World,
  { keys, further, decide }: Recipe<T>,
): T {
  here.decisions += 1;
  const incidentsBefore = here.opened;
  const rows = new Set(keys.rows);
  const items = new Set([...keys.items, GLOBAL_KEY]);
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    here.opened = incidentsBefore;
    const read = new Set(rows);
    for (let depth = 1; depth <= DEPTH_MAX; depth += 1) {
      const linked = further?.(load(here, { rows: [...read], items: [] }).rows) ?? [];
      for (const rowId of linked) read.add(rowId);
    }
    const decided = decide(load(here, { ...keys, rows: [...read], items: [...items] }));
    const { changes } = decided;
    if (!changes) return decided;
    const unread = [
      ...changes.rows.filter(({ row }) => !read.has(row.rowId)),
      ...changes.items.filter(({ key }) => !items.has(key)),
    ];
    if (unread.length === 0) {
      commit(here, changes);
      return decided;
    }
    for (const { row } of changes.rows) rows.add(row.rowId);
    for (const { key } of changes.items) items.add(key);
  }
  throw new Error('it wants to write ever more that it has not read');
}

/** The context of the next decision in this world. */
export function contextOf(here: World, policy: Policy.Policy, nowMs: number) {
  return context({
    policy,
    nowMs,
    decisionId: `decision-${here.decisions}`,
    newIncidentId: () => {
      here.opened += 1;
      return `INC${here.opened}`;
    },
  });
}

/** What a strong read of these keys gives. */
export function load(here: World, keys: Keys): Ledger.Loaded {
  const items = pick(here.items, [...keys.items, ...(keys.gates ?? [])]);
  const queues = new Map<Queue.Key, readonly Queue.Held[]>();
  for (const place of keys.queues ?? []) {
    if (Queue.waiting(items.get(place.scope), place.limitId) === 0) continue;
    const queue = Queue.key(place);
    const all = [...here.held.values()].filter((held) => Queue.keyOf(held) === queue);
    queues.set(queue, all.sort(Queue.byAge).slice(0, Queue.LOOKED_AT_MAX));
  }
  return { rows: pick(here.rows, keys.rows), items, queues };
}

/** Writes all changes, or throws on the first condition that does not hold. */
export function commit(here: World, changes: Ledger.Changes): void {
  once(changes.rows.map(({ row }) => row.rowId));
  once(changes.items.map(({ key }) => key));
  once(changes.incidents.map(({ incident }) => incident.incidentId));
  once(changes.causes.map(({ incidentId, number }) => `${incidentId}#${number}`));
  once(changes.alerts.map(({ alertId }) => alertId));
  for (const { row, expected } of changes.rows) {
    holds(row.rowId, here.rows.get(row.rowId)?.version, expected);
    here.rows.set(row.rowId, freeze(row));
  }
  for (const { key, item, expected } of changes.items) {
    holds(key, here.items.get(key)?.version, expected);
    if (item.version === expected) throw new Error(`${key} keeps version ${expected}`);
    here.items.set(key, freeze(item));
  }
  for (const { incident, expected } of changes.incidents) {
    holds(incident.incidentId, here.incidents.get(incident.incidentId)?.state, expected);
    here.incidents.set(incident.incidentId, freeze(incident));
  }
  for (const { incidentId, number, cause } of changes.causes) {
    holds('cause', here.causes.get(`${incidentId}#${number}`)?.rowId, 'absent');
    here.causes.set(`${incidentId}#${number}`, freeze(cause));
  }
  for (const alert of changes.alerts) here.alerts.set(alert.alertId, freeze(alert));
  const heldKey = (held: Queue.Held) => `${Queue.keyOf(held)}|${held.heldAtMs}|${held.rowId}`;
  once((changes.held ?? []).map(({ held }) => heldKey(held)));
  for (const { held, change } of changes.held ?? []) {
    if (!changes.rows.some(({ row }) => row.rowId === held.rowId)) {
      throw new Error(`${held.rowId} changes its queue without its row`);
    }
    if (change === 'put') here.held.set(heldKey(held), freeze(held));
    else here.held.delete(heldKey(held));
  }
  for (const { grace, change } of changes.graces ?? []) {
    if (!changes.rows.some(({ row }) => row.rowId === grace.rowId)) {
      throw new Error(`${grace.rowId} changes its grace without its row`);
    }
    const graceKey = `${grace.untilMs}|${grace.rowId}`;
    if (change === 'put') here.graces.set(graceKey, freeze(grace));
    else here.graces.delete(graceKey);
  }
  if (changes.heartbeat) here.heartbeats.push(changes.heartbeat);
}

/** Scopes whose breaker is not closed, without the wallet and destination that are stopped beside a theft. */
export function openScopes(here: World): readonly string[] {
  return [...here.items]
    .filter(([, { breaker }]) => {
      if (breaker.state === 'closed') return false;
      return here.incidents.get(breaker.incidentId)?.quarantinedBy === undefined;
    })
    .map(([key]) => key)
    .sort();
}

/** Incidents that people are told of alone. */
export function toldIncidents(here: World): readonly Breaker.Incident[] {
  return [...here.incidents.values()].filter(({ quarantinedBy }) => quarantinedBy === undefined);
}

function pick<T>(stored: ReadonlyMap<string, T>, keys: readonly string[]): Map<string, T> {
  const found = new Map<string, T>();
  for (const key of keys) {
    const value = stored.get(key);
    if (value !== undefined) found.set(key, value);
  }
  return found;
}

function holds(what: string, stored: unknown, expected: unknown): void {
  if ((stored ?? 'absent') !== expected) throw new Error(`${what}: ${stored} is not ${expected}`);
}

function once(keys: readonly string[]): void {
  if (new Set(keys).size < keys.length) throw new Error(`written twice in ${keys.join(', ')}`);
}

/** Freezes all the way down: whoever mutates what was stored fails at once. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}
