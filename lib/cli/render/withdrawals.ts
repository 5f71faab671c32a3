/** Held and open withdrawals for people. */

import type { Held, Notice, Open } from '../answers.ts';
import type { Paint } from './paint.ts';
import { clean, fact, plural } from './text.ts';
import { moment, span } from './time.ts';

/** How wide it may be, and its colours. */
export type View = { readonly paint: Paint; readonly columns: number };

/** Who can lift what stands against a withdrawal. */
const LIFT: Readonly<Record<string, string>> = {
  time: 'by time; operators can let it go before',
  operators: 'by operators only',
  nobody: 'by nobody: ask under a new id',
};

/** Why one withdrawal waits. The first line is the answer. */
export function noticePage(
  notice: Notice,
  view: View & { readonly nowMs: number },
): readonly string[] {
  const { paint, columns, nowMs } = view;
  const { withdrawalId, state, text, lift, reason, sinceMs, untilMs, position, incidentId } =
    notice;
  const line = (name: string, value: string | undefined) =>
    value === undefined ? [] : fact(name, value, { columns });
  return [
    `${paint.bold(clean(state.toUpperCase()))} ${clean(withdrawalId)}`,
    clean(text),
    ...line('Reason', reason && clean(reason)),
    ...line('Since', sinceMs === undefined ? undefined : moment(sinceMs, nowMs)),
    ...line('Until', untilMs === undefined ? undefined : `about ${moment(untilMs, nowMs)}`),
    ...line('Place', position === undefined ? undefined : `${position}`),
    ...line('Lifted', lift && (LIFT[lift] ?? clean(lift))),
    ...line('Incident', incidentId && clean(incidentId)),
  ];
}

/** The queues: those that wait for a person first, since somebody has to act. */
export function heldPage(report: Held, { paint, columns }: View): readonly string[] {
  const { held, atMs, truncated } = report;
  if (held.length === 0) return ['No withdrawal is held.'];
  const forPeople = held.filter(({ waitsFor }) => !waitsFor);
  const forRoom = held.filter(({ waitsFor }) => waitsFor);
  const lines = (some: Held['held']) => some.flatMap((each) => heldLines(each, { atMs, columns }));
  return [
    paint.bold(`${plural(held.length, 'withdrawal')} held${truncated ? ', and more' : ''}`),
    ...(forPeople.length === 0
      ? []
      : ['', paint.bold('For a person (breakwater withdrawal release ID)'), ...lines(forPeople)]),
    ...(forRoom.length === 0 ? [] : ['', paint.bold('For room'), ...lines(forRoom)]),
  ];
}

/** Reservations whose outcome is open, oldest first. */
export function openPage(report: Open, { paint }: View): readonly string[] {
  const { open, atMs } = report;
  if (open.length === 0) return ['No admitted withdrawal waits for its outcome.'];
  return [
    paint.bold(`${plural(open.length, 'admitted withdrawal')} without an outcome`),
    ...open.map(
      ({ withdrawalId, chargedAtMs }) =>
        `  ${clean(withdrawalId)}  ${span(atMs - chargedAtMs)} ago`,
    ),
  ];
}

function heldLines(
  each: Held['held'][number],
  { atMs, columns }: { readonly atMs: number; readonly columns: number },
): readonly string[] {
  const { withdrawalId, heldAtMs, amountText, wallet, destination, actor, waitsFor } = each;
  const who = actor === undefined ? '' : ` for ${clean(actor)}`;
  const what = `${clean(amountText)} from ${clean(wallet)} to ${clean(destination)}${who}`;
  const why = waitsFor
    ? `place ${waitsFor.position}, limit ${clean(waitsFor.limitId)} on ${clean(waitsFor.scope)}`
    : 'until a person lets it go';
  return [
    `  ${clean(withdrawalId)}  held ${span(atMs - heldAtMs)}`,
    ...fact('  ', what, { columns }),
    ...fact('  ', why, { columns }),
  ];
}
