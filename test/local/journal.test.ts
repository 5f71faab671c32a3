import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openJournal, readJournal } from '../../lib/local/journal.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'breakwater-journal-'));
  path = join(folder, 'deep', 'a.queue');
});
afterEach(() => rm(folder, { recursive: true }));

describe('openJournal', () => {
  test('default', async () => {
    const journal = await openJournal({ path, snapshot: () => ['kept'] });
    await journal.append('one');
    journal.note('two');
    await journal.append('three');
    expect(await readJournal(path)).toEqual(['kept', 'one', 'two', 'three']);
    await journal.close();
  });

  test('behavior: keeps the order of concurrent appends', async () => {
    const journal = await openJournal({ path, snapshot: () => [] });
    const lines = Array.from({ length: 300 }, (_, index) => `line ${index}`);
    await Promise.all(lines.map((line) => journal.append(line)));
    expect(await readJournal(path)).toEqual(lines);
    await journal.close();
  });

  test('behavior: a line that comes as the last write ends is written too', async () => {
    const journal = await openJournal({ path, snapshot: () => [] });
    for (let index = 0; index < 50; index++) {
      await journal.append('a').then(() => journal.note('b'));
    }
    await journal.close();
    expect(await readJournal(path)).toHaveLength(100);
  });

  test('behavior: compacts to the snapshot', async () => {
    let last = '';
    const journal = await openJournal({ path, snapshot: () => [last] });
    for (let index = 0; index < 5_000; index++) {
      last = `value ${index}`;
      journal.note(last);
      if (index % 100 === 0) await journal.append(last);
    }
    await journal.close();
    const lines = await readJournal(path);
    expect(lines.at(-1)).toBe('value 4999');
    expect(lines.length).toBeLessThan(2_500);
    expect((await stat(path)).size).toBeLessThan(50_000);
  });

  test('error: closed', async () => {
    const journal = await openJournal({ path, snapshot: () => [] });
    await journal.close();
    await expect(journal.append('late')).rejects.toThrow(/is closed/);
    journal.note('late');
    expect(await readFile(path, 'utf8')).toBe('');
  });
});

describe('readJournal', () => {
  test('default', async () => {
    expect(await readJournal(path)).toEqual([]);
  });

  test('behavior: leaves a torn last line out', async () => {
    const journal = await openJournal({ path, snapshot: () => ['whole'] });
    await journal.close();
    await appendFile(path, '{"op":"se');
    expect(await readJournal(path)).toEqual(['whole']);
  });
});
