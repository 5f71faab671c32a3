/** The queue of events and the function behind it. */

import { type Recorded, recordBatch } from '../../lib/actions/record-batch.ts';
import { createQueue, type Message, type Queue } from './queue.ts';
import type { Body, World } from './world.ts';

/** How long a function may run before its queue gives up on it: it goes on nevertheless. */
const RUNS_MAX_MS = 25_000;

/** What came of a message in the end. */
export type Told = (body: Body, recorded: Recorded) => void;

/** A queue whose events are recorded. `onDone`: told of each event that was decided on, also again. */
export function createIngress(world: World, onDone: Told): Queue<Body> {
  const { scheduler, random, hosts, rates, witness } = world;
  const deliver = (batch: readonly Message<Body>[]) => {
    const { process, reserve } = world.invoke(random.pick(hosts));
    const startedMs = scheduler.nowMs();
    const entries = batch.map(({ body, sentAtMs }) => {
      const lagMs = Math.max(0, process.nowMs() - sentAtMs);
      const { unit } = body;
      if (unit !== undefined) {
        witness.lagsMs.set(unit, Math.max(lagMs, witness.lagsMs.get(unit) ?? 0));
      }
      return body.entry(lagMs);
    });
    const settle = (results: readonly Recorded[]) => {
      const isLate = scheduler.nowMs() - startedMs > RUNS_MAX_MS;
      for (const [position, message] of batch.entries()) {
        const recorded = results[position];
        if (!recorded || recorded.kind === 'failed') queue.again(message.id);
        else {
          onDone(message.body, recorded);
          if (!isLate) queue.acknowledge(message.id);
        }
      }
    };
    void recordBatch(reserve, entries).then(settle);
  };
  const queue = createQueue<Body>(
    { scheduler, random },
    { twiceShare: () => rates().redelivered, deliver },
  );
  return queue;
}
