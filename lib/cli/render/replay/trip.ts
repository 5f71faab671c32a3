/** The trip: what opened, why, how fast, and what else would have seen it. */

import * as Money from '../../../domain/money.ts';
import type { Incident as Drain, Summary } from '../../../local/replay/incident.ts';
import type { Tripped } from '../../../local/replay/run.ts';
import type { VolumeAlone } from '../../../local/replay/what-if.ts';
import type { Paint } from '../paint.ts';
import { clean, fact, padEnd, plural } from '../text.ts';
import { timeOf } from './outflow.ts';
import { day, milliseconds, minutesText } from './words.ts';

/** What the lines are shown with. */
export type TripView = { readonly paint: Paint; readonly columns: number };

const WHAT_COLUMNS = 26;
const HERE_COLUMNS = 16;

/** The trip and its cause. */
export function trippedLines(
  tripped: Tripped,
  scope: { readonly wallets: number },
  view: TripView,
): readonly string[] {
  const { first, scope: key } = tripped.incident;
  const { paint, columns } = view;
  const reach = scope.wallets > 1 ? `  (${plural(scope.wallets, 'wallet')} stop)` : '';
  return [
    `${paint.red('TRIPPED')}  ${paint.bold(clean(key))}${reach}`,
    ...fact('Cause', `${first.kind}: ${clean(first.text)}`, { indent: 2, columns }),
  ];
}

/** What the limits would have done without matching. Shown only where matching tripped first. */
export function volumeLines(volume: VolumeAlone, drain: Drain, view: TripView): readonly string[] {
  return fact('Volume', volumeText(volume, drain), { indent: 2, columns: view.columns });
}

function volumeText(volume: VolumeAlone, drain: Drain): string {
  const { tripped, stolenCount, stolenNotional } = volume;
  const all = drain.outflows.length;
  if (!tripped)
    return `alone would have seen nothing: no limit is breached by these ${all} outflows`;
  const { first, scope } = tripped.incident;
  const lost = Money.formatUsd(stolenNotional);
  const at = timeOf(tripped.item).trim();
  const scopeText = `and would have paused only ${clean(scope)}`;
  return `alone would have tripped at outflow ${stolenCount} of ${all} (${at}), after ${lost}: ${clean(first.text)}; ${scopeText}`;
}

/** Durations beside those of the real day; nothing that is not known is shown. */
export function speedLines(tripped: Tripped, summary: Summary, view: TripView): readonly string[] {
  const { paint } = view;
  const { toTripMs, toFlagMs } = tripped.sent;
  const here = (ms: number | undefined) => (ms === undefined ? 'not measured' : milliseconds(ms));
  const known = realOf(summary);
  const row = (what: string, ms: number | undefined, real: string) =>
    `  ${padEnd(what, WHAT_COLUMNS)}${paint.bold(padEnd(here(ms), HERE_COLUMNS))}${real}`.trimEnd();
  return [
    paint.dim(
      `  ${padEnd('', WHAT_COLUMNS)}${padEnd('here', HERE_COLUMNS)}${day(summary.firstTheftMs)}`.trimEnd(),
    ),
    row('event → trip', toTripMs, known.alert),
    row('trip → flag says no', toFlagMs, known.stop),
    paint.dim(
      "  Here counts from the event's arrival; whoever watches the chain sees it a block later.",
    ),
  ];
}

function realOf(summary: Summary): { readonly alert: string; readonly stop: string } {
  const { outsideAlertMinutes, suspensionMinutes, disclosureMinutes, acknowledgementMinutes } =
    summary;
  const known = minutesText(disclosureMinutes ?? acknowledgementMinutes ?? 0);
  const said = disclosureMinutes ?? acknowledgementMinutes;
  const disclosed = said === undefined ? 'not public' : `${known} to the first public word`;
  return {
    alert:
      outsideAlertMinutes === undefined
        ? disclosed
        : `${minutesText(outsideAlertMinutes)} to the first alert, from outside`,
    stop:
      suspensionMinutes === undefined
        ? 'when withdrawals stopped is not public'
        : `${minutesText(suspensionMinutes)} until withdrawals stopped`,
  };
}
