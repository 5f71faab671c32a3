/** A runtime on the folder of its argument, for `main.ts` to kill: says where it listens, and how much memory it has. */

import { startRuntime } from '../../lib/local/runtime.ts';
import { POLICY } from '../support/local-runtime.ts';

const [folder = 'soak-data'] = process.argv.slice(2);
const runtime = await startRuntime({
  folder,
  port: 0,
  policySource: POLICY,
  onPage: () => undefined,
  log: { info: () => undefined, error: () => undefined },
});
process.send?.({ kind: 'started', url: runtime.url });
process.on('message', (message) => {
  if (message === 'memory') process.send?.({ kind: 'memory', bytes: process.memoryUsage().rss });
  if (message === 'stop') void stop();
});

async function stop(): Promise<void> {
  await runtime.idle();
  await runtime.stop();
  process.disconnect?.();
}
