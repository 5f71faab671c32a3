import { describe, expect, test } from 'vitest';
import * as Random from '../../../lib/local/replay/random.ts';

function moments(count: number, draw: () => number) {
  const values = Array.from({ length: count }, draw);
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
  return { mean, variance };
}

describe('create', () => {
  test('default', () => {
    const random = Random.create('breakwater');
    expect([random(), random(), random()]).toMatchInlineSnapshot(`
      [
        0.5994825686793774,
        0.2516289877239615,
        0.17767298175022006,
      ]
    `);
  });

  test('behavior: equal seeds give equal sequences, others do not', () => {
    const draws = (seed: string) => Array.from({ length: 50 }, Random.create(seed));
    expect(draws('1')).toEqual(draws('1'));
    expect(draws('1')).not.toEqual(draws('2'));
  });

  test('behavior: uniform on [0, 1)', () => {
    const { mean, variance } = moments(20_000, Random.create('uniform'));
    expect(mean).toBeCloseTo(1 / 2, 2);
    expect(variance).toBeCloseTo(1 / 12, 2);
  });
});

describe('integer', () => {
  test('default', () => {
    const random = Random.create('integer');
    const seen = new Set(Array.from({ length: 200 }, () => Random.integer(random, 5)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('normal', () => {
  test('default', () => {
    const random = Random.create('normal');
    const { mean, variance } = moments(20_000, () => Random.normal(random));
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  });
});

describe('gamma', () => {
  test.each([1, 7, 16])('args: shape %i', (shape) => {
    const random = Random.create(`gamma ${shape}`);
    const { mean, variance } = moments(20_000, () => Random.gamma(random, shape));
    expect(Math.abs(mean - 1)).toBeLessThan(0.03);
    expect(Math.abs(variance * shape - 1)).toBeLessThan(0.1);
  });

  test('error: a shape below 1', () => {
    expect(() => Random.gamma(Random.create(''), 0.99)).toThrow(RangeError);
    expect(() => Random.gamma(Random.create(''), Number.NaN)).toThrow(RangeError);
  });
});

describe('poisson', () => {
  test.each([0.5, 12, 250])('args: mean %d', (expected) => {
    const random = Random.create(`poisson ${expected}`);
    const { mean, variance } = moments(5_000, () => Random.poisson(random, expected));
    expect(Math.abs(mean / expected - 1)).toBeLessThan(0.05);
    expect(Math.abs(variance / expected - 1)).toBeLessThan(0.1);
  });

  test('behavior: nothing arrives where nothing is expected', () => {
    expect(Random.poisson(Random.create(''), 0)).toBe(0);
  });
});

describe('pick', () => {
  test('default', () => {
    const random = Random.create('pick');
    const counts = [0, 0, 0];
    for (let round = 0; round < 4_000; round += 1) {
      const index = Random.pick(random, [3, 0, 1]);
      counts[index] = (counts[index] ?? 0) + 1;
    }
    expect(counts[1]).toBe(0);
    expect(counts[0]! / counts[2]!).toBeCloseTo(3, 0);
  });
});
