import { describe, expect, test } from 'vitest';
import { figuresOf, isMissed, render } from '../../bench/section.ts';

const figure = { id: 'a', value: 2.5, unit: 'ms', digits: 1 };

describe('figuresOf', () => {
  test('default', () => {
    const rows = [
      ['name', figure],
      ['other', '1.00×'],
    ];
    expect(figuresOf({ title: '', columns: [], rows, notes: [] })).toEqual([figure]);
  });
});

describe('isMissed', () => {
  test('behavior: at the target it is met, above it and as NaN missed', () => {
    const at = (value: number) => isMissed({ ...figure, value, max: 2 });
    expect([1.99, 2, 2.01, Number.NaN].map(at)).toEqual([false, false, true, true]);
  });

  test('behavior: without a target nothing is missed', () => {
    expect(isMissed(figure)).toBe(false);
  });
});

describe('render', () => {
  test('default', () => {
    const section = {
      title: 'Title',
      columns: ['', 'time', 'units'],
      rows: [
        ['short', figure, { ...figure, value: 18, unit: '', digits: 0, max: 20 }],
        ['a longer name', { ...figure, value: 1_234 }, { ...figure, unit: '', max: 2 }],
      ],
      notes: ['a note'],
    };
    expect(render(section)).toMatchInlineSnapshot(`
      "Title

                              time       units
        short               2.5 ms   18 ✓ ≤ 20
        a longer name   1,234.0 ms   2.5 ✗ ≤ 2
        · a note"
    `);
  });
});
