/** `breakwater watch`: looks at the chains from here, without the pause between two scheduled runs. */

import { type Command, InvalidArgumentError } from 'commander';
import type { Run, Session } from '../session.ts';
import type { WatchOptions } from '../story/watch-here.ts';

/** Adds the command. */
export function addWatch(program: Command, run: Run): void {
  program
    .command('watch')
    .summary('look at the chains from here, until Ctrl-C')
    .description(
      'Does what the deployed watcher does, over and over: a node that names a socket wakes it at each new block. It may run beside the deployed one, and beside itself elsewhere: everything counts once. It works on the tables with your own rights.',
    )
    .requiredOption('--rpc <file>', 'the nodes of each chain, as docs/watching.md shows')
    .option(
      '--restart <chain>',
      'begin again at the head of this chain, after a person has compared what a deep reorg changed',
      readChain,
    )
    .action((options: WatchOptions, command: Command) =>
      run(command, (session) => watch(session, options)),
    );
}

async function watch(session: Session, options: WatchOptions): Promise<undefined> {
  const { watchHere } = await import('../story/watch-here.ts');
  return watchHere(session, options);
}

function readChain(text: string): `eip155:${string}` {
  if (/^eip155:[1-9]\d*$/.test(text)) return text as `eip155:${string}`;
  throw new InvalidArgumentError('It must be a chain such as eip155:1.');
}
