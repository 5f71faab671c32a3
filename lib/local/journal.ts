/** An append-only file of lines: what was appended before a kill is there after it. */

import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** An open journal. Only one may be open on a file. */
export type Journal = {
  /** Resolves when the line is on disk. Lines are kept in the order of the calls. */
  readonly append: (line: string) => Promise<void>;
  /** Appends in the same order without waiting for the disk: a kill can lose it, never what came before. */
  readonly note: (line: string) => void;
  /** Resolves when everything is written and the file is closed. */
  readonly close: () => Promise<void>;
};

/** Where the journal is, and what is worth keeping of it. */
export type JournalParameters = {
  readonly path: string;
  /**
   * The lines that stand for everything that the caller was told is kept, and for everything that
   * it is appending; asked for when the journal is compacted.
   */
  readonly snapshot: () => readonly string[];
};

/** The file is compacted when it has this many lines more than it needs, and twice as many. */
const SLACK_LINES = 2_000;

type Pending = {
  readonly line: string;
  readonly waiter: Pick<PromiseWithResolvers<void>, 'resolve' | 'reject'> | undefined;
};

type State = {
  readonly parameters: JournalParameters;
  file: FileHandle;
  lines: number;
  pending: Pending[];
  writing: Promise<void> | undefined;
  /** After a failed write nobody knows what is in the file: everything later is refused. */
  failure: Error | undefined;
};

/**
 * The whole lines of a journal, oldest first. A torn last line, which nobody was told is kept, is
 * left out. An absent file has none.
 */
export async function readJournal(path: string): Promise<readonly string[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').slice(0, -1);
}

/** Opens the journal for appending, and starts it with the snapshot in place of what it held. */
export async function openJournal(parameters: JournalParameters): Promise<Journal> {
  await mkdir(dirname(parameters.path), { recursive: true });
  const lines = parameters.snapshot();
  const state: State = {
    parameters,
    file: await replace(parameters.path, lines),
    lines: lines.length,
    pending: [],
    writing: undefined,
    failure: undefined,
  };
  return {
    append: (line) => {
      const waiter = Promise.withResolvers<void>();
      enqueue(state, { line, waiter });
      return waiter.promise;
    },
    note: (line) => enqueue(state, { line, waiter: undefined }),
    close: async () => {
      await state.writing;
      state.failure ??= new ClosedError({ path: parameters.path });
      await state.file.close();
    },
  };
}

function enqueue(state: State, pending: Pending): void {
  if (state.failure) {
    pending.waiter?.reject(state.failure);
    return;
  }
  state.pending.push(pending);
  state.writing ??= drain(state);
}

/** Everything that waits goes out in one write and one sync, however many callers there are. */
async function drain(state: State): Promise<void> {
  // Lets the callers of this turn join.
  await Promise.resolve();
  while (state.pending.length > 0) {
    const group = state.pending;
    state.pending = [];
    try {
      await writeGroup(state, group);
      for (const { waiter } of group) waiter?.resolve();
    } catch (cause) {
      state.failure = new WriteError({ path: state.parameters.path, cause });
      for (const { waiter } of [...group, ...state.pending]) waiter?.reject(state.failure);
      state.pending = [];
    }
  }
  // In the same turn as the last look at what waits, or a line that came after it would stay.
  state.writing = undefined;
}

async function writeGroup(state: State, group: readonly Pending[]): Promise<void> {
  await state.file.appendFile(group.map(({ line }) => `${line}\n`).join(''));
  state.lines += group.length;
  if (group.some(({ waiter }) => waiter)) await state.file.datasync();
  if (state.lines < SLACK_LINES) return;
  const lines = state.parameters.snapshot();
  if (state.lines < 2 * lines.length + SLACK_LINES) return;
  // The snapshot also stands for lines that still wait here. They follow it in the file, so whoever
  // reads it has to bear a line that says what is known.
  const file = await replace(state.parameters.path, lines);
  await state.file.close();
  state.file = file;
  state.lines = lines.length;
}

/** A new file in place of the old one, by a rename: a kill leaves one or the other, whole. */
async function replace(path: string, lines: readonly string[]): Promise<FileHandle> {
  const draft = join(dirname(path), `.${basename(path)}.draft`);
  await rm(draft, { force: true });
  const file = await open(draft, 'ax');
  try {
    await file.appendFile(lines.map((line) => `${line}\n`).join(''));
    await file.datasync();
    await rename(draft, path);
    await syncFolder(dirname(path));
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Without this a power cut can undo the rename. Some systems cannot open a folder: there it is left. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

/** A line could not be written. The journal takes no more; what was acknowledged before is on disk. */
export class WriteError extends Error {
  override readonly name = 'Journal.WriteError';
  constructor(details: { readonly path: string; readonly cause: unknown }) {
    super(
      `cannot write ${details.path}; free some space or check its permissions, then start again`,
      {
        cause: details.cause,
      },
    );
  }
}

/** The journal is closed. */
export class ClosedError extends Error {
  override readonly name = 'Journal.ClosedError';
  constructor(details: { readonly path: string }) {
    super(`${details.path} is closed`);
  }
}
