/** The queue of events and the function behind it. */

import { noteStuck } from '../../lib/actions/note-stuck.ts';
import { type Recorded, recordBatch } from '../../lib/actions/record-batch.ts';
import { createQueue, type Message, type Queue } from './queue.ts';
import type { Body, World } from './world.ts';

/** How long a function may run before its queue gives up on it: it goes on nevertheless. */
const RUNS_MAX_MS = 25_000;

/** A queue whose events are recorded. */
export function createIngress(world: World): Queue<Body> {
  const { scheduler, random, hosts, rates, witness, plan } = world;
  const deliver = (batch: readonly Message<Body>[]) => {
    const { process, reserve, store } = world.invoke(random.pick(hosts));
    const startedMs = scheduler.nowMs();
    const nowMs = process.nowMs();
    const oldestMs = Math.max(...batch.map(({ sentAtMs }) => Math.max(0, nowMs - sentAtMs)));
    const entries = batch.map(({ body, sentAtMs }) => {
      const lagMs = Math.max(0, nowMs - sentAtMs);
      const { unit } = body;
      if (unit !== undefined) {
        witness.lagsMs.set(unit, Math.max(lagMs, witness.lagsMs.get(unit) ?? 0));
      }
      if (body.kills) scheduler.at(startedMs + random.int(50), process.crash);
      return body.entry({ lagMs, oldestMs, nowMs });
    });
    const settle = (results: readonly Recorded[]) => {
      const isLate = scheduler.nowMs() - startedMs > RUNS_MAX_MS;
      for (const [position, message] of batch.entries()) {
        const recorded = results[position];
        const isDone = recorded !== undefined && recorded.kind !== 'failed';
        // A heartbeat that failed does not come back: the next one is on its way.
        if (!isDone && entries[position]?.kind !== 'heartbeat') queue.again(message.id);
        else if (!isLate) queue.acknowledge(message.id);
      }
    };
    void recordBatch(reserve, entries).then(async (results) => {
      const noting = { health: store.health, clock: { nowMs: process.nowMs } };
      await noteStuck(noting, entries, results).catch(() => undefined);
      settle(results);
    });
  };
  const queue = createQueue<Body>(
    { scheduler, random },
    {
      twiceShare: () => rates().redelivered,
      receivesMax: plan.receivesMax,
      onAside: (count) => {
        witness.deadSinceMs = count === 0 ? undefined : (witness.deadSinceMs ?? scheduler.nowMs());
      },
      deliver,
    },
  );
  return queue;
}
