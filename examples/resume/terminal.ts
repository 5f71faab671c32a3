/** Types commands as an operator would, and shows what they print. */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../bin/breakwater.ts', import.meta.url));

/** What a command printed, and how it ended. */
export type Ran = { readonly code: number | null; readonly out: string };

/** Where commands go. */
export type Terminal = {
  /** Says what happens, between commands. */
  readonly say: (text: string) => void;
  /** Types a command and shows everything that it prints. */
  readonly type: (words: readonly string[], typing?: Typing) => Promise<Ran>;
  /** Asks the service itself, without showing anything. */
  readonly ask: (command: string) => Promise<unknown>;
};

/** How a command is typed. */
export type Typing = {
  /** The command as people would write it, where this run has to write it otherwise. */
  readonly shown?: string;
  /** Further environment, such as where a passphrase is. */
  readonly env?: Readonly<Record<string, string>>;
  /** What stands on standard input. */
  readonly stdin?: string;
};

/** A terminal whose commands go to this Breakwater. */
export function openTerminal(breakwaterUrl: string): Terminal {
  const run = (words: readonly string[], typing: Typing = {}) =>
    execute(words, { ...typing, env: { BREAKWATER_URL: breakwaterUrl, ...typing.env } });
  return {
    say: (text) => console.log(`\n${text}`),
    type: async (words, typing) => {
      console.log(`\n  $ breakwater ${typing?.shown ?? words.map(quoted).join(' ')}`);
      const { code, out, err } = await run(words, typing);
      for (const line of `${err}${out}`.trimEnd().split('\n')) console.log(`  ${line}`.trimEnd());
      return { code, out };
    },
    ask: async (command) => {
      const body = JSON.stringify({ command });
      return (await fetch(`${breakwaterUrl}/commands`, { method: 'POST', body })).json();
    },
  };
}

async function execute(
  words: readonly string[],
  typing: Typing,
): Promise<Ran & { readonly err: string }> {
  const env = { ...process.env, NO_COLOR: '1', ...typing.env };
  const child = spawn(process.execPath, [CLI, ...words], { env });
  const said = { out: '', err: '' };
  child.stdout.on('data', (data: Buffer) => {
    said.out += data;
  });
  child.stderr.on('data', (data: Buffer) => {
    said.err += data;
  });
  child.stdin.end(typing.stdin ?? '');
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, ...said };
}

function quoted(word: string): string {
  return /^[\w@:./-]+$/.test(word) ? word : `"${word}"`;
}
