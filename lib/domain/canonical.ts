/** JSON with one text for each value: keys in order, no blanks. What is hashed or signed is written so. */

/** What can be written. Numbers are safe integers. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/**
 * The one text of a value: keys in the order of their UTF-16 code units, fields that are `undefined`
 * left out, strings as `JSON.stringify` escapes them, half a surrogate pair included.
 *
 * @throws {RangeError} a number that is no safe integer: it would have several texts.
 */
export function text(value: Json): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new RangeError(`${value} is no safe integer`);
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(text).join(',')}]`;
  const fields = Object.keys(value)
    .sort()
    .flatMap((key) => {
      const field = value[key];
      return field === undefined ? [] : [`${JSON.stringify(key)}:${text(field)}`];
    });
  return `{${fields.join(',')}}`;
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}
