/** A process of its own that runs schedules for `main.ts` and sends what they came to. */

import { runBatch } from './batch.ts';

// The product makes errors as values by the thousand; nobody reads where they were made.
Error.stackTraceLimit = 0;

/** How often it tells how far it is, schedules. */
const TOLD_EVERY = 500;

const [seed = 1, schedules = 1, stride = 1] = process.argv.slice(2).map(Number);
let failures = 0;
const totals = await runBatch({ seed, schedules, stride }, (sofar) => {
  const isNew = sofar.failures > failures;
  failures = sofar.failures;
  if (isNew) process.send?.({ kind: 'failed', seed: seed + (sofar.schedules - 1) * stride });
  if (sofar.schedules % TOLD_EVERY === 0) process.send?.({ kind: 'progress', sofar });
  return true;
});
process.send?.({ kind: 'done', totals });
process.disconnect?.();
