/**
 * Replays an incident through a running Breakwater: the exchange's own service asks the flag before
 * each withdrawal, the chain shows what left, and the thief asks nobody.
 */

import type * as Breaker from '../../domain/breaker.ts';
import type { Flag } from '../../domain/flag.ts';
import * as Policy from '../../domain/policy.ts';
import type { Timeline, TimelineItem } from './timeline.ts';

/** A running Breakwater as a replay needs it. Times are virtual, in ms. */
export type Stage = {
  readonly policy: Policy.Policy;
  /** Moves the clock forward and lets health be proven at the new time. */
  readonly advanceTo: (atMs: number) => Promise<void>;
  /** Sends one event through the ingress; resolves when it has been decided on. */
  readonly send: (item: TimelineItem) => Promise<Sent>;
  readonly flag: (item: TimelineItem) => Promise<Flag>;
  readonly incident: (incidentId: string) => Promise<Breaker.Incident | undefined>;
};

/** What a sent event did. Wall-clock durations are ms, absent where nothing tripped. */
export type Sent = {
  readonly opened: readonly { readonly scope: string; readonly incidentId: string }[];
  /** From sending the event to the commit that tripped. */
  readonly toTripMs?: number;
  /** From that commit until a reader of the flag was told no. */
  readonly toFlagMs?: number;
};

/** The first trip that the incident caused. */
export type Tripped = {
  readonly atMs: number;
  readonly item: TimelineItem;
  readonly incident: Breaker.Incident;
  readonly sent: Sent;
};

/** Sums of a replay; notionals are micro-USD at the policy's floor prices. */
export type Tally = {
  readonly sent: number;
  readonly normal: number;
  readonly normalNotional: bigint;
  readonly refused: number;
  readonly refusedNotional: bigint;
  /** Stolen up to and including the transfer that tripped. */
  readonly stolenBefore: number;
  readonly stolenBeforeNotional: bigint;
  /** Moved by the thief after the trip with keys of their own: no pause stops that. */
  readonly stolenAfter: number;
  readonly stolenAfterNotional: bigint;
  /** Of the incident, asked of the exchange's own service after the trip and refused. */
  readonly stopped: number;
  readonly stoppedNotional: bigint;
  /** Breakers that normal traffic opened. */
  readonly falsePauses: number;
};

/** What a replay tells while it runs. */
export type Progress =
  | {
      readonly type: 'item';
      readonly item: TimelineItem;
      readonly result: 'sent' | 'refused' | 'skipped';
      readonly tally: Tally;
    }
  | { readonly type: 'tripped'; readonly tripped: Tripped; readonly tally: Tally };

/** The end of a replay. */
export type Result = { readonly tally: Tally; readonly tripped?: Tripped };

const NOTHING: Tally = {
  sent: 0,
  normal: 0,
  normalNotional: 0n,
  refused: 0,
  refusedNotional: 0n,
  stolenBefore: 0,
  stolenBeforeNotional: 0n,
  stolenAfter: 0,
  stolenAfterNotional: 0n,
  stopped: 0,
  stoppedNotional: 0n,
  falsePauses: 0,
};

/** Plays a timeline to its end. `tell` is awaited, so that a caller sets the pace. */
export async function replay(
  stage: Stage,
  timeline: Pick<Timeline, 'items'>,
  tell: (progress: Progress) => Promise<void> | void = () => undefined,
): Promise<Result> {
  const refused = new Set<string>();
  let tally = NOTHING;
  let tripped: Tripped | undefined;
  for (const item of timeline.items) {
    await stage.advanceTo(item.atMs);
    const id = item.detail.withdrawalId;
    if (item.detailType === 'outflow.observed' && id !== undefined && refused.has(id)) {
      await tell({ type: 'item', item, result: 'skipped', tally });
      continue;
    }
    const size = notionalOf(stage.policy, item);
    if (item.detailType === 'withdrawal.reported' && !(await stage.flag(item)).enabled) {
      refused.add(item.detail.withdrawalId);
      tally = countRefused(tally, item, size);
      await tell({ type: 'item', item, result: 'refused', tally });
      continue;
    }
    const sent = await stage.send(item);
    tally = countSent(tally, item, {
      size,
      after: tripped !== undefined,
      opened: sent.opened.length,
    });
    const incidentId = sent.opened[0]?.incidentId;
    await tell({ type: 'item', item, result: 'sent', tally });
    if (tripped || item.kind !== 'incident' || incidentId === undefined) continue;
    const incident = await stage.incident(incidentId);
    if (!incident) continue;
    tripped = { atMs: item.atMs, item, incident, sent };
    await tell({ type: 'tripped', tripped, tally });
  }
  return tripped ? { tally, tripped } : { tally };
}

/** The size of an event in micro-USD, at the policy's prices. */
export function notionalOf(policy: Policy.Policy, item: TimelineItem): bigint {
  const { wallet, asset, destination, amount } = item.detail;
  const transfer = { account: wallet, asset, destination, amount: BigInt(amount) };
  return Policy.resolve(policy, transfer).legs[0]?.notional ?? 0n;
}

function countRefused(tally: Tally, item: TimelineItem, size: bigint): Tally {
  return item.kind === 'incident'
    ? { ...tally, stopped: tally.stopped + 1, stoppedNotional: tally.stoppedNotional + size }
    : { ...tally, refused: tally.refused + 1, refusedNotional: tally.refusedNotional + size };
}

function countSent(
  tally: Tally,
  item: TimelineItem,
  event: { readonly size: bigint; readonly after: boolean; readonly opened: number },
): Tally {
  const { size, after, opened } = event;
  const next = { ...tally, sent: tally.sent + 1 };
  const repeats = item.detailType === 'outflow.observed' && item.detail.withdrawalId !== undefined;
  if (item.kind === 'normal') {
    const falsePauses = tally.falsePauses + opened;
    if (repeats) return { ...next, falsePauses };
    return {
      ...next,
      falsePauses,
      normal: tally.normal + 1,
      normalNotional: tally.normalNotional + size,
    };
  }
  if (repeats) return next;
  return after
    ? {
        ...next,
        stolenAfter: tally.stolenAfter + 1,
        stolenAfterNotional: tally.stolenAfterNotional + size,
      }
    : {
        ...next,
        stolenBefore: tally.stolenBefore + 1,
        stolenBeforeNotional: tally.stolenBeforeNotional + size,
      };
}
