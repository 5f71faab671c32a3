/** Puts an incident into the ordinary traffic around it: one list of wire events in virtual time. */

import { type AccountId, type AssetId, chainOf } from '../../domain/caip.ts';
import type { Incident, IncidentOutflow } from './incident.ts';
import { incidentTraffic } from './incident-traffic.ts';
import * as Random from './random.ts';
import * as Synthetic from './synthetic.ts';
import type { TrafficEvent, WithdrawalReported } from './traffic.ts';
import type { Quantile } from './traffic-calibration.ts';

/** Ordinary traffic shown before and after the first theft, by default. */
export const BEFORE_MS = 6 * 3_600_000;
export const AFTER_MS = 3 * 3_600_000;
/** Most events of one timeline, by default. */
export const EVENTS_MAX = 2_000;

/** From a report to the watcher's sight of it on chain, least and most (ours; no source states it). */
const OBSERVED_AFTER_MIN_MS = 5_000;
const OBSERVED_AFTER_MAX_MS = 45_000;

/** The body of an `outflow.observed` event. `amount`: base units as a decimal integer. */
export type OutflowObserved = {
  readonly transaction: string;
  readonly place: string;
  readonly withdrawalId?: string;
  readonly wallet: AccountId;
  readonly asset: AssetId;
  readonly destination: AccountId;
  readonly amount: string;
  /** ISO-8601. */
  readonly observedAt: string;
};

/** One wire event at its virtual time. */
export type TimelineItem = {
  readonly atMs: number;
  readonly kind: 'normal' | 'incident';
  /** The outflow of the incident that this event shows; its `synthetic` says what no source states. */
  readonly outflow?: IncidentOutflow;
  /** For people: what it is, and what in it is synthetic. */
  readonly note?: string;
} & (
  | { readonly detailType: 'withdrawal.reported'; readonly detail: WithdrawalReported }
  | { readonly detailType: 'outflow.observed'; readonly detail: OutflowObserved }
);

/** Events in order of time; at one time, a report comes before its outflow and before what is observed. */
export type Timeline = {
  readonly items: readonly TimelineItem[];
  readonly startMs: number;
  readonly endMs: number;
  /** Ordinary withdrawals in `items`, each as report and outflow. */
  readonly normalCount: number;
  /** Ordinary withdrawals left out to stay within `eventsMax`: the ones farthest from the first theft. */
  readonly droppedCount: number;
};

/** How the ordinary traffic around an incident is made. */
export type TrafficOptions = {
  readonly seed: string;
  readonly ratePerDay?: number | undefined;
  readonly sizes?: readonly Quantile[] | undefined;
  readonly beforeMs?: number | undefined;
  readonly afterMs?: number | undefined;
};

/**
 * Builds the timeline of an incident. Each ordinary withdrawal is a `withdrawal.reported` and, some
 * seconds later, its `outflow.observed` with the `withdrawalId`. The incident enters as its fixture
 * says: as outflows that name no withdrawal, or as withdrawals that look approved.
 *
 * Rows of the incident are never dropped, also where they lie outside the span.
 *
 * @throws {TooManyEventsError} the incident alone is larger than `eventsMax`.
 */
export function buildTimeline(parameters: {
  readonly incident: Incident;
  readonly traffic: TrafficOptions;
  readonly eventsMax?: number | undefined;
}): Timeline {
  const { incident, traffic, eventsMax = EVENTS_MAX } = parameters;
  const { beforeMs = BEFORE_MS, afterMs = AFTER_MS, seed, ratePerDay, sizes } = traffic;
  const { firstTheftMs } = incident.milestones;
  const startMs = firstTheftMs - beforeMs;
  const stolen = incident.outflows.flatMap((outflow) => incidentItems(incident, outflow));
  if (stolen.length > eventsMax) throw new TooManyEventsError({ count: stolen.length, eventsMax });
  const span = { seed, startMs, durationMs: beforeMs + afterMs, ratePerDay, sizes };
  const all = [...incidentTraffic(incident, span)];
  const nearest = all.sort(
    (a, b) => Math.abs(a.atMs - firstTheftMs) - Math.abs(b.atMs - firstTheftMs),
  );
  const kept = nearest.slice(0, Math.floor((eventsMax - stolen.length) / 2));
  const items = [...kept.flatMap(normalItems), ...stolen].sort(inOrder);
  return {
    items,
    startMs,
    endMs: Math.max(firstTheftMs + afterMs, items.at(-1)?.atMs ?? 0),
    normalCount: kept.length,
    droppedCount: all.length - kept.length,
  };
}

function normalItems(event: TrafficEvent): readonly TimelineItem[] {
  const { withdrawalId } = event.detail;
  const chain = chainOf(event.detail.wallet);
  const observed = observe({
    report: event.detail,
    transaction: Synthetic.transaction(chain, withdrawalId),
    place: placeOf(event.detail.asset),
    atMs: event.atMs + observedAfterMs(withdrawalId),
  });
  return [
    { ...event, kind: 'normal' },
    { ...observed, kind: 'normal' },
  ];
}

function incidentItems(incident: Incident, outflow: IncidentOutflow): readonly TimelineItem[] {
  const { atMs, account: wallet, asset, destination, transaction, place } = outflow;
  const amount = outflow.amount.toString();
  const common = { kind: 'incident', outflow, note: noteOf(outflow) } as const;
  if (incident.entry === 'outflow.observed') {
    const observedAt = new Date(atMs).toISOString();
    const detail = { transaction, place, wallet, asset, destination, amount, observedAt };
    return [{ ...common, atMs, detailType: 'outflow.observed', detail }];
  }
  const withdrawalId = `${incident.name}-${outflow.line}`;
  const detail = { withdrawalId, wallet, asset, destination, amount };
  const observedAtMs = atMs + observedAfterMs(withdrawalId);
  return [
    { ...common, atMs, detailType: 'withdrawal.reported', detail },
    { ...common, ...observe({ report: detail, transaction, place, atMs: observedAtMs }) },
  ];
}

function observe(parameters: {
  readonly report: WithdrawalReported;
  readonly transaction: string;
  readonly place: string;
  readonly atMs: number;
}) {
  const { transaction, place, atMs } = parameters;
  const { actor: _, ...report } = parameters.report;
  const observedAt = new Date(atMs).toISOString();
  return {
    atMs,
    detailType: 'outflow.observed',
    detail: { transaction, place, ...report, observedAt },
  } as const;
}

/** What an operator may read beside an event of the incident. */
function noteOf(outflow: IncidentOutflow): string {
  const what = outflow.aggregate
    ? 'aggregate: many transfers, one event'
    : `${outflow.precision} amount`;
  const synthetic =
    outflow.synthetic.length === 0 ? '' : `; synthetic ${outflow.synthetic.join(', ')}`;
  return `${outflow.symbol}; ${what}${synthetic}`;
}

function placeOf(asset: AssetId): string {
  return asset.includes('/erc20:') ? 'log:0' : 'top';
}

function observedAfterMs(withdrawalId: string): number {
  const random = Random.create(`observed ${withdrawalId}`);
  return (
    OBSERVED_AFTER_MIN_MS + Random.integer(random, OBSERVED_AFTER_MAX_MS - OBSERVED_AFTER_MIN_MS)
  );
}

function inOrder(a: TimelineItem, b: TimelineItem): number {
  if (a.atMs !== b.atMs) return a.atMs - b.atMs;
  if (a.detailType !== b.detailType) return a.detailType === 'withdrawal.reported' ? -1 : 1;
  return idOf(a) < idOf(b) ? -1 : 1;
}

function idOf(item: TimelineItem): string {
  return item.detailType === 'withdrawal.reported'
    ? item.detail.withdrawalId
    : item.detail.transaction;
}

/** An incident has more events than a timeline may hold. */
export class TooManyEventsError extends Error {
  override readonly name = 'Timeline.TooManyEventsError';
  constructor(details: { readonly count: number; readonly eventsMax: number }) {
    super(
      `the incident alone has ${details.count} events, and a timeline holds ${details.eventsMax}`,
    );
  }
}
