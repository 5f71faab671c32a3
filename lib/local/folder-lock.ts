/** One runtime to a folder: a lock file with the owner's pid, taken over when the owner is gone. */

import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Held until `release`, or until this process ends in whatever way. */
export type FolderLock = { readonly release: () => Promise<void> };

const FILE = 'runtime.lock';
/** Several starters can find the same stale lock; each round at least one of them gets through. */
const ATTEMPTS_MAX = 10;

/**
 * Locks the folder for this process and makes the folder if needed. The lock of a process that no
 * longer lives is taken over.
 * Fail direction: a lock that may still be held is respected.
 *
 * @throws {InUseError} while a live process, this one included, holds the lock.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, FILE);
  const draft = `${path}.${randomUUID()}`;
  const mine = `${process.pid} ${(await startOf(process.pid)) ?? '-'} ${randomUUID()}\n`;
  await writeFile(draft, mine);
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (await linked(draft, path)) return { release: () => release(path, mine) };
      await removeIfStale(folder, path);
    }
  } finally {
    await rm(draft, { force: true });
  }
  throw new InUseError({ folder, pid: undefined });
}

/** A link appears whole or not at all, so nobody can read half a lock. */
async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function removeIfStale(folder: string, path: string): Promise<void> {
  const judged = await contentOf(path);
  if (judged === undefined) return;
  const pid = await livingOwner(judged);
  if (pid !== undefined) throw new InUseError({ folder, pid });
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return;
    throw error;
  }
  // Between the reading and the renaming somebody else may have taken the stale lock over: then
  // this is their fresh one, and it goes back.
  if ((await contentOf(aside)) !== judged) await linked(aside, path);
  await rm(aside, { force: true });
}

async function release(path: string, mine: string): Promise<void> {
  if ((await contentOf(path)) === mine) await rm(path, { force: true });
}

/** The pid in the lock if that very process lives. The start time tells it from a later one with its pid. */
async function livingOwner(content: string): Promise<number | undefined> {
  const [pidText = '', start] = content.trim().split(' ');
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
