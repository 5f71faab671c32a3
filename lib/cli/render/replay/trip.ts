/** The trip: what opened, why, how fast, and what else would have seen it. */

import type { Incident } from '../../../domain/breaker.ts';
import * as Explain from '../../../domain/explain.ts';
import * as Money from '../../../domain/money.ts';
import type * as Policy from '../../../domain/policy.ts';
import type { Incident as Drain, Summary } from '../../../local/replay/incident.ts';
import type { Tripped } from '../../../local/replay/run.ts';
import type { VolumeAlone } from '../../../local/replay/what-if.ts';
import type { Limits } from '../../answers.ts';
import type { Paint } from '../paint.ts';
import { clean, fact, padEnd, plural } from '../text.ts';
import { timeOf } from './outflow.ts';
import { day, milliseconds, minutesText, number } from './words.ts';

/** What the lines are shown with. */
export type TripView = {
  readonly policy: Policy.Policy;
  readonly paint: Paint;
  readonly columns: number;
};

/** Causes for somebody who has never heard of any of this. */
const IN_SHORT: Readonly<Record<Tripped['incident']['first']['kind'], string>> = {
  unmatched: 'money left that nobody approved. That alone trips, at any size.',
  limit: 'it all looked approved. How much left, and how fast, gave it away.',
  conflict: 'one withdrawal came twice, with different contents.',
  unknown: 'money left about which the policy knows too little.',
  parked: 'an event could not be counted, so it counts as too much.',
  operator: 'a person pressed pause.',
};
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
    ...fact('In short', IN_SHORT[first.kind], { indent: 2, columns }),
    ...fact('Cause', causeText(first), { indent: 2, columns }),
  ];
}

function causeText({ kind, text }: Incident['first']): string {
  return text.startsWith(kind) ? clean(text) : `${kind}: ${clean(text)}`;
}

/** What the limits would have done without matching. Shown only where matching tripped first. */
export function volumeLines(volume: VolumeAlone, drain: Drain, view: TripView): readonly string[] {
  return fact('Volume', volumeText(volume, drain, view.policy), {
    indent: 2,
    columns: view.columns,
  });
}

function volumeText(volume: VolumeAlone, drain: Drain, policy: Policy.Policy): string {
  const { tripped, stolenCount, stolenNotional } = volume;
  const all = drain.outflows.length;
  if (!tripped)
    return `alone would have seen nothing: no limit is breached by these ${all} outflows`;
  const { first, scope } = tripped.incident;
  const lost = Money.formatUsd(stolenNotional);
  const at = timeOf(tripped.item).trim();
  const where = `It would have paused ${clean(scope)} only.`;
  const why = first.limit ? limitText(policy, first.limit) : clean(first.text);
  return `alone would have tripped at outflow ${stolenCount} of ${all} (${at}), after ${lost}: ${why}. ${where}`;
}

function limitText(
  policy: Policy.Policy,
  breached: NonNullable<Incident['first']['limit']>,
): string {
  const { limitId, used, allowed } = breached;
  const rule = policy.limits.find((limit) => limit.limitId === limitId);
  if (!rule) return `limit ${clean(limitId)}`;
  const over = rule.metric === 'single' ? 'at once' : `in ${Explain.duration(rule.windowMs)}`;
  const text = (value: bigint) => number(Explain.quantity(policy, rule, value));
  return `${clean(limitId)}, ${text(used)} ${over} of ${text(allowed)} allowed`;
}

/** How a limit on the number of withdrawals saw it. Shown only where it is far from its limit: volume alone told. */
export function countLines(limits: Limits, view: TripView): readonly string[] {
  const counts = limits.lines.filter((line) => line.metric === 'count');
  const [fullest] = counts.toSorted((a, b) => Number(b.used * a.limit - a.used * b.limit));
  if (!fullest || fullest.used * 2n > fullest.limit) return [];
  const { limitId, usedText, limitText: allowed, window } = fullest;
  const text = `an ordinary time: ${clean(limitId)} stands at ${usedText} of ${allowed} in ${window}.`;
  return fact('Count', text, { indent: 2, columns: view.columns });
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
    paint.dim("  Counted from the event's arrival; a chain watcher sees it a block later."),
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
        : `${minutesText(outsideAlertMinutes)} to the first outside alert`,
    stop:
      suspensionMinutes === undefined
        ? 'time of the stop: not public'
        : `${minutesText(suspensionMinutes)} until withdrawals stopped`,
  };
}
