/** JSON for other programs: bigints travel as decimal strings. */

/** Writes a value as JSON. */
export function stringify(value: unknown, spaces?: number): string {
  return JSON.stringify(
    value,
    (_key, field: unknown) => (typeof field === 'bigint' ? field.toString() : field),
    spaces,
  );
}
