/** Counts false pauses beside the story: it takes seconds of computing, and Ctrl-C must be heard. */

import { parentPort, workerData } from 'node:worker_threads';
import { falsePauses } from '../../local/replay/what-if.ts';
import type { Counting } from './false-pauses.ts';

const counted = await falsePauses({
  ...(workerData as Counting),
  tell: (done) => parentPort?.postMessage({ done }),
});
parentPort?.postMessage({ counted });
