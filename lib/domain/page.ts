/** Messages to people. The first line is what a phone shows at three in the morning. */

import type { Cause, Incident } from './breaker.ts';
import type * as Ledger from './ledger.ts';
import * as Money from './money.ts';

/** A message. `subject` has at most {@link SUBJECT_MAX} characters. */
export type Message = {
  readonly subject: string;
  readonly body: string;
  readonly severity: 'page' | 'notice';
};

/** Length of a first line, at most. */
export const SUBJECT_MAX = 140;
/** Length of the amount in it, at most: a hostile amount has 78 digits. */
const AMOUNT_MAX = 30;

/** The page for a breaker that opened: scope, cause, amount, next command; then everything else. */
export function opened(incident: Incident): Message {
  if (incident.overlay !== undefined) return tightened(incident, incident.overlay);
  const { first, scope, incidentId, openedAtMs, drill } = incident;
  const verb = verbOf(incident);
  const amount =
    first.notional > 0n ? ` ${shorten(Money.formatUsd(first.notional), AMOUNT_MAX)}` : '';
  const tail = `: ${first.kind}${amount}; run: breakwater incident ${incidentId}`;
  return {
    subject: `${verb} ${shorten(scope, SUBJECT_MAX - verb.length - 1 - tail.length)}${tail}`,
    severity: drill || first.planned ? 'notice' : 'page',
    body: [
      ...(drill ? [DRILL] : []),
      `${verb} ${scope} at ${new Date(openedAtMs).toISOString()}`,
      `Cause: ${first.text}`,
      `Withdrawals in this scope are not enabled until people resume it.`,
      ...(first.kind === 'unmatched' && !drill
        ? [
            'Its wallet and its destination are stopped by incidents of their own, until a resume names them: breakwater status',
          ]
        : []),
      `Look:   breakwater incident ${incidentId}`,
      `Resume: breakwater resume propose ${incidentId} --reason "…"`,
      `        under resume: trial, alone: breakwater resume ${incidentId} --reason "…"`,
      `Note: a pause stops the withdrawal service. It cannot stop somebody who holds the private keys; move what is left to safety first.`,
      `Policy version ${incident.policyVersion}, epoch ${incident.epoch}, event ${first.rowId}`,
    ].join('\n'),
  };
}

/** What a message of a drill begins with. */
const DRILL = 'This is a drill: a made-up outflow of the canary. It is reset by itself.';

function verbOf({ first, drill }: Incident): string {
  if (drill) return 'DRILL TRIPPED';
  if (first.kind !== 'operator') return 'TRIPPED';
  return first.planned ? 'PAUSED AS PLANNED:' : 'PAUSED';
}

/** Nothing is stopped, and every use of such a right wants to be seen at once. */
function tightened(incident: Incident, shareBps: number): Message {
  const { first, scope, incidentId, openedAtMs } = incident;
  const tail = ` to ${shareBps / 100}% of its limits; run: breakwater incident ${incidentId}`;
  const head = 'TIGHTENED ';
  return {
    subject: `${head}${shorten(scope, SUBJECT_MAX - head.length - tail.length)}${tail}`,
    severity: 'page',
    body: [
      `${head}${scope} at ${new Date(openedAtMs).toISOString()}: every limit allows ${shareBps / 100}% of itself`,
      `Cause: ${first.text}`,
      `A resume of incident ${incidentId} lifts it.`,
    ].join('\n'),
  };
}

/** How the first line names a cause that came later. */
const JOINED: Readonly<Record<Cause['kind'], string>> = {
  unmatched: 'UNMATCHED OUTFLOW',
  conflict: 'CONFLICT',
  unknown: 'UNKNOWN MONEY',
  parked: 'PARKED EVENT',
  limit: 'LIMIT',
  operator: 'PAUSE',
};

/** The page for a cause that an incident took in which was opened for another reason. */
export function joined(incident: Incident, cause: Cause): Message {
  const { scope, incidentId, first } = incident;
  const head = `${JOINED[cause.kind]} in `;
  const held = incident.state === 'open' ? 'already paused' : 'RESUMED SINCE';
  const amount =
    cause.notional > 0n ? `: ${shorten(Money.formatUsd(cause.notional), AMOUNT_MAX)}` : '';
  const tail = `, ${held}${amount}; run: breakwater incident ${incidentId}`;
  return {
    subject: `${head}${shorten(scope, SUBJECT_MAX - head.length - tail.length)}${tail}`,
    severity: 'page',
    body: [
      `${JOINED[cause.kind]} in ${scope} at ${new Date(cause.atMs).toISOString()}, ${held}`,
      `New: ${cause.text}`,
      `The incident was opened for another reason: ${first.text}`,
      `Do not resume for that reason alone. More of this kind in this incident is listed, not paged.`,
      `Look: breakwater incident ${incidentId}`,
      `Event ${cause.rowId}`,
    ].join('\n'),
  };
}

/** The page for a breaker that was resuming in steps and is open again. */
export function openedAgain(incident: Incident, cause: Cause): Message {
  const { scope, incidentId } = incident;
  const amount =
    cause.notional > 0n ? ` ${shorten(Money.formatUsd(cause.notional), AMOUNT_MAX)}` : '';
  const head = 'OPENED AGAIN ';
  const tail = `: ${cause.kind}${amount}; run: breakwater incident ${incidentId}`;
  return {
    subject: `${head}${shorten(scope, SUBJECT_MAX - head.length - tail.length)}${tail}`,
    severity: 'page',
    body: [
      `${head}${scope} at ${new Date(cause.atMs).toISOString()}, while it was resuming`,
      `Cause: ${cause.text}`,
      `Opened first because: ${incident.first.text}`,
      `Nothing flows in this scope. What was agreed on to resume it is void: epoch ${cause.reopened} needs a resume of its own.`,
      `Look: breakwater incident ${incidentId}`,
      `Event ${cause.rowId}`,
    ].join('\n'),
  };
}

/** The notice for a breaker that begins to resume in steps. */
export function resuming(incident: Incident): Message {
  const who = incident.resuming?.actors.join(', ') || 'unknown';
  const tail = ` by ${shorten(who, 60)}`;
  const head = 'RESUMING ';
  const subject = `${head}${shorten(incident.scope, SUBJECT_MAX - head.length - tail.length)}${tail}`;
  return {
    subject,
    severity: 'notice',
    body: `${subject}\nIn steps; see: breakwater status. Incident ${incident.incidentId}. Reason: ${incident.resuming?.reason ?? 'none given'}`,
  };
}

/** The notice for a breaker that people closed. */
export function closed(incident: Incident): Message {
  const who = incident.closed?.actor ?? 'unknown';
  const tail = ` by ${shorten(who, 60)}`;
  const head = incident.drill ? 'DRILL RESUMED ' : 'RESUMED ';
  const subject = `${head}${shorten(incident.scope, SUBJECT_MAX - head.length - tail.length)}${tail}`;
  return {
    subject,
    severity: 'notice',
    body: `${subject}\nIncident ${incident.incidentId}. Reason: ${incident.closed?.reason ?? 'none given'}`,
  };
}

/** What stops nothing and yet wants a person now: somebody waits for it, or counts on it. */
const PAGED: ReadonlySet<Ledger.Alert['kind']> = new Set(['refused', 'held', 'panic', 'drill']);

/** The message for something that stops nothing. */
export function alert(raised: Ledger.Alert): Message {
  const subject = shorten(`${raised.kind.toUpperCase()} ${raised.text}`, SUBJECT_MAX);
  return {
    subject,
    severity: PAGED.has(raised.kind) ? 'page' : 'notice',
    body: `${raised.kind.toUpperCase()} ${raised.text}\nScope ${raised.scope}, event ${raised.rowId}, ${new Date(raised.atMs).toISOString()}`,
  };
}

/** The notice for a policy that came into force. */
export function policy(stored: Ledger.StoredPolicy): Message {
  const { version, hash, actor, beforeHash, reason = 'none given' } = stored;
  const head = `POLICY version ${version} (${hash.slice(0, 12)}) in force, by `;
  const tail = stored.judged ? `: ${judged(stored.judged)}` : '';
  const room = Math.min(60, SUBJECT_MAX - head.length - tail.length);
  return {
    subject: `${head}${shorten(actor, room)}${tail}`,
    severity: 'notice',
    body: [
      `${head}${actor}${tail}`,
      `Reason: ${reason}`,
      ...(beforeHash === undefined ? [] : [`Replaced: ${beforeHash}`]),
      `Hash: ${hash}`,
      'Look: breakwater policy show',
    ].join('\n'),
  };
}

/** What a version of the policy changed, in one line: `2 tightened, 1 loosened`. */
export function judged(counts: Required<Ledger.StoredPolicy>['judged']): string {
  const { tightens, loosens, revokes, neutral } = counts;
  const parts = [
    [tightens, 'tightened'],
    [loosens, 'loosened'],
    [revokes, 'revoked'],
    [neutral, 'neutral'],
  ] as const;
  const told = parts.filter(([count]) => count > 0).map(([count, how]) => `${count} ${how}`);
  return told.join(', ') || 'the same rules';
}

/** The notice that the audit chain is behind. */
export function audit(reasons: readonly string[]): Message {
  const subject = shorten(`AUDIT chain is behind: ${reasons.join('; ')}`, SUBJECT_MAX);
  return {
    subject,
    severity: 'notice',
    body: [
      `AUDIT chain is behind: ${reasons.join('; ')}`,
      'Nothing is lost: entries wait in the Control table and are appended, signed and copied with the next change.',
      'Look: breakwater audit check',
    ].join('\n'),
  };
}

/** Keeps both ends of a text that is too long. */
function shorten(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  const head = Math.ceil((lengthMax - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (lengthMax - 1 - head))}`;
}
