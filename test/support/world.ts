/**
 * A world of maps that decisions are folded over: no concurrency, every condition checked, so that
 * a decision that expects the wrong version, writes a key twice or touches what it did not load fails here.
 */

import type * as Breaker from '../../lib/domain/breaker.ts';
import * as Decision from '../../lib/domain/decision.ts';
import type { Leases } from '../../lib/domain/flag.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import * as Queue from '../../lib/domain/queue.ts';
import * as Reservation from '../../lib/domain/reservation.ts';
import type { Keys } from '../../lib/ports.ts';
import { CHAIN, context, DAY_MS, OTHER_CHAIN } from './builders.ts';

/** Everything that is stored. */
export type World = {
  readonly rows: Map<string, Ledger.Row>;
  readonly items: Map<string, Ledger.Item>;
  readonly incidents: Map<string, Breaker.Incident>;
  readonly causes: Map<string, Breaker.Cause>;
  readonly alerts: Map<string, Ledger.Alert>;
  /** Held withdrawals by queue, age and row. */
  readonly held: Map<string, Queue.Held>;
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
  return settle(here, Decision.keys(policy, events), (loaded) =>
    Decision.decide(contextOf(here, policy, nowMs), loaded, events),
  );
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
  const decided = settle(here, Reservation.keys(policy, asks), (loaded) =>
    Reservation.decide({ ...contextOf(here, policy, nowMs), leases, by, ...signer }, loaded, asks),
  );
  for (const alert of decided.alerts) here.alerts.set(alert.alertId, freeze(alert));
  return decided;
}

/** Decides, once more with the items that the rows have shown to be needed, and commits. */
function settle<T extends { readonly changes?: Ledger.Changes }>(
  here: World,
  keys: Keys,
  decide: (loaded: Ledger.Loaded) => T,
): T {
  here.decisions += 1;
  const incidentsBefore = here.opened;
  const first = decide(load(here, keys)).changes?.items.map(({ key }) => key) ?? [];
  here.opened = incidentsBefore;
  const items = [...new Set([...keys.items, ...first])];
  const decided = decide(load(here, { ...keys, items }));
  const { changes } = decided;
  if (!changes) return decided;
  const asked = new Set([...keys.rows, ...items]);
  for (const { row } of changes.rows) mustHave(asked, row.rowId);
  for (const { key } of changes.items) mustHave(asked, key);
  commit(here, changes);
  return decided;
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
  const items = pick(here.items, keys.items);
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
  if (changes.heartbeat) here.heartbeats.push(changes.heartbeat);
}

/** Scopes whose breaker is not closed. */
export function openScopes(here: World): readonly string[] {
  return [...here.items]
    .filter(([, item]) => item.breaker.state !== 'closed')
    .map(([key]) => key)
    .sort();
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

function mustHave(asked: ReadonlySet<string>, key: string): void {
  if (!asked.has(key)) throw new Error(`${key} is written without having been loaded`);
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
