/** Decimal text of whole coins, as custodians send it, to base units. */

const DECIMAL = /^(\d{1,78})(?:\.(\d{1,78}))?$/;

/**
 * Base units of `"1.5"` whole coins. Exact: nothing goes through a float.
 * `undefined`: no plain decimal, negative, or finer than the asset's decimals.
 */
export function toUnits(text: string, decimals: number): bigint | undefined {
  const [, whole, fraction = ''] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const digits = fraction.replace(/0+$/, '');
  if (digits.length > decimals) return undefined;
  return BigInt(whole) * 10n ** BigInt(decimals) + BigInt(digits.padEnd(decimals, '0') || '0');
}
