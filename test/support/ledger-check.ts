/** Holds the stored meters against the rows, by the naive reference. */

import { expect } from 'vitest';
import type * as Ledger from '../../lib/domain/ledger.ts';
import { shortHash } from './builders.ts';
import { rebuild, STEPS, type Total } from './oracle.ts';

/** Meters as they are, in the form of the reference: scope → `step:index` → totals. */
function stored(loaded: Ledger.Loaded): Record<string, Record<string, unknown>> {
  const meters: Record<string, Record<string, unknown>> = {};
  for (const [key, { meter }] of loaded.items) {
    if (meter.newestMs === 0) continue;
    const slots = meter.steps.flatMap((step, position) =>
      step.map(({ index, ...totals }) => [`${position}:${index}`, totals] as const),
    );
    meters[key] = Object.fromEntries(slots);
  }
  return meters;
}

/** A sum stops at the largest `uint256`. */
function saturated(total: Total): Total {
  const cut = (value: bigint) => (value < 2n ** 256n ? value : 2n ** 256n - 1n);
  return { ...total, notional: cut(total.notional), amount: cut(total.amount) };
}

/** Every slot of every meter is the sum of what the rows were charged, no more and no less. */
export function expectMetersToBeSums(loaded: Ledger.Loaded): void {
  const sums = [...rebuild(loaded.rows.values(), shortHash)].map(
    ([key, slots]) =>
      [
        key,
        Object.fromEntries([...slots].map(([slot, total]) => [slot, saturated(total)])),
      ] as const,
  );
  expect(stored(loaded)).toEqual(Object.fromEntries(sums));
}

/**
 * The same where charges were given back or have moved: a slot may be left empty, and keeps assets
 * that it was told of. Slots that have left the ladder are not looked for.
 */
export function expectMetersToCover(loaded: Ledger.Loaded): void {
  const sums = rebuild(loaded.rows.values(), shortHash);
  const wrong: string[] = [];
  for (const [key, { meter }] of loaded.items) {
    const rest = new Set(sums.get(key)?.keys());
    for (const [position, step] of meter.steps.entries()) {
      for (const { index, ...has } of step) {
        const name = `${position}:${index}`;
        if (!covers(has, saturated(sums.get(key)?.get(name) ?? NONE))) wrong.push(`${key} ${name}`);
        rest.delete(name);
      }
    }
    for (const name of rest) if (!hasLeft(name, meter.newestMs)) wrong.push(`${key} lost ${name}`);
  }
  expect(wrong).toEqual([]);
  expect([...sums.keys()].filter((key) => !loaded.items.has(key))).toEqual([]);
}

const NONE: Total = { notional: 0n, amount: 0n, count: 0, assets: [] };

/** The same sums, and at least the assets. */
function covers(has: Total, sum: Total): boolean {
  const same =
    has.notional === sum.notional && has.amount === sum.amount && has.count === sum.count;
  return same && sum.assets.every((asset) => has.assets.includes(asset));
}

/** Whether no window, widened by the shipped 40 s, reaches back to the slot any more. */
function hasLeft(slot: string, newestMs: number): boolean {
  const [step = 0, index = 0] = slot.split(':').map(Number);
  const { slotMs = 0, windowMs = 0 } = STEPS[step] ?? {};
  return (index + 1) * slotMs <= newestMs - windowMs - 40_000;
}

/** Every open reservation and every held withdrawal is counted on its actor, and nothing else is. */
export function expectOutstandingToBeRows(loaded: Ledger.Loaded): void {
  const open = new Map<string, number>();
  for (const { state, money } of loaded.rows.values()) {
    if ((state !== 'reserved' && state !== 'held') || !money) continue;
    const key = `actor:${money.subject.actor ?? '%none'}`;
    open.set(key, (open.get(key) ?? 0) + 1);
  }
  const counted = [...loaded.items].flatMap(([key, { outstanding }]) =>
    outstanding === undefined ? [] : [[key, outstanding] as const],
  );
  expect(Object.fromEntries(counted)).toEqual(Object.fromEntries(open));
}
