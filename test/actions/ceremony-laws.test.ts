import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ceremony, runCeremony, type Tally } from '../support/ceremonies.ts';

/** `BREAKWATER_CEREMONIES=100000` for the long run: `npm run ceremonies`. */
const RUNS = Number(process.env.BREAKWATER_CEREMONIES ?? 10_000);

describe('random ceremonies', () => {
  test(`behavior: no resume without a valid quorum, and every valid one succeeds (P8, H80), ${RUNS} times`, async () => {
    const tally: Tally = { ceremonies: 0, steps: 0, signatures: 0, resumed: 0, refused: 0 };
    const law = fc.asyncProperty(ceremony, (steps) => runCeremony(steps, tally));
    await fc.assert(law, { numRuns: RUNS, endOnFailure: false });
    console.log(tally);
    expect(tally.resumed).toBeGreaterThan(RUNS / 20);
  }, 1_200_000);
});
