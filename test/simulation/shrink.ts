/** Makes a failing schedule small: operations are left out one by one, as long as the same promise is broken. */

import { planOf } from './plan.ts';
import { simulate } from './simulate.ts';

/** Passes over the operations, at most. */
const PASSES_MAX = 5;

/** The numbers of the operations that the failure needs, in order. */
export async function shrink(seed: number, promise: string): Promise<readonly number[]> {
  let kept = [...planOf(seed).operations.keys()];
  const fails = async (keep: readonly number[]) => {
    const { violations } = await simulate(seed, keep);
    return violations.some((one) => one.promise === promise);
  };
  for (let pass = 1; pass <= PASSES_MAX; pass += 1) {
    const before = kept.length;
    for (const each of kept) {
      const without = kept.filter((one) => one !== each);
      if (without.length > 0 && (await fails(without))) kept = without;
    }
    if (kept.length === before) break;
  }
  return kept;
}
