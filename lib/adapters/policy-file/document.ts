/**
 * A policy's text (YAML 1.2, and with it JSON) as plain data with line numbers.
 *
 * Every scalar comes as the text that stands in the file: no number passes through a float, `1e3` is
 * not 1000, and `no` is not false. Anchors, aliases, tags and further documents are refused, so what
 * the file shows is what it says.
 */

import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';
import type { Finding, Path } from './problem.ts';

/** Plain data whose leaves are text; maps have no prototype. */
export type Raw = string | readonly Raw[] | { readonly [key: string]: Raw };

/** What a text holds. `raw` is absent where it is no readable document. */
export type Document = {
  readonly raw?: Raw;
  readonly findings: readonly Finding[];
  /** 1-based line of a path, or of the nearest thing around it. */
  readonly lineOf: (path: Path) => number;
};

/**
 * Largest policy, in bytes of UTF-8: what one command takes (`POLICY_LENGTH_MAX` in `wire/command.ts`),
 * so that what `policy check` calls valid can be applied. One DynamoDB item holds it with ease.
 */
export const SOURCE_BYTES_MAX = 200_000;
/** Deepest nesting; a policy needs five levels. */
const DEPTH_MAX = 8;

type Reading = {
  readonly lines: Map<string, number>;
  readonly findings: Finding[];
  readonly lineAt: (offset: number) => number;
};

/** Reads a text. Never throws: whatever is wrong is in `findings`. */
export function readDocument(source: string): Document {
  if (Buffer.byteLength(source) > SOURCE_BYTES_MAX) {
    return unreadable(1, `the file is larger than ${SOURCE_BYTES_MAX / 1_000} kB`);
  }
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(source, {
    schema: 'failsafe',
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
    lineCounter,
  });
  const lineAt = (offset: number) => Math.max(1, lineCounter.linePos(offset).line);
  const [document, second] = documents;
  const error = documents.flatMap((each) => each.errors)[0];
  if (error) return unreadable(lineAt(error.pos[0]), `cannot be read as YAML: ${error.message}`);
  if (second)
    return unreadable(
      lineAt(second.range[0]),
      'holds more than one document; one file is one policy',
    );
  if (!document?.contents)
    return unreadable(1, 'is empty; start from examples/policies/starter.yaml');
  const reading: Reading = { lines: new Map(), findings: [], lineAt };
  const raw = read(reading, document.contents, []);
  return { raw, findings: reading.findings, lineOf: (path) => lineOf(reading.lines, path) };
}

function unreadable(line: number, message: string): Document {
  return { findings: [{ path: [], message, line }], lineOf: () => line };
}

function read(reading: Reading, node: unknown, path: Path): Raw {
  const found = (message: string) => {
    reading.findings.push({ path, message });
    return '';
  };
  if (path.length > DEPTH_MAX) return found(`is nested deeper than ${DEPTH_MAX} levels`);
  if (isAlias(node)) return found('is an alias (*); write the value out');
  const { anchor, tag } = (node ?? {}) as Partial<
    Pick<Node & { anchor: string }, 'anchor' | 'tag'>
  >;
  if (anchor !== undefined)
    return found('has an anchor (&); write the value out where it is needed');
  if (tag !== undefined) return found(`has a tag (${tag}); write the plain value`);
  if (isSeq(node)) {
    return node.items.map((item, position) => {
      const itemPath = [...path, position];
      note(reading, item, itemPath);
      return read(reading, item, itemPath);
    });
  }
  if (isMap(node)) return readMap(reading, node.items, path);
  return isScalar(node) && typeof node.value === 'string' ? node.value : '';
}

function readMap(
  reading: Reading,
  pairs: readonly { readonly key: unknown; readonly value: unknown }[],
  path: Path,
): Raw {
  const map: Record<string, Raw> = Object.create(null);
  for (const { key, value } of pairs) {
    if (!isScalar(key) || typeof key.value !== 'string') {
      reading.findings.push({ path, message: 'has a field name that is not plain text' });
      continue;
    }
    const keyPath = [...path, key.value];
    if (Object.hasOwn(map, key.value)) {
      const line = reading.lineAt(key.range?.[0] ?? 0);
      const message = `is given twice; first on line ${lineOf(reading.lines, keyPath)}`;
      reading.findings.push({ path: keyPath, message, line });
      continue;
    }
    note(reading, key, keyPath);
    map[key.value] = read(reading, value, keyPath);
  }
  return map;
}

function note(reading: Reading, node: unknown, path: Path): void {
  const { range } = (node ?? {}) as Partial<Pick<Node, 'range'>>;
  if (range) reading.lines.set(JSON.stringify(path), reading.lineAt(range[0]));
}

function lineOf(lines: ReadonlyMap<string, number>, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const line = lines.get(JSON.stringify(path.slice(0, length)));
    if (line !== undefined) return line;
  }
  return 1;
}
