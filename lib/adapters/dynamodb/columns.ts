/** Columns of numbers: one width for all values of a column, saturated ones flagged instead of stored. */

import * as Bits from './bits.ts';

/** A non-negative integer; `undefined` stands for a saturated one. */
export type Value = bigint | undefined;

/** Bits that hold a column's width. */
const WIDTH_BITS = 9;
/** A price's bits: enough for the remainder of a slot to be about its count. */
const MANTISSA_BITS = 40;
const SHIFT_BITS = 8;
const SHIFT_MAX = 2 ** SHIFT_BITS - 1;
/** Holds the largest power of ten below 2^256, which is 77. */
const EXPONENT_BITS = 7;

/** A price by which one column is predicted from another: `mantissa / 2^shift`. */
type Price = { readonly mantissa: bigint; readonly shift: number };

/** Writes a column: its width, then the values. The largest value of a width is kept for `undefined`. @throws {RangeError} a negative value. */
export function writeColumn(writer: Bits.BitWriter, values: readonly Value[]): void {
  const width = widthOf(values);
  writer.uint(width, WIDTH_BITS);
  if (width === 0) return;
  const saturated = (1n << BigInt(width)) - 1n;
  for (const value of values) Bits.writeBig(writer, value ?? saturated, width);
}

/** Reads what {@link writeColumn} wrote. */
export function readColumn(reader: Bits.BitReader, length: number): readonly Value[] {
  const width = reader.uint(WIDTH_BITS);
  const saturated = (1n << BigInt(width)) - 1n;
  return Array.from({ length }, () => {
    const value = Bits.readBig(reader, width);
    return width > 0 && value === saturated ? undefined : value;
  });
}

/** Writes amounts: their common power of ten, then the column without it. */
export function writeAmounts(writer: Bits.BitWriter, amounts: readonly Value[]): void {
  const exponent = commonExponent(amounts);
  writer.uint(exponent, EXPONENT_BITS);
  const unit = 10n ** BigInt(exponent);
  writeColumn(
    writer,
    amounts.map((amount) => (amount === undefined ? undefined : amount / unit)),
  );
}

/** Reads what {@link writeAmounts} wrote. */
export function readAmounts(reader: Bits.BitReader, length: number): readonly Value[] {
  const unit = 10n ** BigInt(reader.uint(EXPONENT_BITS));
  return readColumn(reader, length).map((amount) =>
    amount === undefined ? undefined : amount * unit,
  );
}

/**
 * Writes sizes beside their amounts. Where amounts have one price, a size is nearly
 * `amount × price`: then only the price and the remainders are written, a quarter of the bits.
 */
export function writePriced(
  writer: Bits.BitWriter,
  sizes: readonly Value[],
  amounts: readonly Value[],
): void {
  const price = priceOf(sizes, amounts);
  const remainders = sizes.map((size, position) =>
    size === undefined ? undefined : toUnsigned(size - predict(price, amounts[position])),
  );
  const priceBits = MANTISSA_BITS + SHIFT_BITS;
  const shorter = widthOf(remainders) * sizes.length + priceBits < widthOf(sizes) * sizes.length;
  writer.uint(price && shorter ? 1 : 0, 1);
  if (price && shorter) {
    Bits.writeBig(writer, price.mantissa, MANTISSA_BITS);
    writer.uint(price.shift, SHIFT_BITS);
    writeColumn(writer, remainders);
  } else writeColumn(writer, sizes);
}

/** Reads what {@link writePriced} wrote. */
export function readPriced(reader: Bits.BitReader, amounts: readonly Value[]): readonly Value[] {
  if (reader.uint(1) === 0) return readColumn(reader, amounts.length);
  const mantissa = Bits.readBig(reader, MANTISSA_BITS);
  const price = { mantissa, shift: reader.uint(SHIFT_BITS) };
  return readColumn(reader, amounts.length).map((remainder, position) =>
    remainder === undefined ? undefined : toSigned(remainder) + predict(price, amounts[position]),
  );
}

function widthOf(values: readonly Value[]): number {
  let largest = 0n;
  let saturated = false;
  for (const value of values) {
    if (value === undefined) saturated = true;
    else if (value > largest) largest = value;
    else if (value < 0n) throw new RangeError('a value is negative');
  }
  return largest === 0n && !saturated ? 0 : Bits.bitLength(largest + 1n);
}

function commonExponent(amounts: readonly Value[]): number {
  const [first, ...rest] = amounts.filter((amount) => amount !== undefined && amount > 0n);
  if (first === undefined) return 0;
  let exponent = /0*$/.exec(first.toString())?.[0].length ?? 0;
  let unit = 10n ** BigInt(exponent);
  for (const amount of rest) {
    while (amount !== undefined && amount % unit !== 0n) {
      exponent -= 1;
      unit /= 10n;
    }
  }
  return exponent;
}

/** The price that the largest size shows. */
function priceOf(sizes: readonly Value[], amounts: readonly Value[]): Price | undefined {
  let size = 0n;
  let amount = 0n;
  for (const [position, candidate] of sizes.entries()) {
    const beside = amounts[position];
    if (candidate === undefined || !beside || candidate <= size) continue;
    size = candidate;
    amount = beside;
  }
  if (size === 0n) return undefined;
  const shift = MANTISSA_BITS - 1 + Bits.bitLength(amount) - Bits.bitLength(size);
  if (shift < 0 || shift > SHIFT_MAX) return undefined;
  return { mantissa: (size << BigInt(shift)) / amount, shift };
}

function predict(price: Price | undefined, amount: Value): bigint {
  if (!price || amount === undefined) return 0n;
  return (amount * price.mantissa) >> BigInt(price.shift);
}

/** 0, −1, 1, −2 … to 0, 1, 2, 3 …: small remainders of either sign stay small. */
function toUnsigned(value: bigint): bigint {
  return value >= 0n ? value << 1n : (-value << 1n) - 1n;
}

function toSigned(value: bigint): bigint {
  return value & 1n ? -((value + 1n) >> 1n) : value >> 1n;
}
