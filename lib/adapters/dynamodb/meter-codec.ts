/**
 * A meter as one binary attribute: under 1 KB with every slot full, so that a transaction pays two
 * write units for it.
 *
 * Format 1, bits in this order:
 * - 8 bits format · 48 bits time of the newest charge · the distinct asset hashes: how many, then 32 bits each, ascending
 * - per step of the ladder: how many slots, then per slot the steps back in time from the one before
 *   it, less one (the first: from the newest charge, without the less one); then, if there are slots,
 *   four columns (`columns.ts`): amounts, sizes priced by the amounts, counts, and the asset sets
 * - an asset set is one bit (the same as the one before it, at first empty), or else one bit
 *   (saturated), or else one bit per distinct hash
 *
 * "How many" and "steps back" are Elias gamma. A saturated set has lost count: which hashes it held
 * is not kept, it reads as `Meter.SATURATED_ASSETS`. Everything else comes back exactly.
 */

import * as Meter from '../../domain/meter.ts';
import * as Money from '../../domain/money.ts';
import { UnreadableError } from '../store-errors.ts';
import * as Bits from './bits.ts';
import * as Columns from './columns.ts';

const FORMAT = 1;
const FORMAT_BITS = 8;
const TIME_BITS = 48;
const HASH_BITS = 32;
/** Slots of a step and distinct assets beyond these mean that the bytes are no meter. */
const SLOTS_MAX = 1_000;
const DISTINCT_MAX = 100_000;

type AssetSet = readonly number[];

/** Packs a meter. @throws {Store.UnreadableError} when it is none that {@link Meter.charge} makes. */
export function toMeterBytes(meter: Meter.Meter): Uint8Array {
  const writer = Bits.bitWriter();
  return readable(() => {
    const distinct = distinctAssets(meter);
    writer.uint(FORMAT, FORMAT_BITS);
    Bits.writeBig(writer, BigInt(meter.newestMs), TIME_BITS);
    Bits.writeCount(writer, distinct.length);
    for (const hash of distinct) writer.uint(hash, HASH_BITS);
    const writeSet = assetSetWriter(writer, distinct);
    for (const [position, step] of Meter.LADDER.entries()) {
      const slots = meter.steps[position] ?? [];
      Bits.writeCount(writer, slots.length);
      if (slots.length === 0) continue;
      writeIndices(writer, slots, Math.floor(meter.newestMs / step.slotMs));
      writeColumns(writer, slots);
      for (const slot of slots) writeSet(slot.assets);
    }
    return writer.bytes();
  });
}

/** Unpacks a meter. @throws {Store.UnreadableError} another format, or bytes that are no meter. */
export function fromMeterBytes(bytes: Uint8Array): Meter.Meter {
  const reader = Bits.bitReader(bytes);
  return readable(() => {
    const format = reader.uint(FORMAT_BITS);
    if (format !== FORMAT) throw new RangeError(`its format ${format} is not ${FORMAT}`);
    const newestMs = Number(Bits.readBig(reader, TIME_BITS));
    const distinct = Array.from({ length: readLength(reader, DISTINCT_MAX) }, () =>
      reader.uint(HASH_BITS),
    );
    const readSet = assetSetReader(reader, distinct);
    const steps = Meter.LADDER.map((step) =>
      readSlots(reader, Math.floor(newestMs / step.slotMs), readSet),
    );
    if (reader.left() >= 8) throw new RangeError('there are bytes left over');
    return { newestMs, steps };
  });
}

function readSlots(
  reader: Bits.BitReader,
  newestIndex: number,
  readSet: () => AssetSet,
): readonly Meter.Slot[] {
  const length = readLength(reader, SLOTS_MAX);
  if (length === 0) return [];
  let before = newestIndex + 1;
  const indices = Array.from({ length }, () => {
    before -= Bits.readCount(reader) + 1;
    return before;
  });
  const amounts = Columns.readAmounts(reader, length);
  const sizes = Columns.readPriced(reader, amounts);
  const counts = Columns.readColumn(reader, length);
  return indices.map((index, position) => ({
    index,
    notional: sizes[position] ?? Money.MAX,
    amount: amounts[position] ?? Money.MAX,
    count: Number(counts[position] ?? Meter.COUNT_MAX),
    assets: readSet(),
  }));
}

function writeColumns(writer: Bits.BitWriter, slots: readonly Meter.Slot[]): void {
  const amounts = slots.map((slot) => unlessMax(slot.amount));
  const sizes = slots.map((slot) => unlessMax(slot.notional));
  const counts = slots.map(({ count }) => (count === Meter.COUNT_MAX ? undefined : BigInt(count)));
  Columns.writeAmounts(writer, amounts);
  Columns.writePriced(writer, sizes, amounts);
  Columns.writeColumn(writer, counts);
}

function writeIndices(
  writer: Bits.BitWriter,
  slots: readonly Meter.Slot[],
  newestIndex: number,
): void {
  let before = newestIndex + 1;
  for (const { index } of slots) {
    if (index >= before) throw new RangeError('its slots are not newest first');
    Bits.writeCount(writer, before - index - 1);
    before = index;
  }
}

function assetSetWriter(writer: Bits.BitWriter, distinct: AssetSet): (assets: AssetSet) => void {
  const positions = new Map(distinct.map((hash, position) => [hash, position]));
  let before: AssetSet = [];
  return (assets) => {
    const same = isSaturated(assets) ? isSaturated(before) : isEqual(assets, before);
    before = assets;
    writer.uint(same ? 1 : 0, 1);
    if (same) return;
    writer.uint(isSaturated(assets) ? 1 : 0, 1);
    if (isSaturated(assets)) return;
    const bitmap = new Uint8Array(distinct.length);
    for (const hash of assets) bitmap[positions.get(hash) ?? 0] = 1;
    for (const bit of bitmap) writer.uint(bit, 1);
  };
}

function assetSetReader(reader: Bits.BitReader, distinct: AssetSet): () => AssetSet {
  let before: AssetSet = [];
  return () => {
    if (reader.uint(1) === 1) return before;
    before =
      reader.uint(1) === 1 ? Meter.SATURATED_ASSETS : distinct.filter(() => reader.uint(1) === 1);
    return before;
  };
}

function distinctAssets(meter: Meter.Meter): AssetSet {
  const distinct = new Set<number>();
  for (const { assets } of meter.steps.flat()) {
    if (!isSaturated(assets)) for (const hash of assets) distinct.add(hash);
  }
  for (const hash of distinct) {
    if (hash >>> 0 !== hash) throw new RangeError('an asset hash is not of 32 bits');
  }
  return [...distinct].sort((left, right) => left - right);
}

function readLength(reader: Bits.BitReader, max: number): number {
  const length = Bits.readCount(reader);
  if (length > max) throw new RangeError(`${length} is too many`);
  return length;
}

function unlessMax(value: bigint): Columns.Value {
  return value === Money.MAX ? undefined : value;
}

function isSaturated(assets: AssetSet): boolean {
  return assets.length > Meter.ASSETS_MAX;
}

function isEqual(left: AssetSet, right: AssetSet): boolean {
  return left.length === right.length && left.every((hash, position) => hash === right[position]);
}

/** Runs one direction of the codec; what it cannot write or read is a named error. */
function readable<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UnreadableError({ what: 'meter', why: error.message }, { cause: error });
  }
}
