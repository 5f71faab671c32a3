import type { ExitCode } from '../../lib/cli/exit-code.ts';
import type { Io } from '../../lib/cli/io.ts';
import { runProgram } from '../../lib/cli/program.ts';
import { NOW_MS } from './answers.ts';

/** What a run left behind. */
export type Ran = { readonly code: ExitCode; readonly out: string; readonly err: string };

/** What differs from a pipe without colours, an empty environment and nobody to ask. */
export type Setting = {
  readonly env?: Io['env'];
  readonly cwd?: string;
  readonly stdin?: string;
  /** Columns of a terminal; absent: no terminal. */
  readonly terminal?: number;
  /** The id of the command; a fixed one by default. */
  readonly commandId?: string;
  /** The time by the clock of who types; a fixed one by default. */
  readonly nowMs?: number;
  /** A person's answer; absent: nobody can be asked. */
  readonly answer?: string;
  /** What a person types unseen, in order; the last one again and again. */
  readonly secrets?: readonly string[];
};

/** Runs the CLI in this process. */
export async function run(argv: readonly string[], setting: Setting = {}): Promise<Ran> {
  const written = { out: '', err: '' };
  const secrets = [...(setting.secrets ?? [])];
  const to = (name: keyof typeof written) => (text: string) => {
    written[name] += text;
  };
  const output = { isTerminal: setting.terminal !== undefined, columns: setting.terminal };
  const io: Io = {
    stdout: { ...output, write: to('out') },
    stderr: { ...output, write: to('err') },
    readStdin: async () => setting.stdin ?? '',
    question: async (text) => {
      to('err')(text);
      return setting.answer ?? '';
    },
    secret: async (text) => {
      to('err')(`${text}\n`);
      return (secrets.length > 1 ? secrets.shift() : secrets[0]) ?? '';
    },
    isInteractive: setting.answer !== undefined,
    env: { NO_COLOR: '1', ...setting.env },
    cwd: setting.cwd ?? '/nonexistent',
    nowMs: () => setting.nowMs ?? NOW_MS,
    commandId: () => setting.commandId ?? '00000000-0000-4000-8000-000000000001',
    sleep: async () => {},
  };
  const code = await runProgram(argv, io);
  return { code, ...written };
}
