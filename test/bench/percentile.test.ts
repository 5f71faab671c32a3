import { describe, expect, test } from 'vitest';
import { percentile } from '../../bench/percentile.ts';

describe('percentile', () => {
  test('default', () => {
    expect(percentile([3, 1, 2, 4], 0.5)).toBe(2);
  });

  test('args: shares at the ends', () => {
    expect(percentile([3, 1, 2], 0)).toBe(1);
    expect(percentile([3, 1, 2], 1)).toBe(3);
  });

  test('behavior: p99 of 100 and of 101 samples leaves one above', () => {
    const samples = Array.from({ length: 101 }, (_, index) => index + 1);
    expect(percentile(samples.slice(0, 100), 0.99)).toBe(99);
    expect(percentile(samples, 0.99)).toBe(100);
  });

  test('error: no samples, or no share', () => {
    expect(() => percentile([], 0.5)).toThrow('samples');
    expect(() => percentile([1], 1.1)).toThrow('share');
  });
});
