import { describe, expect, test } from 'vitest';
import { nearest } from '../../../lib/adapters/policy-file/nearest.ts';

const KNOWN = ['id', 'scope', 'where', 'window', 'limit', 'keyDomain'];

describe('nearest', () => {
  test.each([
    ['limt', 'limit'],
    ['limits', 'limit'],
    ['Key_Domain', 'keyDomain'],
    ['windw', 'window'],
    ['ids', 'id'],
    ['xyz', undefined],
    ['', undefined],
    ['colour', undefined],
    [`limit${'x'.repeat(100_000)}`, undefined],
  ])('args: %.20s', (word, expected) => {
    expect(nearest(word, KNOWN)).toBe(expected);
  });
});
