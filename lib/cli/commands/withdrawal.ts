/** `breakwater withdrawal`: why one waits, which are held or open, letting one go, closing one. */

import { type Command, Option } from 'commander';
import * as Money from '../../domain/money.ts';
import { HELD, NOTICE, OPEN, RECORDED, RELEASED } from '../answers.ts';
import { ask } from '../ask.ts';
import { clean } from '../render/text.ts';
import { heldPage, noticePage, openPage } from '../render/withdrawals.ts';
import type { Run, Session } from '../session.ts';

type Options = { readonly as: 'failed' | 'cancelled'; readonly reason: string };

/** Adds the command with its subcommands. */
export function addWithdrawal(program: Command, run: Run): void {
  const withdrawal = program
    .command('withdrawal')
    .summary('why a withdrawal waits; let it go, or say that it will not leave')
    .helpCommand(false);
  addQuestions(withdrawal, run);
  withdrawal
    .command('release')
    .argument('<id>', 'the id of the withdrawal, as the exchange gave it')
    .summary('let a held withdrawal go')
    .description(
      'Lets a withdrawal go that is held. It is decided on like a new one, except that limits which only hold do not ask again: what blocks, blocks still, and then it keeps its place. The service gets its admission when it asks next.',
    )
    .requiredOption('--reason <text>', 'why it may go; kept in the log with your identity')
    .action((id: string, options: { readonly reason: string }, command: Command) =>
      run(command, (session) => release(session, id, options.reason)),
    );
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

function addQuestions(withdrawal: Command, run: Run): void {
  withdrawal
    .command('show')
    .argument('<id>', 'the id of the withdrawal, as the exchange gave it')
    .summary('why a withdrawal waits, since when, until when, and who can lift it')
    .action((id: string, _: unknown, command: Command) =>
      run(command, async (session) => {
        const request = { command: 'withdrawal.show' as const, withdrawalId: id };
        const { value, raw } = await ask(await session.connect(), request, NOTICE);
        const view = { ...session, nowMs: session.io.nowMs() };
        return show(session, raw, noticePage(value, view));
      }),
    );
  withdrawal
    .command('held')
    .summary('the withdrawals that are held, by age')
    .action((_: unknown, command: Command) =>
      run(command, async (session) => {
        const request = { command: 'withdrawal.held' as const };
        const { value, raw } = await ask(await session.connect(), request, HELD);
        return show(session, raw, heldPage(value, session));
      }),
    );
  withdrawal
    .command('open')
    .summary('the admitted withdrawals whose outcome nobody has said')
    .action((_: unknown, command: Command) =>
      run(command, async (session) => {
        const request = { command: 'withdrawal.open' as const };
        const { value, raw } = await ask(await session.connect(), request, OPEN);
        return show(session, raw, openPage(value, session));
      }),
    );
}

function show(session: Session, raw: unknown, lines: readonly string[]): undefined {
  if (session.json) session.printJson(raw);
  else session.print(lines);
}

async function release(session: Session, withdrawalId: string, reason: string): Promise<undefined> {
  const transport = await session.connect();
  const request = { command: 'withdrawal.release' as const, withdrawalId, reason };
  const { raw } = await ask(transport, request, RELEASED);
  const { paint } = session;
  return show(session, raw, [
    `${paint.green('RELEASED')} ${paint.bold(clean(withdrawalId))} on ${clean(transport.target)}`,
    'It is charged; the service gets its admission when it asks next.',
  ]);
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
