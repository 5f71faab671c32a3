/** `breakwater flag`: may this wallet's withdrawals flow? */

import type { Command } from 'commander';
import * as Flag from '../../domain/flag.ts';
import { FLAG } from '../answers.ts';
import { ask } from '../ask.ts';
import { EXIT, type ExitCode, StoppedError } from '../exit-code.ts';
import { flagPage } from '../render/flag.ts';
import type { Run, Session } from '../session.ts';

type Options = {
  readonly wallet: string;
  readonly chain?: string;
  readonly asset?: string;
  readonly destination?: string;
  readonly memo?: string;
  readonly actor?: string;
};

/** Adds the command. */
export function addFlag(program: Command, run: Run): void {
  program
    .command('flag')
    .summary('the flag that withdrawal services read')
    .description(
      'Reads the flag withdrawals-enabled for a wallet. Ends with 0 only if withdrawals are enabled: unknown, stale and unreachable all mean "not enabled".',
    )
    .requiredOption('--wallet <wallet>', "the policy's name of the wallet, or its CAIP-10 account")
    .option('--chain <id>', 'CAIP-2 chain, such as eip155:1')
    .option('--asset <id>', 'CAIP-19 asset, such as eip155:1/slip44:60')
    .option('--destination <account>', 'CAIP-10 account that receives')
    .option('--memo <text>', 'memo or tag that belongs to the destination')
    .option('--actor <name>', 'the customer or API key behind the withdrawal')
    .action((options: Options, command: Command) =>
      run(command, (session) => flag(session, options)),
    );
}

async function flag(session: Session, options: Options): Promise<ExitCode | undefined> {
  const { wallet, chain, asset, destination, memo, actor } = options;
  const question = { command: 'flag' as const, wallet, chain, asset, destination, memo, actor };
  try {
    const { value, raw } = await ask(await session.connect(), question, FLAG);
    if (session.json) session.printJson(raw);
    else session.print(flagPage(value, session));
    return value.enabled ? undefined : EXIT.notEnabled;
  } catch (error) {
    // A script that only reads standard output gets the closed answer too.
    if (!(error instanceof StoppedError) || error.exitCode === EXIT.usage) throw error;
    const answer = Flag.unreachable(error.message);
    if (session.json) session.printJson(answer);
    else session.print(flagPage(answer, session));
    throw error;
  }
}
