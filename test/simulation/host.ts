/** A host: a clock that is off, and processes that may freeze, or die at any of their waits. */

import type { Release } from './releases.ts';
import type { Scheduler } from './scheduler.ts';

/** One process. Whatever a dead one waits for never comes. */
export type Process = {
  /** The version of the code that it runs until it ends. */
  readonly release: Release;
  /** Time as its host knows it. */
  readonly nowMs: () => number;
  /** Waits; the process may have died meanwhile, or be frozen for longer. */
  readonly wait: (ms: number) => Promise<void>;
  /** It dies, and the next one of its host starts with nothing in its memory. */
  readonly crash: () => void;
  readonly freeze: (ms: number) => void;
};

/** One host. */
export type Host = {
  /** The process that runs, or a fresh one. */
  readonly process: () => Process;
  /** From now on its clock is this much ahead of true time, also for processes that run. */
  readonly setClock: (skewMs: number) => void;
  /** Processes that begin from now on run this version; what runs goes on beside them. */
  readonly deploy: (release: Release) => void;
};

/** A host whose clock is `skewMs` ahead of true time. */
export function createHost(scheduler: Scheduler, skewMs: number): Host {
  let running: Process | undefined;
  let aheadMs = skewMs;
  let release: Release = 'older';
  return {
    process: () => {
      running ??= createProcess(scheduler, {
        release,
        nowMs: () => scheduler.nowMs() + aheadMs,
        onDeath: () => {
          running = undefined;
        },
      });
      return running;
    },
    setClock: (nextMs) => {
      aheadMs = nextMs;
    },
    deploy: (next) => {
      if (release !== next) running = undefined;
      release = next;
    },
  };
}

function createProcess(
  scheduler: Scheduler,
  about: Pick<Process, 'release' | 'nowMs'> & { readonly onDeath: () => void },
): Process {
  const { release, nowMs, onDeath } = about;
  let isDead = false;
  let frozenUntilMs = 0;
  const resume = (goOn: () => void): void => {
    if (isDead) return;
    if (frozenUntilMs > scheduler.nowMs()) scheduler.at(frozenUntilMs, () => resume(goOn));
    else goOn();
  };
  return {
    release,
    nowMs,
    wait: (ms) =>
      new Promise((resolve) => {
        scheduler.at(scheduler.nowMs() + ms, () => resume(resolve));
      }),
    crash: () => {
      if (!isDead) onDeath();
      isDead = true;
    },
    freeze: (ms) => {
      frozenUntilMs = Math.max(frozenUntilMs, scheduler.nowMs() + ms);
    },
  };
}
