/** A queue that delivers at least once, in any order, and again whatever was not acknowledged in time. */

import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** One message, with the time at which it was sent. */
export type Message<T> = { readonly id: number; readonly body: T; readonly sentAtMs: number };

/** A queue with its poller. */
export type Queue<T> = {
  readonly send: (body: T, delayMs?: number) => void;
  /** It was dealt with: it does not come again, unless it is on its way already. */
  readonly acknowledge: (id: number) => void;
  /** It was not: it comes again in a second. */
  readonly again: (id: number) => void;
  readonly open: () => number;
  /** Messages that came too often without an acknowledgement, and lie aside. */
  readonly dead: (which?: (body: T) => boolean) => number;
  /** Sends some of them again, and forgets the others. */
  readonly redrive: (which: (body: T) => boolean) => void;
};

type Stored<T> = Message<T> & { visibleAtMs: number; receives: number };

/** How long a delivered message stays out of sight. */
const VISIBILITY_MS = 30_000;
const BATCH_MAX = 10;
/** Between a message and its delivery. */
const PICKED_UP_MS = 40;

/**
 * A queue whose messages are handed to `deliver` in batches.
 *
 * @param options.twiceShare how many are delivered a second time although they were acknowledged.
 */
export function createQueue<T>(
  world: { readonly scheduler: Scheduler; readonly random: Random },
  options: {
    readonly twiceShare: () => number;
    /** Deliveries after which a message that nobody acknowledged is put aside. */
    readonly receivesMax: number;
    /** Told how many lie aside, whenever that changes. */
    readonly onAside: (count: number) => void;
    readonly deliver: (batch: readonly Message<T>[]) => void;
  },
): Queue<T> {
  const { scheduler, random } = world;
  const stored = new Map<number, Stored<T>>();
  const aside: T[] = [];
  let count = 0;
  const poll = () => {
    const nowMs = scheduler.nowMs();
    const visible = [...stored.values()].filter(({ visibleAtMs }) => visibleAtMs <= nowMs);
    const some = takeSome(visible, random);
    const taken = some.filter(({ receives }) => receives < options.receivesMax);
    for (const message of some) {
      if (message.receives >= options.receivesMax) putAside(message);
      else show(message, VISIBILITY_MS);
      message.receives += 1;
    }
    if (visible.length > some.length) scheduler.at(nowMs + random.int(PICKED_UP_MS), poll);
    if (taken.length === 0) return;
    options.deliver(taken);
    if (random.chance(options.twiceShare())) {
      const twice = taken.slice(0, 1 + random.int(taken.length));
      scheduler.at(nowMs + random.int(20_000), () => options.deliver(twice));
    }
  };
  const putAside = (message: Stored<T>) => {
    stored.delete(message.id);
    aside.push(message.body);
    options.onAside(aside.length);
  };
  const show = (message: Stored<T>, inMs: number) => {
    message.visibleAtMs = scheduler.nowMs() + inMs;
    scheduler.at(message.visibleAtMs + random.int(PICKED_UP_MS), poll);
  };
  const send = (body: T, delayMs = 0) => {
    count += 1;
    const sentAtMs = scheduler.nowMs();
    const message = { id: count, body, sentAtMs, visibleAtMs: sentAtMs, receives: 0 };
    stored.set(count, message);
    show(message, delayMs);
  };
  return {
    send,
    acknowledge: (id) => void stored.delete(id),
    again: (id) => {
      const message = stored.get(id);
      if (message) show(message, 1_000);
    },
    open: () => stored.size,
    dead: (which = () => true) => aside.filter(which).length,
    redrive: (which) => {
      for (const body of aside.splice(0).filter(which)) send(body);
      options.onAside(0);
    },
  };
}

/** Some of what is visible, in any order. */
function takeSome<T>(visible: readonly T[], random: Random): readonly T[] {
  const rest = [...visible];
  const taken: T[] = [];
  const most = 1 + random.int(BATCH_MAX);
  while (rest.length > 0 && taken.length < most) {
    taken.push(...rest.splice(random.int(rest.length), 1));
  }
  return taken;
}
