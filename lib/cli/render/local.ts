/** What `breakwater local` shows: where to send what, and one line for each decision. */

import * as Money from '../../domain/money.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Paint } from './paint.ts';
import { clean, fact } from './text.ts';

/** One line of the log, as the functions write it. */
export type Entry = {
  readonly level: 'info' | 'error';
  readonly message: string;
  readonly fields: Readonly<{ [name: string]: unknown }>;
};

/** What is running. Policy version 0: none was ever applied. */
export type Running = {
  readonly url: string;
  readonly folder: string;
  readonly policy: Policy;
  readonly version: number;
  /** The port that was to be taken and was not free. */
  readonly portTaken?: number;
};

/** The beginning: where it is, in force, and how to talk to it. */
export function endpointLines(
  running: Running,
  view: { readonly paint: Paint; readonly columns: number },
): readonly string[] {
  const { url, folder, policy, version } = running;
  const { paint, columns } = view;
  const [named] = policy.wallets;
  // A name on several chains would leave open which one is asked about.
  const wallet = named?.addresses.length === 1 ? named.name : (named?.addresses[0] ?? '…');
  const inForce =
    version === 0
      ? paint.yellow('none: everything is unknown, and blocked')
      : `${clean(policy.name)}, version ${version}, mode ${policy.mode}`;
  return [
    `${paint.bold('BREAKWATER')} runs at ${paint.bold(url)}`,
    ...(running.portTaken === undefined
      ? []
      : [
          paint.yellow(
            `Port ${running.portTaken} is taken by something else; point your service here.`,
          ),
        ]),
    '',
    ...fact('State', folder, { columns }),
    ...fact('Policy', inForce, { columns }),
    '',
    '  POST /events     withdrawal.reported, batch.declared, …: one or an array',
    '  GET  /flag       ?wallet=…&asset=…&destination=…&actor=…: may it be signed?',
    '  POST /commands   {"command":"status"} and the others; see breakwater --help',
    '  GET  /health     whether it answers',
    '',
    `  curl -s '${url}/flag?wallet=${clean(wallet)}'`,
    `  curl -s ${url}/events -d @event.json`,
    ...(version === 0 ? ['  breakwater policy apply examples/policies/starter.yaml'] : []),
    '',
    paint.dim('What is decided follows, a line each. Ctrl-C ends it; the state stays.'),
  ];
}

/** `13:20:59  counted  $7,900,000  outflow:…  TRIPPED key-domain:coinex-hot`. */
export function logLine(
  { level, message, fields }: Entry,
  view: { readonly atMs: number; readonly paint: Paint },
): string {
  const { paint, atMs } = view;
  const at = new Date(atMs).toISOString().slice(11, 19);
  if (level === 'error') return paint.yellow(`${at}  ${clean(message)}${why(fields)}`);
  if (message === 'event decided') return `${at}  ${decided(fields, paint)}`;
  const { subject } = fields;
  if (subject !== undefined) return `${at}  ${paint.bold(clean(String(subject)))}`;
  return `${at}  ${clean(message)}  ${pairs(fields)}`;
}

function decided(fields: Entry['fields'], paint: Paint): string {
  const { rowId, result, notional, trips, wouldTrip } = fields;
  const size = /^\d+$/.test(String(notional)) ? Money.formatUsd(BigInt(String(notional))) : '';
  const all: readonly unknown[] = Array.isArray(trips) ? trips : [];
  const tripped = all.filter(isOpening).map((trip) => paint.red(`TRIPPED ${scopeOf(trip)}`));
  const wouldBe: readonly unknown[] = Array.isArray(wouldTrip) ? wouldTrip : [];
  const would = wouldBe.map((scope) => paint.yellow(`would trip ${scopeOf(scope)}`));
  return [clean(String(result)), size, clean(String(rowId)), ...tripped, ...would].join('  ');
}

function isOpening(trip: unknown): boolean {
  return typeof trip === 'object' && trip !== null && 'opened' in trip && trip.opened === true;
}

function scopeOf(trip: unknown): string {
  const hasScope = typeof trip === 'object' && trip !== null && 'scope' in trip;
  return clean(String(hasScope ? trip.scope : trip));
}

/** A reason alone needs no name. */
function why(fields: Entry['fields']): string {
  const [[name, value] = [], ...more] = Object.entries(fields);
  const isAlone = more.length === 0 && (name === 'why' || name === 'reason');
  return isAlone ? `: ${clean(String(value))}` : `  ${pairs(fields)}`;
}

function pairs(fields: Entry['fields']): string {
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  return Object.entries(fields)
    .map(([name, value]) => `${name} ${clean(text(value) ?? '')}`)
    .join('  ');
}
