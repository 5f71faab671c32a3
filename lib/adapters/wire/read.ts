/** Reads unknown JSON through a shape, and says in plain English which field is wrong and why. */

import { en } from 'zod/locales';
import * as z from 'zod/mini';

z.config(en());

/** Problems named in one error, at most. */
const PROBLEMS_MAX = 10;
/** Length of one problem, characters. */
const PROBLEM_LENGTH_MAX = 300;

/** What was read, or what is wrong: one line per field. */
export type Reading<T> = { readonly value: T } | { readonly problems: readonly string[] };

/**
 * Reads a value. `under` is the path that problems are named under; `whole` what the value is
 * called where it has none.
 */
export function read<T extends z.ZodMiniType>(
  shape: T,
  value: unknown,
  name: { readonly under: string; readonly whole: string },
): Reading<z.output<T>> {
  const result = z.safeParse(shape, value);
  if (result.success) return { value: result.data };
  const problems = result.error.issues.slice(0, PROBLEMS_MAX).map((issue) => {
    const field = [name.under, ...issue.path.map(String)].filter((part) => part !== '').join('.');
    return `${field || name.whole}: ${reasonOf(issue, value)}`.slice(0, PROBLEM_LENGTH_MAX);
  });
  return { problems };
}

/** Zod's own words where they are plain; a field that is missing, empty or of another type in ours. */
function reasonOf(issue: z.core.$ZodIssue, whole: unknown): string {
  if (issue.code === 'too_small' && issue.origin === 'string' && issue.minimum === 1) {
    return 'must not be empty';
  }
  if (issue.code !== 'invalid_type') return issue.message;
  const given = issue.path.reduce<unknown>(
    (inside, key) =>
      typeof inside === 'object' && inside !== null ? Reflect.get(inside, key) : undefined,
    whole,
  );
  if (given === undefined) return 'is missing';
  const type = given === null ? 'null' : Array.isArray(given) ? 'array' : typeof given;
  return `must be of type ${issue.expected}, not ${type}`;
}

/** Reads the text of a JSON document through a shape. */
export function readJson<T extends z.ZodMiniType>(
  shape: T,
  text: string,
  name: { readonly under: string; readonly whole: string },
): Reading<z.output<T>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problems: [`${name.whole}: is not JSON`] };
  }
  return read(shape, value, name);
}
