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
  /** Scopes that were opened, with how often. */
  readonly scopes: Readonly<Record<string, number>>;
};

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

/** Runs days of generated ordinary traffic; every pause it causes is counted and lifted at once. */
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
  let withdrawals = 0;
  let day = 0;
  for (const event of incidentTraffic(incident, { seed, startMs, durationMs: days * DAY_MS })) {
    await stage.advanceTo(event.atMs);
    const { opened } = await stage.send({ ...event, kind: 'normal' });
    withdrawals += 1;
    for (const { scope } of opened) scopes[scope] = (scopes[scope] ?? 0) + 1;
    if (opened.length > 0) await stage.resumeAll();
    const today = Math.floor((event.atMs - startMs) / DAY_MS);
    if (today > day) tell?.({ day: today, days });
    day = today;
  }
  const pauses = Object.values(scopes).reduce((sum, count) => sum + count, 0);
  return { days, withdrawals, pauses, scopes };
}


function asApproved(item: TimelineItem): TimelineItem {
  if (item.kind === 'normal' || item.detailType === 'withdrawal.reported') return item;
  if (item.detail.withdrawalId !== undefined) return item;
  const { transaction, place, wallet, asset, destination, amount } = item.detail;
  const withdrawalId = `as-if-approved:${transaction}:${place}`;
  const detail = { withdrawalId, wallet, asset, destination, amount };
  return { ...item, detailType: 'withdrawal.reported', detail };
}
