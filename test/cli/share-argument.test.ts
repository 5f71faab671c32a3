import { describe, expect, test } from 'vitest';
import { readShare } from '../../lib/cli/share-argument.ts';

describe('readShare', () => {
  test.each([
    ['0%', 0],
    ['0.01%', 1],
    ['0.5%', 50],
    ['25%', 2_500],
    ['100%', 10_000],
  ])('args: %j', (text, bps) => {
    expect(readShare('--to', text)).toBe(bps);
  });

  test.each(['25', '0.001%', '-1%', '%', '1000.5.5%', '1e2%', ' 25%'])('error: %j', (text) => {
    expect(() => readShare('--to', text)).toThrow('--to: ');
  });
});
