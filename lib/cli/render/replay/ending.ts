/** The end: people decide. */

import type { Incident } from '../../answers.ts';
import type { Paint } from '../paint.ts';
import { clean, fact, plural } from '../text.ts';
import { clockTime } from './words.ts';

/** What the lines are shown with. */
export type EndingView = { readonly paint: Paint; readonly columns: number };

/** What the operator has to type, ready to copy. */
export function waitingLines(
  open: readonly Incident[],
  way: {
    readonly address: string;
    readonly isTrial: boolean;
    /** Incidents of what was stopped along with these. */
    readonly along: readonly Incident[];
  },
  view: EndingView,
): readonly string[] {
  const { paint, columns } = view;
  const resume = open.flatMap(({ incidentId, scope, first }) => {
    const wallets = walletsOf(way.along, incidentId);
    const more = wallets === 0 ? '' : `, ${plural(wallets, 'wallet')} stopped along with it`;
    const flag = wallets === 0 ? '' : ' --wallets';
    return [
      `# ${clean(scope)}: ${first.kind}${more}`,
      `npx breakwater${way.address} resume ${incidentId}${flag} --reason "replay: checked"`,
    ];
  });
  const suspects = way.along.filter(({ scope }) => scope.startsWith('destination:')).length;
  const mode = way.isTrial
    ? 'This policy is in trial mode: one operator alone can resume.'
    : 'This policy asks for a quorum: one operator alone will be refused.';
  return [
    paint.yellow('WAITING FOR AN OPERATOR: nothing resumes by itself.'),
    ...fact('', `In a second terminal, in this folder. ${mode}`, { columns: columns + 6 }).map(
      (line) => `  ${line.trimStart()}`,
    ),
    '',
    ...resume.map((line) => `  ${line}`),
    ...(suspects === 0
      ? []
      : [`  (${plural(suspects, 'suspect destination')} stay stopped until a resume names them)`]),
    '',
    `  Look around first: npx breakwater${way.address} status | limits | incidents`,
    '  Ctrl-C ends the replay.',
  ];
}

function walletsOf(along: readonly Incident[], incidentId: string): number {
  const own = along.filter((one) => one.quarantinedBy === incidentId);
  return own.filter(({ scope }) => scope.startsWith('wallet:')).length;
}

/** One incident that people closed. */
export function resumedLines(
  incident: Incident,
  isTrial: boolean,
  paint: Paint,
): readonly string[] {
  const who = clean(incident.closed?.actor ?? 'unknown');
  const why = clean(incident.closed?.reason ?? '');
  const mode = isTrial ? ' in trial mode' : '';
  const at = incident.closed ? `${clockTime(incident.closed.atMs)}  ` : '';
  const reason = why === '' ? [] : [`           "${why}"`];
  return [`${at}${paint.green('RESUMED')}  ${clean(incident.scope)} by ${who}${mode}`, ...reason];
}
