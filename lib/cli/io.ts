/** What the CLI needs from the process that runs it: streams, terminal, environment, clock. */

import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** Somewhere to write text. */
export type Output = {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  /** Width in characters, where it is a terminal. */
  readonly columns: number | undefined;
};

/** The outside of the CLI. */
export type Io = {
  /** Results only: with `--json` nothing but JSON. */
  readonly stdout: Output;
  /** Messages, questions and progress. */
  readonly stderr: Output;
  /** Everything on standard input, as text. */
  readonly readStdin: () => Promise<string>;
  /** Asks a person; the answer without its line end. Empty where the input ended. */
  readonly question: (text: string) => Promise<string>;
  /** As `question`, without showing what is typed. Only where `isInteractive`. */
  readonly secret: (text: string) => Promise<string>;
  /** Whether a person can be asked. */
  readonly isInteractive: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly nowMs: () => number;
  readonly commandId: () => string;
  readonly sleep: (ms: number) => Promise<void>;
};

/** Width of output that is no terminal: nothing has to be cut to fit. */
const PIPE_COLUMNS = 120;
/** Width of a terminal that does not tell its own. */
const TERMINAL_COLUMNS = 80;

/** Columns that a table may fill. */
export function columnsOf(output: Output): number {
  if (!output.isTerminal) return PIPE_COLUMNS;
  return output.columns ?? TERMINAL_COLUMNS;
}

/** Columns that messages may fill: what goes to a log is not broken. */
export function messageColumnsOf(output: Output): number {
  return output.isTerminal ? columnsOf(output) : Number.POSITIVE_INFINITY;
}

/**
 * The real process. A reader that goes away (`| head`) ends the program quietly, and by a signal, so
 * that whoever has something running can stop it first.
 */
export function nodeIo(): Io {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      if (!process.emit('SIGPIPE', 'SIGPIPE')) process.exit();
    });
  }
  return {
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    readStdin: async () => (await process.stdin.setEncoding('utf8').toArray()).join(''),
    question,
    secret,
    isInteractive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    env: process.env,
    cwd: process.cwd(),
    nowMs: () => Date.now(),
    commandId: () => randomUUID(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  };
}

function outputOf(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => {
      stream.write(text);
    },
    isTerminal: stream.isTTY === true,
    columns: stream.columns,
  };
}

/** Ctrl-C at the question counts as an empty answer, Ctrl-D too: neither is a yes. */
async function question(text: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    return await Promise.race([lines.question(text), closed]);
  } finally {
    lines.close();
  }
}

/**
 * With `terminal` the line editor echoes, not the terminal, and it echoes into nothing. Ctrl-C and
 * Ctrl-D count as an empty answer here, too.
 */
async function secret(text: string): Promise<string> {
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  process.stderr.write(text);
  const lines = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 });
  const closed = new Promise<string>((resolve) => {
    lines.once('close', () => resolve(''));
    lines.once('SIGINT', () => resolve(''));
  });
  try {
    return await Promise.race([lines.question(''), closed]);
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
