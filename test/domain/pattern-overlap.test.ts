import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as Pattern from '../../lib/domain/pattern.ts';
import { contains, overlaps } from '../../lib/domain/pattern-overlap.ts';

const TEXTS = texts(6);

/** Every text of `a` and `b` up to a length. */
function texts(lengthMax: number): readonly string[] {
  const all = [''];
  for (const text of all) if (text.length < lengthMax) all.push(`${text}a`, `${text}b`);
  return all;
}

describe('overlaps', () => {
  test.each([
    ['eip155:1', 'eip155:1', true],
    ['eip155:1', 'eip155:10', false],
    ['eip155:*', 'eip155:10', true],
    ['eip155:10', 'eip155:*', true],
    ['eip155:*/slip44:60', 'eip155:1/*', true],
    ['eip155:*', 'bip122:*', false],
    ['*a', 'b*', true],
    ['*', '**', true],
    ['a*a', 'a', false],
  ])('args: %j and %j', (left, right, expected) => {
    expect(overlaps(left, right)).toBe(expected);
  });

  test('behavior: agrees with trying every text', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 4 });
    fc.assert(
      fc.property(pattern, pattern, (left, right) => {
        const some = TEXTS.some(
          (text) => Pattern.matches(left, text) && Pattern.matches(right, text),
        );
        expect(overlaps(left, right)).toBe(some);
      }),
      { numRuns: 300 },
    );
  });
});

describe('contains', () => {
  test.each([
    ['eip155:*', 'eip155:1', true],
    ['eip155:*', 'eip155:1*', true],
    ['eip155:1', 'eip155:1', true],
    ['eip155:1', 'eip155:*', false],
    ['eip155:1*', 'eip155:*', false],
    ['eip155:', 'eip155:*', false],
    ['a*b', 'a*', false],
    ['*', 'a*b*c', true],
    ['*b', 'a*b*', false],
  ])('args: all of %j, what %j means', (wider, narrower, expected) => {
    expect(contains(wider, narrower)).toBe(expected);
  });
});
