/** What a part of the benchmark found, for people and for machines. */

/** One measured figure. */
export type Figure = {
  /** Stable name in the JSON. */
  readonly id: string;
  readonly value: number;
  readonly unit: string;
  readonly digits: number;
  /** The target: at most this. */
  readonly max?: number;
};

/** A cell is a figure, or words. */
export type Cell = Figure | string;

/** One table with its explanation. */
export type Section = {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  readonly notes: readonly string[];
};

/** The figures of a section. */
export function figuresOf(section: Section): readonly Figure[] {
  return section.rows.flat().filter((cell): cell is Figure => typeof cell !== 'string');
}

/** Whether a figure misses its target. One without a target misses none. */
export function isMissed(figure: Figure): boolean {
  return figure.max !== undefined && !(figure.value <= figure.max);
}

/** A section as lines of text: the first column to the left, the others to the right. */
export function render(section: Section): string {
  const { title, columns, rows, notes } = section;
  const table = [columns, ...rows.map((row) => row.map(textOf))];
  const widths = columns.map((_, at) => Math.max(...table.map((row) => (row[at] ?? '').length)));
  const lines = table.map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('   ')
      .trimEnd(),
  );
  return [
    title,
    '',
    ...lines.map((line) => `  ${line}`),
    ...notes.map((note) => `  · ${note}`),
  ].join('\n');
}

function textOf(cell: Cell): string {
  if (typeof cell === 'string') return cell;
  const text = cell.value.toLocaleString('en-US', {
    minimumFractionDigits: cell.digits,
    maximumFractionDigits: cell.digits,
  });
  const verdict = cell.max === undefined ? '' : ` ${isMissed(cell) ? '✗' : '✓'} ≤ ${cell.max}`;
  return `${text}${cell.unit === '' ? '' : ` ${cell.unit}`}${verdict}`;
}
