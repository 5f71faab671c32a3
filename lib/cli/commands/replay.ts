/** `breakwater replay`: what Breakwater does with a real drain. */

import type { Command } from 'commander';
import type { Run, Session } from '../session.ts';
import { NAMES } from '../story/names.ts';
import type { ReplayOptions } from '../story/replay-incident.ts';

const SEED = '1';

/** Adds the command. */
export function addReplay(program: Command, run: Run): void {
  const command = program
    .command('replay')
    .argument('<name>', `${NAMES.join(', ')}, or a CSV file of that form`)
    .summary('replay a real drain through an embedded Breakwater')
    .description(
      'Starts an embedded Breakwater, sends it ordinary traffic and the outflows of a real drain in\ncompressed time, and shows what trips, how fast, what is refused and what no pause could stop.\nThen it waits for `breakwater resume` from a second terminal.',
    )
    .option('--policy <file>', 'another policy than the one that comes with the replay');
  withReplayOptions(command).action((name: string, options: ReplayOptions, self: Command) =>
    run(self, (session) => startReplay(session, name, options)),
  );
}

/** Adds the options that `replay` and `demo` share. */
export function withReplayOptions(command: Command): Command {
  return command
    .option('--seed <text>', 'seed of the ordinary traffic', SEED)
    .option('--folder <dir>', 'keep the state there; started again on it, nothing counts twice')
    .option(
      '--no-wait',
      'end after the sums, without waiting for an operator, and do not slow down',
    )
    .option('--auto-resume', 'resume by itself instead of waiting')
    .option('--fast', 'do not slow down for the eye');
}

/** Replays one incident. Its parts are loaded only here: they would slow every other command down. */
export async function startReplay(
  session: Session,
  name: string,
  options: ReplayOptions,
): Promise<undefined> {
  const { replayIncident } = await import('../story/replay-incident.ts');
  return replayIncident(session, name, options);
}
