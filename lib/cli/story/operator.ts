/** The last act: people look, and resume. */

import { setTimeout as sleep } from 'node:timers/promises';
import { incidentTraffic } from '../../local/replay/incident-traffic.ts';
import type { TimelineItem } from '../../local/replay/timeline.ts';
import { INCIDENTS, type Incident, RESULT, STATUS } from '../answers.ts';
import { ask } from '../ask.ts';
import { resumedLines, waitingLines } from '../render/replay/ending.ts';
import { clockTime, sizeOf, walletOf } from '../render/replay/words.ts';
import { clean, wrap } from '../render/text.ts';
import { span } from '../render/time.ts';
import { type Production, viewOf } from './production.ts';
import type { Scene } from './scene.ts';

const DAY_MS = 86_400_000;
const POLL_MS = 500;
/** Polls between two proofs of health: the flag must be in force again when people resume. */
const TICK_EVERY_POLLS = 10;
/** So that an automatic resume can be followed. */
const AUTO_REST_MS = 1_500;

/** How it ended. */
export type Resumed = {
  readonly by: readonly {
    readonly incidentId: string;
    readonly actor: string;
    readonly reason: string;
  }[];
  readonly trial: boolean;
  readonly flagEnabled: boolean;
  /** Whether the next ordinary withdrawal was paid without a new trip. */
  readonly nextFlows: boolean;
};

/** Incidents that are open now. */
export async function openIncidents(scene: Scene): Promise<readonly Incident[]> {
  const { value } = await ask(scene.transport, { command: 'incidents' }, INCIDENTS);
  return value.filter((incident) => incident.state === 'open');
}

/**
 * Waits until people, or with `auto` the story itself, have closed every incident but those of suspect
 * destinations; then shows that money flows.
 */
export async function awaitOperator(production: Production): Promise<Resumed | undefined> {
  const { scene, screen, ending } = production;
  const open = await openIncidents(scene);
  if (open.length === 0) return undefined;
  const { value: status } = await ask(scene.transport, { command: 'status' }, STATUS);
  const trial = status.policy.resume === 'trial';
  const along = open.filter(({ quarantinedBy }) => quarantinedBy !== undefined);
  const main = open.filter(({ quarantinedBy }) => quarantinedBy === undefined);
  const way = { address: scene.address, isTrial: trial, along };
  screen.print(['', ...waitingLines(main, way, screen), '']);
  if (ending === 'auto') await resumeAll(production, { main, along });
  const closed = await untilClosed(production, { open, trial });
  const by = closed.map(({ incidentId, closed: end }) => ({
    incidentId,
    actor: end?.actor ?? 'unknown',
    reason: end?.reason ?? '',
  }));
  return { by, trial, ...(await showNext(production)) };
}

/** Each with the wallets that were stopped along with it; suspect destinations stay stopped. */
async function resumeAll(
  production: Production,
  open: { readonly main: readonly Incident[]; readonly along: readonly Incident[] },
): Promise<void> {
  const { scene, screen, commandId } = production;
  for (const { incidentId } of open.main) {
    await screen.rest(AUTO_REST_MS);
    const reason = 'replay: resumed automatically';
    const wallets = open.along.filter((one) => one.quarantinedBy === incidentId && isWallet(one));
    const also = wallets.map((one) => one.incidentId);
    const request = {
      command: 'resume',
      commandId: commandId(),
      incidentId,
      also,
      reason,
    } as const;
    await ask(scene.transport, request, RESULT);
  }
}

function isWallet({ scope }: Incident): boolean {
  return scope.startsWith('wallet:');
}

/** Nobody has to resume a suspect destination. */
function isSuspect(incident: Incident): boolean {
  return incident.quarantinedBy !== undefined && !isWallet(incident);
}

async function untilClosed(
  production: Production,
  waiting: { readonly open: readonly Incident[]; readonly trial: boolean },
): Promise<readonly Incident[]> {
  const { scene, screen, signal } = production;
  const startedMs = performance.now();
  const closed = new Map<string, Incident>();
  for (let poll = 0; ; poll += 1) {
    const { value } = await ask(scene.transport, { command: 'incidents' }, INCIDENTS);
    const inOrder = value.toSorted((a, b) => (a.closed?.atMs ?? 0) - (b.closed?.atMs ?? 0));
    for (const incident of inOrder) {
      const { incidentId, state } = incident;
      const isAwaited =
        incident.quarantinedBy === undefined &&
        waiting.open.some((each) => each.incidentId === incidentId);
      if (state === 'open' || !isAwaited || closed.has(incidentId)) continue;
      closed.set(incidentId, incident);
      screen.print(resumedLines(incident, waiting.trial, screen.paint));
    }
    if (value.every((incident) => incident.state === 'closed' || isSuspect(incident))) {
      return [...closed.values()];
    }
    screen.status(`  waiting for resume (${span(performance.now() - startedMs)})`);
    await sleep(POLL_MS, undefined, { signal });
    if (poll % TICK_EVERY_POLLS === 0) await scene.tick();
  }
}

/** The next ordinary withdrawal after the replay: the flag lets it go, and it is counted as ever. */
async function showNext(
  production: Production,
): Promise<{ readonly flagEnabled: boolean; readonly nextFlows: boolean }> {
  const { scene, screen } = production;
  const { stage } = scene;
  const view = viewOf(production);
  const item = nextWithdrawal(production);
  if (!item) return { flagEnabled: false, nextFlows: false };
  await stage.advanceTo(item.atMs);
  const wallet = walletOf(view.policy, item.detail.wallet);
  const flag = await stage.flag(item);
  const said = flag.enabled ? screen.paint.green('ENABLED') : screen.paint.red('NOT ENABLED');
  const at = clockTime(Math.max(item.atMs, scene.nowMs()));
  screen.print([`${at}  the flag says ${said} for ${wallet}: ${clean(flag.text)}`]);
  if (!flag.enabled) return { flagEnabled: false, nextFlows: false };
  await screen.rest(AUTO_REST_MS);
  const { opened } = await stage.send(item);
  const size = sizeOf(view.policy, item);
  if (opened.length === 0) {
    screen.print([
      `${at}  the next ordinary withdrawal, ${size}, is ${screen.paint.green('PAID')}`,
    ]);
    return { flagEnabled: true, nextFlows: true };
  }
  const again = opened[0] ? await stage.incident(opened[0].incidentId) : undefined;
  const text = `${at}  the next ordinary withdrawal, ${size}, trips again: ${clean(again?.first.text ?? '')}. That is meant: a resume gives no budget back, and what left counts until its window has passed.`;
  screen.print(wrap(text, screen.columns - 1));
  return { flagEnabled: true, nextFlows: false };
}

function nextWithdrawal({ scene, script }: Production): TimelineItem | undefined {
  const startMs = Math.max(script.timeline.endMs, scene.nowMs());
  const { incident, seed } = script;
  for (const event of incidentTraffic(incident, { seed, startMs, durationMs: DAY_MS })) {
    return { ...event, kind: 'normal' };
  }
  return undefined;
}
