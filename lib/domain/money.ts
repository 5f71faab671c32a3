/**
 * Exact money: integer base units for tokens, micro-USD for their size.
 *
 * Everything is `bigint`. Rounding has one direction per use: up when outflow is
 * measured, so that a limit is never passed by a remainder.
 */

/** Largest value a sum can take (a `uint256`). A sum that reaches it stays there and is over every limit. */
export const MAX = 2n ** 256n - 1n;

/** Fraction digits of a USD price: prices are integers of pico-USD (1e-12 USD) for one whole token. */
const PRICE_DECIMALS = 12;
/** pico-USD in one micro-USD. */
const PICO_PER_MICRO = 10n ** 6n;
/** Most fraction digits that a token may have; the largest known is 24 (NEAR). */
export const DECIMALS_MAX = 36;

const DECIMAL = /^(\d{1,78})(?:\.(\d{1,78}))?$/;

/**
 * Adds two non-negative values and saturates at {@link MAX}.
 * Fail direction: closed, a saturated sum breaches every limit.
 */
export function add(a: bigint, b: bigint): bigint {
  const sum = a + b;
  return sum > MAX ? MAX : sum;
}

/**
 * Reads a non-negative decimal such as `"4947.5"` into integer units of `10^-decimals`.
 *
 * @throws {InvalidDecimalError} not a plain non-negative decimal (sign, exponent, blank), or above {@link MAX}.
 * @throws {TooPreciseError} more fraction digits than `decimals` (never rounded silently).
 */
export function parseUnits(text: string, decimals: number): bigint {
  const match = DECIMAL.exec(text);
  if (!match) throw new InvalidDecimalError({ text });
  const [, whole = '0', fraction = ''] = match;
  const significant = fraction.replace(/0+$/, '');
  if (significant.length > decimals) throw new TooPreciseError({ text, decimals });
  const value =
    BigInt(whole) * 10n ** BigInt(decimals) + BigInt(significant.padEnd(decimals, '0') || '0');
  if (value > MAX) throw new InvalidDecimalError({ text });
  return value;
}

/** Writes integer units of `10^-decimals` as the shortest exact decimal, for example `4947000…n, 18` → `"4947"`. */
export function formatUnits(value: bigint, decimals: number): string {
  const digits = value.toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

/** Reads USD (`"2500000.00"`) into micro-USD. Errors as {@link parseUnits}. */
export function parseUsd(text: string): bigint {
  return parseUnits(text, 6);
}

/** Reads the USD price of one whole token (`"0.0000123"`) into pico-USD. Errors as {@link parseUnits}. */
export function parsePrice(text: string): bigint {
  return parseUnits(text, PRICE_DECIMALS);
}

/** Writes micro-USD for people: whole dollars with separators from 100 USD up, cents below; rounded up. */
export function formatUsd(microUsd: bigint): string {
  const cents = divideUp(microUsd, 10_000n);
  return cents >= 10_000n ? dollars(divideUp(microUsd, 1_000_000n)) : dollarsAndCents(cents);
}

/** As {@link formatUsd}, rounded down: for headroom, which must not promise what is not there. */
export function formatUsdDown(microUsd: bigint): string {
  const cents = microUsd / 10_000n;
  return cents >= 10_000n ? dollars(microUsd / 1_000_000n) : dollarsAndCents(cents);
}

function dollars(whole: bigint): string {
  return `$${group(whole)}`;
}

function dollarsAndCents(cents: bigint): string {
  return `$${cents / 100n}.${(cents % 100n).toString().padStart(2, '0')}`;
}

/**
 * The size in micro-USD of `amount` base units of a token at a price, rounded up and saturated.
 *
 * @throws {NegativeAmountError} on a negative amount or price.
 */
export function notionalMicroUsd(parameters: {
  readonly amount: bigint;
  readonly decimals: number;
  readonly pricePicoUsd: bigint;
}): bigint {
  const { amount, decimals, pricePicoUsd } = parameters;
  if (amount < 0n || pricePicoUsd < 0n) throw new NegativeAmountError({ amount, pricePicoUsd });
  const value = divideUp(amount * pricePicoUsd, 10n ** BigInt(decimals) * PICO_PER_MICRO);
  return value > MAX ? MAX : value;
}

/** The most base units of a token that are worth no more than `microUsd` at a price above 0. */
export function unitsFor(parameters: {
  readonly microUsd: bigint;
  readonly decimals: number;
  readonly pricePicoUsd: bigint;
}): bigint {
  const { microUsd, decimals, pricePicoUsd } = parameters;
  return (microUsd * 10n ** BigInt(decimals) * PICO_PER_MICRO) / pricePicoUsd;
}

/** `amount × bps / 10 000`, rounded down: used for warn levels, so that the warning comes early rather than late. */
export function shareOf(amount: bigint, bps: number): bigint {
  return (amount * BigInt(bps)) / 10_000n;
}

/**
 * The same quantity in base units of a token with other decimals, rounded up and saturated: two ids
 * of one money share a budget although one has 18 decimals and the other 6.
 */
export function rescale(
  amount: bigint,
  decimals: { readonly from: number; readonly to: number },
): bigint {
  const { from, to } = decimals;
  const value =
    to >= from ? amount * 10n ** BigInt(to - from) : divideUp(amount, 10n ** BigInt(from - to));
  return value > MAX ? MAX : value;
}

function divideUp(numerator: bigint, denominator: bigint): bigint {
  return (numerator + denominator - 1n) / denominator;
}

function group(value: bigint): string {
  return value.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** A text is not a plain non-negative decimal. */
export class InvalidDecimalError extends Error {
  override readonly name = 'Money.InvalidDecimalError';
  constructor(details: { readonly text: string }) {
    super(`"${details.text.slice(0, 100)}" is not a non-negative decimal such as "1500" or "0.25"`);
  }
}

/** A decimal has more fraction digits than its unit can hold. */
export class TooPreciseError extends Error {
  override readonly name = 'Money.TooPreciseError';
  constructor(details: { readonly text: string; readonly decimals: number }) {
    super(`"${details.text.slice(0, 100)}" has more than ${details.decimals} fraction digits`);
  }
}

/** An amount or a price is negative. */
export class NegativeAmountError extends Error {
  override readonly name = 'Money.NegativeAmountError';
  constructor(details: { readonly amount: bigint; readonly pricePicoUsd: bigint }) {
    super(`amount ${details.amount} and price ${details.pricePicoUsd} must not be negative`);
  }
}
