import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromMeterBytes, toMeterBytes } from '../../../lib/adapters/dynamodb/meter-codec.ts';
import * as Meter from '../../../lib/domain/meter.ts';
import * as Money from '../../../lib/domain/money.ts';
import * as Build from '../../support/builders.ts';
import * as Busy from './busy-meter.ts';

const uint256 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 20n }),
  fc.bigInt({ min: 0n, max: Money.MAX }),
  fc.integer({ min: 0, max: 256 }).map((bits) => 2n ** BigInt(bits) - 1n),
  fc.constant(Money.MAX - 1n),
);

const charges = fc.record({
  notional: uint256,
  amount: fc.oneof(fc.constant(0n), uint256),
  count: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant(Meter.COUNT_MAX)),
  assets: fc.uniqueArray(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { maxLength: 70 }),
});

/** Charges and give-backs at any pace, from milliseconds to months. */
const meters = fc
  .array(fc.tuple(charges, fc.oneof(fc.nat(9_000), fc.nat(Build.DAY_MS * 40)), fc.boolean()), {
    maxLength: 12,
  })
  .map((events) => {
    let atMs = Build.T0_MS;
    let meter = Meter.EMPTY;
    for (const [charge, laterMs, givenBack] of events) {
      atMs += laterMs;
      meter = Meter.charge(meter, charge, atMs);
      if (givenBack) meter = Meter.giveBack(meter, charge, atMs);
    }
    return meter;
  });

/** A set that has lost count reads as one set, whichever it was. */
function canonical(meter: Meter.Meter): Meter.Meter {
  const set = (assets: readonly number[]) =>
    assets.length > Meter.ASSETS_MAX ? Meter.SATURATED_ASSETS : assets;
  const steps = meter.steps.map((slots) =>
    slots.map((slot) => ({ ...slot, assets: set(slot.assets) })),
  );
  return { ...meter, steps };
}

describe('toMeterBytes', () => {
  test('default: an empty meter', () => {
    expect(toMeterBytes(Meter.EMPTY)).toHaveLength(9);
    expect(fromMeterBytes(toMeterBytes(Meter.EMPTY))).toEqual(Meter.EMPTY);
  });

  test('behavior: every meter comes back exactly', () => {
    fc.assert(
      fc.property(meters, (meter) => {
        expect(fromMeterBytes(toMeterBytes(meter))).toEqual(canonical(meter));
      }),
      { numRuns: 300 },
    );
  });

  test('behavior: a set that lost count still has lost it', () => {
    const assets = Array.from({ length: 65 }, (_, position) => position * 7);
    const charge = Build.charge({ count: 1, assets });
    const meter = fromMeterBytes(toMeterBytes(Meter.charge(Meter.EMPTY, charge, Build.T0_MS)));
    const window = { metric: 'assets', windowMs: Build.MINUTE_MS, widenMs: 0 } as const;
    expect(Meter.outflow(meter, { ...window, nowMs: Build.T0_MS })).toBe(Money.MAX);
  });

  test.each([
    ['notional and count', Busy.severalAssets(), 700],
    ['amounts of 18 decimals, used to 8', Busy.eth(), 760],
    ['amounts of 6 decimals', Busy.usdc(), 720],
  ])('behavior: %s with all slots full leave room for the rest of 1 KB', (_, meter, bytesMax) => {
    expect(meter.steps.flat().length).toBeGreaterThanOrEqual(100);
    const bytes = toMeterBytes(meter);
    expect(bytes.length).toBeLessThan(bytesMax);
    expect(fromMeterBytes(bytes)).toEqual(meter);
  });

  test('behavior: after a change of price everything still comes back', () => {
    const before = Meter.charge(Meter.EMPTY, Build.charge({ notional: 3n, amount: 10n ** 20n }), 1);
    const meter = Meter.charge(
      before,
      Build.charge({ notional: 10n ** 15n, amount: 7n * 10n ** 18n }),
      Build.HOUR_MS,
    );
    expect(fromMeterBytes(toMeterBytes(meter))).toEqual(meter);
  });

  test.each([
    ['slots that are not newest first', { index: 10 }],
    ['a negative value', { notional: -1n }],
    ['an asset hash of more than 32 bits', { assets: [2 ** 32] }],
  ])('error: %s', (_, broken) => {
    const slot = { index: 0, notional: 1n, amount: 0n, count: 1, assets: [], ...broken };
    const meter = { newestMs: 0, steps: [[slot]] };
    expect(() => toMeterBytes(meter)).toThrowError(
      expect.objectContaining({ name: 'Store.UnreadableError' }),
    );
  });
});

describe('fromMeterBytes', () => {
  const bytes = toMeterBytes(
    Meter.charge(Meter.EMPTY, Build.charge({ notional: 5n, count: 1 }), Build.T0_MS),
  );

  test.each([
    ['another format', Uint8Array.of(2, ...bytes.slice(1)), /format 2 is not 1/],
    ['no bytes', new Uint8Array(), /end too early/],
    ['too few bytes', bytes.slice(0, -1), /end too early/],
    ['too many bytes', Uint8Array.of(...bytes, 0), /left over/],
  ])('error: %s', (_, wrong, message) => {
    expect(() => fromMeterBytes(wrong)).toThrowError(message);
    expect(() => fromMeterBytes(wrong)).toThrowError(
      expect.objectContaining({ name: 'Store.UnreadableError' }),
    );
  });

  test('error: bytes at random are a meter or a named error, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (random) => {
        try {
          fromMeterBytes(Uint8Array.of(1, ...random));
        } catch (error) {
          expect(error).toMatchObject({ name: 'Store.UnreadableError' });
        }
      }),
    );
  });
});
