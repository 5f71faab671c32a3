import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Remembers up to where a stream was delivered. */
export type Checkpoint = {
  /** The sequence number of the last delivered record, `undefined` before the first. */
  readonly read: () => Promise<string | undefined>;
  readonly write: (sequenceNumber: string) => Promise<void>;
};

/**
 * A checkpoint in a file of the folder, which is made if needed. Replaced by a rename, so a kill
 * leaves the old one or the new one. A lost or unreadable one means delivering again, never skipping.
 * The file is named after the stream, since numbers of another stream mean nothing in this one.
 */
export function fileCheckpoint(folder: string, streamArn: string): Checkpoint {
  const path = join(folder, `${streamArn.replace(/[^\w.-]+/g, '-')}.checkpoint`);
  return {
    read: async () => {
      const text = await readFile(path, 'utf8').catch(() => '');
      return /^\d+$/.test(text) ? text : undefined;
    },
    write: async (sequenceNumber) => {
      const draft = `${path}.${randomUUID()}`;
      await mkdir(folder, { recursive: true });
      await writeFile(draft, sequenceNumber);
      await rename(draft, path);
    },
  };
}

/** A checkpoint that lasts as long as the process. */
export function memoryCheckpoint(): Checkpoint {
  let last: string | undefined;
  return {
    read: async () => last,
    write: async (sequenceNumber) => {
      last = sequenceNumber;
    },
  };
}
