/** Two honest questions about a policy, answered over the in-memory store: what would volume alone have done, and how often does ordinary traffic pause it? */

import type { Incident } from './incident.ts';
import { incidentTraffic } from './incident-traffic.ts';
import { createMemoryStage } from './memory-stage.ts';
import { replay, type Tripped } from './run.ts';
import type { Timeline, TimelineItem } from './timeline.ts';

/** What the limits would have done if every outflow had looked approved. */
export type VolumeAlone = {
  readonly tripped?: Tripped;
  /** Stolen up to and including the transfer that tripped; all of it if none did. */
  readonly stolenNotional: bigint;
  readonly stolenCount: number;
};

/** What ordinary traffic does to a policy. */
export type FalsePauses = {
  readonly days: number;
  readonly withdrawals: number;
  readonly pauses: number;
  /** Ordinary withdrawals that were asked for while paused. */
  readonly refused: number;
  /** Scopes that were opened, with how often. */
  readonly scopes: Readonly<Record<string, number>>;
};

/** How long an operator takes to find a pause false and to lift it. */
export const LIFTED_AFTER_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Replays the incident with every outflow entered as an approved withdrawal: matching sees nothing, limits see it all. */
export async function volumeAlone(policySource: string, timeline: Timeline): Promise<VolumeAlone> {
  const stage = await createMemoryStage({ policySource, startMs: timeline.startMs });
  const items = timeline.items.map(asApproved);
  const { tally, tripped } = await replay(stage, { items });
  return {
    stolenNotional: tally.stolenBeforeNotional,
    stolenCount: tally.stolenBefore,
    ...(tripped ? { tripped } : {}),
  };
}

/** Runs days of generated ordinary traffic; every pause that it causes is lifted after {@link LIFTED_AFTER_MS}. */
export async function falsePauses(parameters: {
  readonly policySource: string;
  readonly incident: Incident;
  readonly seed: string;
  readonly days: number;
  readonly tell?: (done: { readonly day: number; readonly days: number }) => void;
}): Promise<FalsePauses> {
  const { policySource, incident, seed, days, tell } = parameters;
  const startMs = incident.milestones.firstTheftMs - days * DAY_MS;
  const stage = await createMemoryStage({ policySource, startMs });
  const scopes: Record<string, number> = {};
  const count = { withdrawals: 0, refused: 0, day: 0 };
  let liftAtMs = Number.POSITIVE_INFINITY;
  for (const event of incidentTraffic(incident, { seed, startMs, durationMs: days * DAY_MS })) {
    const item = { ...event, kind: 'normal' as const };
    await stage.advanceTo(event.atMs);
    if (event.atMs >= liftAtMs) {
      await stage.resumeAll();
      liftAtMs = Number.POSITIVE_INFINITY;
    }
    const day = Math.floor((event.atMs - startMs) / DAY_MS);
    if (day > count.day) tell?.({ day, days });
    count.day = day;
    count.withdrawals += 1;
    if (!(await stage.flag(item)).enabled) {
      count.refused += 1;
      continue;
    }
    const { opened } = await stage.send(item);
    for (const { scope } of opened) scopes[scope] = (scopes[scope] ?? 0) + 1;
    if (opened.length > 0) liftAtMs = Math.min(liftAtMs, event.atMs + LIFTED_AFTER_MS);
  }
  const pauses = Object.values(scopes).reduce((sum, times) => sum + times, 0);
  return { days, withdrawals: count.withdrawals, refused: count.refused, pauses, scopes };
}

function asApproved(item: TimelineItem): TimelineItem {
  if (item.kind === 'normal' || item.detailType === 'withdrawal.reported') return item;
  if (item.detail.withdrawalId !== undefined) return item;
  const { transaction, place, wallet, asset, destination, amount } = item.detail;
  const withdrawalId = `as-if-approved:${transaction}:${place}`;
  const detail = { withdrawalId, wallet, asset, destination, amount };
  return { ...item, detailType: 'withdrawal.reported', detail };
}
