import { describe, expect, test } from 'vitest';
import * as Change from '../../lib/domain/change.ts';

describe('direction', () => {
  test('behavior: what loosens anywhere loosens; no change decides nothing', () => {
    expect(Change.direction([])).toBe('neutral');
    const all = [Change.tightens('a'), Change.loosens('b'), Change.neutral('c')];
    expect(Change.direction(all)).toBe('loosens');
  });
});

describe('worst', () => {
  test('behavior: the verdict that decides and its reason, wherever it stands', () => {
    const [neutral, tightens, loosens] = [
      Change.neutral('a'),
      Change.tightens('b'),
      Change.loosens('c'),
    ];
    expect(Change.worst([neutral, tightens, loosens], neutral)).toEqual(loosens);
    expect(Change.worst([loosens, tightens], neutral)).toEqual(loosens);
    expect(Change.worst([neutral, tightens], loosens)).toEqual(tightens);
    expect(Change.worst([], tightens)).toEqual(tightens);
  });
});

describe('ranked', () => {
  const { judge } = Change.ranked<{ readonly word: string }>(
    ({ word }) => word,
    ['block', 'hold', 'pass'],
    { looser: 'looser', stricter: 'stricter' },
  );
  const direction = (before: string, after: string) =>
    judge({ before: { word: before }, after: { word: after } } as never, {} as never).direction;

  test('default: to a stricter word it tightens, to a looser one it loosens', () => {
    expect(direction('hold', 'block')).toBe('tightens');
    expect(direction('block', 'pass')).toBe('loosens');
  });

  test('behavior: a word that nobody knows is no stricter one, on either side', () => {
    expect(direction('strange', 'block')).toBe('loosens');
    expect(direction('pass', 'strange')).toBe('loosens');
  });
});

describe('isSame', () => {
  test('default: all the way down; an absent field is as an undefined one', () => {
    expect(Change.isSame({ a: [1, { b: 2n }] }, { a: [1, { b: 2n }], c: undefined })).toBe(true);
    expect(Change.isSame({ a: [1, { b: 2n }] }, { a: [1, { b: 3n }] })).toBe(false);
  });

  test.each([
    [[], {}],
    [{ a: 1 }, 1],
    [1, { a: 1 }],
    ['', {}],
    [{}, ''],
    [null, {}],
    [{}, null],
    [['a'], { 0: 'a' }],
  ])('behavior: %j is not %j', (left, right) => {
    expect(Change.isSame(left, right)).toBe(false);
  });
});
