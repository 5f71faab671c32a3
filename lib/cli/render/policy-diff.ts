/** A policy's changes for people. */

import type { Change, Direction } from '../../domain/change.ts';
import type { Diff, Outlook } from '../policy-diff.ts';
import type { Paint } from './paint.ts';
import { clean, padEnd, plural, shellWord, wrap } from './text.ts';
import { span } from './time.ts';

const DIRECTION_COLUMNS = 10;
const HOUR_MS = 3_600_000;
/** Up to here people say hours. */
const HOURS_MAX = 72;

type View = { readonly paint: Paint; readonly columns: number };

/** The changes, each with what it does and why, and a line that counts them. */
export function diffLines(
  { changes }: Pick<Diff, 'changes'>,
  { paint, columns }: View,
): readonly string[] {
  const lines = changes.flatMap((change) => {
    const [first = '', ...rest] = wrap(clean(text(change)), columns - DIRECTION_COLUMNS);
    const indent = ' '.repeat(DIRECTION_COLUMNS);
    return [`${mark(change.direction, paint)}${first}`, ...rest.map((line) => indent + line)];
  });
  return [...lines, '', countLine(changes)];
}

/** Whether it applies at once, in plain words. */
export function outlookLines(outlook: Outlook, { paint, columns }: View): readonly string[] {
  const text = clean(outlookText(outlook));
  const [first = '', ...rest] = wrap(text, columns - 2);
  return [painted(outlook, paint)(first), ...rest.map((line) => `  ${line}`)];
}

/** The command that brings the policy of a file into force; nothing where none does. */
export function nextCommand({ kind }: Outlook, file: string): string | undefined {
  if (kind === 'refused') return undefined;
  const name = fileWord(file);
  const verb = kind === 'quorum' ? 'propose' : 'apply';
  return `breakwater policy ${verb} ${name} --reason "…"`;
}

/** `2 operators and 24 h`: what a change takes that one operator alone cannot make. */
export function consentText(needs: { readonly quorum: number; readonly delayMs: number }): string {
  const operators = plural(needs.quorum, 'operator');
  return needs.delayMs === 0 ? operators : `${operators} and ${delayText(needs.delayMs)}`;
}

/** What came from standard input is not there a second time. */
function fileWord(file: string): string {
  if (file === '-') return 'FILE';
  return /^[\w./-]+$/.test(file) ? file : shellWord(file);
}

function outlookText(outlook: Outlook): string {
  switch (outlook.kind) {
    case 'at-once':
      return outlook.trial
        ? 'Applies at once: in TRIAL MODE one operator alone changes anything.'
        : 'Applies at once: it loosens nothing, so one operator alone is enough.';
    case 'quorum':
      return `Needs ${consentText(outlook)}${outlook.delayMs === 0 ? ', without a delay' : ''}.`;
    case 'refused':
      return `Refused whoever agrees: ${outlook.why}.`;
    default:
      return outlook satisfies never;
  }
}

function painted({ kind }: Outlook, paint: Paint): (text: string) => string {
  if (kind === 'refused') return paint.red;
  return kind === 'quorum' ? paint.yellow : paint.green;
}

function delayText(delayMs: number): string {
  const hours = delayMs / HOUR_MS;
  return Number.isInteger(hours) && hours <= HOURS_MAX ? `${hours} h` : span(delayMs);
}

function text({ what, field, before, after, why }: Change): string {
  if (field !== undefined) return `${what}: ${field} ${before} → ${after} (${why})`;
  const [verb, whole] = before === undefined ? ['added', after] : ['removed', before];
  return whole ? `${what}: ${verb}: ${whole} (${why})` : `${what}: ${verb} (${why})`;
}

function mark(direction: Direction, paint: Paint): string {
  switch (direction) {
    case 'loosens':
      return paint.red(padEnd('LOOSENS', DIRECTION_COLUMNS));
    case 'revokes':
      return paint.yellow(padEnd('REVOKES', DIRECTION_COLUMNS));
    case 'tightens':
      return paint.green(padEnd(direction, DIRECTION_COLUMNS));
    case 'neutral':
      return paint.dim(padEnd(direction, DIRECTION_COLUMNS));
    default:
      return direction satisfies never;
  }
}

const COUNTED = [
  { direction: 'loosens', several: 'loosen' },
  { direction: 'revokes', several: 'revoke' },
  { direction: 'tightens', several: 'tighten' },
  { direction: 'neutral', several: 'neutral' },
] as const;

function countLine(changes: readonly Change[]): string {
  const counts = COUNTED.flatMap(({ direction, several }) => {
    const count = changes.filter((change) => change.direction === direction).length;
    return count === 0 ? [] : [`${count} ${count === 1 ? direction : several}`];
  });
  return `${plural(changes.length, 'change')}: ${counts.join(', ')}`;
}
