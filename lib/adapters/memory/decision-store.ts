/** The decision path in memory. Nothing waits between its conditions and its writes, so it is atomic. */

import * as Ledger from '../../domain/ledger.ts';
import * as Queue from '../../domain/queue.ts';
import type { ControlRecord, DecisionStore, Keys } from '../../ports.ts';
import { TooManyChangesError } from '../store-errors.ts';
import { putEntry } from './audit-store.ts';
import { factsOf } from './fact-store.ts';
import type { State } from './state.ts';

/** Decisions remembered for a lost answer; DynamoDB remembers its tokens for ten minutes. */
const DECISIONS_MAX = 10_000;

/** The decision path's store over a state. */
export function createDecisionStore(state: State): DecisionStore {
  return {
    load: async (keys) => {
      const items = pick(state.items, [...keys.items, ...(keys.gates ?? [])]);
      const rows = pick(state.rows, keys.rows);
      const queues = loadQueues(state, keys, items);
      const facts = keys.facts && factsOf(state, keys.facts);
      return { rows, items, ...(queues.size === 0 ? {} : { queues }), ...(facts && { facts }) };
    },
    commit: async (changes) => {
      const size = Ledger.size(changes);
      if (size > Ledger.CHANGES_MAX) throw new TooManyChangesError({ size });
      if (isDone(state, changes)) return 'committed';
      if (!holds(state, changes)) return 'conflict';
      const records = write(state, changes);
      for (const record of records) state.onControlChange(record);
      return 'committed';
    },
  };
}

function loadQueues(
  state: State,
  { queues = [] }: Keys,
  items: Ledger.Loaded['items'],
): Queue.Queues {
  const used = queues.filter(({ scope, limitId }) => Queue.waiting(items.get(scope), limitId) > 0);
  return new Map(
    used.map((place) => {
      const queue = Queue.key(place);
      const all = [...state.held.values()].filter((held) => Queue.keyOf(held) === queue);
      return [queue, Queue.lookedAt(all.sort(Queue.byAge))];
    }),
  );
}

function pick<K, V>(from: ReadonlyMap<K, V>, keys: readonly K[]): ReadonlyMap<K, V> {
  const found = new Map<K, V>();
  for (const key of keys) {
    const value = from.get(key);
    if (value !== undefined) found.set(key, value);
  }
  return found;
}

function isDone(state: State, changes: Ledger.Changes): boolean {
  const { decisionId, rows } = changes;
  if (state.decisions.has(decisionId)) return true;
  return rows.some(({ row }) => state.rows.get(row.rowId)?.decisionId === decisionId);
}

function holds(state: State, changes: Ledger.Changes): boolean {
  const { rows, items, incidents, policy } = changes;
  return (
    rows.every(({ row, expected }) => versionOf(state.rows.get(row.rowId)) === expected) &&
    items.every(({ key, expected }) => versionOf(state.items.get(key)) === expected) &&
    incidents.every(({ incident, expected }) => {
      const stored = state.incidents.get(incident.incidentId);
      return (stored?.state ?? 'absent') === expected;
    }) &&
    !(policy && state.policies.has(policy.version))
  );
}

function versionOf(stored: { readonly version: number } | undefined): number | 'absent' {
  return stored?.version ?? 'absent';
}

/** Writes everything, and gives back what the stream tells of it. */
function write(state: State, changes: Ledger.Changes): readonly ControlRecord[] {
  const { decisionId, rows, items, incidents, causes, alerts, held = [], graces = [] } = changes;
  const { heartbeat, policy, proposals = [], draftPolicy, entries = [] } = changes;
  const records: ControlRecord[] = [];
  remember(state.decisions, decisionId);
  for (const { row } of rows) state.rows.set(row.rowId, row);
  for (const { key, item } of items) state.items.set(key, item);
  for (const write of held) {
    const key = `${Queue.keyOf(write.held)}|${write.held.rowId}`;
    if (write.change === 'put') state.held.set(key, write.held);
    else state.held.delete(key);
  }
  for (const { grace, change } of graces) {
    const key = `${grace.untilMs}|${grace.rowId}`;
    if (change === 'put') state.graces.set(key, grace);
    else state.graces.delete(key);
  }
  if (heartbeat) state.health.heartbeat = heartbeat;
  for (const { incident, expected } of incidents) {
    state.incidents.set(incident.incidentId, incident);
    if (expected === 'absent') records.push({ type: 'incident-opened', incident });
    else if (incident.state === 'closed') records.push({ type: 'incident-closed', incident });
    else if (incident.resuming) records.push({ type: 'incident-resuming', incident });
    else records.push({ type: 'incident-changed', incident });
  }
  for (const cause of causes) {
    if (addCause(state, cause)) records.push({ type: 'cause-added', ...cause });
  }
  for (const alert of alerts) {
    if (state.alerts.has(alert.alertId)) continue;
    state.alerts.set(alert.alertId, alert);
    records.push({ type: 'alert-raised', alert });
  }
  for (const { proposal } of proposals) {
    state.proposals.set(proposal.proposalId, proposal);
    records.push({ type: 'proposal-changed', proposal });
  }
  if (draftPolicy && !state.drafts.has(draftPolicy.hash)) {
    state.drafts.set(draftPolicy.hash, draftPolicy);
  }
  if (policy) {
    state.policies.set(policy.version, policy);
    records.push({ type: 'policy-applied', policy });
  }
  records.push(...entries.flatMap((entry) => putEntry(state, entry)));
  return records;
}

/** Whether it is new. */
function addCause(state: State, write: Ledger.CauseWrite): boolean {
  const { incidentId, number, cause } = write;
  const causes = state.causes.get(incidentId) ?? new Map();
  if (causes.has(number)) return false;
  state.causes.set(incidentId, causes.set(number, cause));
  return true;
}

function remember(decisions: Set<string>, decisionId: string): void {
  decisions.add(decisionId);
  if (decisions.size <= DECISIONS_MAX) return;
  for (const oldest of decisions) {
    decisions.delete(oldest);
    return;
  }
}
