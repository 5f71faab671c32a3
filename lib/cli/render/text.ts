/** Text for a terminal: harmless, aligned, wrapped. */

import { stripVTControlCharacters } from 'node:util';

/** Columns of the labels on the left of a list of facts. */
const LABEL_COLUMNS = 9;

/**
 * A text of somebody else's making, safe to print: reasons, names and ids can hold control
 * characters that a terminal would obey, or invisible ones that make two names look alike.
 */
export function clean(text: string): string {
  return text.toWellFormed().replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${character.codePointAt(0)?.toString(16)}}`;
  });
}

/** A text as one word of a shell command that people copy: customers choose parts of it. */
export function shellWord(text: string): string {
  return `'${clean(text).replaceAll("'", `'\\''`)}'`;
}

/** Columns that a text takes, colours not counted. */
export function columnsTaken(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** Fills a text with blanks on the right. */
export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsTaken(text)));
}

/** Fills a text with blanks on the left. */
export function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - columnsTaken(text))) + text;
}

/** Cuts the middle out of a plain text that is too long: both ends of an address tell it apart. */
export function shorten(text: string, columnsMax: number): string {
  const characters = [...text];
  if (characters.length <= columnsMax) return text;
  const head = Math.ceil((columnsMax - 1) / 2);
  const tail = columnsMax - 1 - head;
  return `${characters.slice(0, head).join('')}…${characters.slice(characters.length - tail).join('')}`;
}

/** Breaks a plain text between words. A word longer than a line stays whole: it may have to be copied. */
export function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && columnsTaken(longer) > columns) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}

/**
 * A message of several lines, each made harmless and wrapped; what continues a line stands two columns
 * further in.
 */
export function message(text: string, columns: number): string {
  const lines = text.split('\n').flatMap((line) => {
    const indent = ' '.repeat(line.length - line.trimStart().length);
    const [first = '', ...rest] = wrap(clean(line.trimStart()), columns - indent.length - 2);
    return [`${indent}${first}`, ...rest.map((more) => `${indent}  ${more}`)];
  });
  return lines.join('\n');
}

/** A fact with its label, the text wrapped beside it. */
export function fact(
  label: string,
  text: string,
  layout: { readonly indent?: number; readonly columns: number },
): readonly string[] {
  const indent = ' '.repeat(layout.indent ?? 0);
  const beside = wrap(text, layout.columns - indent.length - LABEL_COLUMNS);
  return beside.map(
    (line, position) => `${indent}${padEnd(position === 0 ? label : '', LABEL_COLUMNS)}${line}`,
  );
}

/** `1 incident`, `2 incidents`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
