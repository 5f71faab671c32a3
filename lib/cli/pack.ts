/** Writes the evidence of an incident into a folder of its own. */

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { EVIDENCE } from './answers.ts';
import { ask } from './ask.ts';
import { fetchChain } from './audit-chain.ts';
import { EXIT, StoppedError } from './exit-code.ts';
import { packFiles } from './render/evidence.ts';
import type { Session } from './session.ts';

/**
 * Asks for the evidence and writes it. A folder that holds anything already is refused, and nothing
 * is asked for then: evidence is never mixed with what was there.
 *
 * @throws {StoppedError} `usage`: the folder is not empty or cannot be written.
 */
export async function writePack(
  session: Session,
  incidentId: string,
  folder: string,
): Promise<undefined> {
  const path = resolve(session.io.cwd, folder);
  await mustBeEmpty(path);
  const transport = await session.connect();
  const request = { command: 'incident.pack' as const, incidentId };
  const { value, raw } = await ask(transport, request, EVIDENCE);
  const chain = await fetchChain(transport);
  const files = packFiles(value, chain?.text);
  await mkdir(path, { recursive: true }).catch(unwritable(path));
  for (const { name, text } of files) {
    await writeFile(join(path, name), text, { flag: 'wx' }).catch(unwritable(path));
  }
  if (session.json) session.printJson(raw);
  else
    session.print([
      `Wrote ${files.length} files to ${path}.`,
      `Read ${join(path, 'README.md')} first.`,
    ]);
}

async function mustBeEmpty(path: string): Promise<void> {
  const found = await readdir(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    throw stopped(path, cause.code === 'ENOTDIR' ? 'it is no folder' : (cause.code ?? 'unknown'));
  });
  if (found.length > 0) throw stopped(path, 'it is not empty');
}

function unwritable(path: string) {
  return (cause: NodeJS.ErrnoException): never => {
    throw stopped(path, cause.code ?? 'unknown error');
  };
}

function stopped(path: string, why: string): StoppedError {
  const message = `The pack cannot be written to ${path}: ${why}.`;
  return new StoppedError({ exitCode: EXIT.usage, message, hint: 'Name a folder that is new.' });
}
