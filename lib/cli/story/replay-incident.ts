/** Sets up one replay and tells it. */

import { volumeAlone } from '../../local/replay/what-if.ts';
import { interruptible } from '../interrupt.ts';
import type { Session } from '../session.ts';
import { countFalsePauses } from './false-pauses.ts';
import type { Ending, Production } from './production.ts';
import { type Place, withRuntime } from './scene.ts';
import { openScreen, SILENT } from './screen.ts';
import { readScript, type Script } from './script.ts';
import { tell } from './tell.ts';

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
