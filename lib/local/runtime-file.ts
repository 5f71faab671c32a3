/** Tells the CLI where a runtime listens: `.breakwater/runtime.json` in the current folder. */

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const FOLDER = '.breakwater';
const FILE = 'runtime.json';

/** Writes the file. */
export async function announce(url: string): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  await writeFile(join(FOLDER, FILE), JSON.stringify({ url, pid: process.pid }));
}

/** Removes the file if it is still this runtime's. */
export async function withdraw(url: string): Promise<void> {
  const path = join(FOLDER, FILE);
  const text = await readFile(path, 'utf8').catch(() => '');
  if (text.includes(JSON.stringify(url))) await rm(path, { force: true });
}
