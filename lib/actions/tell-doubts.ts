/** Doubts about what a chain's endpoints said, told to people: not each time, and not for a moment's delay. */

import type { Doubt, DoubtKind } from '../domain/block.ts';
import type { ChainId } from '../domain/caip.ts';
import type { AlertStore, Clock } from '../ports.ts';

/** Tells the doubts of one step. */
export type TellDoubts = (doubts: readonly Doubt[]) => Promise<void>;

/** One doubt of a kind about an endpoint is told once in this time, ms. */
const TOLD_EVERY_MS: Readonly<Record<DoubtKind, number>> = {
  down: 3_600_000,
  lag: 3_600_000,
  fork: 3_600_000,
  missing: 3_600_000,
  // The node will offer no more tomorrow than it does today.
  unverified: 86_400_000,
};

/**
 * Steps in a row after which a doubt is told. Endpoints are a block apart for a moment all the time;
 * what one of them left out is told at once.
 */
const STEPS: Readonly<Record<DoubtKind, number>> = {
  down: 3,
  lag: 3,
  fork: 3,
  missing: 1,
  unverified: 1,
};

/** Counts the doubts of one chain from step to step. @throws what the store throws. */
export function createDoubtTeller(
  deps: { readonly alerts: AlertStore; readonly clock: Clock },
  chain: ChainId,
): TellDoubts {
  let counts: ReadonlyMap<string, number> = new Map();
  const told = new Map<string, number>();
  return async (doubts) => {
    const byId = new Map(doubts.map((doubt) => [`${doubt.kind}|${doubt.endpoint}`, doubt]));
    counts = new Map([...byId.keys()].map((id) => [id, (counts.get(id) ?? 0) + 1]));
    const atMs = deps.clock.nowMs();
    for (const [id, { kind, text }] of byId) {
      const turn = Math.floor(atMs / TOLD_EVERY_MS[kind]);
      if ((counts.get(id) ?? 0) < STEPS[kind] || told.get(id) === turn) continue;
      const alertId = `watch|${chain}|${id}|${turn}`;
      const about = { scope: `chain:${chain}`, rowId: `watch:${chain}` };
      await deps.alerts.raise({
        alertId,
        kind: 'watch',
        atMs,
        ...about,
        text: `${chain}: ${text}`,
      });
      told.set(id, turn);
    }
  };
}
