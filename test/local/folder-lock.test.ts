import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lockFolder } from '../../lib/local/folder-lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'breakwater-lock-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Above the largest pid of Linux. */
const NOBODY = 2 ** 22 + 1;

describe('lockFolder', () => {
  test('default', async () => {
    const lock = await lockFolder(join(folder, 'new'));
    await lock.release();
    await lock.release();
    await (await lockFolder(join(folder, 'new'))).release();
    expect(await readdir(join(folder, 'new'))).toEqual(['runtime-2.lock']);
  });

  test('error: in use', async () => {
    const lock = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toMatchObject({
      name: 'FolderLock.InUseError',
      pid: process.pid,
      message: expect.stringContaining('stop that one first, or give another folder'),
    });
    await lock.release();
    await (await lockFolder(folder)).release();
  });

  test('error: in use by a process of somebody else', async () => {
    await writeFile(join(folder, 'runtime-4.lock'), '1 - x\n');
    await expect(lockFolder(folder)).rejects.toThrow(/process 1/);
  });

  test.each([
    ['a process that is gone', `${NOBODY} 1 x\n`],
    ['an earlier process with the same pid', `${process.pid} 1 x\n`],
    ['a power cut', ''],
  ])('behavior: takes over the lock of %s', async (_, stale) => {
    await writeFile(join(folder, 'runtime-4.lock'), stale);
    const lock = await lockFolder(folder);
    expect(await readdir(folder)).toEqual(['runtime-5.lock']);
    await lock.release();
  });

  test('behavior: of many who find a stale lock one gets it', async () => {
    await writeFile(join(folder, 'runtime-4.lock'), `${NOBODY} 1 x\n`);
    for (let round = 0; round < 20; round++) {
      const starters = Array.from({ length: 8 }, () => lockFolder(folder));
      const locks = (await Promise.allSettled(starters)).filter(
        (each) => each.status === 'fulfilled',
      );
      expect(locks).toHaveLength(1);
      for (const { value } of locks) await value.release();
    }
  });
});
