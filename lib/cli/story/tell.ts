/** Tells a replay from beginning to end. */

import type { FalsePauses } from '../../local/replay/what-if.ts';
import { headerLines } from '../render/replay/header.ts';
import { falsePausesLines, sumsLines } from '../render/replay/sums.ts';
import { clean, wrap } from '../render/text.ts';
import type { Count } from './false-pauses.ts';
import { awaitOperator, openIncidents } from './operator.ts';
import { play } from './play.ts';
import type { Production } from './production.ts';
import { type Report, reportOf } from './report.ts';

/** Calm after something that has to be read. */
const READ_MS = 1_500;
const COUNT_LOOK_MS = 200;

/** Tells the story, and gives what `--json` prints. Everything it started is stopped at the end. */
export async function tell(production: Production): Promise<Report> {
  const { scene, script, screen, startCount, ending } = production;
  let count: Count | undefined;
  try {
    const { policy } = scene.stage;
    screen.print(headerLines({ ...script, policy }, screen));
    const standing = await showStanding(production);
    await screen.rest(2 * READ_MS);
    const played = await play(production, () => {
      count ??= startCount();
    });
    const { result } = played;
    if (!result.tripped) screen.print(untrippedLines(production, standing));
    // A second run over the same folder moves nothing: its sums would tell of thefts that were no new ones.
    if (standing.length === 0) screen.print(sumsLines(result, script.summary, screen));
    await screen.rest(READ_MS);
    count ??= startCount();
    const counted = await countToEnd(production, count);
    const named = { name: policy.name, seed: script.seed };
    screen.print(['', ...falsePausesLines(counted, named, screen)]);
    const resumed = ending === 'none' ? undefined : await awaitOperator(production);
    return reportOf({ production, played, counted, standing, resumed });
  } finally {
    await count?.stop();
  }
}

/** A folder that was used before: what it holds already is no second time. */
async function showStanding(production: Production): Promise<readonly string[]> {
  const { scene, screen } = production;
  const open = await openIncidents(scene);
  if (open.length === 0) return [];
  const main = open.filter(({ quarantinedBy }) => quarantinedBy === undefined);
  const ids = main.map(({ incidentId, scope }) => `${incidentId} (${clean(scope)})`).join(', ');
  const text = `This folder was used before: ${ids} is still open. Events that it knows are duplicates and are not counted again; the flag stays closed until people resume.`;
  screen.print(['', ...wrap(text, screen.columns - 1).map(screen.paint.yellow)]);
  return open.map(({ incidentId }) => incidentId);
}

function untrippedLines({ screen }: Production, standing: readonly string[]): readonly string[] {
  const text =
    standing.length > 0
      ? 'Nothing tripped anew: every event of the drain was a duplicate or met a breaker that is open already.'
      : 'NOT TRIPPED by this drain: the policy saw nothing in it, or ordinary traffic had opened the breaker before.';
  return [...wrap(text, screen.columns - 1).map(screen.paint.yellow), ''];
}

/** Rejects as soon as the story is interrupted: what is counted until then is of no use. */
async function countToEnd({ screen, signal }: Production, count: Count): Promise<FalsePauses> {
  signal.addEventListener('abort', count.stop, { once: true });
  const timer = setInterval(() => {
    const { day, days } = count.progress();
    screen.status(`  counting false pauses on ordinary traffic: day ${day} of ${days}`);
  }, COUNT_LOOK_MS);
  try {
    signal.throwIfAborted();
    return await count.result;
  } finally {
    clearInterval(timer);
    screen.status('');
  }
}
