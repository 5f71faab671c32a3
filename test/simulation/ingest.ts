/** The queue of events and the function behind it. */

import { noteStuck } from '../../lib/actions/note-stuck.ts';
import { type Recorded, recordBatch } from '../../lib/actions/record-batch.ts';
import { createQueue, type Message, type Queue } from './queue.ts';
import type { Body, World } from './world.ts';

/** How long a function may run before its queue gives up on it: it goes on nevertheless. */
const RUNS_MAX_MS = 25_000;

/** What came of a message in the end. */
export type Told = (body: Body, recorded: Recorded) => void;

/** A queue whose events are recorded. `onDone`: told of each event that was decided on, also again. */
export function createIngress(world: World, onDone: Told): Queue<Body> {
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
        const comesBack = entries[position]?.kind !== 'heartbeat';
        if (recorded?.kind === 'failed' && comesBack) queue.again(message.id);
        else {
          if (recorded) onDone(message.body, recorded);
          if (!isLate) queue.acknowledge(message.id);
        }
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
