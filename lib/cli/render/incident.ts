/** Incidents for people: what happened, what it stops, who can lift it, and how. */

import { CAUSES_MAX } from '../../domain/breaker.ts';
import { formatUsd } from '../../domain/money.ts';
import type { Cause, Incident, IncidentWithCauses, Status } from '../answers.ts';
import { share } from './action.ts';
import type { Paint } from './paint.ts';
import { clean, columnsTaken, fact, padEnd, plural, shellWord, shorten } from './text.ts';
import { moment, span, utc } from './time.ts';

/** What a rendering needs beside the answer. */
export type View = {
  readonly paint: Paint;
  readonly columns: number;
  /** The service's time: a replay runs on a clock of its own. */
  readonly nowMs: number;
  /** What the policy in force asks for. */
  readonly resume: Status['policy']['resume'];
};

/** Columns of a scope or an actor in a list. */
const NAME_COLUMNS_MAX = 60;

/** Who can lift an incident, by the policy in force. */
export function liftText(resume: Status['policy']['resume']): string {
  return resume === 'trial'
    ? 'one operator alone (TRIAL MODE)'
    : 'a quorum of operators, who sign it together';
}

/** The command that closes an incident, or that asks others to. */
export function resumeCommand(incidentId: string, resume: Status['policy']['resume']): string {
  const propose = resume === 'quorum' ? 'propose ' : '';
  return `breakwater resume ${propose}${incidentId} --reason "…"`;
}

/** What an incident holds that people may not have been told of when it opened. */
export function alsoUnmatchedText(count: number): string {
  return `${plural(count, 'unmatched outflow')} came after the first cause: see why first`;
}

/** One open incident within `status`. */
export function openIncident(incident: Status['open'][number], view: View): readonly string[] {
  const { incidentId, scope, first, openedAtMs, alsoUnmatched } = incident;
  const { paint, columns, nowMs } = view;
  const at = { indent: 4, columns };
  return [
    `  ${paint.bold(clean(incidentId))}  ${paint.red(clean(scope))}`,
    ...kindOf(incident, at),
    ...fact('Why', clean(first.text), at),
    ...(alsoUnmatched ? fact('Also', alsoUnmatchedText(alsoUnmatched), at) : []),
    ...(incident.step ? fact('Step', stepText(incident.step, nowMs), at) : []),
    ...fact('Since', moment(openedAtMs, nowMs), at),
    ...fact('Lift', liftText(view.resume), at),
    ...fact('Look', `breakwater incident ${incidentId}`, at),
    ...(incident.step
      ? fact('Sooner', `breakwater resume propose ${incidentId} --at-once --reason "…"`, at)
      : fact('Resume', resumeCommand(incidentId, view.resume), at)),
  ];
}

/** What is no plain pause: limits made tighter, or what was stopped along with another incident. */
function kindOf(
  { overlay, quarantinedBy }: Incident,
  at: { readonly indent: number; readonly columns: number },
): readonly string[] {
  return [
    ...(overlay === undefined
      ? []
      : fact(
          'Tighter',
          `every limit allows ${share(overlay)} of itself; money flows within it`,
          at,
        )),
    ...(quarantinedBy === undefined
      ? []
      : fact(
          'With',
          `stopped along with ${clean(quarantinedBy)}; it stays stopped unless that one’s resume names it (--also)`,
          at,
        )),
  ];
}

/** Where a resume stands: which step, since when, and what comes next. */
function stepText(step: NonNullable<Status['open'][number]['step']>, nowMs: number): string {
  const { number, of, shareBps, sinceMs, untilMs, next } = step;
  const then = next === 'step' ? 'then the next step' : 'then everything flows';
  return `${number} of ${of}: ${shareBps / 100}% of the limits, since ${moment(sinceMs, nowMs)}; ${then}, at ${moment(untilMs, nowMs)} at the earliest`;
}

/** One incident with its timeline and the next commands. */
export function incidentPage(answer: IncidentWithCauses, view: View): readonly string[] {
  const { incident, causes } = answer;
  const { paint, columns, nowMs } = view;
  const isOpen = incident.state === 'open';
  const state = isOpen ? paint.red('OPEN') : paint.green('CLOSED');
  return [
    `${paint.bold(`Incident ${clean(incident.incidentId)}`)}  ${state}`,
    '',
    ...fact('Scope', clean(incident.scope), { columns }),
    ...kindOf(incident, { indent: 0, columns }),
    ...fact('Opened', moment(incident.openedAtMs, nowMs), { columns }),
    ...(incident.closed ? closing(incident, incident.closed, view) : []),
    ...(isOpen && incident.resuming ? resuming(incident.resuming, causes, view) : []),
    ...fact(
      'Policy',
      `version ${incident.policyVersion}, opening ${incident.epoch} of this scope`,
      {
        columns,
      },
    ),
    ...(isOpen ? fact('Lift', liftText(view.resume), { columns }) : []),
    '',
    paint.bold(`${plural(causes.length, 'cause')}${ofMore(causes)}`),
    ...causes.flatMap((cause) => timelineEntry(cause, incident.openedAtMs, view)),
    '',
    ...next(incident, causes, view),
  ];
}

function closing(
  incident: Incident,
  closed: NonNullable<Incident['closed']>,
  view: View,
): readonly string[] {
  const { columns, nowMs } = view;
  const lasted = span(closed.atMs - incident.openedAtMs);
  return [
    ...fact('Closed', `${moment(closed.atMs, nowMs)}, after ${lasted}`, { columns }),
    ...fact('By', clean(closed.actor), { columns }),
    ...fact('Reason', clean(closed.reason), { columns }),
  ];
}

/** A resume in steps that a breach has ended must not look like one that goes on. */
function resuming(
  { atMs, actors, reason, epoch = 0 }: NonNullable<Incident['resuming']>,
  causes: readonly Cause[],
  { columns, nowMs }: View,
): readonly string[] {
  const isOver = causes.some(({ reopened = 0 }) => reopened > epoch);
  const since = `in steps, since ${moment(atMs, nowMs)}`;
  return [
    ...(isOver
      ? fact('Resumed', `in steps, at ${moment(atMs, nowMs)}; it has OPENED AGAIN since`, {
          columns,
        })
      : fact('Resuming', since, { columns })),
    ...fact('By', actors.map(clean).join(', '), { columns }),
    ...fact('Reason', clean(reason), { columns }),
  ];
}

function ofMore(causes: readonly Cause[]): string {
  return causes.length >= CAUSES_MAX
    ? ' (only the first ones are kept; more may have been counted)'
    : '';
}

function timelineEntry(cause: Cause, openedAtMs: number, view: View): readonly string[] {
  const { paint, columns } = view;
  const afterMs = cause.atMs - openedAtMs;
  const when = afterMs >= 1_000 ? `+ ${span(afterMs)}` : utc(cause.atMs);
  const size = cause.notional > 0n ? `  ${formatUsd(cause.notional)}` : '';
  const at = { indent: 4, columns };
  return [
    `  ${padEnd(when, 23)}  ${paint.yellow(clean(cause.kind))}${size}`,
    ...fact('', clean(cause.text), { indent: 0, columns }).map((line) =>
      line.replace(/^ {9}/, '    '),
    ),
    ...(cause.actor === undefined ? [] : fact('By', clean(cause.actor), at)),
    `    ${paint.dim(shorten(clean(cause.rowId), columns - 4))}`,
  ];
}

function next(incident: Incident, causes: readonly Cause[], view: View): readonly string[] {
  const { paint } = view;
  const limits = `  breakwater limits --scope ${shellWord(incident.scope)}`;
  if (incident.state === 'closed') return [paint.bold('Next'), limits, '  breakwater status'];
  const isLeak = causes.some((cause) => cause.kind === 'unmatched');
  return [
    paint.bold('Next'),
    ...(isLeak
      ? [
          '  A pause cannot stop somebody who holds the private keys: move what is left',
          '  to safety first.',
        ]
      : []),
    limits,
    `  ${resumeCommand(incident.incidentId, view.resume)}`,
  ];
}

/** The list of incidents, newest first. */
export function incidentList(
  incidents: readonly Incident[],
  view: Pick<View, 'paint' | 'columns' | 'nowMs'>,
): readonly string[] {
  const { paint, columns, nowMs } = view;
  if (incidents.length === 0) return ['No incidents.'];
  return incidents.flatMap((incident) => {
    const isOpen = incident.state === 'open';
    const head = `${clean(incident.incidentId)}  ${isOpen ? paint.red('OPEN  ') : paint.green('CLOSED')}`;
    const scope = shorten(
      clean(incident.scope),
      Math.min(NAME_COLUMNS_MAX, columns - columnsTaken(head) - 2),
    );
    const { kind, text: why } = incident.first;
    const text = clean(kind === 'limit' ? why : `${kind}: ${why}`);
    return [
      `${head}  ${paint.bold(scope)}`,
      `  ${moment(incident.openedAtMs, nowMs)}`,
      `  ${shorten(text, columns - 2)}`,
    ];
  });
}
