import type { Io } from '../../../lib/cli/io.ts';
import { paintFor } from '../../../lib/cli/render/paint.ts';
import { openSession } from '../../../lib/cli/session.ts';
import type { Ending } from '../../../lib/cli/story/production.ts';
import type { Report } from '../../../lib/cli/story/report.ts';
import type { Scene } from '../../../lib/cli/story/scene.ts';
import { openScreen } from '../../../lib/cli/story/screen.ts';
import { readScript } from '../../../lib/cli/story/script.ts';
import { tell } from '../../../lib/cli/story/tell.ts';
import { falsePauses, volumeAlone } from '../../../lib/local/replay/what-if.ts';
import { counter, memoryScene } from './memory-scene.ts';

/** Width of the terminal of a story. */
export const COLUMNS = 80;
/** Days of false pauses that a test can wait for. */
const DAYS = 2;

/** A story that was told, as text of a terminal's width and as report. */
export type Told = { readonly text: string; readonly report: Report };

/** Tells a replay over the in-memory store, on the scene of an earlier one if that is given. */
export async function told(
  name: string,
  given: { readonly ending?: Ending; readonly scene?: Scene } = {},
): Promise<Told> {
  const parts: string[] = [];
  const output = {
    isTerminal: false,
    columns: COLUMNS,
    write: (part: string) => {
      parts.push(part);
    },
  };
  const io: Io = { ...quiet, stdout: output };
  const script = await readScript(openSession(io, {}), { name, seed: '1' });
  const { incident, policy, timeline, seed } = script;
  const { signal } = new AbortController();
  const paint = paintFor(output, { NO_COLOR: '1' });
  const report = await tell({
    script,
    signal,
    screen: { ...openScreen({ output, paint, isPaced: false, signal }), columns: COLUMNS },
    scene: given.scene ?? (await memoryScene(policy.source, timeline.startMs)),
    volume: await volumeAlone(policy.source, timeline),
    startCount: () => ({
      progress: () => ({ day: 0, days: DAYS }),
      result: falsePauses({ policySource: policy.source, incident, seed, days: DAYS }),
      stop: async () => undefined,
    }),
    ending: given.ending ?? 'none',
    commandId: counter('story-command-'),
  });
  return { text: parts.join(''), report };
}

const quiet: Omit<Io, 'stdout'> = {
  stderr: { isTerminal: false, columns: undefined, write: () => undefined },
  readStdin: async () => '',
  question: async () => '',
  secret: async () => '',
  isInteractive: false,
  env: {},
  cwd: '/nonexistent',
  nowMs: () => 0,
  commandId: () => 'unused-command',
  sleep: async () => undefined,
};
