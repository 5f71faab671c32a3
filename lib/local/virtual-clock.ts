/** The one clock of the embedded runtime: it may run faster than the wall, and never runs back. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../ports.ts';

/** A clock that can be moved forward. */
export type VirtualClock = Clock & {
  /** Moves to this time, in ms since the epoch. An earlier time than now changes nothing. */
  readonly advanceTo: (ms: number) => void;
  /** Resolves when this much virtual time has passed by itself; rejects when the signal aborts. */
  readonly sleepMs: (durationMs: number, signal?: AbortSignal) => Promise<void>;
};

/**
 * A clock that stands at `startMs` now and from here on runs `speed` times as fast as `wall`.
 * It is monotonic: neither a wall clock that is set back nor `advanceTo` can turn it back.
 *
 * @throws {InvalidSpeedError} if `speed` is not a positive, finite number.
 */
export function createVirtualClock(parameters: {
  readonly startMs: number;
  readonly speed: number;
  readonly wall: Clock;
}): VirtualClock {
  const { startMs, speed, wall } = parameters;
  if (!(speed > 0 && Number.isFinite(speed))) throw new InvalidSpeedError({ speed });
  const originMs = wall.nowMs();
  let jumpedMs = 0;
  let newestMs = startMs;
  const nowMs = () => {
    const runningMs = startMs + (wall.nowMs() - originMs) * speed + jumpedMs;
    newestMs = Math.max(newestMs, Math.floor(runningMs));
    return newestMs;
  };
  return {
    nowMs,
    advanceTo: (ms) => {
      jumpedMs += Math.max(0, ms - nowMs());
    },
    sleepMs: (durationMs, signal) => sleep(Math.max(0, durationMs / speed), undefined, { signal }),
  };
}

/** The speed of a clock is zero, negative or not a number. */
export class InvalidSpeedError extends Error {
  override readonly name = 'VirtualClock.InvalidSpeedError';
  constructor(details: { readonly speed: number }) {
    super(`speed ${details.speed} must be a positive number, such as 1 for real time`);
  }
}
