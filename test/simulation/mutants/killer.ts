/** One mutant's process: schedules one after the other, until one of them fails. */

import { runBatch } from '../batch.ts';

Error.stackTraceLimit = 0;

const [seed = 1, schedules = 1] = process.argv.slice(2).map(Number);
const totals = await runBatch({ seed, schedules }, ({ failures }) => failures === 0);
const [first] = totals.failed;
const [violation] = first?.violations ?? [];
process.send?.({ seed: first?.seed, schedules: totals.schedules, promise: violation?.promise });
process.disconnect?.();
