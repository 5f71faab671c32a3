import { describe, expect, test } from 'vitest';
import { type Accident, exhaust, type Run } from './small-scope.ts';

const ACCIDENTS: readonly Accident[] = [
  'crash-before',
  'crash-after',
  'lost-request',
  'lost-reply',
];

/** What must be true however they met: each event once, and the crossing tripped by exactly one. */
function judge(run: Run): void {
  const { rows, items } = run.loaded;
  const reserved = rows.get('withdrawal:reserved');
  const reported = rows.get('withdrawal:reported');
  const dollars = (reserved ? 600n : 0n) + (reported ? 700n : 0n);
  const wallet = items.get('wallet:hot-1');
  const [slot] = wallet?.meter.steps.at(-1) ?? [];
  const ok =
    (slot?.notional ?? 0n) === dollars * 1_000_000n &&
    (slot?.count ?? 0) === (reserved ? 1 : 0) + (reported ? 1 : 0) &&
    reported !== undefined &&
    run.acknowledged.length === 3 &&
    (run.allows === 0 || reserved !== undefined) &&
    // Reserved first, the report crosses; reported first, the reservation is refused.
    run.incidents === (reserved ? 1 : 0) &&
    (wallet?.breaker.state === 'open') === (run.incidents === 1);
  if (!ok) expect(run).toBe('an interleaving that keeps the promises');
}

describe('exhaust', () => {
  test('behavior: every interleaving of two workers and three events keeps the promises', async () => {
    const { runs, calls } = await exhaust(undefined, judge);
    expect(runs).toBe(18);
    expect(calls).toBeGreaterThanOrEqual(6);
  });

  test('behavior: so does each with one crash or one lost message anywhere', {
    timeout: 120_000,
  }, async () => {
    let runs = 0;
    for (const what of ACCIDENTS) {
      for (let at = 1; ; at += 1) {
        const done = await exhaust({ at, what }, judge);
        runs += done.runs;
        if (done.calls < at) break;
      }
    }
    expect(runs).toBe(972);
  });
});
