/** Which of the held withdrawals are tried next: the oldest of each queue, and nobody hides behind them. */

import * as Queue from '../domain/queue.ts';
import type { HeldStore } from '../ports.ts';

/** Queues that one round looks at, and withdrawals that it tries at the head of each. */
const QUEUES_MAX = 200;
const TRIED_PER_QUEUE_MAX = 10;
/** Queues of which is known how far back they were looked into; of more all begin at their head again. */
const REACHED_MAX = 1_000;

/**
 * Makes the function that lists them. For each at the head of a queue that something else than room
 * stops (a breaker of its customer, say), one more of those behind is listed, from round to round
 * further back and then from the beginning: what stops ten must not stop who stands behind them.
 *
 * @returns a function of where to begin among the queues (hex, see {@link HeldStore.heads}), which
 *   throws what the store throws.
 */
export function createHeads(held: HeldStore): (from: string) => Promise<readonly Queue.Held[]> {
  const reached = new Map<Queue.Key, Queue.Held>();
  return async (from) => {
    const heads = await held.heads(TRIED_PER_QUEUE_MAX, QUEUES_MAX, from);
    if (reached.size > REACHED_MAX) reached.clear();
    const listed: Queue.Held[] = [...heads];
    for (const [queue, first] of Map.groupBy(heads, Queue.keyOf)) {
      if (queue !== Queue.PEOPLE) listed.push(...(await behind(held, first, reached)));
    }
    return listed;
  };
}

/** As many of those behind as are stopped at the head. */
async function behind(
  held: HeldStore,
  first: readonly Queue.Held[],
  reached: Map<Queue.Key, Queue.Held>,
): Promise<readonly Queue.Held[]> {
  const last = first.at(-1);
  const count = first.filter(Queue.isStopped).length;
  if (!last || count === 0 || first.length < TRIED_PER_QUEUE_MAX) return [];
  const queue = Queue.keyOf(last);
  const before = reached.get(queue);
  const start = before && Queue.byAge(before, last) > 0 ? before : last;
  const next = await held.behind(start, count);
  const end = next.at(-1);
  if (end && next.length === count) reached.set(queue, end);
  else reached.delete(queue);
  return next;
}
