/** Prices as feeds write them, in pico-USD. Rounded up: a price must not be smaller than it was said. */

/** pico-USD have this many fraction digits. */
const PICO_DECIMALS = 12;
/** A number of JSON that is not negative (RFC 8259). */
const NUMBER = /^(\d{1,40})(?:\.(\d{1,80}))?(?:[eE]([+-]?\d{1,3}))?$/;
/** Largest power of ten that is believed. */
const EXPONENT_MAX = 60;

/** pico-USD of a price above 0 with this many fraction digits, rounded up. */
export function toPicoUsd(price: bigint, decimals: number): bigint {
  if (decimals <= PICO_DECIMALS) return price * 10n ** BigInt(PICO_DECIMALS - decimals);
  const unit = 10n ** BigInt(decimals - PICO_DECIMALS);
  return (price + unit - 1n) / unit;
}

/** pico-USD of a number as it stands in JSON, never through a float; `undefined` where it is no price. */
export function parsePicoUsd(text: string): bigint | undefined {
  const [whole, integer = '', fraction = '', power = '0'] = NUMBER.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const exponent = Number(power);
  if (Math.abs(exponent) > EXPONENT_MAX) return undefined;
  const digits = BigInt(`${integer}${fraction}`);
  const decimals = fraction.length - exponent;
  if (decimals < 0) return toPicoUsd(digits * 10n ** BigInt(-decimals), 0);
  return toPicoUsd(digits, decimals);
}
