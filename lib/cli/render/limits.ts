/** The limits for people: what is used, what is left, the fullest first. */

import type { Limits, Line } from '../answers.ts';
import { bar, isOver, percent } from './bar.ts';
import type { Paint } from './paint.ts';
import { clean, padEnd, padStart, plural, shorten } from './text.ts';

/** Lines without any use that are shown unless all are asked for. */
export const UNUSED_MAX = 20;

const BAR_COLUMNS = { most: 20, good: 12, least: 6 } as const;
const ID_COLUMNS_LEAST = 14;
const WINDOW_COLUMNS = 3;
const PERCENT_COLUMNS = 6;
/** The indent, and a blank between two cells. */
const GAP_COLUMNS = 2 + 5;
const SHADOW_TAG = ' shadow';

/** One limit's cells. */
type Cells = {
  readonly line: Line;
  readonly id: string;
  readonly used: string;
  readonly left: string;
};
type Widths = {
  readonly id: number;
  readonly bar: number;
  readonly used: number;
  readonly left: number;
};

/** The page. `all`: unused limits too, however many. */
export function limitsPage(
  limits: Limits,
  view: { readonly paint: Paint; readonly columns: number; readonly all: boolean },
): readonly string[] {
  const { paint, columns, all } = view;
  if (limits.lines.length === 0)
    return ['No limit of the policy in force speaks about this. All of them: breakwater limits'];
  const shown = all ? limits.lines : withoutUnused(limits.lines);
  const cells = shown.map(cellsOf);
  const isShadow = limits.lines.every((line) => line.mode === 'shadow');
  const isTagged = !isShadow && shown.some((line) => line.mode === 'shadow');
  const widths = widthsFor(cells, { columns, tagColumns: isTagged ? SHADOW_TAG.length : 0 });
  const hidden = limits.lines.length - shown.length;
  return [
    ...(isShadow ? [paint.yellow('SHADOW MODE: nothing is stopped by these limits'), ''] : []),
    paint.dim(heading(widths)),
    ...byScope(cells).flatMap(([scope, group]) => [
      paint.bold(shorten(scope, columns)),
      ...group.map((cell) => row(cell, { widths, paint, tag: isTagged ? SHADOW_TAG : '' })),
    ]),
    ...(hidden > 0
      ? ['', paint.dim(`${plural(hidden, 'more limit')} without use; --all shows them.`)]
      : []),
    ...(limits.truncated
      ? ['', paint.yellow('More scopes than one report reads; ask for one with --scope KEY.')]
      : []),
    ...stalePrices(limits, paint),
  ];
}

function stalePrices({ stalePrices: stale = [] }: Limits, paint: Paint): readonly string[] {
  const lines = stale.map(({ feed, symbols, text }) =>
    paint.yellow(`Price of ${clean(symbols.join(', '))}: ${clean(feed)}: ${clean(text)}`),
  );
  return lines.length > 0 ? ['', ...lines] : [];
}

function withoutUnused(lines: readonly Line[]): readonly Line[] {
  let unused = 0;
  return lines.filter((line) => {
    if (line.used > 0n) return true;
    unused += 1;
    return unused <= UNUSED_MAX;
  });
}

/** Scopes by their fullest limit, and within a scope the fullest limit first. */
function byScope(cells: readonly Cells[]): readonly (readonly [string, readonly Cells[]])[] {
  const sorted = [...cells].sort((a, b) => compareUse(b.line, a.line));
  return [...Map.groupBy(sorted, (cell) => clean(cell.line.scope))];
}

/** By share used, exactly: cross-multiplied instead of divided. */
function compareUse(a: Line, b: Line): number {
  const difference = a.used * b.limit - b.used * a.limit;
  return difference === 0n ? 0 : difference > 0n ? 1 : -1;
}

function cellsOf(line: Line): Cells {
  if (line.metric === 'single') {
    return { line, id: clean(line.limitId), used: '', left: `${clean(line.limitText)} each` };
  }
  return {
    line,
    id: clean(line.limitId),
    used: clean(line.usedText),
    left: clean(line.headroomText),
  };
}

/** The numbers stay whole; what is left goes to the bar, then to the names. */
function widthsFor(
  cells: readonly Cells[],
  view: { readonly columns: number; readonly tagColumns: number },
): Widths {
  const widest = (texts: readonly string[]) => Math.max(4, ...texts.map((text) => text.length));
  const used = widest(cells.map((cell) => cell.used));
  const left = widest(cells.map((cell) => cell.left));
  const ids = widest(cells.map((cell) => cell.id));
  const fixed = GAP_COLUMNS + WINDOW_COLUMNS + PERCENT_COLUMNS + used + left + view.tagColumns;
  const rest = view.columns - fixed;
  const id = Math.max(ID_COLUMNS_LEAST, Math.min(ids, rest - BAR_COLUMNS.good));
  return {
    id,
    used,
    left,
    bar: Math.max(BAR_COLUMNS.least, Math.min(BAR_COLUMNS.most, rest - id)),
  };
}

function heading(widths: Widths): string {
  return [
    padEnd('  limit', widths.id + 2),
    padStart('in', WINDOW_COLUMNS),
    ' '.repeat(widths.bar),
    padStart('', PERCENT_COLUMNS),
    padStart('used', widths.used),
    padStart('left', widths.left),
  ].join(' ');
}

function row(
  cell: Cells,
  view: { readonly widths: Widths; readonly paint: Paint; readonly tag: string },
): string {
  const { line, id, used, left } = cell;
  const { widths, paint, tag } = view;
  const colour = isOver(line) ? paint.red : nearOrFar(line, paint);
  const isSingle = line.metric === 'single';
  const share = isSingle ? ' '.repeat(widths.bar) : colour(bar(line, widths.bar));
  const figure = isSingle ? '' : percent(line);
  const cells = [
    padEnd(shorten(id, widths.id), widths.id),
    padStart(line.window, WINDOW_COLUMNS),
    share,
    colour(padStart(figure, PERCENT_COLUMNS)),
    padStart(used, widths.used),
    padStart(left, widths.left),
  ];
  return `  ${cells.join(' ')}${line.mode === 'shadow' ? paint.dim(tag) : ''}`;
}

function nearOrFar(line: Line, paint: Paint): (text: string) => string {
  return line.used * 5n >= line.limit * 4n ? paint.yellow : (text) => text;
}
