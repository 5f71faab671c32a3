import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { toUnits } from '../../../lib/adapters/webhook/decimal.ts';

describe('toUnits', () => {
  test('default', () => {
    expect(toUnits('25.5', 6)).toBe(25_500_000n);
    expect(toUnits('0', 18)).toBe(0n);
    expect(toUnits('7', 0)).toBe(7n);
    expect(toUnits('1.500', 1)).toBe(15n);
  });

  test('behavior: above 2^53, to the last unit (H11)', () => {
    expect(toUnits('123456789012.123456789012345678', 18)).toBe(
      123_456_789_012_123_456_789_012_345_678n,
    );
  });

  test.each(['', '-1', '+1', '1e-8', '1.', '.5', '1,5', '0x10', 'NaN', ' 1', '1.0000001'])(
    'error: %s',
    (text) => {
      expect(toUnits(text, 6)).toBeUndefined();
    },
  );

  property.prop([fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), fc.integer({ min: 0, max: 30 })])(
    'behavior: what is written with all its places comes back',
    (units, decimals) => {
      const digits = units.toString().padStart(decimals + 1, '0');
      const cut = digits.length - decimals;
      const text = decimals === 0 ? digits : `${digits.slice(0, cut)}.${digits.slice(cut)}`;
      expect(toUnits(text, decimals)).toBe(units);
    },
  );
});
