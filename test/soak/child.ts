/**
 * A runtime for the soak to kill, on the folder and with the policy and the nodes of its arguments:
 * says where it listens, and how much memory it has.
 */

import { startRuntime } from '../../lib/local/runtime.ts';
import type { Told } from './run.ts';
import { POLICY } from './world.ts';

/** The watcher looks, and the health is proved, this often, ms. */
const WATCH_EVERY_MS = 500;
const TICK_EVERY_MS = 3_000;
/** Rounds of looking and settling before it stops: what one round finds, the next one decides. */
const ROUNDS = 3;

const [folder = 'soak-data', rpc = ''] = process.argv.slice(2);
const runtime = await startRuntime({
  folder,
  port: 0,
  rpc,
  policySource: POLICY,
  tickEveryMs: TICK_EVERY_MS,
  watchEveryMs: WATCH_EVERY_MS,
  onPage: ({ subject }) => tell({ kind: 'page', subject }),
  log: { info: () => undefined, error: () => undefined },
});
tell({ kind: 'started', url: runtime.url });
process.on('message', (message) => {
  if (message === 'memory') sample();
  if (message === 'stop') void stop();
});

function tell(told: Told): void {
  process.send?.(told);
}

/** After a collection, so that only what is held is counted. */
function sample(): void {
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  tell({ kind: 'memory', rss, heapUsed, external, lifeS: process.uptime() });
}

async function stop(): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    await runtime.watch();
    await runtime.idle();
  }
  await runtime.stop();
  process.disconnect?.();
}
