/** `breakwater status`: what is the case. */

import type { Command } from 'commander';
import { STATUS } from '../answers.ts';
import { ask } from '../ask.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { LISTED, type Listed } from '../proposal-answers.ts';
import { headline, statusPage } from '../render/status.ts';
import type { Run, Session } from '../session.ts';
import type { Transport } from '../transport.ts';

/** Adds the command. */
export function addStatus(program: Command, run: Run): void {
  program
    .command('status')
    .summary('are withdrawals enabled; if not, why')
    .description(
      'Says whether withdrawals are enabled, since when and why not, who can lift it and how, and how fresh the proof of health is.',
    )
    .option('--check', 'for scripts: end with code 5 unless withdrawals are enabled')
    .action((options: { readonly check?: boolean }, command: Command) =>
      run(command, (session) => status(session, options)),
    );
}

async function status(
  session: Session,
  options: { readonly check?: boolean },
): Promise<ExitCode | undefined> {
  const transport = await session.connect();
  const { value, raw } = await ask(transport, { command: 'status' }, STATUS);
  if (session.json) session.printJson(raw);
  else {
    const proposals = value.policy.version === 0 ? undefined : await proposalsOf(transport);
    session.print(statusPage(value, { ...session, target: transport.target, proposals }));
  }
  return options.check && !headline(value).isEnabled ? EXIT.notEnabled : undefined;
}

/** The status is told whether or not they can be read. */
async function proposalsOf(transport: Transport): Promise<Listed | string> {
  try {
    return (await ask(transport, { command: 'proposal.list' }, LISTED)).value;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
