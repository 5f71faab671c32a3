import { describe, expect, test } from 'vitest';
import { readDocument, SOURCE_BYTES_MAX } from '../../../lib/adapters/policy-file/document.ts';
import { problems, source, told, withLimit } from './source.ts';

describe('readDocument', () => {
  test('default', () => {
    const { raw, findings, lineOf } = readDocument('a: 1e3\nb:\n  - no\n  - "0.10"\n  - ~\nc:\n');
    expect(JSON.stringify(raw)).toBe('{"a":"1e3","b":["no","0.10","~"],"c":""}');
    expect(findings).toEqual([]);
    expect([lineOf([]), lineOf(['a']), lineOf(['b', 1]), lineOf(['b', 1, 'x'])]).toEqual([
      1, 1, 4, 4,
    ]);
    expect(lineOf(['absent'])).toBe(1);
  });

  test('behavior: a YAML directive changes no reading', () => {
    const { raw } = readDocument('%YAML 1.1\n---\na: yes\nb: 0777\n<<: { c: 1 }\n');
    expect(JSON.stringify(raw)).toBe('{"a":"yes","b":"0777","<<":{"c":"1"}}');
  });

  test('behavior: names of JavaScript objects are names like any other', () => {
    const { raw } = readDocument('__proto__: { a: 1 }\nconstructor: 2\n');
    expect(Object.keys(raw ?? {})).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>).a).toBeUndefined();
  });

  test('args: size, at and above the most', () => {
    const filler = (bytes: number) => `${source()}\n#${'x'.repeat(bytes - source().length - 2)}`;
    expect(problems(filler(SOURCE_BYTES_MAX))).toBe('ok');
    expect(problems(filler(SOURCE_BYTES_MAX + 1))).toMatchInlineSnapshot(
      `"line 1: the file is larger than 200 kB"`,
    );
  });

  test('args: depth, at and above the most', () => {
    const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    expect(readDocument(nested(9)).findings).toEqual([]);
    expect(readDocument(nested(10)).findings).toMatchInlineSnapshot(`
      [
        {
          "message": "is nested deeper than 8 levels",
          "path": [
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
          ],
        },
      ]
    `);
  });

  test.each([
    ['flow lists', '['.repeat(SOURCE_BYTES_MAX)],
    ['flow maps', '{a: '.repeat(SOURCE_BYTES_MAX / 4)],
    ['block lists', '- '.repeat(SOURCE_BYTES_MAX / 2)],
    ['explicit keys', '? '.repeat(SOURCE_BYTES_MAX / 2)],
    ['anchors', '&a '.repeat(SOURCE_BYTES_MAX / 3 - 1)],
    ['documents', '---\n'.repeat(SOURCE_BYTES_MAX / 4)],
    ['quotes', '"\n'.repeat(SOURCE_BYTES_MAX / 2)],
  ])('error: a bomb of %s is refused in bounded time', { timeout: 20_000 }, (_, text) => {
    const { raw, findings } = readDocument(text);
    expect([raw, findings.length]).toEqual([undefined, 1]);
  });

  test('error: aliases that grow are not followed', () => {
    const text = 'a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n';
    expect(readDocument(text).findings).toMatchInlineSnapshot(`
      [
        {
          "message": "has an anchor (&); write the value out where it is needed",
          "path": [
            "a",
          ],
        },
        {
          "message": "has an anchor (&); write the value out where it is needed",
          "path": [
            "b",
          ],
        },
        {
          "message": "has an anchor (&); write the value out where it is needed",
          "path": [
            "c",
          ],
        },
        {
          "message": "is an alias (*); write the value out",
          "path": [
            "d",
            0,
          ],
        },
        {
          "message": "is an alias (*); write the value out",
          "path": [
            "d",
            1,
          ],
        },
      ]
    `);
  });

  test('error: what is no single plain document', () => {
    const cases = {
      empty: '',
      'only a comment': '# nothing\n',
      'no YAML': 'a: [1\nb: 2\n',
      'two documents': `${source()}\n---\n${source()}`,
      'a tag': source({ version: 'version: !!int 1' }),
      'an anchor': source({ name: 'name: &name small' }),
      'an alias': source({ name: 'name: *name' }),
      'a merge key': source({ more: '<<: { mode: shadow }' }),
      'a prototype key': source({ more: '__proto__: { mode: shadow }' }),
      'a key that is no text': source({ more: '? [a, b]\n: 1' }),
      'a list': '[1, 2]',
      'a word': 'policy',
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "empty:
      line 1: is empty; start from examples/policies/starter.yaml
      only a comment:
      line 1: is empty; start from examples/policies/starter.yaml
      no YAML:
      line 2: cannot be read as YAML: Flow sequence in block collection must be sufficiently indented and end with a ]
      two documents:
      line 12: holds more than one document; one file is one policy
      a tag:
      line 1, version: has a tag (tag:yaml.org,2002:int); write the plain value
      an anchor:
      line 2, name: has an anchor (&); write the value out where it is needed
      an alias:
      line 2, name: is an alias (*); write the value out
      a merge key:
      line 11, <<: is no field here (fields: version, name, mode, resume, operators, changes, contacts, chains, assets, wallets, limits, unknown, unmatched, conflict, matching, own, reservations, timing)
      a prototype key:
      line 11, __proto__: is no field here (fields: version, name, mode, resume, operators, changes, contacts, chains, assets, wallets, limits, unknown, unmatched, conflict, matching, own, reservations, timing)
      a key that is no text:
      line 1: has a field name that is not plain text
      a list:
      line 1: must be a map; its fields are version, name, mode, resume, operators, changes, contacts, chains, assets, wallets, limits, unknown, unmatched, conflict, matching, own, reservations, timing
      a word:
      line 1: must be a map; its fields are version, name, mode, resume, operators, changes, contacts, chains, assets, wallets, limits, unknown, unmatched, conflict, matching, own, reservations, timing"
    `);
  });

  test('error: H41: a field given twice, at any depth', () => {
    const cases = {
      top: source({ more: 'mode: shadow' }),
      deep: source({ chains: 'chains: [{ id: "eip155:1", name: A, id: "eip155:*" }]' }),
      limit: withLimit(
        'id: a, scope: wallet, metric: count, window: 1h, limit: 5, limit: 500, action: pause',
      ),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "top:
      line 11, mode: is given twice; first on line 3
      deep:
      line 5, chains[0].id: is given twice; first on line 5
      limit:
      line 8, limits[0].limit: is given twice; first on line 8"
    `);
  });
});
