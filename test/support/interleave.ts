/** Workers that run at the same time, one step after the other, in an order that a seed chooses. */

import type { DecisionStore } from '../../lib/ports.ts';

/** Hands out turns. */
export type Turns = {
  /** Resolves when it is this caller's turn to go on. */
  readonly turn: () => Promise<void>;
  /** Runs workers to their end. */
  readonly run: (workers: readonly (() => Promise<void>)[]) => Promise<void>;
};

/** Turns over seeded numbers in [0, 1). */
export function createTurns(random: () => number): Turns {
  const waiting: (() => void)[] = [];
  const turn = () => new Promise<void>((resolve) => waiting.push(resolve));
  const run = async (workers: readonly (() => Promise<void>)[]): Promise<void> => {
    let running = workers.length;
    const all = Promise.all(
      workers.map(async (worker) => {
        await turn();
        await worker().finally(() => {
          running -= 1;
        });
      }),
    );
    // A failure is told by `all`; until then it must not count as unhandled.
    all.catch(() => undefined);
    while (running > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      const [chosen] = waiting.splice(Math.floor(random() * waiting.length), 1);
      chosen?.();
    }
    await all;
  };
  return { turn, run };
}

/**
 * Turns for workers whose steps take time, such as calls to an engine: the next one goes on only when
 * the last one has come back for a turn or has ended, so that one seed gives one run. Whatever a
 * worker does at the same time must not ask for turns of its own.
 */
export function createLockstep(random: () => number): Turns {
  const waiting: (() => void)[] = [];
  let moving = 0;
  const next = () => {
    if (moving > 0) return;
    const [chosen] = waiting.splice(Math.floor(random() * waiting.length), 1);
    if (!chosen) return;
    moving += 1;
    chosen();
  };
  const stop = () => {
    moving -= 1;
    // Later: a worker that ends is then off its stack.
    setImmediate(next);
  };
  const turn = () => {
    const gone = new Promise<void>((resolve) => waiting.push(resolve));
    stop();
    return gone;
  };
  const run = async (workers: readonly (() => Promise<void>)[]): Promise<void> => {
    moving = workers.length;
    await Promise.all(
      workers.map(async (worker) => {
        await turn();
        await worker().finally(stop);
      }),
    );
  };
  return { turn, run };
}

/** A store whose caller loses its turn before and after everything it does. */
export function interleaved(decisions: DecisionStore, turns: Turns): DecisionStore {
  return {
    load: async (keys) => {
      await turns.turn();
      const loaded = await decisions.load(keys);
      await turns.turn();
      return loaded;
    },
    commit: async (changes) => {
      await turns.turn();
      const result = await decisions.commit(changes);
      await turns.turn();
      return result;
    },
  };
}

/** The process died here. */
export class CrashError extends Error {
  override readonly name = 'Interleave.CrashError';
}

/** A store at whose steps the process dies when `dies` says so; steps lie before and after each call. */
export function crashing(decisions: DecisionStore, dies: () => boolean): DecisionStore {
  const step = () => {
    if (dies()) throw new CrashError('the process died');
  };
  return {
    load: async (keys) => {
      step();
      const loaded = await decisions.load(keys);
      step();
      return loaded;
    },
    commit: async (changes) => {
      step();
      const result = await decisions.commit(changes);
      step();
      return result;
    },
  };
}

/** The same values in another order. */
export function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const rest = [...values];
  const result: T[] = [];
  while (rest.length > 0) result.push(...rest.splice(Math.floor(random() * rest.length), 1));
  return result;
}
