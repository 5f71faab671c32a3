/** Numbers of any width packed into bytes, most significant bit first. */

/** Packs numbers. */
export type BitWriter = {
  /** `widthBits` at most 32. */
  readonly uint: (value: number, widthBits: number) => void;
  /** Everything so far, the last byte filled with zeros. */
  readonly bytes: () => Uint8Array;
};

/** Unpacks what a {@link BitWriter} packed. Every read throws a RangeError past the end. */
export type BitReader = {
  readonly uint: (widthBits: number) => number;
  /** Bits not read yet, the filling included. */
  readonly left: () => number;
};

/** Widest number that bitwise operators take. */
const WORD_BITS = 32;
const WORD = 2 ** WORD_BITS;
/** Widest integer that a number holds exactly. */
const SAFE_BITS = 53;
const START_BYTES = 1_024;

/** Starts packing. */
export function bitWriter(): BitWriter {
  let buffer = new Uint8Array(START_BYTES);
  let bits = 0;
  function uint(value: number, widthBits: number): void {
    if ((bits + widthBits + 7) >> 3 > buffer.length) {
      const larger = new Uint8Array(buffer.length * 2);
      larger.set(buffer);
      buffer = larger;
    }
    for (let left = widthBits; left > 0; ) {
      const free = 8 - (bits & 7);
      const taken = Math.min(free, left);
      const chunk = (value >>> (left - taken)) & ((1 << taken) - 1);
      const at = bits >> 3;
      buffer[at] = (buffer[at] ?? 0) | (chunk << (free - taken));
      bits += taken;
      left -= taken;
    }
  }
  return { uint, bytes: () => buffer.slice(0, (bits + 7) >> 3) };
}

/** Starts unpacking. */
export function bitReader(bytes: Uint8Array): BitReader {
  let bits = 0;
  function uint(widthBits: number): number {
    if (bits + widthBits > bytes.length * 8) throw new RangeError('the bytes end too early');
    let value = 0;
    for (let left = widthBits; left > 0; ) {
      const available = 8 - (bits & 7);
      const taken = Math.min(available, left);
      const byte = bytes[bits >> 3] ?? 0;
      // A product, not a shift: 32 bits must not turn negative.
      value = value * 2 ** taken + ((byte >> (available - taken)) & ((1 << taken) - 1));
      bits += taken;
      left -= taken;
    }
    return value;
  }
  return { uint, left: () => bytes.length * 8 - bits };
}

/** Writes a non-negative integer of any width. */
export function writeBig(writer: BitWriter, value: bigint, widthBits: number): void {
  if (widthBits <= SAFE_BITS) {
    const small = Number(value);
    if (widthBits > WORD_BITS) writer.uint(Math.floor(small / WORD), widthBits - WORD_BITS);
    writer.uint(small % WORD, Math.min(widthBits, WORD_BITS));
    return;
  }
  const head = widthBits - WORD_BITS;
  writeBig(writer, value >> BigInt(WORD_BITS), head);
  writer.uint(Number(BigInt.asUintN(WORD_BITS, value)), WORD_BITS);
}

/** Reads what {@link writeBig} wrote. */
export function readBig(reader: BitReader, widthBits: number): bigint {
  if (widthBits <= SAFE_BITS) {
    const head = reader.uint(Math.max(widthBits - WORD_BITS, 0)) * WORD;
    return BigInt(head + reader.uint(Math.min(widthBits, WORD_BITS)));
  }
  const head = readBig(reader, widthBits - WORD_BITS);
  return (head << BigInt(WORD_BITS)) | BigInt(reader.uint(WORD_BITS));
}

/** Writes a non-negative integer that is mostly small: 1 bit for 0, 3 for 1 and 2, 5 for 3 to 6 (Elias gamma). */
export function writeCount(writer: BitWriter, value: number): void {
  const width = bitLength(BigInt(value + 1));
  writeBig(writer, 0n, width - 1);
  writeBig(writer, BigInt(value + 1), width);
}

/** Reads what {@link writeCount} wrote. */
export function readCount(reader: BitReader): number {
  let zeros = 0;
  while (reader.uint(1) === 0) zeros += 1;
  if (zeros >= SAFE_BITS) throw new RangeError('a count is too large');
  return Number((1n << BigInt(zeros)) | readBig(reader, zeros)) - 1;
}

/** Bits of a non-negative integer without leading zeros; 0 for 0. */
export function bitLength(value: bigint): number {
  if (value < WORD) return value === 0n ? 0 : WORD_BITS - Math.clz32(Number(value));
  return WORD_BITS + bitLength(value >> BigInt(WORD_BITS));
}
