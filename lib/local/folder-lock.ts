/**
 * One runtime to a folder: a lock file with the owner's pid, taken over when the owner is gone.
 *
 * Files are numbered, `runtime-7.lock`, and the highest number is the lock. Nobody removes or renames
 * that one, so two starters that both find its owner gone both try to make number 8, and a file can
 * be made only once. (To remove a stale lock and make a new one under the same name is a race: the
 * slower starter removes the lock that the faster one just made.)
 */

import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Held until `release`, or until this process ends in whatever way. */
export type FolderLock = { readonly release: () => Promise<void> };

const FILE = /^runtime-(\d{1,15})\.lock$/;
const RELEASED = 'released\n';
/** Each round lost means that somebody else got through. */
const ATTEMPTS_MAX = 20;

/**
 * Locks the folder for this process and makes the folder if needed. The lock of a process that no
 * longer lives is taken over.
 * Fail direction: a lock that may still be held is respected.
 *
 * @throws {InUseError} while a live process, this one included, holds the lock.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  await mkdir(folder, { recursive: true });
  const draft = join(folder, `.runtime-${randomUUID()}`);
  await writeFile(draft, `${process.pid} ${(await startOf(process.pid)) ?? '-'}\n`);
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const last = await newest(folder);
      const pid = await livingOwner(await contentOf(fileOf(folder, last)));
      if (pid !== undefined) throw new InUseError({ folder, pid });
      if (await take(draft, { folder, number: last + 1 })) {
        return { release: () => release(folder, last + 1) };
      }
    }
  } finally {
    await rm(draft, { force: true });
  }
  throw new InUseError({ folder, pid: undefined });
}

type Place = { readonly folder: string; readonly number: number };

async function take(draft: string, { folder, number }: Place): Promise<boolean> {
  try {
    // A link appears whole or not at all, so nobody can read half a lock.
    await link(draft, fileOf(folder, number));
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
  // Whoever was slow to get here can have made a number that was long passed and tidied away.
  const isNewest = (await newest(folder)) === number;
  for (const older of await numbers(folder)) {
    if (older < number) await rm(fileOf(folder, older), { force: true });
  }
  if (!isNewest) await rm(fileOf(folder, number), { force: true });
  return isNewest;
}

async function release(folder: string, number: number): Promise<void> {
  const draft = join(folder, `.runtime-${randomUUID()}`);
  await writeFile(draft, RELEASED);
  await rename(draft, fileOf(folder, number));
}

async function newest(folder: string): Promise<number> {
  return Math.max(0, ...(await numbers(folder)));
}

async function numbers(folder: string): Promise<readonly number[]> {
  return (await readdir(folder)).flatMap((name) => {
    const number = FILE.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

function fileOf(folder: string, number: number): string {
  return join(folder, `runtime-${number}.lock`);
}

/** The pid in the lock if that very process lives. The start time tells it from a later one with its pid. */
async function livingOwner(content: string | undefined): Promise<number | undefined> {
  const [pidText = '', start] = (content ?? '').trim().split(' ');
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined;
  const startNow = await startOf(pid);
  if (startNow !== undefined && start !== '-' && start !== startNow) return undefined;
  return pid;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, 'EPERM');
  }
}

/** When the process started, in clock ticks since boot; `undefined` where there is no `/proc`. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await contentOf(`/proc/${pid}/stat`);
  // The second field is the command in parentheses and may hold anything, spaces too.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

async function contentOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Another runtime, or another part of this process, works on the folder. */
export class InUseError extends Error {
  override readonly name = 'FolderLock.InUseError';
  readonly pid: number | undefined;
  constructor(details: { readonly folder: string; readonly pid: number | undefined }) {
    const by = details.pid === undefined ? 'another process' : `process ${details.pid}`;
    super(
      `${details.folder} is in use by a runtime that is still running (${by}); stop that one first, or give another folder`,
    );
    this.pid = details.pid;
  }
}
