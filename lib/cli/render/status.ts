/** The status for people. The first line is the answer. */

import type { Status } from '../answers.ts';
import type { Listed } from '../proposal-answers.ts';
import { openIncident, type View } from './incident.ts';
import type { Paint } from './paint.ts';
import { waitingLines } from './proposal.ts';
import { clean, fact, padEnd, plural, wrap } from './text.ts';
import { relative, span, utc } from './time.ts';

/** What the flag says to a withdrawal service, in the words of the first line. */
export type Headline = {
  readonly text: string;
  /** Whether withdrawals flow everywhere. */
  readonly isEnabled: boolean;
};

/** Characters of a hash that are shown. */
const HASH_LENGTH = 12;

/** The one-line answer. In shadow mode nothing is stopped, whatever is open. */
export function headline(status: Status): Headline {
  const { text, isEnabled } = enforced(status);
  if (status.policy.mode !== 'shadow' || status.summary === 'no-policy') return { text, isEnabled };
  const would = isEnabled ? '' : `; enforced it would be: ${text}`;
  return { text: `ENABLED (SHADOW MODE: nothing is stopped${would})`, isEnabled: true };
}

function enforced(status: Status): Headline {
  switch (status.summary) {
    case 'enabled':
      return { text: 'ENABLED', isEnabled: true };
    case 'resuming':
      return { text: 'RESUMING IN STEPS: what a step allows flows', isEnabled: false };
    case 'paused': {
      const count = plural(status.open.length, 'incident');
      const text = status.truncated ? `PAUSED (more than ${count})` : `PAUSED (${count})`;
      return { text, isEnabled: false };
    }
    case 'no-policy':
      return { text: 'NO POLICY', isEnabled: false };
    case 'lapsed': {
      const lapsed = status.chains.filter((chain) => !chain.inForce).length;
      const all = status.chains.length;
      const where = lapsed === all ? '' : ` on ${lapsed} of ${all} chains`;
      return { text: `NOT ENABLED${where}: no proof of health`, isEnabled: false };
    }
    default:
      return status.summary satisfies never;
  }
}

/** The whole page. `target`: which Breakwater was asked. */
export function statusPage(
  status: Status,
  view: {
    readonly paint: Paint;
    readonly columns: number;
    readonly target: string;
    /** What operators sign; a text says why it could not be read. */
    readonly proposals?: Listed | string | undefined;
  },
): readonly string[] {
  const { paint, columns, target } = view;
  const { text, isEnabled } = headline(status);
  const colour = isEnabled
    ? status.policy.mode === 'shadow'
      ? paint.yellow
      : paint.green
    : paint.red;
  const incidentView: View = {
    paint,
    columns,
    nowMs: status.atMs,
    resume: status.policy.resume,
  };
  return [
    colour(text),
    '',
    ...policyFacts(status, columns),
    ...fact('Asked', `${clean(target)} at ${utc(status.atMs)}`, { columns }),
    ...section(paint.bold('Open incidents'), openIncidents(status, incidentView)),
    ...section(paint.bold('Proposals'), proposalLines(view.proposals, incidentView)),
    ...section(paint.bold('Held withdrawals'), heldLines(status, columns)),
    ...section(paint.bold('Proof of health'), health(status, { paint, columns })),
    ...nextSteps(status, paint),
  ];
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

function policyFacts(status: Status, columns: number): readonly string[] {
  const { name, version, hash, mode, resume } = status.policy;
  if (status.summary === 'no-policy') {
    return fact('Policy', 'none yet: everything is unknown, and blocked', { columns });
  }
  const modeText = mode === 'shadow' ? 'SHADOW: reports, stops nothing' : 'enforce';
  const resumeText =
    resume === 'trial' ? 'TRIAL MODE: one operator alone can resume' : quorumText(status.policy);
  return [
    ...fact('Policy', `${clean(name)}, version ${version}, hash ${hash.slice(0, HASH_LENGTH)}`, {
      columns,
    }),
    ...fact('Mode', modeText, { columns }),
    ...fact('Resume', resumeText, { columns }),
  ];
}

function quorumText({ quorum, resumers = [] }: Status['policy']): string {
  if (quorum === undefined) return 'quorum: the resume of one operator alone is refused';
  const names = resumers.length === 0 ? '' : `: ${resumers.map(clean).join(', ')}`;
  return `${quorum} of ${plural(resumers.length, 'operator')} have to sign${names}`;
}

function proposalLines(
  proposals: Listed | string | undefined,
  view: { readonly paint: Paint; readonly columns: number; readonly nowMs: number },
): readonly string[] {
  if (proposals === undefined) return [];
  if (typeof proposals !== 'string') return waitingLines(proposals, view);
  return wrap(`could not be read: ${clean(proposals)}`, view.columns - 2).map(
    (line) => `  ${line}`,
  );
}

function openIncidents(status: Status, view: View): readonly string[] {
  return status.open.flatMap((incident, position) => [
    ...(position === 0 ? [] : ['']),
    ...openIncident(incident, view),
  ]);
}

function heldLines({ held, atMs }: Status, columns: number): readonly string[] {
  if (!held) return [];
  const { count, forPeople, oldestAtMs } = held;
  const people = forPeople > 0 ? `, ${forPeople} of them for a person` : '';
  const text = `${count} waiting${people}; the oldest since ${span(atMs - oldestAtMs)}. List them: breakwater withdrawal held`;
  return wrap(text, columns - 2).map((line) => `  ${line}`);
}

function health(
  status: Status,
  view: { readonly paint: Paint; readonly columns: number },
): readonly string[] {
  const { chains, heartbeat, atMs, unproven } = status;
  const { paint, columns } = view;
  const names = chains.map((chain) => clean(chain.chain));
  const width = Math.max(9, ...names.map((name) => name.length));
  const leases = chains.map((chain, position) => {
    const colour = chain.inForce ? paint.green : paint.red;
    return `  ${padEnd(names[position] ?? '', width)}  ${colour(leaseText(chain, atMs))}`;
  });
  return [
    ...leases,
    `  ${padEnd('heartbeat', width)}  ${heartbeatText(heartbeat, atMs)}`,
    ...[...whyNot(unproven), ...blindness(chains, atMs), ...unwatched(chains)].flatMap((text) =>
      wrap(text, columns - 2).map((line) => `  ${line}`),
    ),
  ];
}

function whyNot(unproven: string | undefined): readonly string[] {
  return unproven === undefined ? [] : [`Not renewed now: ${clean(unproven)}.`];
}

function blindness(chains: Status['chains'], atMs: number): readonly string[] {
  return chains.flatMap(({ chain, blind }) => {
    if (!blind) return [];
    const since = blind.sinceMs === undefined ? '' : ` since ${span(atMs - blind.sinceMs)}`;
    return [`BLIND on ${clean(chain)}${since}: ${clean(blind.why)}. It alone is not enabled.`];
  });
}

function unwatched(chains: Status['chains']): readonly string[] {
  const without = chains.filter(({ watched, blind }) => !watched && !blind);
  if (without.length === 0) return [];
  const names = without.map(({ chain }) => clean(chain));
  const where =
    names.length === chains.length ? 'No chain is watched' : `Not watched: ${names.join(', ')}`;
  return [`${where}; only reported outflow is seen.`];
}

function leaseText(chain: Status['chains'][number], atMs: number): string {
  if (chain.untilMs === undefined) return 'NO PROOF YET';
  if (chain.inForce) return `in force, ${Math.floor((chain.untilMs - atMs) / 1_000)} s left`;
  return `LAPSED ${span(atMs - chain.untilMs)} ago`;
}

function heartbeatText(heartbeat: Status['heartbeat'], atMs: number): string {
  if (!heartbeat) return 'none has come through the ingress yet';
  const { sentAtMs, receivedAtMs, oldestWaitingMs } = heartbeat;
  const waiting = oldestWaitingMs >= 1_000 ? `, oldest event waited ${span(oldestWaitingMs)}` : '';
  return `sent ${relative(sentAtMs, atMs)}, came through in ${receivedAtMs - sentAtMs} ms${waiting}`;
}

function nextSteps(status: Status, paint: Paint): readonly string[] {
  switch (status.summary) {
    case 'enabled':
    case 'resuming':
    case 'paused':
      return [];
    case 'no-policy':
      return [
        '',
        paint.bold('Next'),
        '  breakwater policy check FILE, then breakwater policy apply FILE',
      ];
    case 'lapsed':
      if (status.chains.every(({ inForce, blind }) => inForce || blind)) return watcherSteps(paint);
      return [
        '',
        paint.bold('Next'),
        '  Nothing was tripped. Withdrawals are enabled again by themselves once a',
        '  heartbeat comes through: see whether tick and ingest-events run, and',
        '  whether events lie in the dead-letter queue.',
      ];
    default:
      return status.summary satisfies never;
  }
}

/** Everything else is proven: what is missing is a watcher that sees. */
function watcherSteps(paint: Paint): readonly string[] {
  return [
    '',
    paint.bold('Next'),
    '  Nothing was tripped. These chains are enabled again by themselves once their',
    '  watcher sees new blocks: see whether watch-chain runs, and whether the nodes',
    '  that its secret names answer.',
  ];
}
