/** Time for the eye: events that take milliseconds are spread over seconds where somebody watches. */

import type { TimelineItem } from '../../local/replay/timeline.ts';
import type { Screen } from './screen.ts';

/** How long ordinary traffic before the theft, and everything after it, is shown at least. */
const BEFORE_MS = 6_000;
const AFTER_MS = 6_000;

/** Called before each event is told; waits until its share of the time has passed. */
export function createPacer(screen: Screen, items: readonly TimelineItem[]): () => Promise<void> {
  const first = items.findIndex((item) => item.kind === 'incident');
  const before = first < 0 ? items.length : first;
  const after = items.length - before;
  let told = 0;
  let actStartedMs = performance.now();
  return async () => {
    if (told === before) actStartedMs = performance.now();
    const isBefore = told < before;
    const share = isBefore ? told / Math.max(1, before) : (told - before) / Math.max(1, after);
    told += 1;
    const dueMs = actStartedMs + share * (isBefore ? BEFORE_MS : AFTER_MS);
    await screen.rest(dueMs - performance.now());
  };
}
