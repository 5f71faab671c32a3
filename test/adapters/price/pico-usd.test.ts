import { describe, expect, test } from 'vitest';
import { parsePicoUsd, toPicoUsd } from '../../../lib/adapters/price/pico-usd.ts';

describe('toPicoUsd', () => {
  test('default: exact where it can be, else rounded up', () => {
    expect(toPicoUsd(200_000_000_001n, 8)).toBe(2_000_000_000_010_000n);
    expect(toPicoUsd(1n, 12)).toBe(1n);
    expect(toPicoUsd(1n, 18)).toBe(1n);
    expect(toPicoUsd(1_000_001n, 18)).toBe(2n);
  });
});

describe('parsePicoUsd', () => {
  test.each([
    ['0', 0n],
    ['1', 10n ** 12n],
    ['3456.789012345678', 3_456_789_012_345_678n],
    ['0.1', 10n ** 11n],
    ['1e-8', 10_000n],
    ['1.5E+3', 1_500n * 10n ** 12n],
    ['1.23e-13', 1n],
    ['0.00000000000000001', 1n],
  ])('args: %s never goes through a float', (text, pico) => {
    expect(parsePicoUsd(text)).toBe(pico);
  });

  test.each(['', '-1', '+1', '1.', '.5', 'NaN', '1e999', '0x10', '1 ', '1,5'])(
    'error: "%s" is no price',
    (text) => {
      expect(parsePicoUsd(text)).toBeUndefined();
    },
  );
});
