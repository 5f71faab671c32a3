/** When something tripped, for replays that time it. */

import type { Log } from '../runtime/world.ts';

/** When the last decision that tripped had been committed, by `performance.now()`. */
export type Trips = { lastAtMs: number | undefined };

/** Every decision is logged once, right after its commit. */
export function notingTrips(log: Log, trips: Trips): Log {
  return {
    ...log,
    info: (message, fields) => {
      const { trips: opened } = fields;
      if (Array.isArray(opened) && opened.length > 0) trips.lastAtMs = performance.now();
      log.info(message, fields);
    },
  };
}
