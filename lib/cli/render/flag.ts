/** The flag for people. */

import type { Flag } from '../answers.ts';
import type { Paint } from './paint.ts';
import { clean, fact } from './text.ts';
import { utc } from './time.ts';

/** The answer first, then why, and what to do about it. */
export function flagPage(
  flag: Flag,
  view: { readonly paint: Paint; readonly columns: number },
): readonly string[] {
  const { paint, columns } = view;
  const answer = flag.enabled ? paint.green('ENABLED') : paint.red('NOT ENABLED');
  const { scope, incidentId, sinceMs, inForceUntilMs } = flag;
  return [
    `${answer}: ${clean(flag.text)}`,
    ...(scope === undefined ? [] : fact('Scope', clean(scope), { columns })),
    ...(sinceMs === undefined ? [] : fact('Since', utc(sinceMs), { columns })),
    ...(inForceUntilMs === undefined
      ? []
      : fact('Holds', `until ${utc(inForceUntilMs)}, without another look`, { columns })),
    ...(incidentId === undefined
      ? []
      : fact('Look', `breakwater incident ${clean(incidentId)}`, { columns })),
  ];
}
