/** `breakwater demo`: a theft on a chain of this machine, then the CoinEx replay. `npm start` shows it. */

import type { Command } from 'commander';
import type { Run, Session } from '../session.ts';
import type { ReplayOptions } from '../story/replay-incident.ts';
import { startReplay, withReplayOptions } from './replay.ts';

const NAME = 'coinex-2023';

/** Adds the command. */
export function addDemo(program: Command, run: Run): void {
  const command = program
    .command('demo')
    .summary('see it at work: the CoinEx drain of 2023, in half a minute')
    .description(
      `A thief with a leaked key on a chain of this machine (Linux on x64; not with --json), then the\nsame as \`breakwater replay ${NAME}\`: needs no account, no set-up and no network.`,
    );
  withReplayOptions(command).action((options: ReplayOptions, self: Command) =>
    run(self, (session) => startDemo(session, options)),
  );
}

async function startDemo(session: Session, options: ReplayOptions): Promise<undefined> {
  // Loaded only here, as the replay is.
  const { showChainTheft } = await import('../story/chain-theft.ts');
  await showChainTheft(session);
  return startReplay(session, NAME, options);
}
