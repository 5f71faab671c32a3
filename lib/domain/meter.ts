/**
 * The meter: rolling totals of one scope that never under-count.
 *
 * Outflow is kept in slots on a fixed ladder. Every charge is added to the current slot of every
 * step. A window is the sum of the slots of its step that overlap it, **the oldest, partly expired
 * slot counted whole**: at most one slot too much, never too little. So in any true window of
 * length W at most the limit leaves.
 *
 * Time is the caller's; the meter never runs behind its own newest charge.
 */

import * as Money from './money.ts';

/** One step of the ladder: slots of `slotMs`, kept long enough to serve windows up to `windowMs`. */
export type Step = { readonly slotMs: number; readonly windowMs: number };

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * The ladder, finest first: for each window a slot of a tenth of it at most. It is the same for
 * every policy, so that a limit added tomorrow has its history (`docs/decisions/0001-ladder.md`).
 */
export const LADDER: readonly Step[] = [
  { slotMs: 6 * SECOND_MS, windowMs: MINUTE_MS },
  { slotMs: 30 * SECOND_MS, windowMs: 5 * MINUTE_MS },
  { slotMs: 90 * SECOND_MS, windowMs: 15 * MINUTE_MS },
  { slotMs: 6 * MINUTE_MS, windowMs: HOUR_MS },
  { slotMs: 36 * MINUTE_MS, windowMs: 6 * HOUR_MS },
  { slotMs: 144 * MINUTE_MS, windowMs: DAY_MS },
  { slotMs: 16 * HOUR_MS, windowMs: 7 * DAY_MS },
  { slotMs: 72 * HOUR_MS, windowMs: 30 * DAY_MS },
];

/** Distinct assets that one slot tells apart; one more and the slot counts as over every `assets` limit. */
export const ASSETS_MAX = 64;
/** How a set reads that has lost count: which hashes it held is not kept. */
export const SATURATED_ASSETS: readonly number[] = Array.from(
  { length: ASSETS_MAX + 1 },
  (_, position) => position,
);
/** Largest count that a slot holds; it stays there and is over every limit. */
export const COUNT_MAX = 2 ** 40;
/** Meters of `destination` and `actor` expire after this much silence: longer than the longest window. */
export const SILENCE_MS = 33 * DAY_MS;

/** The outflow of one slot. `index` is `floor(time / slotMs)`; `assets` are short hashes, ascending. */
export type Slot = {
  readonly index: number;
  readonly notional: bigint;
  readonly amount: bigint;
  readonly count: number;
  readonly assets: readonly number[];
};

/** Rolling totals of one scope: per step of {@link LADDER} its slots, newest first. */
export type Meter = {
  /** Time of the newest charge, in ms; 0 for a meter without one. */
  readonly newestMs: number;
  readonly steps: readonly (readonly Slot[])[];
};

/**
 * Where a count "since" begins: its time, and per step of {@link LADDER} what the slot of that time
 * held already. Slots before it are ignored; a total that is subtracted instead would give budget
 * back as slots expire.
 */
export type Mark = {
  readonly atMs: number;
  readonly held: readonly Pick<Slot, 'notional' | 'amount' | 'count'>[];
};

/** What one event adds to one scope. `amount` is 0 where the scope spans several assets. */
export type Charge = {
  readonly notional: bigint;
  readonly amount: bigint;
  readonly count: number;
  readonly assets: readonly number[];
};

/** The metrics that are summed over a window. */
export type Metric = 'notional' | 'amount' | 'count' | 'assets';

/** The longest window that the ladder serves: over it a mark counts everything that came after it. */
export const LONGEST_MS = Math.max(...LADDER.map((step) => step.windowMs));

/** A meter without outflow. */
export const EMPTY: Meter = { newestMs: 0, steps: LADDER.map(() => []) };

/** The step that serves windows of this length: the finest that reaches back far enough. */
export function stepFor(windowMs: number): Step | undefined {
  return LADDER.find((step) => step.windowMs >= windowMs);
}

/** How much a window may be widened on its step: what the step keeps beyond its longest window. */
export function wideningMaxMs(step: Step): number {
  return Math.min(Math.max(MINUTE_MS, Math.ceil(0.3 * step.windowMs)), 17 * MINUTE_MS);
}

/**
 * Adds a charge at `atMs`, or at the newest charge if that is later, and forgets slots that no
 * window reaches any more. Sums saturate at {@link Money.MAX} and never wrap.
 */
export function charge(meter: Meter, added: Charge, atMs: number): Meter {
  const timeMs = Math.max(atMs, meter.newestMs);
  const steps = LADDER.map((step, position) => {
    const index = Math.floor(timeMs / step.slotMs);
    const slots = keep(meter.steps[position] ?? [], step, timeMs);
    const [newest, ...older] = slots;
    if (newest?.index === index) return [addTo(newest, added), ...older];
    return [addTo({ index, notional: 0n, amount: 0n, count: 0, assets: [] }, added), ...slots];
  });
  return { newestMs: timeMs, steps };
}

/**
 * Takes a charge back out of exactly the slots that it was added to. A slot that has left the
 * ladder, or that is saturated, is left alone: giving back never makes room that was not there.
 * Assets stay in their slot, since another charge may have named them too.
 */
export function giveBack(meter: Meter, taken: Charge, chargedAtMs: number): Meter {
  const steps = LADDER.map((step, position) => {
    const index = Math.floor(chargedAtMs / step.slotMs);
    return (meter.steps[position] ?? []).map((slot) =>
      slot.index === index ? subtractFrom(slot, taken) : slot,
    );
  });
  return { newestMs: meter.newestMs, steps };
}

/** Sets a mark at `atMs`, or at the newest charge if that is later: everything charged so far lies before it. */
export function mark(meter: Meter, atMs: number): Mark {
  const timeMs = Math.max(atMs, meter.newestMs);
  const held = LADDER.map(({ slotMs }, position) => {
    const index = Math.floor(timeMs / slotMs);
    const slot = meter.steps[position]?.find((each) => each.index === index);
    const { notional = 0n, amount = 0n, count = 0 } = slot ?? {};
    return { notional, amount, count };
  });
  return { atMs: timeMs, held };
}

/**
 * A mark after {@link giveBack} of the same charge. What was charged before the mark is not held
 * before it any more, or taking it back would make room for what came after. Of the mark's own
 * millisecond nobody knows on which side a charge was: it is taken from before the mark, so that the
 * count since it is never too low.
 */
export function lowerMark(set: Mark, taken: Charge, chargedAtMs: number): Mark {
  if (chargedAtMs > set.atMs) return set;
  const held = LADDER.map(({ slotMs }, position) => {
    const index = Math.floor(chargedAtMs / slotMs);
    const before = { ...(set.held[position] ?? NOTHING_HELD), index, assets: [] };
    const isSame = index === Math.floor(set.atMs / slotMs);
    const { notional, amount, count } = isSame ? subtractFrom(before, taken) : before;
    return { notional, amount, count };
  });
  return { ...set, held };
}

/** A window that ends at `nowMs`, widened by `widenMs`. With `since` it counts what came after the mark only. */
export type Window = {
  readonly metric: Metric;
  readonly windowMs: number;
  readonly widenMs: number;
  readonly nowMs: number;
  readonly since?: Mark | undefined;
};

/**
 * The outflow of the window that ends at `nowMs`, widened by `widenMs`; gross, never net.
 * Counts at least everything charged in `[nowMs − windowMs − widenMs, nowMs]`, at most one slot
 * more. After a mark: everything of it that came after the mark, and of sums nothing that came
 * before; which assets the mark's slot held before nobody can tell, so they count.
 * Fail direction: closed, a window longer than the ladder counts as {@link Money.MAX}, and so does a
 * saturated slot, whatever a mark says of it.
 */
export function outflow(meter: Meter, window: Window): bigint {
  const position = LADDER.findIndex((step) => step.windowMs >= window.windowMs);
  const step = LADDER[position];
  if (!step || window.widenMs > wideningMaxMs(step)) return Money.MAX;
  const timeMs = Math.max(window.nowMs, meter.newestMs);
  const reachesMs = timeMs - window.windowMs - window.widenMs;
  const oldest = Math.floor(Math.max(reachesMs, window.since?.atMs ?? reachesMs) / step.slotMs);
  const slots = (meter.steps[position] ?? []).filter((slot) => slot.index >= oldest);
  const total = sum(slots, window.metric);
  if (!window.since || window.metric === 'assets' || total >= Money.MAX) return total;
  if (oldest > Math.floor(window.since.atMs / step.slotMs)) return total;
  const before = BigInt(window.since.held[position]?.[window.metric] ?? 0);
  return total > before ? total - before : 0n;
}

/**
 * When the window holds no more than `room`, if nothing else is charged until then: now, or when the
 * slot in the way has left it. `undefined`: no time brings that room.
 */
export function capacityAtMs(meter: Meter, window: Window, room: bigint): number | undefined {
  const fits = (atMs: number) => outflow(meter, { ...window, nowMs: atMs }) <= room;
  const nowMs = Math.max(window.nowMs, meter.newestMs);
  if (fits(nowMs)) return nowMs;
  const position = LADDER.findIndex((step) => step.windowMs >= window.windowMs);
  const { slotMs } = LADDER[position] ?? { slotMs: 0 };
  const leavingMs = (meter.steps[position] ?? [])
    .map((slot) => (slot.index + 1) * slotMs + window.windowMs + window.widenMs)
    .filter((atMs) => atMs > nowMs);
  return leavingMs.sort((left, right) => left - right).find(fits);
}

/** Distinct assets over slots and one more event; {@link Money.MAX} once a slot has lost count. */
export function distinctAssets(slots: readonly (readonly number[])[]): bigint {
  const distinct = new Set<number>();
  for (const assets of slots) {
    if (assets.length > ASSETS_MAX) return Money.MAX;
    for (const asset of assets) distinct.add(asset);
  }
  return BigInt(distinct.size);
}

const NOTHING_HELD = { notional: 0n, amount: 0n, count: 0 };

function sum(slots: readonly Slot[], metric: Metric): bigint {
  if (metric === 'assets') return distinctAssets(slots.map((slot) => slot.assets));
  if (metric === 'count' && slots.some((slot) => slot.count >= COUNT_MAX)) return Money.MAX;
  return slots.reduce((total, slot) => Money.add(total, BigInt(slot[metric])), 0n);
}

/** The slots of a step that any window reaches at a time. */
export function keep(slots: readonly Slot[], step: Step, timeMs: number): readonly Slot[] {
  const oldest = Math.floor((timeMs - step.windowMs - wideningMaxMs(step)) / step.slotMs);
  return slots.filter((slot) => slot.index >= oldest);
}

function addTo(slot: Slot, added: Charge): Slot {
  if (added.notional < 0n || added.amount < 0n || added.count < 0) {
    throw new NegativeChargeError({ charge: added });
  }
  return {
    index: slot.index,
    notional: Money.add(slot.notional, added.notional),
    amount: Money.add(slot.amount, added.amount),
    count: Math.min(slot.count + added.count, COUNT_MAX),
    assets: union(slot.assets, added.assets),
  };
}

function subtractFrom(slot: Slot, taken: Charge): Slot {
  const lower = (from: bigint, by: bigint) => {
    if (from === Money.MAX) return from;
    return from > by ? from - by : 0n;
  };
  return {
    index: slot.index,
    notional: lower(slot.notional, taken.notional),
    amount: lower(slot.amount, taken.amount),
    count: slot.count === COUNT_MAX ? COUNT_MAX : Math.max(slot.count - taken.count, 0),
    assets: slot.assets,
  };
}

function union(a: readonly number[], b: readonly number[]): readonly number[] {
  if (a.length > ASSETS_MAX || b.every((asset) => a.includes(asset))) return a;
  const distinct = [...new Set([...a, ...b])].sort((left, right) => left - right);
  return distinct.length > ASSETS_MAX ? SATURATED_ASSETS : distinct;
}

/** A charge would lower a meter. */
export class NegativeChargeError extends Error {
  override readonly name = 'Meter.NegativeChargeError';
  constructor(details: { readonly charge: Charge }) {
    const { notional, amount, count } = details.charge;
    super(`charge of notional ${notional}, amount ${amount}, count ${count} must not be negative`);
  }
}
