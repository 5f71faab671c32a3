/** `breakwater withdrawal close`: a person's word that a withdrawal will not leave. */

import { type Command, Option } from 'commander';
import * as Money from '../../domain/money.ts';
import { RECORDED } from '../answers.ts';
import { ask } from '../ask.ts';
import { clean } from '../render/text.ts';
import type { Run, Session } from '../session.ts';

type Options = { readonly as: 'failed' | 'cancelled'; readonly reason: string };

/** Adds the command with its one subcommand. */
export function addWithdrawal(program: Command, run: Run): void {
  const withdrawal = program
    .command('withdrawal')
    .summary('say what became of a withdrawal')
    .helpCommand(false);
  withdrawal
    .command('close')
    .argument('<id>', 'the id of the withdrawal, as the exchange gave it')
    .summary('give back the budget of a withdrawal that will not leave')
    .description(
      'Says that an approved withdrawal will not leave. What it was charged is given back, once. It is refused if its outflow was seen on chain, and while its admission lives. An outflow that names it later is approved by nobody, and trips. Services send the events withdrawal.failed and withdrawal.cancelled with evidence instead; this is your word, kept with your identity.',
    )
    .addOption(
      new Option('--as <outcome>', 'what became of it')
        .choices(['failed', 'cancelled'])
        .makeOptionMandatory(),
    )
    .requiredOption('--reason <text>', 'how you know; kept with the withdrawal')
    .action((id: string, options: Options, command: Command) =>
      run(command, (session) => close(session, id, options)),
    );
}

async function close(session: Session, withdrawalId: string, options: Options): Promise<undefined> {
  const { as: outcome, reason } = options;
  const transport = await session.connect();
  const request = { command: 'withdrawal.close' as const, withdrawalId, outcome, reason };
  const { value, raw } = await ask(transport, request, RECORDED);
  if (session.json) return session.printJson(raw) as undefined;
  const id = clean(withdrawalId);
  if (value.kind === 'duplicate') {
    return session.print([
      `Withdrawal ${id} is ${outcome} already; nothing more was done.`,
    ]) as undefined;
  }
  const { paint } = session;
  session.print([
    `${paint.green(outcome.toUpperCase())} ${paint.bold(id)} on ${clean(transport.target)}`,
    `${Money.formatUsd(value.givenBack)} of budget given back, where its limits still counted it.`,
  ]);
}
