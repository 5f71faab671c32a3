/** The word that somebody probably meant. */

/** Edits at most between what was written and what is suggested. */
const EDITS_MAX = 2;
/** Longest word that is compared; a field name is shorter. */
const LENGTH_MAX = 32;

/** The known word closest to a misspelt one, or nothing close enough. Case, `_` and `-` do not count. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > LENGTH_MAX) return undefined;
  let best: { readonly word: string; readonly edits: number } | undefined;
  for (const candidate of known) {
    const edits = distance(plain(word), plain(candidate));
    const enough = edits <= Math.min(EDITS_MAX, Math.floor(candidate.length / 2));
    if (enough && (!best || edits < best.edits)) best = { word: candidate, edits };
  }
  return best?.word;
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ ]/g, '');
}

/** Insertions, deletions and substitutions from one word to the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (const [i, character] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries()) {
      const substitution = (row[j] ?? 0) + (character === other ? 0 : 1);
      next.push(Math.min(substitution, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
