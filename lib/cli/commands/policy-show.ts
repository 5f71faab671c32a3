/** `breakwater policy show`: the text in force, and how it came to be. */

import type { Command } from 'commander';
import * as Page from '../../domain/page.ts';
import { POLICY, type StoredPolicy } from '../answers.ts';
import { ask } from '../ask.ts';
import { messageColumnsOf } from '../io.ts';
import { doubtsOf } from '../policy-source.ts';
import { clean, fact } from '../render/text.ts';
import { moment } from '../render/time.ts';
import type { Run, Session } from '../session.ts';

/** Adds `show` to the group `policy`. */
export function addPolicyShow(group: Command, run: Run): void {
  group
    .command('show')
    .description(
      'Prints the text of the policy in force, and on standard error which version it is, its hash, who put it in force, when and why. Warns if the service decides by anything else.',
    )
    .action((_options: unknown, command: Command) => run(command, show));
}

/**
 * Prints the text to standard output as it is stored, so that it can be kept as a file, and everything
 * about it to standard error.
 *
 * @throws {StoppedError}
 */
async function show(session: Session): Promise<undefined> {
  const { stdout, stderr } = session.io;
  const transport = await session.connect();
  const { value, raw } = await ask(transport, { command: 'policy.show' }, POLICY);
  const { source } = value;
  if (session.json) session.printJson(raw);
  else if (source === undefined) session.warn('No policy is in force yet.');
  else {
    const view = { columns: messageColumnsOf(stderr), nowMs: session.io.nowMs() };
    const lines = factLines(value, transport.target, view);
    stderr.write(`${lines.join('\n')}\n\n`);
    stdout.write(source.endsWith('\n') ? source : `${source}\n`);
  }
  for (const doubt of doubtsOf(value)) session.warn(doubt);
}

function factLines(
  stored: StoredPolicy,
  target: string,
  view: { readonly columns: number; readonly nowMs: number },
): readonly string[] {
  const { version, hash, appliedAtMs, actor, reason, beforeHash, judged } = stored;
  const line = (label: string, text: string | undefined) =>
    text === undefined ? [] : fact(label, clean(text), view);
  return [
    ...line('Version', `${version} on ${target}`),
    ...line('Hash', hash),
    ...line('By', actor),
    ...line('Since', appliedAtMs === undefined ? undefined : moment(appliedAtMs, view.nowMs)),
    ...line('Reason', reason ?? 'none given'),
    ...line('Replaced', beforeHash),
    ...line('Changed', judged && Page.judged(judged)),
  ];
}
