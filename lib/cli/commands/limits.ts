/** `breakwater limits`: how much may still leave. */

import type { Command } from 'commander';
import { LIMITS } from '../answers.ts';
import { ask } from '../ask.ts';
import { limitsPage } from '../render/limits.ts';
import { readScope } from '../scope-argument.ts';
import type { Run, Session } from '../session.ts';

type Options = { readonly scope?: string; readonly all?: boolean };

/** Adds the command. */
export function addLimits(program: Command, run: Run): void {
  program
    .command('limits')
    .summary('what is used of each limit, and left')
    .description(
      'Shows each limit in each scope that the policy names, the fullest first. Customers and destinations are too many to list: ask for one with --scope.',
    )
    .option('--scope <key>', 'one scope only, such as wallet:eth-hot-1 or destination:eip155:1:0x…')
    .option('--all', 'unused limits too, however many')
    .action((options: Options, command: Command) =>
      run(command, (session) => limits(session, options)),
    );
}

async function limits(session: Session, options: Options): Promise<undefined> {
  const scope = options.scope === undefined ? undefined : readScope(options.scope);
  const transport = await session.connect();
  const request = { command: 'limits' as const, ...(scope === undefined ? {} : { scope }) };
  const { value, raw } = await ask(transport, request, LIMITS);
  if (session.json) session.printJson(raw);
  else session.print(limitsPage(value, { ...session, all: options.all === true }));
}
