/** One run of one command: where it writes, where it asks, how it ends. */

import type { Command } from 'commander';
import { stringify } from '../adapters/wire/json.ts';
import { type ConnectOptions, connect } from './connect.ts';
import type { ExitCode } from './exit-code.ts';
import { columnsOf, type Io, messageColumnsOf } from './io.ts';
import { type Paint, paintFor } from './render/paint.ts';
import { message } from './render/text.ts';
import type { Transport } from './transport.ts';

/** Options that every command takes. */
export type GlobalOptions = ConnectOptions & { readonly json?: boolean };

/** What a command works with. */
export type Session = {
  readonly io: Io;
  readonly json: boolean;
  /** Colours and width of standard output. */
  readonly paint: Paint;
  readonly columns: number;
  /** The way to the Breakwater that the options name. */
  readonly connect: () => Promise<Transport>;
  /** Writes lines to standard output. */
  readonly print: (lines: readonly string[]) => void;
  /** Writes an answer as JSON to standard output. */
  readonly printJson: (value: unknown) => void;
  /** Writes a message to standard error, whatever the output. */
  readonly warn: (text: string) => void;
};

/** The work of a command. Gives its exit code; `undefined` is 0. */
export type Work = (session: Session) => Promise<ExitCode | undefined>;

/** Runs the work of a command with the options that were given to it. */
export type Run = (command: Command, work: Work) => Promise<void>;

/** Opens a session. */
export function openSession(io: Io, options: GlobalOptions): Session {
  return {
    io,
    json: options.json === true,
    paint: paintFor(io.stdout, io.env),
    columns: columnsOf(io.stdout),
    connect: () => connect(options, io),
    print: (lines) => io.stdout.write(`${lines.join('\n')}\n`),
    printJson: (value) => io.stdout.write(`${stringify(value, 2)}\n`),
    warn: (text) => {
      const { stderr } = io;
      const lines = message(text, messageColumnsOf(stderr));
      stderr.write(`${paintFor(stderr, io.env).yellow(lines)}
`);
    },
  };
}
