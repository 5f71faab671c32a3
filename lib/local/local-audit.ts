/** The audit of the embedded runtime: a key in a file, and copies as files that are never written again. */

import { link, mkdir, open, readFile, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditCopy } from '../ports.ts';
import type { Auditing } from '../runtime/project-state.ts';
import { createFileAuditSigner } from './file-audit-signer.ts';

/** The folder of copies within the runtime's. */
const FOLDER = 'audit';
/** Whose chain it is. */
const ISSUER = 'breakwater';
const READ_ONLY = 0o444;
const DIGITS = 16;

/** Signer and copies in a runtime's folder. */
export async function localAudit(folder: string): Promise<Auditing> {
  const signer = await createFileAuditSigner({ folder, issuer: ISSUER });
  return { signer, copy: createFileCopy(join(folder, FOLDER)) };
}

/**
 * Copies as files, one for each part, which are made once and read-only.
 *
 * @throws {ChangedCopyError} where a part is there with other content; what is there stays.
 */
export function createFileCopy(folder: string): AuditCopy {
  return {
    put: async ({ first, last, text }) => {
      await mkdir(folder, { recursive: true });
      const path = join(folder, `${digits(first)}-${digits(last)}.jsonl`);
      const draft = `${path}.new`;
      await write(draft, text);
      // A name is given once: of two that copy the same part, or after a crash, the first file stays.
      const isNew = await link(draft, path).then(() => true, ifThere);
      await unlink(draft);
      if (!isNew && (await readFile(path, 'utf8')) !== text) throw new ChangedCopyError({ path });
    },
  };
}

async function write(path: string, text: string): Promise<void> {
  await rm(path, { force: true });
  const file = await open(path, 'w', READ_ONLY);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

function ifThere(error: NodeJS.ErrnoException): false {
  if (error.code === 'EEXIST') return false;
  throw error;
}

function digits(sequence: number): string {
  return sequence.toString().padStart(DIGITS, '0');
}

/** A copy that was made before says something else. */
export class ChangedCopyError extends Error {
  override readonly name = 'LocalAudit.ChangedCopyError';
  constructor(details: { readonly path: string }) {
    super(`${details.path} does not say what the chain says; move it away to have it copied again`);
  }
}
