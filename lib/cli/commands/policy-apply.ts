/** `breakwater policy apply`: show, ask, put in force. */

import type { Command } from 'commander';
import { RESULT } from '../answers.ts';
import { ask } from '../ask.ts';
import { EXIT, StoppedError } from '../exit-code.ts';
import { type Diff, diffPolicies } from '../policy-diff.ts';
import { type InForce, readInForce, readPolicyFile, type Sourced } from '../policy-source.ts';
import { paintFor } from '../render/paint.ts';
import { diffLines, nextCommand, outlookLines } from '../render/policy-diff.ts';
import { clean } from '../render/text.ts';
import type { Run, Session } from '../session.ts';
import type { Transport } from '../transport.ts';

/** What people say with it. */
type ApplyOptions = { readonly reason?: string; readonly yes?: boolean };

/** What is sent, and what to do where the service refuses it. */
type Sending = {
  readonly next: Sourced;
  readonly reason: string | undefined;
  /** The version that it should become. */
  readonly expected: number;
  readonly instead: string | undefined;
};

/** Adds `apply` to the group `policy`. */
export function addPolicyApply(group: Command, run: Run): void {
  group
    .command('apply')
    .argument('<file>', 'the new policy')
    .option('--reason <text>', 'why; it is kept and told. Required where a quorum is in force')
    .option('--yes', 'do not ask; needed where there is no terminal')
    .description(
      'Shows what would change, asks, and puts the policy in force at once. Where a quorum is in force, what loosens is refused: breakwater policy propose.',
    )
    .action((file: string, options: ApplyOptions, command: Command) =>
      run(command, (session) => applyPolicy(session, file, options)),
    );
}

/**
 * Applies a policy file. What the service will refuse, as far as that can be told here, is said before
 * anybody is asked; it is the service that decides.
 *
 * @throws {StoppedError} `usage` for a bad file, or a missing `--yes` or `--reason`; `refused` where the
 * service or a person said no.
 */
async function applyPolicy(
  session: Session,
  file: string,
  options: ApplyOptions,
): Promise<undefined> {
  const next = await readPolicyFile(session, file);
  const transport = await session.connect();
  const inForce = await readInForce(transport);
  if (inForce.sourced?.source === next.source && inForce.compiled === next.compiled) {
    if (session.json)
      session.printJson({ kind: 'unchanged', version: inForce.version, hash: next.hash });
    else session.print([`Version ${inForce.version} is this very text already; nothing to do.`]);
    return;
  }
  const { reason, yes } = options;
  mustSayWhy(inForce, reason);
  const found = differenceTo(inForce, next, session.io.nowMs());
  showChanges(session, { inForce, next, found });
  const isProposed = found?.outlook.kind === 'quorum';
  const instead = isProposed
    ? `Propose it instead:\n  ${nextCommand(found.outlook, file)}`
    : undefined;
  if (!yes) {
    const isRefused = isProposed || found?.outlook.kind === 'refused';
    const put = `Put ${clean(file)} in force on ${clean(transport.target)}?`;
    await confirm(session, {
      question: isRefused ? 'The service will refuse this. Send it all the same?' : put,
      otherwise: instead,
    });
  }
  const expected = inForce.version + 1;
  await putInForce(session, transport, { next, reason, expected, instead });
}

/** Several people answer for a policy under a quorum: whoever changes it alone tells the others why. */
function mustSayWhy({ sourced }: InForce, reason: string | undefined): void {
  if (reason !== undefined || sourced?.policy.resume.kind !== 'quorum') return;
  throw new StoppedError({
    exitCode: EXIT.usage,
    message:
      'A reason is required where a quorum is in force: the other operators read it. Nothing was changed.',
    hint: 'Add --reason "…".',
  });
}

function differenceTo({ sourced }: InForce, next: Sourced, atMs: number): Diff | undefined {
  return sourced && diffPolicies({ before: sourced.policy, after: next.policy }, atMs);
}

/** On standard error, since a person reads it before answering, and scripts may keep the result. */
function showChanges(
  session: Session,
  {
    inForce,
    next,
    found,
  }: {
    readonly inForce: InForce;
    readonly next: Sourced;
    readonly found: Diff | undefined;
  },
): void {
  const { stderr, env } = session.io;
  const view = { paint: paintFor(stderr, env), columns: session.columns };
  const isSameText = inForce.sourced?.source === next.source;
  const lines = isSameText
    ? ['The same text; what the service decides by is not what it says, and is written anew.']
    : changesSince(found, view);
  const mode = next.policy.mode === 'shadow' ? 'SHADOW: it will stop nothing' : 'enforce';
  stderr.write(`${[...lines, `Mode: ${mode}.`].join('\n')}\n`);
}

function changesSince(
  found: Diff | undefined,
  view: Parameters<typeof diffLines>[1],
): readonly string[] {
  if (!found) return ['No policy is in force yet: this is the first.'];
  const changes =
    found.changes.length > 0
      ? diffLines(found, view)
      : ['The same rules; only comments or layout differ.'];
  return [...changes, '', ...outlookLines(found.outlook, view)];
}

async function confirm(
  session: Session,
  { question, otherwise }: { readonly question: string; readonly otherwise: string | undefined },
): Promise<void> {
  if (!session.io.isInteractive) {
    throw new StoppedError({
      exitCode: EXIT.usage,
      message: 'Nobody can be asked here, since this is no terminal. Nothing was changed.',
      hint: otherwise ?? 'Add --yes if the changes above are meant.',
    });
  }
  const answer = await session.io.question(`${question} [y/N] `);
  if (/^y(es)?$/i.test(answer.trim())) return;
  const hint = otherwise;
  throw new StoppedError({ exitCode: EXIT.refused, message: 'Nothing was changed.', hint });
}

async function putInForce(session: Session, transport: Transport, sending: Sending): Promise<void> {
  const { expected } = sending;
  const { value, raw } = await send(session, transport, sending);
  if (session.json) session.printJson(raw);
  if (value.kind !== 'policy-applied') {
    if (!session.json)
      session.print(['This command was carried out before; nothing more was done.']);
    return;
  }
  if (!session.json) {
    const { paint } = session;
    session.print([
      `${paint.green('IN FORCE')} version ${value.version}, hash ${value.hash.slice(0, 12)}, on ${clean(transport.target)}`,
    ]);
  }
  if (value.version !== expected) {
    session.warn(
      `Another policy came into force in between (this is version ${value.version}, not ${expected}): the changes shown above were not the whole difference.`,
    );
  }
}

/** A refusal says the command that proposes this very file. */
async function send(
  session: Session,
  transport: Transport,
  { next, reason, instead: hint }: Sending,
) {
  const request = {
    command: 'policy.apply' as const,
    commandId: session.io.commandId(),
    source: next.source,
    ...(reason === undefined ? {} : { reason }),
  };
  try {
    return await ask(transport, request, RESULT);
  } catch (cause) {
    const isSaidNo = cause instanceof StoppedError && cause.exitCode === EXIT.refused;
    if (!isSaidNo || cause.hint !== undefined) throw cause;
    const { exitCode, message, answer } = cause;
    throw new StoppedError({ exitCode, message, hint, answer, cause });
  }
}
