import { describe, expect, test } from 'vitest';
import { instantMs, readTime, spanMs } from '../../lib/cli/time-argument.ts';
import { NOW_MS } from './answers.ts';

describe('spanMs', () => {
  test.each([
    ['1s', 1_000],
    ['90s', 90_000],
    ['30m', 1_800_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['0h', undefined],
    ['2', undefined],
    ['2 h', undefined],
    ['-2h', undefined],
    ['1.5h', undefined],
    ['1000000s', undefined],
    ['', undefined],
  ])('args: %j', (text, ms) => {
    expect(spanMs(text)).toBe(ms);
  });
});

describe('instantMs', () => {
  test.each([
    ['2026-01-31T18:00:00Z', Date.parse('2026-01-31T18:00:00Z')],
    ['2026-01-31T18:00:00+02:00', Date.parse('2026-01-31T16:00:00Z')],
    ['2026-01-31T18:00:00', undefined],
    ['2026-01-31', undefined],
    ['tomorrow', undefined],
  ])('args: %j', (text, ms) => {
    expect(instantMs(text)).toBe(ms);
  });
});

describe('readTime', () => {
  test('default', () => {
    expect(readTime('--until', '2h', NOW_MS)).toBe(new Date(NOW_MS + 7_200_000).toISOString());
  });

  test('error: names the option, and makes what was typed harmless', () => {
    expect(() => readTime('--until', 'soon\u001b[2J', NOW_MS)).toThrow(
      '--until: soon\\u{1b}[2J is not a time.',
    );
  });
});
