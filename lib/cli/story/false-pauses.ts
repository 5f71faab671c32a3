/** How often ordinary traffic would pause a policy, counted in a thread of its own. */

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Incident } from '../../local/replay/incident.ts';
import type { FalsePauses } from '../../local/replay/what-if.ts';

/** What is counted. */
export type Counting = {
  readonly policySource: string;
  readonly incident: Incident;
  readonly seed: string;
  readonly days: number;
};

/** How far it is. */
export type Done = { readonly day: number; readonly days: number };

/** A count under way. */
export type Count = {
  readonly progress: () => Done;
  /** Rejects with what stopped the thread. */
  readonly result: Promise<FalsePauses>;
  readonly stop: () => Promise<void>;
};

type Told = { readonly done: Done } | { readonly counted: FalsePauses };

/** Starts counting. */
export function countFalsePauses(counting: Counting): Count {
  // In an installed package both are JavaScript, and the compiler rewrites no URLs.
  const file = new URL(`./false-pauses-worker${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(file, { workerData: counting });
  let progress: Done = { day: 0, days: counting.days };
  const result = new Promise<FalsePauses>((resolve, reject) => {
    worker.on('message', (told: Told) => {
      if ('counted' in told) resolve(told.counted);
      else progress = told.done;
    });
    worker.once('error', reject);
    worker.once('exit', () => reject(new StoppedCountingError()));
  });
  // Whoever waits is told; a story that was interrupted before it waited is no unhandled rejection.
  result.catch(() => undefined);
  return {
    progress: () => progress,
    result,
    stop: async () => {
      await worker.terminate();
    },
  };
}

/** The thread ended before it had counted. */
export class StoppedCountingError extends Error {
  override readonly name = 'FalsePauses.StoppedCountingError';
  constructor() {
    super('the count of false pauses was stopped');
  }
}
