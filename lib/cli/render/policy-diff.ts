/** A policy's changes for people. */

import type { Change, Effect } from '../policy-diff.ts';
import type { Paint } from './paint.ts';
import { clean, padEnd, plural, wrap } from './text.ts';

const EFFECT_COLUMNS = 8;

/** The changes, each with what it means, and a line that counts the looser ones. */
export function diffLines(
  changes: readonly Change[],
  view: { readonly paint: Paint; readonly columns: number },
): readonly string[] {
  const { paint, columns } = view;
  const lines = changes.flatMap((change) => {
    const label = mark(change.effect, paint);
    const [first = '', ...rest] = wrap(clean(text(change)), columns - EFFECT_COLUMNS);
    const indent = ' '.repeat(EFFECT_COLUMNS + 2);
    return [`${label}${first}`, ...rest.map((line) => `${indent}${line}`)];
  });
  return [...lines, '', countLine(changes, paint)];
}

function text(change: Change): string {
  const { what, field, before, after } = change;
  if (field !== undefined) return `${what}: ${field} ${before} → ${after}`;
  return before === undefined ? `${what}: added (${after})` : `${what}: removed (${before})`;
}

function mark(effect: Effect, paint: Paint): string {
  const label = padEnd(effect === 'looser' ? 'LOOSER' : effect, EFFECT_COLUMNS);
  if (effect === 'looser') return paint.red(label);
  return effect === 'tighter' ? paint.green(label) : paint.dim(label);
}

function countLine(changes: readonly Change[], paint: Paint): string {
  const looser = changes.filter((change) => change.effect === 'looser').length;
  const total = plural(changes.length, 'change');
  return looser === 0
    ? `${total}, none of them looser`
    : `${total}, ${paint.red(`${looser} of them LOOSER: more can leave, or resuming gets easier`)}`;
}
