import type { Timers } from '../../lib/client/time.ts';
import type { Clock } from '../../lib/ports.ts';

type Timer = { readonly atMs: number; readonly run: () => void };

/** Time that goes on only when told to, with the timers that hang on it. */
export type FakeTime = {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Runs what is due, one after the other, each after everything before it has settled. */
  readonly advance: (ms: number) => Promise<void>;
  /** Lets the clock go on without running any timer, as in a process that is busy. */
  readonly stall: (ms: number) => void;
  readonly pending: () => number;
};

/** Starts at `nowMs`. */
export function fakeTime(startMs = 1_000_000): FakeTime {
  let nowMs = startMs;
  const waiting = new Set<Timer>();
  const timers: Timers = {
    after: (delayMs, run) => {
      const timer = { atMs: nowMs + delayMs, run };
      waiting.add(timer);
      return () => {
        waiting.delete(timer);
      };
    },
  };
  const advance = async (ms: number) => {
    const endMs = nowMs + ms;
    await settled();
    for (;;) {
      const [next] = [...waiting].sort((a, b) => a.atMs - b.atMs);
      if (!next || next.atMs > endMs) break;
      waiting.delete(next);
      nowMs = Math.max(nowMs, next.atMs);
      next.run();
      await settled();
    }
    nowMs = Math.max(nowMs, endMs);
  };
  return {
    clock: { nowMs: () => nowMs },
    timers,
    advance,
    stall: (ms) => {
      nowMs += ms;
    },
    pending: () => waiting.size,
  };
}

/** Everything that waits for nothing but other promises has run. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}
