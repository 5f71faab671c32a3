/** Many schedules one after the other, and what they came to together. */

import { simulate } from './simulate.ts';
import type { Violation } from './witness.ts';

/** Sums over schedules, as plain numbers so that they can travel between processes. */
export type Totals = {
  schedules: number;
  steps: number;
  commits: number;
  evaluations: number;
  crossings: number;
  earlyTrips: number;
  allows: number;
  stepsBegun: number;
  stepAllows: number;
  reopenings: number;
  ceremonies: number;
  sighted: number;
  tightened: number;
  loosened: number;
  overCountMaxMicroUsd: number;
  /** Seeds that failed, the first ones of them, and what was wrong. */
  failed: { readonly seed: number; readonly violations: readonly Violation[] }[];
  failures: number;
};

/** Failed seeds that are kept in full. */
const KEPT_MAX = 10;

/** Nothing yet. */
export function noTotals(): Totals {
  return {
    schedules: 0,
    steps: 0,
    commits: 0,
    evaluations: 0,
    crossings: 0,
    earlyTrips: 0,
    allows: 0,
    stepsBegun: 0,
    stepAllows: 0,
    reopenings: 0,
    ceremonies: 0,
    sighted: 0,
    tightened: 0,
    loosened: 0,
    overCountMaxMicroUsd: 0,
    failed: [],
    failures: 0,
  };
}

/** Runs `schedules` seeds from `seed` on, each `stride` further; ends early when `isOver` says so. */
export async function runBatch(
  batch: { readonly seed: number; readonly schedules: number; readonly stride?: number },
  onProgress: (totals: Totals) => boolean = () => true,
): Promise<Totals> {
  const totals = noTotals();
  const { seed, schedules, stride = 1 } = batch;
  for (let at = 0; at < schedules; at += 1) {
    const result = await simulate(seed + at * stride);
    const { counts, violations } = result;
    totals.schedules += 1;
    totals.steps += result.steps;
    totals.commits += counts.commits;
    totals.evaluations += counts.evaluations;
    totals.crossings += counts.crossings;
    totals.earlyTrips += counts.earlyTrips;
    totals.allows += counts.allows;
    totals.stepsBegun += counts.stepsBegun;
    totals.stepAllows += counts.stepAllows;
    totals.reopenings += counts.reopenings;
    totals.ceremonies += counts.ceremonies;
    totals.sighted += counts.sighted;
    totals.tightened += counts.tightened;
    totals.loosened += counts.loosened;
    const overCount = Number(counts.overCountMaxMicroUsd);
    totals.overCountMaxMicroUsd = Math.max(totals.overCountMaxMicroUsd, overCount);
    if (violations.length > 0) {
      totals.failures += 1;
      if (totals.failed.length < KEPT_MAX) totals.failed.push({ seed: result.seed, violations });
    }
    if (!onProgress(totals)) break;
  }
  return totals;
}

/** Two sums as one. */
export function together(one: Totals, other: Totals): Totals {
  return {
    schedules: one.schedules + other.schedules,
    steps: one.steps + other.steps,
    commits: one.commits + other.commits,
    evaluations: one.evaluations + other.evaluations,
    crossings: one.crossings + other.crossings,
    earlyTrips: one.earlyTrips + other.earlyTrips,
    allows: one.allows + other.allows,
    stepsBegun: one.stepsBegun + other.stepsBegun,
    stepAllows: one.stepAllows + other.stepAllows,
    reopenings: one.reopenings + other.reopenings,
    ceremonies: one.ceremonies + other.ceremonies,
    sighted: one.sighted + other.sighted,
    tightened: one.tightened + other.tightened,
    loosened: one.loosened + other.loosened,
    overCountMaxMicroUsd: Math.max(one.overCountMaxMicroUsd, other.overCountMaxMicroUsd),
    failed: [...one.failed, ...other.failed].slice(0, KEPT_MAX),
    failures: one.failures + other.failures,
  };
}
