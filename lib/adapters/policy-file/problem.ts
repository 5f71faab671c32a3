/** What is wrong with a policy file: where, and what is allowed there. */

/** Where something stands in a policy file, from its root: field names and positions in lists. */
export type Path = readonly (string | number)[];

/** Something wrong, before its line is looked up. `line` is given where the path alone is not exact. */
export type Finding = {
  readonly path: Path;
  readonly message: string;
  readonly line?: number | undefined;
};

/** Something wrong, for people. `line` is 1-based; `path` such as `limits[2].window`, or empty for the whole file. */
export type Problem = { readonly line: number; readonly path: string; readonly message: string };

/** Longest field name that is repeated in a message. */
const KEY_LENGTH_MAX = 64;

/** A path as people write it: `limits[2].where.asset`. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const key = part.slice(0, KEY_LENGTH_MAX);
    return text === '' ? key : `${text}.${key}`;
  }, '');
}

/** A problem in one line: `line 23, limits[2].window: …`. */
export function problemText(problem: Problem): string {
  const at = problem.path === '' ? '' : `, ${problem.path}`;
  return `line ${problem.line}${at}: ${problem.message}`;
}

/** A value as a message repeats it: quoted, and cut where it is long. */
export function quoted(value: string): string {
  return `"${value.length > 100 ? `${value.slice(0, 100)}…` : value}"`;
}

/** Replaces control characters and lone surrogates, which a terminal or a log could act upon. */
export function printable(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(
      /[\p{Cc}\p{Cf}]/gu,
      (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
    );
}

/** A choice for people: `a, b or c`. */
export function oneOf(choices: readonly string[]): string {
  return choices.length < 2
    ? choices.join('')
    : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
}

/** The file is no policy. Everything that is wrong is in `problems`, in order of lines; the message names them. */
export class InvalidPolicyError extends Error {
  override readonly name = 'PolicyFile.InvalidPolicyError';
  readonly problems: readonly Problem[];
  constructor(details: { readonly problems: readonly Problem[]; readonly cause?: unknown }) {
    const { problems } = details;
    const shown = problems.slice(0, SHOWN_MAX).map((problem) => `  ${problemText(problem)}`);
    const hidden = problems.length - shown.length;
    if (hidden > 0) shown.push(`  and ${hidden} more`);
    const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
    super(`the policy has ${count}:\n${shown.join('\n')}`, { cause: details.cause });
    this.problems = problems;
  }
}

/** Problems that one message repeats; all of them are in `problems`. */
const SHOWN_MAX = 50;
