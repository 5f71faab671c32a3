/** The embedded runtime as a replay needs it: events through the ingress, the flag over HTTP, durations on the wall clock. */

import type { Incident } from '../../domain/breaker.ts';
import type { Flag } from '../../domain/flag.ts';
import type { Runtime } from '../runtime.ts';
import { questionOf } from './question.ts';
import type { Sent, Stage } from './run.ts';
import type { TimelineItem } from './timeline.ts';

/** Looks at the flag after an event, at most, while it waits to see a trip. */
const LOOKS_MAX = 200;

/** A stage over a running runtime. */
export async function createRuntimeStage(runtime: Runtime): Promise<Stage> {
  const { policy } = await runtime.world.decision.policy.refresh();
  const flag = (item: TimelineItem) => askFlag(runtime, item);
  return {
    policy,
    flag,
    advanceTo: async (atMs) => {
      runtime.clock.advanceTo(atMs);
      await runtime.tick();
    },
    incident: (incidentId) => runtime.world.store.incidents.get(incidentId),
    send: (item) => send(runtime, item),
  };
}

async function send(runtime: Runtime, item: TimelineItem): Promise<Sent> {
  const { incidents } = runtime.world.store;
  const known = new Set((await incidents.list(100)).map((incident) => incident.incidentId));
  const startedMs = performance.now();
  await runtime.submit([{ detailType: item.detailType, detail: item.detail }]);
  const toldAtMs = item.kind === 'incident' ? await untilTold(runtime, item) : undefined;
  await runtime.idle();
  const fresh = (await incidents.list(100)).filter(({ incidentId }) => !known.has(incidentId));
  // What was stopped along with one comes after it.
  const opened = fresh.toSorted((one, other) => isAlong(one) - isAlong(other));
  const trippedAtMs = runtime.lastTripAtMs();
  if (opened.length === 0 || toldAtMs === undefined || trippedAtMs === undefined) return { opened };
  // The reader can be told before the committer has its own answer: then nothing lay between.
  return {
    opened,
    toTripMs: Math.min(trippedAtMs, toldAtMs) - startedMs,
    toFlagMs: Math.max(0, toldAtMs - trippedAtMs),
  };
}

function isAlong({ quarantinedBy }: Incident): number {
  return quarantinedBy === undefined ? 0 : 1;
}

/** Asks the flag over and over until a reader is told no, and gives the time of that answer. */
async function untilTold(runtime: Runtime, item: TimelineItem): Promise<number | undefined> {
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const { enabled } = await askFlag(runtime, item);
    if (!enabled) return performance.now();
  }
  return undefined;
}

async function askFlag(runtime: Runtime, item: TimelineItem): Promise<Flag> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(questionOf(item))) {
    if (value !== undefined) query.set(name, value);
  }
  const answer = await fetch(`${runtime.url}/flag?${query}`);
  return (await answer.json()) as Flag;
}
