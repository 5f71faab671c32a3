/** Whether two patterns can mean the same thing. */

import * as Pattern from './pattern.ts';

/** Whether some text matches both patterns. Both are short: the work is the product of their lengths. */
export function overlaps(left: string, right: string): boolean {
  if (!right.includes('*')) return Pattern.matches(left, right);
  if (!left.includes('*')) return Pattern.matches(right, left);
  // `reached[j]`: the first i characters of `left` and the first j of `right` share a text.
  let reached = advance([true, ...Array<boolean>(right.length).fill(false)], undefined, right);
  for (const character of left) reached = advance(reached, character, right);
  return reached[right.length] ?? false;
}

/** One more character of the left pattern; `undefined` before its first. */
function advance(
  before: readonly boolean[],
  character: string | undefined,
  right: string,
): readonly boolean[] {
  const after: boolean[] = [];
  for (let j = 0; j <= right.length; j++) {
    const other = right[j - 1];
    const byStar =
      other === '*' && (after[j - 1] === true || (character !== undefined && before[j] === true));
    const byOwnStar = character === '*' && (before[j] === true || after[j - 1] === true);
    const bySame = character !== undefined && character === other && before[j - 1] === true;
    const atStart = character === undefined && j === 0;
    after.push(atStart || byStar || byOwnStar || bySame);
  }
  return after;
}

/** Whether every text that matches `narrower` matches `wider`, too. */
export function contains(wider: string, narrower: string): boolean {
  // A character that stands in no pattern: only a star of the wider one can take the place of a star.
  return Pattern.matches(wider, narrower.replaceAll('*', '\u0000'));
}
