import { describe, expect, test } from 'vitest';
import { drawEth, drawUsdc, drawWei, fullMeter, ofAssets, ofEth } from '../../bench/full-meters.ts';
import * as Meter from '../../lib/domain/meter.ts';
import * as Random from '../../lib/local/replay/random.ts';

const END_MS = Date.UTC(2023, 8, 12, 13, 21, 17);
const SPAN_MS = 3 * 3_600_000;
const SLOT_MS = 6_000;
const COARSE_MS = 360_000;

/** The same month without the short cut. */
function plainly(draw: (random: Random.Random) => Meter.Charge): Meter.Meter {
  const random = Random.create('seed');
  let meter = Meter.EMPTY;
  const startMs = Math.floor((END_MS - SPAN_MS) / COARSE_MS) * COARSE_MS;
  for (let atMs = startMs; atMs <= END_MS; atMs += SLOT_MS) {
    meter = Meter.charge(meter, draw(random), atMs);
  }
  return meter;
}

describe('fullMeter', () => {
  test.each([
    ['one asset', ofEth(drawEth)],
    ['amounts to the wei', ofEth(drawWei)],
    ['three assets', ofAssets([3, 1, 2])],
  ])('behavior: the same meter as charge by charge, %s', (_, draw) => {
    const meter = fullMeter({ seed: 'seed', endMs: END_MS, draw, spanMs: SPAN_MS });
    expect(meter).toEqual(plainly(draw));
  });

  test('behavior: no slot of the month is missing', () => {
    const { steps } = fullMeter({ seed: 'seed', endMs: END_MS, draw: ofEth(drawEth) });
    for (const slots of steps) {
      const [newest, oldest] = [slots[0]?.index ?? 0, slots.at(-1)?.index ?? 0];
      expect(slots.length).toBe(newest - oldest + 1);
      expect(slots.every(({ count }) => count > 0)).toBe(true);
    }
    expect(steps.map((slots) => slots.length)).toMatchInlineSnapshot(`
      [
        21,
        14,
        14,
        14,
        12,
        11,
        11,
        11,
      ]
    `);
  });
});

describe('drawUsdc', () => {
  test('behavior: $20 to $2,000', () => {
    const random = Random.create('sizes');
    const drawn = Array.from({ length: 1_000 }, () => drawUsdc(random));
    expect(drawn.every((micro) => micro >= 20_000_000n && micro <= 2_000_000_000n)).toBe(true);
  });
});

describe('drawEth', () => {
  test('behavior: 8 of 18 fraction digits', () => {
    expect(drawEth(Random.create('eth')) % 10n ** 10n).toBe(0n);
  });
});

describe('drawWei', () => {
  test('behavior: all 18 fraction digits', () => {
    expect(drawWei(Random.create('wei')) % 10n ** 10n).not.toBe(0n);
  });
});
