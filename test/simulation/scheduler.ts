/** Virtual time: what is to happen, in order of time, and of the same millisecond in an order that the seed chooses. */

import type { Random } from './random.ts';

/** The one clock of a schedule. */
export type Scheduler = {
  readonly nowMs: () => number;
  /** Does something at a time, now at the earliest. */
  readonly at: (atMs: number, task: () => void) => void;
  /** Goes on until nothing is left. @throws {EndlessError} */
  readonly run: () => Promise<void>;
  readonly steps: () => number;
};

type Entry = { readonly atMs: number; readonly rank: number; readonly task: () => void };

/** Steps of one schedule, at most; ordinary ones take a thousand. */
const STEPS_MAX = 200_000;

/** A clock that stands at a time and moves only when it is run. */
export function createScheduler(startMs: number, random: Random): Scheduler {
  const heap: Entry[] = [];
  let nowMs = startMs;
  let steps = 0;
  return {
    nowMs: () => nowMs,
    at: (atMs, task) => push(heap, { atMs: Math.max(atMs, nowMs), rank: random.next(), task }),
    run: async () => {
      for (let entry = pop(heap); entry; entry = pop(heap)) {
        steps += 1;
        if (steps > STEPS_MAX) throw new EndlessError();
        nowMs = entry.atMs;
        entry.task();
        // Everything that this set going runs until it waits for the clock again: a tick comes after
        // all that promises have to do, and costs a fifth of a turn of the event loop.
        await new Promise((resolve) => process.nextTick(resolve));
      }
    },
    steps: () => steps,
  };
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.rank < other.rank);
}

function push(heap: Entry[], entry: Entry): void {
  let at = heap.push(entry) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(entry, heap[parent] as Entry)) break;
    heap[at] = heap[parent] as Entry;
    at = parent;
  }
  heap[at] = entry;
}

function pop(heap: Entry[]): Entry | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (!first || !last || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    const right = heap[child + 1];
    if (right && isBefore(right, heap[child] as Entry)) child += 1;
    if (!isBefore(heap[child] as Entry, last)) break;
    heap[at] = heap[child] as Entry;
    at = child;
  }
  heap[at] = last;
  return first;
}

/** A schedule does not come to its end. */
export class EndlessError extends Error {
  override readonly name = 'Scheduler.EndlessError';
  constructor() {
    super(`a schedule took more than ${STEPS_MAX} steps`);
  }
}
