import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { bar, isOver, percent } from '../../../lib/cli/render/bar.ts';

describe('isOver', () => {
  test.each([
    [99n, false],
    [100n, false],
    [101n, true],
  ])('args: used: %s of 100', (used, expected) => {
    expect(isOver({ used, limit: 100n })).toBe(expected);
  });
});

describe('bar', () => {
  test('default', () => {
    expect(bar({ used: 67n, limit: 100n }, 12)).toBe('████████░░░░');
  });

  test.each([
    [0n, '░░░░░░'],
    [1n, '█░░░░░'],
    [999_999n, '█████░'],
    [1_000_000n, '██████'],
    [5_000_000n, '██████'],
  ])('args: used: %s of a million', (used, expected) => {
    expect(bar({ used, limit: 1_000_000n }, 6)).toBe(expected);
  });

  property.prop([
    fc.bigInt(0n, 10n ** 12n),
    fc.bigInt(1n, 10n ** 12n),
    fc.integer({ min: 6, max: 40 }),
  ])(
    'behavior: fills its columns, and is full exactly when the limit is reached',
    (used, limit, columns) => {
      const drawn = bar({ used, limit }, columns);
      expect(drawn).toHaveLength(columns);
      expect(drawn === '█'.repeat(columns)).toBe(used >= limit);
    },
  );
});

describe('percent', () => {
  test.each([
    [0n, '0%'],
    [1n, '<1%'],
    [9_999n, '<1%'],
    [10_000n, '1%'],
    [999_999n, '99%'],
    [1_000_000n, '100%'],
    [1_000_001n, '101%'],
    [3_128_200n, '313%'],
    [10n ** 40n, '>9999%'],
  ])('args: used: %s of a million', (used, expected) => {
    expect(percent({ used, limit: 1_000_000n })).toBe(expected);
  });

  test('behavior: a limit of nothing has no share', () => {
    expect(percent({ used: 1n, limit: 0n })).toBe('-');
  });
});
