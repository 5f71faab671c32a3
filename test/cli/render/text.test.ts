import { describe, expect, test } from 'vitest';
import {
  clean,
  columnsTaken,
  fact,
  message,
  padEnd,
  padStart,
  plural,
  shellWord,
  shorten,
  wrap,
} from '../../../lib/cli/render/text.ts';

describe('clean', () => {
  test('default', () => {
    expect(clean('Ünïcode stays, 4,947 ETH')).toBe('Ünïcode stays, 4,947 ETH');
  });

  test('behavior: what a terminal would obey, or nobody would see, becomes visible', () => {
    expect(clean('\u001b[2J\r\n\u200b\u202e\u2028\ud800')).toBe(
      '\\u{1b}[2J\\u{d}\\u{a}\\u{200b}\\u{202e}\\u{2028}\ufffd',
    );
  });
});

describe('shellWord', () => {
  test('default', () => {
    expect(shellWord('wallet-asset:a|eip155:1/slip44:60')).toBe(
      "'wallet-asset:a|eip155:1/slip44:60'",
    );
  });

  test('behavior: a quote does not end the word', () => {
    expect(shellWord("actor:o'neil")).toBe(`'actor:o'\\''neil'`);
  });
});

describe('columnsTaken', () => {
  test('behavior: colours take none', () => {
    expect(columnsTaken('\u001b[31mred\u001b[39m')).toBe(3);
  });
});

describe('padEnd', () => {
  test('default', () => expect(padEnd('ab', 4)).toBe('ab  '));
  test('behavior: never cuts', () => expect(padEnd('abc', 2)).toBe('abc'));
});

describe('padStart', () => {
  test('default', () => expect(padStart('ab', 4)).toBe('  ab'));
});

describe('shorten', () => {
  test('default', () => {
    expect(shorten('0x1111222233334444', 9)).toBe('0x11…4444');
  });

  test.each([16, 17])('args: columnsMax: %s', (columnsMax) => {
    expect(shorten('0x11112222333344', columnsMax)).toBe('0x11112222333344');
  });
});

describe('wrap', () => {
  test('default', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
  });

  test('behavior: a long word stays whole', () => {
    expect(wrap('see 0x111122223333 there', 8)).toEqual(['see', '0x111122223333', 'there']);
  });
});

describe('message', () => {
  test('default', () => {
    expect(message('first line\n  second line that is long', 16)).toBe(
      'first line\n  second line\n    that is long',
    );
  });

  test('behavior: is harmless', () => {
    expect(message('a\u001bb', Number.POSITIVE_INFINITY)).toBe('a\\u{1b}b');
  });
});

describe('fact', () => {
  test('default', () => {
    expect(fact('Why', 'one two three', { columns: 16 })).toEqual([
      'Why      one two',
      '         three',
    ]);
  });
});

describe('plural', () => {
  test.each([
    [0, '0 incidents'],
    [1, '1 incident'],
    [2, '2 incidents'],
  ])('args: count: %s', (count, expected) => {
    expect(plural(count, 'incident')).toBe(expected);
  });
});
