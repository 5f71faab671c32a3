/** `breakwater audit`: take the chain away, verify it offline, compare it with what the tables say. */

import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { nodeTools } from '../../adapters/audit-jws.ts';
import type * as Audit from '../../domain/audit.ts';
import * as Export from '../../domain/audit-export.ts';
import { AUDIT_CHECK } from '../answers.ts';
import { ask } from '../ask.ts';
import { fetchChain } from '../audit-chain.ts';
import { EXIT, type ExitCode, StoppedError } from '../exit-code.ts';
import { readInput } from '../read-input.ts';
import { checkedText, verdictText } from '../render/audit.ts';
import type { Run, Session } from '../session.ts';

/** Adds the command with its subcommands. */
export function addAudit(program: Command, run: Run): void {
  const audit = program
    .command('audit')
    .summary('the audit chain: take it away, verify it, compare it')
    .helpCommand(false);
  audit
    .command('export')
    .summary('the chain as a file that can be verified without anything else')
    .description(
      'Writes the chain up to its newest signed link as JSON Lines, and verifies what it wrote. See docs/audit.md.',
    )
    .option('--out <file>', 'write there instead of to standard output; it must not exist')
    .action((options: { readonly out?: string }, command: Command) =>
      run(command, (session) => takeAway(session, options.out)),
    );
  audit
    .command('verify')
    .argument('<file>', 'an export')
    .summary('whether an export is whole, and where it is not; offline')
    .description(
      'Verifies an export by itself and says which line is wrong, and why. Without --jwks the key in the file vouches for itself: compare its id with the one that you have kept.',
    )
    .option('--jwks <file>', 'the keys that may sign (RFC 7517)')
    .action((file: string, options: { readonly jwks?: string }, command: Command) =>
      run(command, (session) => verify(session, file, options.jwks)),
    );
  audit
    .command('check')
    .summary('whether the chain is what the tables say')
    .description(
      'Builds the chain again from the Control table and compares it with the stored one.',
    )
    .action((_: unknown, command: Command) => run(command, check));
}

async function takeAway(session: Session, out: string | undefined): Promise<ExitCode | undefined> {
  const transport = await session.connect();
  const chain = await fetchChain(transport);
  if (!chain) throw unsignedYet();
  const { text, unsigned } = chain;
  if (out === undefined) session.io.stdout.write(text);
  else await writeNew(resolve(session.io.cwd, out), text);
  const verdict = Export.verify(Buffer.from(text), nodeTools);
  for (const line of verdictText(verdict, out ?? 'the export')) session.warn(line);
  if (unsigned > 0) {
    session.warn(
      `${unsigned} newer links are not signed yet and not in the export; ask again later.`,
    );
  }
  return verdict.kind === 'whole' ? undefined : EXIT.refused;
}

function unsignedYet(): StoppedError {
  return new StoppedError({
    exitCode: EXIT.refused,
    message: 'No link of the chain is signed yet.',
    hint: 'Ask again in a minute. If it stays so, look at the log of project-state.',
  });
}

async function writeNew(path: string, text: string): Promise<void> {
  await writeFile(path, text, { flag: 'wx' }).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'EEXIST' ? 'it exists already' : (cause.code ?? 'unknown error');
    const message = `${path} cannot be written: ${why}.`;
    throw new StoppedError({ exitCode: EXIT.usage, message, cause });
  });
}

async function verify(
  session: Session,
  file: string,
  jwks: string | undefined,
): Promise<ExitCode | undefined> {
  const { io } = session;
  const bytes =
    file === '-' ? Buffer.from(await io.readStdin()) : await readBytes(resolve(io.cwd, file));
  const trusted = jwks === undefined ? undefined : trustedOf(await readInput(io, jwks), jwks);
  const verdict = Export.verify(bytes, nodeTools, trusted);
  if (session.json) session.printJson(verdict);
  else session.print(verdictText(verdict, file, trusted));
  return verdict.kind === 'whole' ? undefined : EXIT.refused;
}

async function readBytes(path: string): Promise<Uint8Array> {
  return readFile(path).catch((cause: NodeJS.ErrnoException) => {
    const message = `${path} cannot be read: ${cause.code ?? 'unknown error'}.`;
    throw new StoppedError({ exitCode: EXIT.usage, message, cause });
  });
}

/** Thumbprints of a set's keys, from the keys themselves. */
function trustedOf(text: string, file: string): readonly string[] {
  try {
    const { keys } = JSON.parse(text) as { readonly keys: readonly Audit.PublicKey[] };
    return keys.map(nodeTools.thumbprint);
  } catch (cause) {
    const message = `${file} is no JSON Web Key Set.`;
    throw new StoppedError({ exitCode: EXIT.usage, message, cause });
  }
}

async function check(session: Session): Promise<ExitCode | undefined> {
  const { value, raw } = await ask(
    await session.connect(),
    { command: 'audit.check' },
    AUDIT_CHECK,
  );
  if (session.json) session.printJson(raw);
  else session.print(checkedText(value));
  return value.isWhole ? undefined : EXIT.refused;
}
