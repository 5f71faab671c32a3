/** Files that a person names. */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { EXIT, StoppedError } from './exit-code.ts';
import type { Io } from './io.ts';

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'you may not read it',
};

/**
 * The text of a file, or of standard input for `-`.
 *
 * @throws {StoppedError} `usage`: the file cannot be read.
 */
export async function readInput(io: Io, file: string): Promise<string> {
  if (file === '-') return io.readStdin();
  try {
    return await readFile(resolve(io.cwd, file), 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = WHY[code ?? ''] ?? code ?? 'unknown error';
    throw new StoppedError({
      exitCode: EXIT.usage,
      message: `${file} cannot be read: ${why}.`,
      cause,
    });
  }
}
