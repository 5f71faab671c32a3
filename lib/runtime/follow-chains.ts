/** Steps along all chains at once, each at its own pace. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { ChainId } from '../domain/caip.ts';
import { isHurried, type Watcher, type WatchWorld } from './watcher.ts';

/** How chains are followed. */
export type Pace = {
  /** Time from the end of a step that found nothing more to the next one, ms. */
  readonly everyMs: number;
  /** No step begins after this. */
  readonly isOver: () => boolean;
  /** Waits `ms`, or until this chain has something new. */
  readonly wait: (ms: number, chain: ChainId) => Promise<void>;
};

/** How long the same chains are followed before the policy and the nodes are looked at again, ms. */
const ROUND_MS = 60_000;

/** Wait where the chain or another watcher moved in the middle of a step, ms. */
const AGAIN_MS = 200;

/**
 * Follows every chain until it is over. A chain that fails stops no other. A step under way is waited
 * for; its time is bounded by that of its endpoints and of the store.
 *
 * @throws what reading the policy or the nodes throws, before any step.
 */
export async function followChains(watcher: Watcher, pace: Pace): Promise<number> {
  const chains = await watcher.chains();
  await Promise.all(chains.map((chain) => followChain(watcher, pace, chain)));
  return chains.length;
}

/** Follows chains for as long as it takes, round after round; a round that cannot begin is logged. */
export async function followUntil(
  watcher: Watcher,
  { clock, log }: Pick<WatchWorld, 'clock' | 'log'>,
  pace: Pace,
): Promise<void> {
  while (!pace.isOver()) {
    const startedMs = clock.nowMs();
    const isOver = () => pace.isOver() || clock.nowMs() - startedMs >= ROUND_MS;
    const followed = await followChains(watcher, { ...pace, isOver }).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : 'unknown';
      log.error('chains not watched', { reason });
      return 0;
    });
    // Under a policy that wants none, or without one, there is nothing else to wait for.
    if (followed === 0 && !pace.isOver()) await pace.wait(pace.everyMs, 'eip155:0');
  }
}

/** Waits that end at once when they are cancelled. */
export function cancellableWait(signal: AbortSignal): (ms: number) => Promise<void> {
  return async (ms) => {
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  };
}

async function followChain(watcher: Watcher, pace: Pace, chain: ChainId): Promise<void> {
  while (!pace.isOver()) {
    const step = await watcher.step(chain);
    if (step?.kind === 'again') await pace.wait(Math.min(pace.everyMs, AGAIN_MS), chain);
    else if (!isHurried(step) && !pace.isOver()) await pace.wait(pace.everyMs, chain);
  }
}
