/** Holds the stored meters against the rows, by the naive reference. */

import { expect } from 'vitest';
import type * as Ledger from '../../lib/domain/ledger.ts';
import { shortHash } from './builders.ts';
import { rebuild, type Total } from './oracle.ts';

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
