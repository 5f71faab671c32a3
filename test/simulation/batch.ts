/** Many schedules one after the other, and what they came to together. */

import { type Result, simulate } from './simulate.ts';
import type { Counts, Violation } from './witness.ts';

/** What a witness counts and schedules add up. */
const COUNTED = [
  'commits',
  'evaluations',
  'crossings',
  'earlyTrips',
  'allows',
  'stepsBegun',
  'stepAllows',
  'reopenings',
  'ceremonies',
  'sighted',
  'tightened',
  'loosened',
] as const satisfies readonly (keyof Counts)[];
const SUMMED = ['schedules', 'steps', ...COUNTED, 'failures'] as const;
type Sums = { readonly [Name in (typeof SUMMED)[number]]: number };

/** Sums over schedules, as plain numbers so that they can travel between processes. */
export type Totals = Sums & {
  readonly overCountMaxMicroUsd: number;
  /** Seeds that failed, the first ones of them, and what was wrong. */
  readonly failed: readonly { readonly seed: number; readonly violations: readonly Violation[] }[];
};

/** Failed seeds that are kept in full. */
const KEPT_MAX = 10;

/** Nothing yet. */
export function noTotals(): Totals {
  return { ...sumsOf(() => 0), overCountMaxMicroUsd: 0, failed: [] };
}

/** Runs `schedules` seeds from `seed` on, each `stride` further; ends early when `onProgress` says no. */
export async function runBatch(
  batch: { readonly seed: number; readonly schedules: number; readonly stride?: number },
  onProgress: (totals: Totals) => boolean = () => true,
): Promise<Totals> {
  let totals = noTotals();
  const { seed, schedules, stride = 1 } = batch;
  for (let at = 0; at < schedules; at += 1) {
    totals = together(totals, totalsOf(await simulate(seed + at * stride)));
    if (!onProgress(totals)) break;
  }
  return totals;
}

/** Two sums as one. */
export function together(one: Totals, other: Totals): Totals {
  return {
    ...sumsOf((name) => one[name] + other[name]),
    overCountMaxMicroUsd: Math.max(one.overCountMaxMicroUsd, other.overCountMaxMicroUsd),
    failed: [...one.failed, ...other.failed].slice(0, KEPT_MAX),
  };
}

function totalsOf({ seed, steps, counts, violations }: Result): Totals {
  const isFailed = violations.length > 0;
  const own: Partial<Sums> = { schedules: 1, steps, failures: isFailed ? 1 : 0 };
  const all: Partial<Sums> = { ...counts, ...own };
  return {
    ...sumsOf((name) => all[name] ?? 0),
    overCountMaxMicroUsd: Number(counts.overCountMaxMicroUsd),
    failed: isFailed ? [{ seed, violations }] : [],
  };
}

function sumsOf(sum: (name: keyof Sums) => number): Sums {
  return Object.fromEntries(SUMMED.map((name) => [name, sum(name)])) as Sums;
}
