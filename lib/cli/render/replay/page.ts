/** The page as a phone shows it. */

import { type Message, SUBJECT_MAX } from '../../../domain/page.ts';
import type { Paint } from '../paint.ts';
import { clean, padEnd, wrap } from '../text.ts';

/** Frame and blanks beside a text in a box. */
const FRAME_COLUMNS = 4;
/** A box is no wider than this, however wide the terminal is. */
const BOX_COLUMNS_MAX = 100;

/** A message in a box, its first line apart. */
export function pageBox(
  message: Message,
  view: { readonly paint: Paint; readonly columns: number },
): readonly string[] {
  const inner = Math.min(view.columns - 1, BOX_COLUMNS_MAX) - FRAME_COLUMNS;
  const line = (text: string, style: (text: string) => string = (same) => same) =>
    `│ ${style(padEnd(text, inner))} │`;
  const rule = (left: string, right: string) => `${left}${'─'.repeat(inner + 2)}${right}`;
  const length = [...message.subject].length;
  const { bold } = view.paint;
  return [
    `The page that the operator gets (first line: ${length} of at most ${SUBJECT_MAX} characters):`,
    rule('┌', '┐'),
    ...inLines(message.subject, inner).map((text) => line(text, bold)),
    rule('├', '┤'),
    ...message.body.split('\n').flatMap((text) => inLines(text, inner).map((part) => line(part))),
    rule('└', '┘'),
  ];
}

/** Wraps between words, and within those that are longer than a line. */
function inLines(text: string, columns: number): readonly string[] {
  return wrap(clean(text), columns).flatMap((line) => {
    const characters = [...line];
    const parts = Math.max(1, Math.ceil(characters.length / columns));
    return Array.from({ length: parts }, (_, part) =>
      characters.slice(part * columns, (part + 1) * columns).join(''),
    );
  });
}
