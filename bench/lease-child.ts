/**
 * A runtime in a process of its own, over the engine that `DYNAMODB_ENDPOINT` names, of which parts
 * can be stopped. Its argument is a `Task`; it tells where it listens and what its clock says, once, and
 * then each part that it was told to stop and has stopped.
 */

import { startRuntime } from '../lib/local/runtime.ts';
import { tickLoop } from '../lib/local/ticking.ts';
import { systemClock } from '../lib/runtime/system.ts';
import type { Part, Started, Task } from './lease-stage.ts';

const { folder, policySource, everyMs, speed } = JSON.parse(process.argv[2] ?? '{}') as Task;
const runtime = await startRuntime({
  folder,
  policySource,
  port: 0,
  clock: { startMs: systemClock.nowMs(), speed },
});
const endTicks = tickLoop(runtime.world, { everyMs, speed });

process.on('message', (part: Part) => {
  void stop(part).then(() => process.send?.(part));
});
// Whoever started it is gone, however it went. Its folder and its engine are not its own.
process.on('disconnect', () => process.exit());

const started: Started = {
  url: runtime.url,
  nowMs: runtime.clock.nowMs(),
  wallMs: systemClock.nowMs(),
};
process.send?.(started);

async function stop(part: Part): Promise<void> {
  if (part === 'tick') return endTicks();
  // From now on the function fails whenever it is called, as one that cannot be started does.
  runtime.services.events.consume({ handler: () => Promise.reject(new Error('no ingest')) });
}
