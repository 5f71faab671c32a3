/** `breakwater demo`: the CoinEx replay, which `npm start` shows. */

import type { Command } from 'commander';
import type { Run } from '../session.ts';
import type { ReplayOptions } from '../story/replay-incident.ts';
import { startReplay, withReplayOptions } from './replay.ts';

const NAME = 'coinex-2023';

/** Adds the command. */
export function addDemo(program: Command, run: Run): void {
  const command = program
    .command('demo')
    .summary('see it at work: the CoinEx drain of 2023, in half a minute')
    .description(
      `The same as \`breakwater replay ${NAME}\`: needs no account, no set-up and no network.`,
    );
  withReplayOptions(command).action((options: ReplayOptions, self: Command) =>
    run(self, (session) => startReplay(session, NAME, options)),
  );
}
