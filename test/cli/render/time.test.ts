import { describe, expect, test } from 'vitest';
import { moment, relative, span, utc } from '../../../lib/cli/render/time.ts';

const AT_MS = Date.parse('2023-09-12T13:21:04.999Z');

describe('utc', () => {
  test('default', () => expect(utc(AT_MS)).toBe('2023-09-12 13:21:04 UTC'));
});

describe('span', () => {
  test.each([
    [0, '0 s'],
    [999, '0 s'],
    [1_000, '1 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [61_000, '1 min 1 s'],
    [7_020_000, '1 h 57 min'],
    [90_000_000, '1 d 1 h'],
  ])('args: spanMs: %s', (spanMs, expected) => {
    expect(span(spanMs)).toBe(expected);
  });
});

describe('relative', () => {
  test.each([
    [725_000, '12 min 5 s ago'],
    [999, 'just now'],
    [-999, 'just now'],
    [-20_000, 'in 20 s'],
  ])('args: later by: %s', (laterMs, expected) => {
    expect(relative(AT_MS, AT_MS + laterMs)).toBe(expected);
  });
});

describe('moment', () => {
  test('default', () => {
    expect(moment(AT_MS, AT_MS + 3_600_000)).toBe('2023-09-12 13:21:04 UTC (1 h ago)');
  });
});
