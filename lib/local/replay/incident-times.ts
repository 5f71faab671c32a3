/** When things happened, and stand-ins for when no source says. */

import type { Milestones } from './incident.ts';
import { InvalidRowError, type MilestoneRow, type OutflowRow } from './incident-tables.ts';

/** Span over which rows without a time are spread where the timeline knows no suspension. */
const SPREAD_DEFAULT_MS = 60 * 60_000;

/**
 * The milestones that a timeline gives; the first theft, if it is not there, from the outflows.
 *
 * @throws {InvalidRowError} nothing tells when the first theft was.
 */
export function readMilestones(parameters: {
  readonly file: string;
  readonly outflows: readonly OutflowRow[];
  readonly timeline: readonly MilestoneRow[];
}): Milestones {
  const { file, outflows, timeline } = parameters;
  const first = (kind: MilestoneRow['kind']) =>
    earliest(timeline.filter((row) => row.kind === kind).map((row) => row.time_utc));
  const firstTheftMs = first('first-theft') ?? earliest(outflows.map((row) => row.time_utc));
  if (firstTheftMs === undefined) {
    const reason = 'no row has a time, and timeline.csv has no first-theft for this incident';
    throw new InvalidRowError({ file, line: 2, field: 'time_utc', reason });
  }
  return {
    firstTheftMs,
    outsideAlertMs: first('outside-alert'),
    suspensionMs: first('suspension'),
    acknowledgementMs: first('acknowledgement'),
    disclosureMs: first('disclosure'),
  };
}

/**
 * When each outflow happened, by line of its file: as stated, or, in the order of the file, evenly
 * spread in whole seconds between the first theft and the suspension.
 */
export function spreadTimes(parameters: {
  readonly outflows: readonly OutflowRow[];
  readonly milestones: Milestones;
}): ReadonlyMap<number, number> {
  const { outflows, milestones } = parameters;
  const { firstTheftMs, suspensionMs } = milestones;
  const spanMs = Math.max((suspensionMs ?? 0) - firstTheftMs, 0) || SPREAD_DEFAULT_MS;
  const untimed = outflows.filter((row) => row.time_utc === '');
  const stepMs = spanMs / (untimed.length + 1);
  const spread = untimed.map(
    (row, index) => [row.line, firstTheftMs + wholeSecondsMs(stepMs * (index + 1))] as const,
  );
  const stated = outflows
    .filter((row) => row.time_utc !== '')
    .map((row) => [row.line, Date.parse(row.time_utc)] as const);
  return new Map([...stated, ...spread]);
}

/** The earliest instant; a bare day is none, since minutes cannot be counted from it. */
function earliest(times: readonly string[]): number | undefined {
  const instants = times.filter((time) => time.includes('T')).map((time) => Date.parse(time));
  return instants.length === 0 ? undefined : Math.min(...instants);
}

function wholeSecondsMs(durationMs: number): number {
  return Math.floor(durationMs / 1_000) * 1_000;
}
