import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { nodeTools } from '../../lib/adapters/audit-jws.ts';
import * as Audit from '../../lib/domain/audit.ts';
import * as Export from '../../lib/domain/audit-export.ts';
import * as Canonical from '../../lib/domain/canonical.ts';
import { trustedKeys, verifyAudit } from '../../scripts/verify-audit.mjs';
import { entry, exported, testAuditing } from '../support/audit.ts';
import { T0_MS } from '../support/builders.ts';

const { signer } = testAuditing().auditing;
const ENTRIES = [
  entry('opened:1', { scope: 'wallet:hot-1', reason: 'limit "wallet-hour" on €5' }),
  entry('cause:1:2', { reason: 'line\nfeed, half a pair \ud800 and \u{1f4b8}' }),
  entry('closed:1', { who: '', atMs: 0 }),
];
const FILE = Buffer.from(await exported(ENTRIES, signer));
const ROWS = FILE.toString().split('\n').slice(0, -1);
const { jwk } = await signer.seal(Audit.GENESIS, T0_MS);

/** What both verifiers say, which must be the same. */
function rowOf(bytes: Uint8Array, trusted?: readonly string[]): number | 'whole' {
  const verdict = Export.verify(bytes, nodeTools, trusted);
  const other = verifyAudit(bytes, trusted);
  const row = verdict.kind === 'whole' ? 'whole' : verdict.row;
  expect(other.whole ? 'whole' : other.row).toBe(row);
  return row;
}

const file = (lines: readonly string[]) => Buffer.from(lines.map((line) => `${line}\n`).join(''));

describe('docs/audit.md', () => {
  test('behavior: its example is whole', () => {
    const path = join(import.meta.dirname, '..', '..', 'docs', 'audit.md');
    const [, example = ''] = readFileSync(path, 'utf8').match(/^```jsonl\n(.*?)^```$/ms) ?? [];
    expect(rowOf(Buffer.from(example))).toBe('whole');
    expect(example.split('\n').length).toBe(5);
  });
});

describe('write', () => {
  test('default: one line each for what it is, every link, and the signed end', async () => {
    const text = await exported([entry('a')], signer);
    const lines = text.split('\n');
    expect(lines.length).toBe(4);
    expect(lines[0]).toBe('{"breakwater":"audit-chain","format":1,"issuer":"breakwater-test"}');
    expect(JSON.parse(lines[1] ?? '')).toEqual({
      sequence: 1,
      previousHash: '0'.repeat(64),
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      entry: entry('a'),
    });
    expect(Object.keys(JSON.parse(lines[2] ?? ''))).toEqual(['count', 'head', 'jwk', 'jws']);
    expect(lines[3]).toBe('');
  });
});

describe('verify', () => {
  test('default', () => {
    expect(Export.verify(FILE, nodeTools)).toEqual({
      kind: 'whole',
      head: { sequence: 3, hash: JSON.parse(ROWS[3] ?? '').hash },
      issuer: 'breakwater-test',
      signedAtS: Math.floor(T0_MS / 1_000),
      kid: jwk.kid,
    });
    expect(rowOf(FILE)).toBe('whole');
  });

  test('default: a chain without links', async () => {
    expect(rowOf(Buffer.from(await exported([], signer)))).toBe('whole');
  });

  test('behavior: any byte that is changed is found, in its row', () => {
    let row = 1;
    for (let at = 0; at < FILE.length; at += 1) {
      for (const flip of [0x01, 0x20, 0x80, 0xff]) {
        const changed = Buffer.from(FILE);
        changed[at] = (FILE[at] ?? 0) ^ flip;
        expect([at, flip, rowOf(changed)]).toEqual([at, flip, row]);
      }
      if (FILE[at] === 0x0a) row += 1;
    }
  }, 60_000);

  test('behavior: every other value of a byte is found, in a file of one link', async () => {
    const small = Buffer.from(await exported([entry('a', { reason: '' })], signer));
    const ends = [...small].flatMap((byte, at) => (byte === 0x0a ? [at] : []));
    for (let at = 0; at < small.length; at += 7) {
      const row = ends.findIndex((end) => at <= end) + 1;
      for (let value = 0; value < 256; value += 1) {
        if (value === small[at]) continue;
        const changed = Buffer.from(small);
        changed[at] = value;
        const verdict = Export.verify(changed, nodeTools);
        expect([at, value, verdict]).toMatchObject([at, value, { kind: 'broken', row }]);
      }
    }
  }, 60_000);

  test.prop([fc.nat(FILE.length - 1)])('behavior: what is cut off is found', (length) => {
    const row = rowOf(FILE.subarray(0, length));
    expect(row).not.toBe('whole');
    expect(row).toBeLessThanOrEqual(ROWS.length + 1);
  });

  test.prop([fc.nat(FILE.length), fc.uint8Array({ minLength: 1, maxLength: 80 })])(
    'behavior: what is slipped in is found',
    (at, bytes) => {
      const changed = Buffer.concat([FILE.subarray(0, at), bytes, FILE.subarray(at)]);
      expect(rowOf(changed)).not.toBe('whole');
    },
  );

  test.prop([fc.shuffledSubarray([...ROWS.keys()], { minLength: 1 })])(
    'behavior: lines in another order, or without some, are found at the first that is wrong',
    (order) => {
      const first = order.findIndex((line, at) => line !== at);
      const isWhole = first < 0 && order.length === ROWS.length;
      const row = rowOf(file(order.map((line) => ROWS[line] ?? '')));
      if (isWhole) expect(row).toBe('whole');
      else if (first >= 0 && first < order.length - 1) expect(row).toBe(first + 1);
      else expect(row).not.toBe('whole');
    },
  );

  test('behavior: a line that stands twice is found there', () => {
    for (let at = 0; at < ROWS.length - 1; at += 1) {
      const doubled = [...ROWS.slice(0, at + 1), ...ROWS.slice(at)];
      expect(rowOf(file(doubled))).toBe(at + 2);
    }
    const end = ROWS.at(-1) ?? '';
    expect(rowOf(file([...ROWS, end]))).toBe(ROWS.length);
  });

  test('behavior: a chain that was rewritten whole is found at the signed end', async () => {
    const other = await exported([entry('x'), ...ENTRIES.slice(1)], signer);
    const forged = [...other.split('\n').slice(0, -2), ROWS.at(-1) ?? ''];
    expect(rowOf(file(forged))).toBe(ROWS.length);
  });

  test('behavior: the signed end of a shorter chain does not vouch for a longer one', async () => {
    const shorter = (await exported(ENTRIES.slice(0, 2), signer)).split('\n');
    expect(rowOf(file([...ROWS.slice(0, -1), shorter[3] ?? '']))).toBe(ROWS.length);
  });

  test('behavior: a head that somebody else signed is found where the keys are known', async () => {
    const forged = Buffer.from(await exported(ENTRIES, testAuditing().auditing.signer));
    expect(rowOf(forged)).toBe('whole');
    expect(rowOf(forged, [jwk.kid])).toBe(ROWS.length);
    expect(rowOf(FILE, trustedKeys(JSON.stringify({ keys: [jwk] })))).toBe('whole');
    expect(rowOf(FILE, [])).toBe(ROWS.length);
  });

  test('behavior: a key that claims the kid of another is found', async () => {
    const forger = testAuditing().auditing.signer;
    const lines = (await exported(ENTRIES, forger)).split('\n').slice(0, -1);
    const end = JSON.parse(lines.at(-1) ?? '');
    const claimed = { ...end, jwk: { ...end.jwk, kid: jwk.kid } };
    const text = Export.closing({ sequence: claimed.count, hash: claimed.head, ...claimed });
    expect(rowOf(file([...lines.slice(0, -1), text]), [jwk.kid])).toBe(ROWS.length);
  });

  test('behavior: the hash of the last link, signed as that of another link, vouches for none', async () => {
    const { hash } = JSON.parse(ROWS[3] ?? '') as Audit.Head;
    const seal = await signer.seal({ sequence: 2, hash }, T0_MS);
    expect(rowOf(file([...ROWS.slice(0, -1), Export.closing(seal)]))).toBe(ROWS.length);
  });

  test('error: what a tool throws says nothing of the file', () => {
    const hash = () => {
      throw new RangeError('no hash today');
    };
    expect(() => Export.verify(FILE, { ...nodeTools, hash })).toThrow('no hash today');
  });

  test('error: what is no export', () => {
    for (const text of [
      '',
      '\n',
      '{}\n',
      'x',
      '[]\n[]\n',
      '{"a":1,"a":1}\n',
      'null\n',
      '\ufeff{}\n',
    ]) {
      expect([text, rowOf(Buffer.from(text))]).toEqual([text, 1]);
    }
    expect(rowOf(file([ROWS[0] ?? '']))).toBe(2);
    expect(Export.verify(file([ROWS[0] ?? '']), nodeTools)).toMatchObject({
      why: 'the file ends before its closing line',
    });
  });
});

describe('verify, by what is wrong', () => {
  type Parts = Record<string, unknown>;
  /** The file with one line as something else, in canonical form. */
  const changed = (row: number, change: (parts: Parts) => Parts) =>
    file(
      ROWS.map((line, at) =>
        at === row - 1 ? Canonical.text(change(JSON.parse(line)) as Canonical.Json) : line,
      ),
    );
  const replaced = (row: number, line: string) =>
    file(ROWS.map((each, at) => (at === row - 1 ? line : each)));
  const why = (bytes: Uint8Array, row: number, trusted?: readonly string[]) => {
    expect(rowOf(bytes, trusted)).toBe(row);
    const verdict = Export.verify(bytes, nodeTools, trusted);
    return verdict.kind === 'broken' && verdict.why;
  };
  const END = ROWS.length;
  const entryOf = (more: Parts) => (parts: Parts) => ({
    ...parts,
    entry: { ...(parts.entry as Parts), ...more },
  });
  const keyOf = (more: Parts) => (parts: Parts) => ({
    ...parts,
    jwk: { ...(parts.jwk as Parts), ...more },
  });

  test('error: a line that is none', () => {
    expect(why(FILE.subarray(0, -1), END)).toBe('the line does not end with a line feed');
    expect(why(Buffer.from(''), 1)).toBe('the line does not end with a line feed');
    expect(why(Buffer.from('\n'), 1)).toBe('the line is no JSON');
    expect(why(Buffer.concat([Buffer.from([0xff]), FILE]), 1)).toBe('the line is no UTF-8');
    const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), FILE]);
    expect(why(marked, 1)).toBe('the line is no JSON');
    expect(why(replaced(2, '{'), 2)).toBe('the line is no JSON');
    for (const line of ['[]', '1', 'null', '"a"']) {
      expect(why(replaced(2, line), 2)).toBe('the line is no JSON object');
    }
    expect(why(replaced(2, '{}'), 2)).toBe(
      'the fields are none, not entry hash previousHash sequence',
    );
    expect(why(replaced(2, `${ROWS[1]} `), 2)).toBe('the line is not in canonical form');
    const turned = Object.fromEntries(Object.entries(JSON.parse(ROWS[1]!)).toReversed());
    expect(why(replaced(2, JSON.stringify(turned)), 2)).toBe('the line is not in canonical form');
    expect(why(replaced(1, '{"breakwater":"audit-chain","format":1.5,"issuer":"a"}'), 1)).toBe(
      'the line holds a number that is no safe integer',
    );
  });

  test('error: a first line of something else, and one that is all', () => {
    for (const more of [{ breakwater: 'other' }, { format: 2 }, { issuer: 5 }]) {
      expect(
        why(
          changed(1, (parts) => ({ ...parts, ...more })),
          1,
        ),
      ).toBe('it is no audit-chain of format 1');
    }
    expect(
      why(
        changed(1, (parts) => ({ ...parts, issuer: 'other' })),
        1,
      ),
    ).toBe('the issuer is other, but breakwater-test is signed');
    expect(why(file(ROWS.slice(0, 1)), 2)).toBe('the file ends before its closing line');
    expect(
      why(
        changed(1, (parts) => ({ ...parts, more: 1 })),
        1,
      ),
    ).toBe('the fields are breakwater format issuer more, not breakwater format issuer');
  });

  test('error: a link that does not follow, or that its hash does not cover', () => {
    expect(why(file([ROWS[0]!, ...ROWS.slice(2)]), 2)).toBe('link 1 should be here, but it says 2');
    const unlinked = (parts: Parts) => ({ ...parts, previousHash: 'f'.repeat(64) });
    expect(why(changed(2, unlinked), 2)).toBe(
      'previousHash is not the hash of the beginning of a chain',
    );
    expect(why(changed(3, unlinked), 3)).toBe('previousHash is not the hash of link 1');
    expect(why(changed(3, entryOf({ who: 'eve' })), 3)).toMatch(
      /^the hash is [0-9a-f]{64}, but the link's text has [0-9a-f]{64}$/,
    );
  });

  test('error: an entry that is none', () => {
    for (const entry of [null, [], 'x', 1]) {
      expect(
        why(
          changed(2, (parts) => ({ ...parts, entry })),
          2,
        ),
      ).toBe('the entry is no object');
    }
    expect(why(changed(2, entryOf({ atMs: '1' })), 2)).toBe("the entry's atMs has the wrong type");
    expect(why(changed(2, entryOf({ who: 1 })), 2)).toBe("the entry's who has the wrong type");
    expect(why(changed(2, entryOf({ more: 'x' })), 2)).toBe(
      'the fields are after atMs before entryId more reason scope what who, not after atMs before entryId reason scope what who',
    );
  });

  test('error: a closing line that is none, or whose key is none', () => {
    for (const more of [
      { jwk: null },
      { jwk: [] },
      { jwk: 'x' },
      { count: '3' },
      { head: 1 },
      { jws: 1 },
    ]) {
      expect(
        why(
          changed(END, (parts) => ({ ...parts, ...more })),
          END,
        ),
      ).toBe('it is no closing line');
    }
    for (const more of [{ kty: 'RSA' }, { crv: 'P-384' }, { alg: 'ES384' }, { use: 'enc' }]) {
      expect(why(changed(END, keyOf(more)), END)).toBe('the key is not one for ES256');
    }
    for (const more of [
      { x: 1 },
      { x: [jwk.x] },
      { y: 'short' },
      { kid: `${jwk.kid}A` },
      { kid: `A${jwk.kid}` },
    ]) {
      expect(why(changed(END, keyOf(more)), END)).toBe('the key is not whole');
    }
    expect(why(changed(END, keyOf({ more: 1 })), END)).toBe(
      'the fields are alg crv kid kty more use x y, not alg crv kid kty use x y',
    );
    expect(why(changed(END, keyOf({ kid: 'A'.repeat(43) })), END)).toBe(
      'the kid is not the thumbprint of the key',
    );
  });

  test('error: a signature over something else, or by somebody else', () => {
    const { jws } = JSON.parse(ROWS.at(-1)!) as { readonly jws: string };
    const [head, payload, signature] = jws.split('.');
    const signed = (parts: readonly (string | undefined)[]) =>
      why(
        changed(END, (closing) => ({ ...closing, jws: parts.join('.') })),
        END,
      );
    expect(signed([payload, payload, signature])).toBe('the signature has a wrong header');
    expect(signed([head, head, signature])).toBe('the signature is not one of the key');
    for (const more of [{ count: 2 }, { head: 'f'.repeat(64) }]) {
      expect(
        why(
          changed(END, (parts) => ({ ...parts, ...more })),
          END,
        ),
      ).toBe('the signature is over another head');
    }
    const shorter = file([...ROWS.slice(0, 3), ROWS.at(-1)!]);
    expect(why(shorter, 4)).toMatch(
      /^the closing line signs link 3 with hash [0-9a-f]+, but the last link is 2 with hash/,
    );
    expect(why(FILE, END, ['other'])).toBe(
      `it is signed by the key ${jwk.kid}, which is not a trusted one`,
    );
    expect(rowOf(FILE, ['other', jwk.kid])).toBe('whole');
  });
});
