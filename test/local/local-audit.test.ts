import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeTools } from '../../lib/adapters/audit-jws.ts';
import * as Export from '../../lib/domain/audit-export.ts';
import { createFileCopy, localAudit } from '../../lib/local/local-audit.ts';
import { entry, exported } from '../support/audit.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-audit-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('createFileCopy', () => {
  const part = { first: 1, last: 2, text: 'a\nb\n' };
  const path = () => join(folder, 'copies', '0000000000000001-0000000000000002.jsonl');

  test('default: a read-only file, once', async () => {
    const copy = createFileCopy(join(folder, 'copies'));
    await Promise.all([copy.put(part)]);
    await copy.put(part);
    expect(readdirSync(join(folder, 'copies')).length).toBe(1);
    expect(readFileSync(path(), 'utf8')).toBe(part.text);
    expect(statSync(path()).mode & 0o222).toBe(0);
  });

  test('behavior: what a crash left half-written is no copy', async () => {
    const copy = createFileCopy(join(folder, 'copies'));
    await copy.put({ ...part, first: 9 });
    writeFileSync(`${path()}.new`, 'a');
    await copy.put(part);
    expect(readFileSync(path(), 'utf8')).toBe(part.text);
  });

  test('error: a copy that says something else stays, and is told', async () => {
    const copy = createFileCopy(join(folder, 'copies'));
    await copy.put(part);
    chmodSync(path(), 0o644);
    writeFileSync(path(), 'forged\n');
    await expect(copy.put(part)).rejects.toThrow('does not say what the chain says');
    expect(readFileSync(path(), 'utf8')).toBe('forged\n');
  });
});

describe('localAudit', () => {
  test('default: the same key after a restart, which only its owner can read', async () => {
    const first = await localAudit(folder);
    const second = await localAudit(folder);
    const verdicts = await Promise.all(
      [first, second].map(async ({ signer }) =>
        Export.verify(Buffer.from(await exported([entry('a')], signer)), nodeTools),
      ),
    );
    expect(verdicts[0]).toMatchObject({ kind: 'whole' });
    expect(verdicts[1]).toEqual(verdicts[0]);
    expect(statSync(join(folder, 'audit-key.pem')).mode & 0o077).toBe(0);
  });
});
