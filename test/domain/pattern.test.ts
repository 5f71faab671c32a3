import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as Pattern from '../../lib/domain/pattern.ts';

/** The same by the platform's regular expressions: slow on hostile input, and obviously right. */
function byRegExp(pattern: string, text: string): boolean {
  const source = pattern
    .split('*')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('[^]*');
  return new RegExp(`^${source}$`).test(text);
}

describe('matches', () => {
  test.each([
    ['eip155:1/erc20:*', 'eip155:1/erc20:0xab', true],
    ['eip155:1/erc20:*', 'eip155:1/slip44:60', false],
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['a*b*a', 'aba', true],
    ['a*ab*b', 'aabb', true],
    ['a*ab*b', 'aab', false],
    ['**', 'x', true],
    ['eip155:1', 'eip155:11', false],
    ['eip155:1', 'eip155x1', false],
    ['a.c', 'abc', false],
  ])('args: %j on %j', (pattern, text, expected) => {
    expect(Pattern.matches(pattern, text)).toBe(expected);
  });

  test('behavior: agrees with regular expressions', () => {
    const letters = (unit: string) =>
      fc.string({ unit: fc.constantFrom(...unit.split('')), maxLength: 8 });
    fc.assert(
      fc.property(letters('ab*'), letters('ab'), (pattern, text) => {
        expect(Pattern.matches(pattern, text)).toBe(byRegExp(pattern, text));
      }),
      { numRuns: 1_000 },
    );
  });

  test('behavior: hostile patterns cost no more than their length', () => {
    const startedMs = performance.now();
    expect(Pattern.matches(`${'a*'.repeat(200)}b`, 'a'.repeat(20_000))).toBe(false);
    expect(Pattern.matches(`*${'a*'.repeat(200)}b*`, 'a'.repeat(20_000))).toBe(false);
    expect(performance.now() - startedMs).toBeLessThan(500);
  });
});

describe('mostSpecific', () => {
  const rules = [
    '*',
    'eip155:1/*',
    'eip155:1/erc20:*',
    'eip155:1/erc20:0xab',
    'eip155:2/e*',
    'eip155:2/*x',
  ].map((pattern) => ({ pattern }));

  test.each([
    ['eip155:1/erc20:0xab', 'eip155:1/erc20:0xab'],
    ['eip155:1/erc20:0xcd', 'eip155:1/erc20:*'],
    ['eip155:1/slip44:60', 'eip155:1/*'],
    ['bip122:1/slip44:0', '*'],
    ['eip155:2/ex', 'eip155:2/e*'],
  ])('args: %s', (text, pattern) => {
    expect(Pattern.mostSpecific(rules, text)).toEqual({ pattern });
    const reversed = Pattern.mostSpecific(rules.toReversed(), text)?.pattern;
    if (text !== 'eip155:2/ex') expect(reversed).toBe(pattern);
  });

  test('behavior: H44: none and one', () => {
    expect(Pattern.mostSpecific([], 'a')).toBeUndefined();
    expect(Pattern.mostSpecific([{ pattern: 'b' }], 'a')).toBeUndefined();
    expect(Pattern.mostSpecific([{ pattern: 'a' }], 'a')).toEqual({ pattern: 'a' });
  });
});
