/** A process that is killed now and then and comes back: the engine, the chain's node. */

import { setTimeout as sleep } from 'node:timers/promises';

/** What can be killed. `stop` ends it, or cleans up behind it. */
export type Mortal = { readonly pid: number | undefined; readonly stop: () => Promise<void> };

/** One that comes back. */
export type Revived = {
  /** SIGKILL, some time of nothing, and a new one. Never two at once. */
  readonly kill: (downMs: number) => Promise<void>;
  readonly stop: () => Promise<void>;
};

const STARTS_MAX = 20;
const RETRY_MS = 250;

/** Starts one. @throws what starting throws again and again. */
export async function revive(start: () => Promise<Mortal>): Promise<Revived> {
  let current = await start();
  return {
    kill: async (downMs) => {
      if (current.pid !== undefined) process.kill(current.pid, 'SIGKILL');
      await sleep(downMs);
      await current.stop();
      current = await again(start);
    },
    stop: () => current.stop(),
  };
}

/** The port may be held for a moment by who was killed. */
async function again(start: () => Promise<Mortal>): Promise<Mortal> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (attempt >= STARTS_MAX) throw error;
      await sleep(RETRY_MS);
    }
  }
}
