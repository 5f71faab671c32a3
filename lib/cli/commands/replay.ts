/** `breakwater replay`: what Breakwater does with a real drain. */

import type { Command } from 'commander';
import { volumeAlone } from '../../local/replay/what-if.ts';
import { interruptible } from '../interrupt.ts';
import type { Run, Session } from '../session.ts';
import { countFalsePauses } from '../story/false-pauses.ts';
import type { Ending, Production } from '../story/production.ts';
import { type Place, withRuntime } from '../story/scene.ts';
import { openScreen, SILENT } from '../story/screen.ts';
import { NAMES, readScript, type Script } from '../story/script.ts';
import { tell } from '../story/tell.ts';

/** Options of `replay` and `demo`. */
export type ReplayOptions = {
  readonly seed: string;
  readonly policy?: string;
  readonly folder?: string;
  readonly wait: boolean;
  readonly autoResume?: boolean;
  readonly fast?: boolean;
};

/** Days of ordinary traffic on which false pauses are counted: as many as the calibration saw. */
const DAYS = 82;
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
    run(self, (session) => replayIncident(session, name, options)),
  );
}

/** Adds the options that `replay` and `demo` share. */
export function withReplayOptions(command: Command): Command {
  return command
    .option('--seed <text>', 'seed of the ordinary traffic', SEED)
    .option('--folder <dir>', 'keep the state there; started again on it, nothing counts twice')
    .option('--no-wait', 'end after the sums, without waiting for an operator, and do not slow down')
    .option('--auto-resume', 'resume by itself instead of waiting')
    .option('--fast', 'do not slow down for the eye');
}

/** Replays one incident. @throws {StoppedError} what was asked for cannot be read. */
export async function replayIncident(
  session: Session,
  name: string,
  options: ReplayOptions,
): Promise<undefined> {
  const { seed, policy } = options;
  const script = await readScript(session, { name, policy, seed });
  const volume = await volumeAlone(script.policy.source, script.timeline);
  const place: Place = { folder: options.folder };
  const report = await interruptible((signal) =>
    withRuntime(script, place, (scene) =>
      tell({ ...production(session, { script, options, signal }), scene, volume }),
    ),
  );
  if (session.json) session.printJson(report);
}

/** Everything but the scene. */
function production(
  session: Session,
  given: {
    readonly script: Script;
    readonly options: ReplayOptions;
    readonly signal: AbortSignal;
  },
): Omit<Production, 'scene' | 'volume'> {
  const { script, options, signal } = given;
  const { io, json, paint } = session;
  const output = json ? SILENT : io.stdout;
  const isPaced = output.isTerminal && options.wait && options.fast !== true;
  const { incident, seed, policy } = script;
  return {
    script,
    signal,
    screen: openScreen({ output, paint, isPaced, signal }),
    startCount: () => countFalsePauses({ policySource: policy.source, incident, seed, days: DAYS }),
    ending: endingOf(options),
    commandId: io.commandId,
  };
}

function endingOf({ wait, autoResume }: ReplayOptions): Ending {
  if (autoResume) return 'auto';
  return wait ? 'operator' : 'none';
}
