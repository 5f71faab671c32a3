/** A small strict reader of RFC 4180 tables: a header, then rows of exactly its fields. */

/** Longest text that is read, in UTF-16 units. */
export const TEXT_CHARS_MAX = 1_048_576;
/** Most rows of one table, the header not counted. */
export const ROWS_MAX = 10_000;
/** Longest field, in UTF-16 units. */
export const FIELD_CHARS_MAX = 4_096;

/** One row: where it starts in the text (1-based) and its fields by column name, all as text. */
export type Row<Column extends string> = {
  readonly line: number;
  readonly fields: Readonly<Record<Column, string>>;
};

/** A field up to its separator; group 1 is quoted content, group 2 plain content. */
const FIELD = /(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r\n|\n|$)/y;

type RawRow = { readonly line: number; readonly fields: readonly string[] };

/**
 * Reads a table whose header is exactly `columns`, in that order. A byte order mark, CRLF or LF, and
 * quoted fields with commas, line breaks and doubled quotes are understood; blanks are kept.
 * Fail direction: closed. Nothing is guessed, padded or skipped; the whole table is refused.
 *
 * @throws {MalformedError} with line and, where it is known, field.
 */
export function parse<Column extends string>(
  text: string,
  columns: readonly Column[],
): readonly Row<Column>[] {
  if (text.length > TEXT_CHARS_MAX) {
    throw new MalformedError({
      line: 1,
      reason: `the text is longer than ${TEXT_CHARS_MAX} characters`,
    });
  }
  const [header, ...rows] = split(text.startsWith('\uFEFF') ? text.slice(1) : text);
  if (!header) throw new MalformedError({ line: 1, reason: 'the table is empty' });
  if (header.fields.join(',') !== columns.join(',')) {
    throw new MalformedError({ line: 1, reason: `the header must be ${columns.join(',')}` });
  }
  return rows.map((row) => named(row, columns));
}

function named<Column extends string>(row: RawRow, columns: readonly Column[]): Row<Column> {
  if (row.fields.length !== columns.length) {
    const reason = `${row.fields.length} fields instead of ${columns.length}`;
    throw new MalformedError({ line: row.line, reason });
  }
  const entries = columns.map((column, index) => [column, row.fields[index] ?? ''] as const);
  const long = entries.find(([, value]) => value.length > FIELD_CHARS_MAX);
  if (long) {
    const reason = `longer than ${FIELD_CHARS_MAX} characters`;
    throw new MalformedError({ line: row.line, field: long[0], reason });
  }
  return { line: row.line, fields: Object.fromEntries(entries) as Record<Column, string> };
}

function split(text: string): readonly RawRow[] {
  const rows: RawRow[] = [];
  let fields: string[] = [];
  let startLine = 1;
  let line = 1;
  let index = 0;
  while (index < text.length || fields.length > 0) {
    FIELD.lastIndex = index;
    const match = FIELD.exec(text);
    if (!match)
      throw new MalformedError({
        line,
        reason: `field ${fields.length + 1} has a stray quote or line break`,
      });
    const [whole, quoted, plain = '', separator = ''] = match;
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    line += whole.split('\n').length - 1;
    index += whole.length;
    if (separator === ',') continue;
    rows.push({ line: startLine, fields });
    if (rows.length > ROWS_MAX + 1)
      throw new MalformedError({ line, reason: `more than ${ROWS_MAX} rows` });
    fields = [];
    startLine = line;
  }
  return rows;
}

/** A text is not a table of the expected form. */
export class MalformedError extends Error {
  override readonly name = 'Csv.MalformedError';
  readonly line: number;
  readonly field: string | undefined;
  readonly reason: string;
  constructor(details: {
    readonly line: number;
    readonly field?: string;
    readonly reason: string;
  }) {
    super(
      `line ${details.line}${details.field ? `, field ${details.field}` : ''}: ${details.reason}`,
    );
    this.line = details.line;
    this.field = details.field;
    this.reason = details.reason;
  }
}
