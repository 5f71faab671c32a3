/**
 * Holding a withdrawal: it keeps its place by age, and what comes later goes before it only where
 * that does not make it wait longer.
 */

import * as Charge from './charge.ts';
import * as Draft from './draft.ts';
import * as Enforce from './enforce.ts';
import * as Evaluate from './evaluate.ts';
import type * as Ledger from './ledger.ts';
import * as Policy from './policy.ts';
import * as Queue from './queue.ts';
import * as Scope from './scope.ts';
import * as Step from './step.ts';
import type { Refusal } from './verdict.ts';
import * as Withdrawal from './withdrawal.ts';

type Items = ReadonlyMap<Scope.Key, Ledger.Item>;
/** A limit that refuses, or what a step allows of it, in its scope. */
type Gate = { readonly limit: Step.Bound; readonly scope: Scope.Scope };

/** How often people hear of a queue whose limit the policy does not know any more. */
const QUEUE_TOLD_EVERY_MS = 3_600_000;

/** What some money needs of a limit's window in a scope, in the limit's unit. */
export function need(draft: Draft.Draft, resolved: Policy.Resolved, gate: Gate): bigint {
  const { metric } = gate.limit;
  if (metric === 'single') return Enforce.notionalOf(resolved);
  const { subject, legs } = resolved;
  const charges = Charge.charges({ subject, legs, withdrawals: 1 }, draft.context.shortHash);
  const charge = charges.get(Scope.key(gate.scope));
  if (metric === 'assets') return BigInt(new Set(charge?.assets).size);
  return BigInt(charge?.[metric] ?? 0);
}

/** The numbers of a refusal: what the limit allows, what is used, and when there is room again. */
export function numbers(
  draft: Draft.Draft,
  { limit, scope }: Gate,
  about: { readonly need: bigint; readonly uncharged: Items },
): Required<Pick<Refusal, 'limit'>> & Pick<Refusal, 'capacityAtMs'> {
  const key = Scope.key(scope);
  const item = about.uncharged.get(key);
  const at = { nowMs: draft.atMs, widenMs: Policy.widenMs(draft.context.policy, scope) };
  const { used, headroom } = Evaluate.use(item, limit, { scope: key, ...at });
  const capacityAtMs = Evaluate.capacityAtMs(item, limit, { need: about.need, ...at });
  const { limitId, allowed } = limit;
  return {
    limit: { limitId, scope: key, used, allowed, headroom },
    ...(capacityAtMs === undefined ? {} : { capacityAtMs }),
  };
}

/** A refusal that makes its withdrawal wait, and where; without places a person has to let it go. */
export type Wait = { readonly refusal: Refusal; readonly places?: readonly Queue.Place[] };

/**
 * Why money that fits has to wait nevertheless: an older withdrawal waits for the same window, and
 * would wait longer for it (the rule of backfilling with one reservation: D. Lifka, "The ANL/IBM SP
 * scheduling system", 1995). What leaves that one its room, at the time when it goes, goes on; so does
 * everything while something else than room stops that one.
 *
 * @param about.uncharged items before the money was charged; the draft holds them after it.
 */
export function behind(
  draft: Draft.Draft,
  about: {
    readonly withdrawalId: string;
    readonly heldAtMs: number;
    readonly resolved: Policy.Resolved;
    readonly uncharged: Items;
  },
): Wait | undefined {
  const { withdrawalId, heldAtMs, resolved, uncharged } = about;
  const me = { rowId: Withdrawal.withdrawalRowId(withdrawalId), heldAtMs };
  for (const asWritten of Queue.gates(draft.context.policy, resolved)) {
    const gate = inForce(draft, asWritten);
    const scope = Scope.key(gate.scope);
    const { limitId } = gate.limit;
    if (Queue.waiting(uncharged.get(scope), limitId) === 0) continue;
    const head = ahead(draft, { limitId, scope }, me).find((each) => !Queue.isStopped(each));
    if (!head || leavesRoom(draft, gate, { head, uncharged })) continue;
    const own = need(draft, resolved, gate);
    const text = `waits for room behind an older withdrawal: limit ${limitId} on ${scope}`;
    const refusal: Refusal = {
      kind: 'hold',
      withdrawalId,
      reason: 'queue',
      text,
      provisional: true,
      scope,
      ...numbers(draft, gate, { need: own, uncharged }),
    };
    return { refusal, places: placesOf(draft, resolved) };
  }
  return undefined;
}

/**
 * The places of some money that has to wait: one for each limit over a window that holds, also those
 * that have room for it now, or others would take it meanwhile. None where time alone brings no room,
 * since it is more than a whole limit or than a single withdrawal may be: it stands in nobody's way.
 */
export function placesOf(draft: Draft.Draft, resolved: Policy.Resolved): readonly Queue.Place[] {
  const all = Queue.holds(draft.context.policy, resolved);
  const needs = new Map(all.map((gate) => [gate, need(draft, resolved, gate)]));
  // What a share allows changes with the balance: it is tried again.
  const isBeyond = (gate: Queue.Gate) => {
    const least = (needs.get(gate) ?? 0n) > gate.limit.allowed && !gate.limit.share;
    // An overlay goes again; an allowance lets it go as long as it holds.
    return least && (needs.get(gate) ?? 0n) > inForce(draft, gate).limit.allowed;
  };
  if (all.some(isBeyond)) return [];
  return all
    .filter(({ limit }) => limit.metric !== 'single')
    .slice(0, Queue.PLACES_MAX)
    .map((gate) => {
      const { limit, scope } = gate;
      return { limitId: limit.limitId, scope: Scope.key(scope), need: needs.get(gate) ?? 0n };
    });
}

/**
 * Puts a withdrawal into its queues, or leaves it there, and says since when and at which place it
 * waits. Only what differs is written, with the age that it has. One that is charged already keeps
 * its charge instead: what was signed may still leave.
 */
export function hold(
  draft: Draft.Draft,
  ask: { readonly withdrawal: Withdrawal.Withdrawal; readonly bodyHash: string },
  { refusal, places = [] }: Wait,
): Refusal {
  const rowId = Withdrawal.rowId(ask.withdrawal);
  const row = Draft.row(draft, rowId);
  if (row && row.state !== 'held') return refusal;
  const before = Queue.heldOf(row);
  const heldAtMs = before[0]?.heldAtMs ?? youngestAtMs(draft, places);
  const goesAtMs = roomAtMs(draft, { places, known: before[0]?.goesAtMs });
  const known = goesAtMs === undefined ? {} : { goesAtMs };
  const held = Queue.entries({ rowId, heldAtMs, ...known }, places);
  const [gone, come] = [missing(before, held), missing(held, before)];
  if (gone.length + come.length > 0) {
    const { transfer } = ask.withdrawal;
    const { subject } = Policy.resolve(draft.context.policy, transfer);
    for (const one of gone) Draft.dequeue(draft, one);
    for (const one of come) Draft.enqueue(draft, one);
    // Who asks may name another customer than before.
    if (row?.money) Draft.countOutstanding(draft, row.money.subject, -1);
    Draft.countOutstanding(draft, subject, 1);
    Draft.putRow(draft, {
      rowId,
      state: 'held',
      bodyHash: ask.bodyHash,
      atMs: heldAtMs,
      ...(places.length > 0 ? { places } : {}),
      ...known,
      money: { transfer, subject, charged: [], chargedAtMs: heldAtMs },
    });
  }
  return waiting(draft, held, refusal);
}

/**
 * Something else than room stops a withdrawal that is held: it keeps its place and its age, and
 * nobody waits for it until it is tried again and only room is missing.
 */
export function stop(draft: Draft.Draft, row: Ledger.Row | undefined): void {
  if (row?.state !== 'held' || row.goesAtMs === undefined) return;
  const { goesAtMs: _, ...stopped } = row;
  const queues = new Map(draft.queues);
  for (const one of Queue.heldOf(row)) Draft.dequeue(draft, one);
  for (const one of Queue.heldOf(stopped)) {
    Draft.enqueue(draft, one);
    // Of a queue that is not read nobody knows who stands in it.
    const key = Queue.keyOf(one);
    if (!queues.has(key)) draft.queues.delete(key);
  }
  Draft.putRow(draft, stopped);
}

/** When every window has room for what it needs there; what is past stays as it was known. */
function roomAtMs(
  draft: Draft.Draft,
  about: { readonly places: readonly Queue.Place[]; readonly known: number | undefined },
): number | undefined {
  const { places, known } = about;
  if (places.length === 0) return undefined;
  const atMs = latest(places.map((place) => roomForAll(draft, place, [])));
  if (atMs === undefined || atMs > draft.atMs) return atMs;
  return known !== undefined && known <= draft.atMs ? known : draft.atMs;
}

/**
 * Takes a withdrawal out of its queues, if its row says that it stands in any. The caller puts the
 * row. While it waits it counts as open for its actor, or one customer could fill the queue.
 */
export function leave(draft: Draft.Draft, row: Ledger.Row | undefined): void {
  const held = Queue.heldOf(row);
  if (held.length === 0 || !row?.money) return;
  for (const one of held) Draft.dequeue(draft, one);
  Draft.countOutstanding(draft, row.money.subject, -1);
}

/** Withdrawals wait for room that is kept for an older one: people hear of it once per limit and window. */
export function queueAlert(draft: Draft.Draft, refusal: Refusal): Ledger.Alert {
  const { policy } = draft.context;
  const { withdrawalId, text, limit, scope = Scope.GLOBAL_KEY } = refusal;
  const rule = policy.limits.find(({ limitId }) => limitId === limit?.limitId);
  const period = Math.floor(draft.atMs / (rule?.windowMs || QUEUE_TOLD_EVERY_MS));
  return {
    alertId: `queue|${limit?.limitId}|${scope}|${period}`,
    kind: 'held',
    atMs: draft.atMs,
    scope,
    rowId: Withdrawal.withdrawalRowId(withdrawalId),
    text: `withdrawal ${withdrawalId} ${text}; see: breakwater withdrawal held`,
  };
}

/** Who comes now stands behind all who wait there, whatever its id and the clock of this host say. */
function youngestAtMs(draft: Draft.Draft, places: readonly Queue.Place[]): number {
  const last = places.map((place) => draft.queues.get(Queue.key(place))?.at(-1)?.heldAtMs ?? 0);
  return Math.max(draft.atMs, ...last.map((heldAtMs) => heldAtMs + 1));
}

/**
 * A refusal of a withdrawal that is held, by its entries: since when, the largest of its positions,
 * and when there is room in all its queues for it and all before it, where room is what it lacks.
 */
export function waiting(
  draft: Draft.Draft,
  entries: readonly Queue.Held[],
  refusal: Refusal,
): Refusal {
  const heldSinceMs = entries[0]?.heldAtMs ?? draft.atMs;
  const { capacityAtMs: ofRefusalMs, ...rest } = refusal;
  const lacksRoom = refusal.reason === 'limit' || refusal.reason === 'queue';
  // A queue that no limit of today keeps is not read.
  const queued = entries.flatMap((held) => {
    const { place } = held;
    if (!place || !draft.queues.has(Queue.key(place))) return [];
    return [{ place, before: ahead(draft, place, held) }];
  });
  if (queued.length === 0) {
    return entries.some(({ place }) => place)
      ? { ...refusal, heldSinceMs }
      : { ...rest, heldSinceMs };
  }
  const position = 1 + Math.max(...queued.map(({ before }) => before.length));
  const rooms = queued.map(({ place, before }) => roomForAll(draft, place, before));
  // Of a limit that keeps no queue only the refusal itself knows when there is room.
  const capacityAtMs = lacksRoom ? latest([...rooms, ofRefusalMs]) : undefined;
  return {
    ...rest,
    heldSinceMs,
    ...(position <= Queue.LOOKED_AT_MAX ? { position } : {}),
    ...(capacityAtMs === undefined ? {} : { capacityAtMs }),
  };
}

/** The last of some times; unknown where one of them is. */
function latest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length < times.length ? undefined : Math.max(...known);
}

function roomForAll(
  draft: Draft.Draft,
  place: Queue.Place,
  before: readonly Queue.Held[],
): number | undefined {
  const { policy } = draft.context;
  const rule = policy.limits.find(({ limitId }) => limitId === place.limitId);
  if (!rule) return undefined;
  // Not parsed: what is charged may have a longer key than an operator may type.
  const scope = { kind: rule.scope, id: place.scope.slice(rule.scope.length + 1) };
  const { limit } = inForce(draft, { limit: Policy.standing(policy, rule, scope), scope });
  const widenMs = Policy.widenMs(policy, scope);
  const all = before.reduce((sum, each) => sum + (each.place?.need ?? 0n), place.need);
  const at = { need: all, nowMs: draft.atMs, widenMs };
  return Evaluate.capacityAtMs(Draft.item(draft, place.scope), limit, at);
}

/** Who stands before a withdrawal in a queue, oldest first. */
function ahead(
  draft: Draft.Draft,
  place: Pick<Queue.Place, 'limitId' | 'scope'>,
  me: Queue.Held,
): readonly Queue.Held[] {
  const queue = draft.queues.get(Queue.key(place)) ?? [];
  return queue.filter((each) => each.rowId !== me.rowId && Queue.byAge(each, me) < 0);
}

/** Whether the money that has just been charged leaves the oldest one its room at the time when it goes. */
function leavesRoom(
  draft: Draft.Draft,
  { limit, scope }: Queue.Gate,
  about: { readonly head: Queue.Held; readonly uncharged: Items },
): boolean {
  if (limit.metric === 'single') return true;
  const key = Scope.key(scope);
  const widenMs = Policy.widenMs(draft.context.policy, scope);
  const { place, goesAtMs = 0 } = about.head;
  const needed = place?.need ?? 0n;
  if (!leavesStep(draft, { limit, scope }, { needed, uncharged: about.uncharged })) return false;
  const at = { need: needed, nowMs: draft.atMs, widenMs };
  const hereAtMs = Evaluate.capacityAtMs(about.uncharged.get(key), limit, at);
  // No time brings it room: it does not wait for this window any more.
  if (hereAtMs === undefined) return true;
  // It may have to wait longer for another window; what leaves this one before is in nobody's way.
  const nowMs = Math.max(hereAtMs, goesAtMs);
  return Evaluate.used(Draft.item(draft, key), limit, { widenMs, nowMs }) + needed <= limit.allowed;
}

/**
 * Whether it leaves the oldest one its room in the step of a resume. One that has none there goes in a
 * later step at the earliest, where it is tried first: what leaves in this one is not in its way.
 */
function leavesStep(
  draft: Draft.Draft,
  { limit, scope }: Queue.Gate,
  about: { readonly needed: bigint; readonly uncharged: Items },
): boolean {
  const item = Draft.item(draft, Scope.key(scope));
  const bound = Step.boundOf(item, { scope, limit });
  if (!bound) return true;
  const at = { nowMs: draft.atMs, widenMs: 0 };
  const hasRoom = (of: Ledger.Item | undefined) =>
    Evaluate.used(of, bound, at) + about.needed <= bound.allowed;
  return !hasRoom(about.uncharged.get(Scope.key(scope))) || hasRoom(item);
}

/** A limit with what people have agreed on in its scope. */
function inForce(draft: Draft.Draft, { limit, scope }: Queue.Gate): Queue.Gate {
  const item = Draft.item(draft, Scope.key(scope));
  return { limit: Evaluate.inForce(limit, item, draft.atMs), scope };
}

/** Those of `some` that are not among `others`, or are there with another need or time. */
function missing(
  some: readonly Queue.Held[],
  others: readonly Queue.Held[],
): readonly Queue.Held[] {
  const known = new Map(others.map((one) => [Queue.keyOf(one), one]));
  return some.filter((one) => {
    const other = known.get(Queue.keyOf(one));
    return other?.place?.need !== one.place?.need || other?.goesAtMs !== one.goesAtMs || !other;
  });
}
