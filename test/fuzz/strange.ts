/** Strange input: garbage, good texts with some of it changed, and good values with one field that is wrong. */

import * as fc from 'fast-check';
import { expect } from 'vitest';
import { CUSTOMER, ETH, HOT_1_OTHER_CHAIN } from '../support/builders.ts';

/** Longer than any parser may take for a text of this size. */
const SLOW_MS = 1_000;
/** What a mistake of ours throws, and no parser may. */
const OURS = ['TypeError', 'RangeError', 'ReferenceError', 'EvalError'];
/** Longest error that people are shown, characters. */
const MESSAGE_LENGTH_MAX = 5_000;

/** Pieces that have broken parsers before. */
const PIECES = fc.constantFrom(
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '\n',
  '\u0000',
  '\ud800',
  '__proto__',
  'null',
  'true',
  '-1',
  '1e309',
  '9'.repeat(80),
  '0x',
  '*a',
  '&a [*a,*a]',
  '<<: *a',
  'ﬁ',
  ' '.repeat(200),
);

/** Texts that are nothing, or JSON of nothing that is known. */
export function garbage(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.string({ maxLength: 300, unit: 'binary' }),
    fc.json({ maxDepth: 5 }),
    fc.array(PIECES, { maxLength: 20 }).map((pieces) => pieces.join('')),
  );
}

/** Texts that need a stack or a time of their own. */
export const LONG = ['['.repeat(20_000), '{"a":'.repeat(20_000), '-'.repeat(200_000)];

/** A good text with some of it cut out and something put there. */
export function changed(good: string): fc.Arbitrary<string> {
  const change = fc.record({
    at: fc.nat(good.length),
    cut: fc.nat(12),
    put: fc.oneof(PIECES, fc.string({ maxLength: 8, unit: 'binary' })),
  });
  return fc
    .array(change, { minLength: 1, maxLength: 4 })
    .map((changes) =>
      changes.reduce(
        (text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut),
        good,
      ),
    );
}

/** What a parser said: nothing where it took the text. */
export function said(parse: () => unknown): string | undefined {
  const startedMs = performance.now();
  try {
    parse();
    return undefined;
  } catch (error) {
    return wordsOf(error);
  } finally {
    expect(performance.now() - startedMs).toBeLessThan(SLOW_MS);
  }
}

/** An error's words. @throws the error itself where it is a mistake of ours, or says nothing, or far too much. */
export function wordsOf(error: unknown): string {
  expect(error).toBeInstanceOf(Error);
  const { name, message } = error as Error;
  if (OURS.includes(name)) throw error;
  expect(message.length).toBeGreaterThan(0);
  expect(message.length).toBeLessThan(MESSAGE_LENGTH_MAX);
  return message;
}

type Path = readonly (string | number)[];

/** A good value with one field that is not: where, and the whole as JSON. */
export type Wrong = { readonly path: Path; readonly text: string; readonly put: string };

/** A number that JSON can write and no double can hold. */
const INFINITE = '@1e309@';

/** Of another kind, negative, huge, empty, and good in another place; `undefined` takes the field out. */
const VALUES: readonly unknown[] = [
  undefined,
  null,
  true,
  -1,
  0.5,
  2 ** 53,
  INFINITE,
  '',
  ' ',
  '-1',
  '1e3',
  'NaN',
  '0x10',
  '9'.repeat(76),
  '9'.repeat(78),
  '9'.repeat(400),
  'x'.repeat(3_000),
  '\ud800',
  'a\u0000b',
  '\u202e1',
  '__proto__',
  [],
  [[]],
  {},
  { toString: null },
  '2023-09-12T13:21:00Z',
  '2023-02-30T25:61:00Z',
  HOT_1_OTHER_CHAIN,
  CUSTOMER,
  ETH,
];

/** Every field of a good value, wrong in every way. */
export function wrongOf(good: unknown): readonly Wrong[] {
  const all = pathsOf(good).flatMap((path) =>
    VALUES.map((value) => ({
      path,
      text: jsonOf(withValue(good, path, value)),
      put: jsonOf(value).slice(0, 60),
    })),
  );
  return all.filter(({ text }) => text !== jsonOf(good));
}

/** A good value with a field that nobody knows, once in each object of it. */
export function strangersOf(good: unknown): readonly Wrong[] {
  const objects = [[], ...pathsOf(good)].filter((path) => isObject(valueAt(good, path)));
  return objects.map((path) => ({
    path: [...path, 'stranger'],
    text: jsonOf(withValue(good, [...path, 'stranger'], 1)),
    put: 'stranger',
  }));
}

function pathsOf(value: unknown): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [];
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return keys.flatMap((key) => [
    [key],
    ...pathsOf(Reflect.get(value, key)).map((path) => [key, ...path]),
  ]);
}

function withValue(good: unknown, path: Path, value: unknown): unknown {
  const copy = structuredClone(good) as object;
  const last = path.at(-1) ?? '';
  const inside = valueAt(copy, path.slice(0, -1)) as object;
  if (value === undefined) Reflect.deleteProperty(inside, last);
  else Reflect.set(inside, last, value);
  return copy;
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inside, key) => Reflect.get(inside as object, key), value);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function jsonOf(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').replaceAll(`"${INFINITE}"`, '1e309');
}
