/** The sums at the end, also those that are no success. */

import * as Money from '../../../domain/money.ts';
import type { Summary } from '../../../local/replay/incident.ts';
import type { Result } from '../../../local/replay/run.ts';
import { type FalsePauses, LIFTED_AFTER_MS } from '../../../local/replay/what-if.ts';
import type { Paint } from '../paint.ts';
import { clean, fact, padEnd, padStart, plural, wrap } from '../text.ts';
import { span } from '../time.ts';

/** What the sums are shown with. */
export type SumsView = { readonly paint: Paint; readonly columns: number };

const WHAT_COLUMNS = 33;
const SUM_COLUMNS = 13;

type Row = { readonly what: string; readonly notional: bigint; readonly remark: string };

/** What left, what was stopped, and what no pause could stop. */
export function sumsLines(
  { tally, tripped }: Result,
  summary: Summary,
  view: SumsView,
): readonly string[] {
  const { paint, columns } = view;
  const rows: readonly (Row | undefined)[] = [
    {
      what: tripped ? 'left before the trip' : 'left',
      notional: tally.stolenBeforeNotional,
      remark: `${plural(tally.stolenBefore, 'outflow')}${tripped ? ', then it tripped' : ''}`,
    },
    tally.stopped === 0
      ? undefined
      : {
          what: 'asked of the service, stopped',
          notional: tally.stoppedNotional,
          remark: `${plural(tally.stopped, 'outflow')} of the drain`,
        },
    tally.stolenAfter === 0
      ? undefined
      : {
          what: 'taken with the keys, not stopped',
          notional: tally.stolenAfterNotional,
          remark: plural(tally.stolenAfter, 'outflow'),
        },
    {
      what: 'ordinary, refused meanwhile',
      notional: tally.refusedNotional,
      remark: `${plural(tally.refused, 'withdrawal')}, waiting`,
    },
  ];
  return [
    paint.bold('What the pause did, and what it could not'),
    ...rows.flatMap((row) => (row === undefined ? [] : [rowText(row)])),
    ...keyLines(tally.stolenAfter > 0, columns),
    ...totalLines(summary, columns),
  ];
}

function rowText({ what, notional, remark }: Row): string {
  return `  ${padEnd(what, WHAT_COLUMNS)}${padStart(Money.formatUsd(notional), SUM_COLUMNS)}  ${remark}`;
}

function keyLines(hasTakenAfter: boolean, columns: number): readonly string[] {
  if (!hasTakenAfter) return [];
  const text =
    'A thief who holds the keys asks no service: a pause cannot stop them, and in this replay they took it all. What the pause gives is time, from the first outflow on, to move the rest to safety.';
  return wrap(text, columns - 3).map((line) => `  ${line}`);
}

function totalLines(summary: Summary, columns: number): readonly string[] {
  const { stolenMicroUsd, outflowCount, unpricedCount } = summary;
  const unpriced = unpricedCount === 0 ? '' : ` (${unpricedCount} without any public price)`;
  const text = `The ${plural(outflowCount, 'outflow')} that are public sum to ${Money.formatUsd(stolenMicroUsd)}${unpriced}; examples/incidents/README.md says what they do not cover.`;
  return wrap(text, columns - 3).map((line) => `  ${line}`);
}

/** The price of the policy on days without a thief. */
export function falsePausesLines(
  counted: FalsePauses,
  policy: { readonly name: string; readonly seed: string },
  view: SumsView,
): readonly string[] {
  const { paint, columns } = view;
  const { days, withdrawals, pauses, refused, scopes } = counted;
  const where = Object.entries(scopes)
    .toSorted(([, a], [, b]) => b - a)
    .map(([scope, count]) => `${clean(scope)} ${count}`)
    .join(', ');
  const detail =
    pauses === 0
      ? ''
      : `: ${where}. Each was lifted after ${span(LIFTED_AFTER_MS)}; ${plural(refused, 'withdrawal')} were refused meanwhile`;
  const text = `${plural(pauses, 'pause')} on ${withdrawals.toLocaleString('en-US')} ordinary withdrawals of the ${days} days before (generated, seed ${clean(policy.seed)})${detail}.`;
  return [
    paint.bold(`False pauses of the policy ${clean(policy.name)}`),
    ...fact('', text, { columns: columns + 6 }).map((line) => `  ${line.trimStart()}`),
  ];
}
