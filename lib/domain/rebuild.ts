/**
 * Meters recomputed from the ledger's rows: what each row was charged, added up slot by slot. Rows are
 * the record, meters are sums of them; where they disagree, one of the two was lost or changed.
 */

import { charges } from './charge.ts';
import type * as Ledger from './ledger.ts';
import * as Matching from './matching.ts';
import * as Meter from './meter.ts';
import * as Money from './money.ts';
import type * as Scope from './scope.ts';

/** Sums of a slot; `Meter.Slot` without its place. */
type Total = Omit<Meter.Slot, 'index'>;

/** Sums by scope, then by step of the ladder and slot (`step:index`). */
export type Rebuilt = ReadonlyMap<Scope.Key, ReadonlyMap<string, Total>>;

/** Where a meter and the rows disagree. `lower`: the meter holds less than the rows say left. */
export type Difference = {
  readonly scope: Scope.Key;
  readonly step: number;
  readonly index: number;
  readonly lower: boolean;
  readonly text: string;
};

const NONE: Total = { notional: 0n, amount: 0n, count: 0, assets: [] };
/** States of rows whose charge was given back and stands in the row all the same. */
const GIVEN_BACK: ReadonlySet<Ledger.RowState> = new Set(['failed', 'cancelled', 'replaced']);

/** Adds up what rows were charged and was not given back. */
export function rebuild(rows: readonly Ledger.Row[], shortHash: (text: string) => number): Rebuilt {
  const late = new Set(rows.filter(isLate).map(({ rowId }) => rowId));
  const sums = new Map<Scope.Key, Map<string, Total>>();
  for (const row of rows) {
    const { money, state } = row;
    if (!money || GIVEN_BACK.has(state)) continue;
    const withdrawals = isFee(row, late) ? 0 : 1;
    const { subject, charged: legs, chargedAtMs } = money;
    for (const [scope, added] of charges({ subject, legs, withdrawals }, shortHash)) {
      const slots = sums.get(scope) ?? new Map<string, Total>();
      sums.set(scope, slots);
      addTo(slots, added, chargedAtMs);
    }
  }
  return sums;
}

/**
 * Every slot in which a meter differs from the rows. Slots that have left the ladder are not looked
 * for, and a slot may name more assets than the rows: what was given back leaves its name.
 */
export function differences(
  items: ReadonlyMap<Scope.Key, Ledger.Item>,
  rebuilt: Rebuilt,
): readonly Difference[] {
  return [...new Set([...items.keys(), ...rebuilt.keys()])].flatMap((scope) => {
    const meter = items.get(scope)?.meter ?? Meter.EMPTY;
    const live = slotsOf(meter);
    const sums = rebuilt.get(scope) ?? new Map<string, Total>();
    return [...new Set([...live.keys(), ...sums.keys()])].flatMap((slot): readonly Difference[] => {
      const [step = 0, index = 0] = slot.split(':').map(Number);
      const has = live.get(slot) ?? NONE;
      const sum = sums.get(slot) ?? NONE;
      if (isCovered(has, sum) || (!live.has(slot) && hasLeft(meter, { step, index }))) return [];
      const text = `${scope}, step ${step}, slot ${index}: the meter has ${textOf(has)}, the rows sum up to ${textOf(sum)}`;
      return [{ scope, step, index, lower: isLower(has, sum), text }];
    });
  });
}

/**
 * The item with every slot raised to what the rows say; never lowered, so that a rebuild can give no
 * budget back. Of an item that is missing, one with nothing but the rows' sums.
 */
export function raised(item: Ledger.Item, sums: ReadonlyMap<string, Total>): Ledger.Item {
  const live = slotsOf(item.meter);
  let { newestMs } = item.meter;
  const steps = Meter.LADDER.map((rung, step) => {
    const names = [...new Set([...live.keys(), ...sums.keys()])].filter((name) =>
      name.startsWith(`${step}:`),
    );
    const slots = names.map((name): Meter.Slot => {
      const index = Number(name.split(':')[1]);
      return { index, ...higher(live.get(name) ?? NONE, sums.get(name) ?? NONE) };
    });
    // The finest step places the newest charge best; a meter's time never runs back.
    if (step === 0) {
      for (const { index } of slots) newestMs = Math.max(newestMs, index * rung.slotMs);
    }
    // Rows are kept for longer than any window reaches back; a meter with all their slots is too long.
    const reached = Meter.keep(slots, rung, newestMs);
    return [...reached].sort((left, right) => right.index - left.index);
  });
  return { ...item, meter: { newestMs, steps } };
}

/** A withdrawal that was reported after its outflow was seen, which carries the charge of both. */
function isLate({ rowId, money }: Ledger.Row): boolean {
  return rowId.startsWith('withdrawal:') && money?.charged.length === 0;
}

/** What an outflow was charged is no withdrawal where that was counted on its own row. */
function isFee(row: Ledger.Row, late: ReadonlySet<string>): boolean {
  if (row.state === 'kept') return true;
  if (row.state !== 'matched' || !row.rowId.startsWith('outflow:')) return false;
  return !Matching.linked(row).some((rowId) => late.has(rowId));
}

function addTo(slots: Map<string, Total>, added: Meter.Charge, atMs: number): void {
  for (const [step, { slotMs }] of Meter.LADDER.entries()) {
    const name = `${step}:${Math.floor(atMs / slotMs)}`;
    const sofar = slots.get(name) ?? NONE;
    slots.set(name, {
      notional: Money.add(sofar.notional, added.notional),
      amount: Money.add(sofar.amount, added.amount),
      count: Math.min(sofar.count + added.count, Meter.COUNT_MAX),
      assets: union(sofar.assets, added.assets),
    });
  }
}

function union(left: readonly number[], right: readonly number[]): readonly number[] {
  const all = [...new Set([...left, ...right])].sort((a, b) => a - b);
  return all.length > Meter.ASSETS_MAX ? Meter.SATURATED_ASSETS : all;
}

function slotsOf(meter: Meter.Meter): ReadonlyMap<string, Total> {
  return new Map(
    meter.steps.flatMap((slots, step) =>
      slots.map(({ index, ...total }) => [`${step}:${index}`, total] as const),
    ),
  );
}

function isCovered(has: Total, sum: Total): boolean {
  const same =
    has.notional === sum.notional && has.amount === sum.amount && has.count === sum.count;
  const lost = has.assets.length > Meter.ASSETS_MAX;
  return same && (lost || sum.assets.every((asset) => has.assets.includes(asset)));
}

function isLower(has: Total, sum: Total): boolean {
  const { notional, amount, count } = higher(has, sum);
  return has.notional < notional || has.amount < amount || has.count < count;
}

function higher(has: Total, sum: Total): Total {
  const most = (left: bigint, right: bigint) => (left > right ? left : right);
  return {
    notional: most(has.notional, sum.notional),
    amount: most(has.amount, sum.amount),
    count: Math.max(has.count, sum.count),
    assets: union(has.assets, sum.assets),
  };
}

/** Whether no window of the step reaches back to a slot any more: only then may a meter forget it. */
function hasLeft(
  meter: Meter.Meter,
  at: { readonly step: number; readonly index: number },
): boolean {
  const step = Meter.LADDER[at.step];
  if (!step) return true;
  return (at.index + 1) * step.slotMs <= meter.newestMs - step.windowMs;
}

function textOf({ notional, amount, count, assets }: Total): string {
  return `${notional} / ${amount} / ${count} / [${assets.join(' ')}]`;
}
