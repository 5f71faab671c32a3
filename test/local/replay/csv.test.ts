import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import * as Csv from '../../../lib/local/replay/csv.ts';

const COLUMNS = ['a', 'b'] as const;

function fieldsOf(text: string) {
  return Csv.parse(text, COLUMNS).map((row) => Object.values(row.fields));
}

describe('parse', () => {
  test('default', () => {
    expect(Csv.parse('a,b\n1,2\n,\n', COLUMNS)).toEqual([
      { line: 2, fields: { a: '1', b: '2' } },
      { line: 3, fields: { a: '', b: '' } },
    ]);
  });

  test('behavior: byte order mark, CRLF and a missing last line break', () => {
    expect(fieldsOf('\uFEFFa,b\r\n1,2\r\n3,4')).toEqual([
      ['1', '2'],
      ['3', '4'],
    ]);
  });

  test('behavior: a last field may be empty without a line break', () => {
    expect(fieldsOf('a,b\n1,')).toEqual([['1', '']]);
  });

  test('behavior: quotes hold commas, quotes and line breaks, and lines are counted through them', () => {
    const rows = Csv.parse('a,b\n"1,""x""\r\ny",2\n3,4\n', COLUMNS);
    expect(rows[0]?.fields.a).toBe('1,"x"\r\ny');
    expect(rows.map((row) => row.line)).toEqual([2, 4]);
  });

  property.prop([fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 20 })])(
    'behavior: reads back whatever is written with every field quoted',
    (rows) => {
      const quote = (value: string) => `"${value.replaceAll('"', '""')}"`;
      const text = ['a,b', ...rows.map((row) => row.map(quote).join(','))].join('\n');
      expect(fieldsOf(text)).toEqual(rows);
    },
  );

  test.each([
    ['an empty text', '', 'line 1: the table is empty'],
    ['another header', 'a,c\n', 'line 1: the header must be a,b'],
    ['too few fields', 'a,b\n1,2\n3\n', 'line 3: 1 fields instead of 2'],
    ['a blank line', 'a,b\n\n1,2\n', 'line 2: 1 fields instead of 2'],
    ['too many fields', 'a,b\n1,2,3\n', 'line 2: 3 fields instead of 2'],
    ['an open quote', 'a,b\n1,"2\n', 'line 2: field 2 has a stray quote or line break'],
    [
      'a quote within a plain field',
      'a,b\n1"x",2\n',
      'line 2: field 1 has a stray quote or line break',
    ],
    [
      'text after a quoted field',
      'a,b\n"1"x,2\n',
      'line 2: field 1 has a stray quote or line break',
    ],
    [
      'a lone carriage return',
      'a,b\n1,2\r3,4\n',
      'line 2: field 2 has a stray quote or line break',
    ],
  ])('error: %s', (_, text, message) => {
    expect(() => Csv.parse(text, COLUMNS)).toThrow(message);
  });

  test('error: a field just above its maximum, with line and field', () => {
    const text = (length: number) => `a,b\n1,${'x'.repeat(length)}\n`;
    expect(fieldsOf(text(Csv.FIELD_CHARS_MAX))).toHaveLength(1);
    expect(() => fieldsOf(text(Csv.FIELD_CHARS_MAX + 1))).toThrow(
      expect.objectContaining({ name: 'Csv.MalformedError', line: 2, field: 'b' }),
    );
  });

  test('error: a row above the maximum', () => {
    const text = (rows: number) => `a,b\n${'1,2\n'.repeat(rows)}`;
    expect(fieldsOf(text(Csv.ROWS_MAX))).toHaveLength(Csv.ROWS_MAX);
    expect(() => fieldsOf(text(Csv.ROWS_MAX + 1))).toThrow('more than 10000 rows');
  });

  test('error: a text above the maximum', () => {
    expect(() => fieldsOf(`a,b\n${' '.repeat(Csv.TEXT_CHARS_MAX)}`)).toThrow('longer than 1048576');
  });
});
