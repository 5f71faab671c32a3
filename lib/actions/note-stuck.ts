/** Notes that money which waited long could not be counted: heartbeats in other batches know nothing of it. */

import { WAITING_MAX_MS } from '../domain/health.ts';
import type { Clock, HealthStore } from '../ports.ts';
import type { Entry, Recorded } from './record-batch.ts';

/** What noting needs. */
export type Deps = {
  readonly health: Pick<HealthStore, 'stuckAtMs' | 'noteStuck'>;
  readonly clock: Clock;
};

/**
 * Notes it where something of a batch is stuck. It reads before it writes, since a host whose clock is
 * wrong is refused by the first answer that it gets: how long something waited it cannot tell, nor
 * when it is now, and a note from an hour ahead would keep everybody's leases from being renewed.
 *
 * @throws what the store throws: then heartbeats are not written either, and the leases run out.
 */
export async function noteStuck(
  deps: Deps,
  entries: readonly Entry[],
  recorded: readonly Recorded[],
): Promise<void> {
  const isStuck = entries.some(
    (one, position) =>
      one.kind === 'transfer' &&
      one.lagMs > WAITING_MAX_MS &&
      recorded[position]?.kind === 'failed',
  );
  if (!isStuck) return;
  // For its answer's date alone: what was noted before does not matter.
  await deps.health.stuckAtMs();
  await deps.health.noteStuck(deps.clock.nowMs());
}
