/** Fields that several requests have. */

import * as z from 'zod/mini';
import { parseScopeKey } from './scope-key.ts';

/** What makes a command act once. */
export const commandId = z
  .string()
  .check(z.regex(/^[\w.:-]{8,64}$/, 'must be 8 to 64 letters, digits, ".", ":", "_" or "-"'));

/** A reason that people read. */
export const reason = z.string().check(
  z.minLength(1),
  z.maxLength(500),
  z.refine(
    (value) => value.isWellFormed() && !/\p{Cc}/u.test(value),
    'must have no control characters',
  ),
);

/** A short text. */
export const text = z.string().check(z.minLength(1), z.maxLength(600));

/** A time with its offset, ISO 8601. */
export const instant = z.iso.datetime({ offset: true });

/** A text that a parser narrows; its error is the field's. */
export function parsed<T extends string>(parse: (value: string) => T) {
  return z.pipe(
    text,
    z.transform((value: string, context): T => {
      try {
        return parse(value);
      } catch (error) {
        context.issues.push({ code: 'custom', message: (error as Error).message, input: value });
        return z.NEVER;
      }
    }),
  );
}

/** The key of a scope, as people type it. */
export const scope = parsed(parseScopeKey);

/** The id of an incident. */
export const incidentId = z
  .string()
  .check(
    z.regex(
      /^[0-9A-Z]{8,32}$/,
      'must be an incident id such as "1HA4VYR80K2M3"; `breakwater incidents` lists them',
    ),
  );
