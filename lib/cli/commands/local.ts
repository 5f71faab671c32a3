/** `breakwater local`: the whole of Breakwater on this machine, for a service to be pointed at. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Run, Session } from '../session.ts';
import type { LocalOptions } from '../story/serve-local.ts';

const FOLDER = '.breakwater';
const TICK = '5s';
const TICK_LEAST_MS = 500;
const TICK_MOST_MS = 60_000;
const PORT_MOST = 65_535;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/** Adds the command. */
export function addLocal(program: Command, run: Run): void {
  program
    .command('local')
    .summary('run it here: events and commands over HTTP, state in a folder')
    .description(
      'Runs the functions in real time over an embedded engine, on loopback only, until Ctrl-C.\nPoint your withdrawal service at it; started again on the same folder it goes on where it was.',
    )
    .option('--folder <dir>', 'where state is kept', FOLDER)
    .option('--port <number>', 'where to listen (default: 4780 if it is free)', readPort)
    .option('--policy <file>', 'put this policy in force, unless it is already')
    .option('--webhooks <file>', 'take deliveries of custodians with the secrets in this file')
    .option('--rpc <file>', 'watch the chains whose nodes are in this file')
    .addOption(
      new Option('--tick <time>', 'how often health is proven')
        .default(readTick(TICK), TICK)
        .argParser(readTick),
    )
    .action((options: LocalOptions, command: Command) =>
      run(command, (session) => local(session, options)),
    );
}

async function local(session: Session, options: LocalOptions): Promise<undefined> {
  const { serveLocal } = await import('../story/serve-local.ts');
  return serveLocal(session, options);
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port > 0 && port <= PORT_MOST) return port;
  throw new InvalidArgumentError(`It must be a number from 1 to ${PORT_MOST}.`);
}

function readTick(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,6})(ms|s|m)$/.exec(text) ?? [];
  const tickMs = Number(digits) * (UNIT_MS[unit] ?? Number.NaN);
  if (tickMs >= TICK_LEAST_MS && tickMs <= TICK_MOST_MS) return tickMs;
  throw new InvalidArgumentError('It must be a time from 500ms to 1m, such as 5s.');
}
