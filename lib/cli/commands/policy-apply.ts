/** `breakwater policy apply`: show, ask, put in force. */

import { RESULT } from '../answers.ts';
import { ask } from '../ask.ts';
import { EXIT, StoppedError } from '../exit-code.ts';
import { diffPolicies } from '../policy-diff.ts';
import { type InForce, readInForce, readPolicyFile, type Sourced } from '../policy-source.ts';
import { paintFor } from '../render/paint.ts';
import { diffLines } from '../render/policy-diff.ts';
import { clean } from '../render/text.ts';
import type { Session } from '../session.ts';
import type { Transport } from '../transport.ts';

/**
 * Applies a policy file.
 *
 * @throws {StoppedError} `usage` for a bad file or a missing `--yes`; `refused` where a person said no.
 */
export async function applyPolicy(
  session: Session,
  file: string,
  options: { readonly yes?: boolean },
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
  showChanges(session, inForce, next);
  if (!options.yes)
    await confirm(session, `Put ${clean(file)} in force on ${clean(transport.target)}?`);
  await putInForce(session, transport, { next, expected: inForce.version + 1 });
}

/** On standard error, since a person reads it before answering, and scripts may keep the result. */
function showChanges(session: Session, inForce: InForce, next: Sourced): void {
  const { stderr, env } = session.io;
  const paint = paintFor(stderr, env);
  const lines = inForce.sourced
    ? changesSince(inForce.sourced, next, { paint, columns: session.columns })
    : ['No policy is in force yet: this is the first.'];
  const mode = next.policy.mode === 'shadow' ? 'SHADOW: it will stop nothing' : 'enforce';
  stderr.write(`${[...lines, `Mode: ${mode}.`].join('\n')}\n`);
}

function changesSince(
  before: Sourced,
  next: Sourced,
  view: Parameters<typeof diffLines>[1],
): readonly string[] {
  if (before.source === next.source) {
    return ['The same text; what the service decides by is not what it says, and is written anew.'];
  }
  const changes = diffPolicies(before.policy, next.policy);
  return changes.length > 0
    ? diffLines(changes, view)
    : ['The same rules; only comments or layout differ.'];
}

async function confirm(session: Session, question: string): Promise<void> {
  if (!session.io.isInteractive) {
    throw new StoppedError({
      exitCode: EXIT.usage,
      message: 'Nobody can be asked here, since this is no terminal. Nothing was changed.',
      hint: 'Add --yes if the changes above are meant.',
    });
  }
  const answer = await session.io.question(`${question} [y/N] `);
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new StoppedError({ exitCode: EXIT.refused, message: 'Nothing was changed.' });
}

async function putInForce(
  session: Session,
  transport: Transport,
  parameters: { readonly next: Sourced; readonly expected: number },
): Promise<void> {
  const { next, expected } = parameters;
  const request = {
    command: 'policy.apply' as const,
    commandId: session.io.commandId(),
    source: next.source,
  };
  const { value, raw } = await ask(transport, request, RESULT);
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
