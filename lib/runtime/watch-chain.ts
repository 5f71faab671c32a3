/** The clock → steps along every watched chain, over and over within the minute. */

import type { ScheduledEvent } from 'aws-lambda';
import { followChains } from './follow-chains.ts';
import { pipeline } from './pipeline.ts';
import { createWatcher, type Options as WatcherOptions, type WatchWorld } from './watcher.ts';

/** How it watches, and how often it looks for a new block. */
export type Options = WatcherOptions & {
  readonly everyMs: number;
  /** Reads prices and balances beside the chains. Never throws. */
  readonly observe?: (() => Promise<void>) | undefined;
};

/**
 * No step begins after this: the next invocation is on its way, and what two watchers tell at once
 * counts once. The function's time-out leaves a last step the time that endpoints may take.
 */
const LASTS_MS = 57_000;

/**
 * The function behind the schedule.
 * Fail direction: closed, a chain that is not read gets no lease once its watcher counts as blind.
 */
export function watchChains(
  world: WatchWorld & { readonly sleep: (ms: number) => Promise<void> },
  options: Options,
) {
  const watcher = createWatcher(world, options);
  const run = async (_event: ScheduledEvent): Promise<undefined> => {
    const startedMs = world.clock.nowMs();
    const observing = options.observe?.();
    await followChains(watcher, {
      everyMs: options.everyMs,
      isOver: () => world.clock.nowMs() - startedMs >= LASTS_MS,
      wait: (ms) => world.sleep(ms),
    });
    await observing;
    return undefined;
  };
  return pipeline(run, { name: 'watch-chain', log: world.log, onTimeout: () => undefined });
}
