/** Clocks and waiting, as parameters: tests run on a time of their own. */

import type { Clock } from '../ports.ts';

/** Runs something later. What it returns takes that back, and does nothing once it has run. */
export type Timers = { readonly after: (delayMs: number, run: () => void) => () => void };

/** The host's timers. */
export const hostTimers: Timers = {
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/** The host's timers for work that nobody waits for: they keep no process alive. */
export const backgroundTimers: Timers = {
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs).unref();
    return () => clearTimeout(timer);
  },
};

/** The host's time of day, ms since the epoch. */
export const wallClock: Clock = { nowMs: () => Date.now() };

/** Time that only goes forward, ms since some start: a wall clock set back would make an old answer young. */
export const steadyClock: Clock = { nowMs: () => performance.now() };

/** Resolves after a while. */
export function pause(timers: Timers, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    timers.after(delayMs, resolve);
  });
}

/**
 * Runs with a time limit. At its end the signal is aborted and the promise rejected, whether `run`
 * listens to the signal or not.
 *
 * @throws {TimeoutError}
 */
export function within<T>(
  limit: { readonly timers: Timers; readonly timeoutMs: number },
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = new AbortController();
    const cancel = limit.timers.after(limit.timeoutMs, () => {
      const error = new TimeoutError({ timeoutMs: limit.timeoutMs });
      reject(error);
      abort.abort(error);
    });
    const finish = async () => {
      try {
        resolve(await run(abort.signal));
      } catch (error) {
        reject(error);
      } finally {
        cancel();
      }
    };
    void finish();
  });
}

/** There was no answer in time. */
export class TimeoutError extends Error {
  override readonly name = 'Time.TimeoutError';
  constructor(details: { readonly timeoutMs: number }) {
    super(`no answer within ${Math.round(details.timeoutMs)} ms`);
  }
}
