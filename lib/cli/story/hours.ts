/** Ordinary traffic, hour by hour, with the limits as the service reports them. */

import { notionalOf, type Progress } from '../../local/replay/run.ts';
import { LIMITS, type Limits } from '../answers.ts';
import { ask } from '../ask.ts';
import {
  type Fullest,
  fullestOf,
  gaugesRow,
  limitsShown,
  trafficHeading,
  trafficRow,
} from '../render/replay/traffic.ts';
import { plural } from '../render/text.ts';
import type { Production } from './production.ts';

const HOUR_MS = 3_600_000;
/** Wall time between two looks at the limits while an hour is still running. */
const LOOK_EVERY_MS = 400;

/** Hours of traffic on the screen. */
export type Hours = {
  readonly heading: () => readonly string[];
  /** Counts one event of ordinary traffic and shows the running hour. */
  readonly add: (progress: Extract<Progress, { readonly type: 'item' }>) => Promise<void>;
  /** Writes the running hour, which ends now. */
  readonly close: (atMs: number) => Promise<void>;
  /** Looks at the limits as they are now; `line` shows them on a line of their own. */
  readonly gauges: () => Promise<{ readonly limits: Limits; readonly line: string }>;
};

type Hour = { endMs: number; paid: number; refused: number; notional: bigint };

/** Begins with the first hour of the script. */
export function createHours(production: Production): Hours {
  const { scene, script, screen } = production;
  const { policy } = scene.stage;
  const limitIds = limitsShown(policy.limits, screen.columns);
  const startAt = (endMs: number): Hour => ({ endMs, paid: 0, refused: 0, notional: 0n });
  let hour = startAt(script.timeline.startMs + HOUR_MS);
  let seen: { readonly fullest: readonly Fullest[]; readonly atMs: number } | undefined;
  const look = async () => {
    const { value } = await ask(scene.transport, { command: 'limits' }, LIMITS);
    const fullest = fullestOf(value, limitIds);
    seen = { fullest, atMs: performance.now() };
    return { limits: value, fullest };
  };
  const close = async (endMs: number) => {
    screen.print(hourLines({ ...hour, endMs }, (await look()).fullest, production));
    hour = startAt(endMs + HOUR_MS);
  };
  return {
    heading: () => [
      screen.paint.bold(
        'Ordinary traffic: each withdrawal asks the flag, is counted, is seen on chain',
      ),
      screen.paint.dim(trafficHeading(limitIds)),
    ],
    close,
    gauges: async () => {
      const { limits, fullest } = await look();
      return { limits, line: gaugesRow('  Limits now', fullest, screen.paint) };
    },
    add: async ({ item, result }) => {
      while (item.atMs >= hour.endMs) await close(hour.endMs);
      if (item.detailType === 'withdrawal.reported') {
        if (result === 'refused') hour.refused += 1;
        else
          hour = {
            ...hour,
            paid: hour.paid + 1,
            notional: hour.notional + notionalOf(policy, item),
          };
      }
      if (!screen.isPaced) return;
      const isStale = seen === undefined || performance.now() - seen.atMs > LOOK_EVERY_MS;
      const fullest = isStale ? (await look()).fullest : (seen?.fullest ?? []);
      screen.status(trafficRow({ ...hour, endMs: item.atMs }, fullest, screen.paint));
    },
  };
}

function hourLines(
  hour: Hour,
  fullest: readonly Fullest[],
  { screen }: Production,
): readonly string[] {
  const row = trafficRow(hour, fullest, screen.paint);
  if (hour.refused === 0) return [row];
  const refused = `${plural(hour.refused, 'withdrawal')} refused: the flag is not enabled`;
  return [row, screen.paint.yellow(`           ${refused}`)];
}
