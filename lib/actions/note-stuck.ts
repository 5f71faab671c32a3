/** Notes that money which waited long could not be counted: heartbeats in other batches know nothing of it. */

import { WAITING_MAX_MS } from '../domain/health.ts';
import type { Clock, HealthStore } from '../ports.ts';
import type { Entry, Recorded } from './record-batch.ts';

/** What noting needs. */
export type Deps = { readonly health: Pick<HealthStore, 'noteStuck'>; readonly clock: Clock };

/**
 * Notes it where something of a batch is stuck. A host whose clock the store has refused notes
 * nothing: how long something waited it cannot tell, nor when it is now, and one whose clock is an
 * hour ahead would keep everybody's leases from being renewed for that hour.
 *
 * @throws what the store throws: then heartbeats are not written either, and the leases run out.
 */
export async function noteStuck(
  deps: Deps,
  entries: readonly Entry[],
  recorded: readonly Recorded[],
): Promise<void> {
  const isStuck = entries.some((one, position) => {
    const result = recorded[position];
    const waitedLong = one.kind === 'transfer' && one.lagMs > WAITING_MAX_MS;
    return waitedLong && result?.kind === 'failed' && !isOfClock(result.error);
  });
  if (isStuck) await deps.health.noteStuck(deps.clock.nowMs());
}

function isOfClock(error: unknown): boolean {
  return error instanceof Error && error.name === 'Store.ClockError';
}
