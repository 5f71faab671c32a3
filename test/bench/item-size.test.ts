import { describe, expect, test } from 'vitest';
import { itemBytes, transactionUnits } from '../../bench/item-size.ts';

describe('itemBytes', () => {
  test('default', () => {
    const item = { pk: { S: 'ab' }, m: { B: new Uint8Array(10) }, v: { N: '1700000000000' } };
    expect(itemBytes(item)).toBe(2 + 2 + (1 + 10) + (1 + 8));
  });

  test('behavior: a text counts its UTF-8', () => {
    expect(itemBytes({ é: { S: '€' } })).toBe(2 + 3);
  });

  test('error: lists', () => {
    expect(() => itemBytes({ a: { L: [] } })).toThrow('only');
  });
});

describe('transactionUnits', () => {
  test('behavior: two for each KB begun', () => {
    expect([0, 1, 1_024, 1_025, 2_048, 2_049].map(transactionUnits)).toEqual([2, 2, 2, 4, 4, 6]);
  });
});
