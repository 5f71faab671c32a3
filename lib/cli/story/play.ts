/** The replay itself: ordinary traffic, the theft, the trip, and what follows. */

import { setTimeout as sleep } from 'node:timers/promises';
import * as Money from '../../domain/money.ts';
import type { Message } from '../../domain/page.ts';
import type { Policy } from '../../domain/policy.ts';
import * as Scope from '../../domain/scope.ts';
import { type Progress, replay, type Tally, type Tripped } from '../../local/replay/run.ts';
import type { TimelineItem } from '../../local/replay/timeline.ts';
import { firstTheftLines, refusedLine, theftLine } from '../render/replay/outflow.ts';
import { pageBox } from '../render/replay/page.ts';
import { countLines, speedLines, trippedLines, volumeLines } from '../render/replay/trip.ts';
import { hourTime } from '../render/replay/words.ts';
import { plural } from '../render/text.ts';
import { createHours, type Hours } from './hours.ts';
import { createPacer } from './pacer.ts';
import { type Played, type Production, viewOf } from './production.ts';

/** Refused withdrawals that are shown one by one; the others are counted. */
const REFUSED_SHOWN = 3;
/** Calm after something that has to be read. */
const READ_MS = 1_500;
const PAGE_WAIT_MAX_MS = 5_000;
const PAGE_POLL_MS = 25;

/** What the acts tell each other. */
type State = {
  act: 'before' | 'after';
  refusedShown: number;
  page?: Message;
};

/** Plays the whole timeline on the screen. `onTripped` is called when the trip has been shown. */
export async function play(production: Production, onTripped: () => void): Promise<Played> {
  const { scene, script, screen } = production;
  const state: State = { act: 'before', refusedShown: 0 };
  const hours = createHours(production);
  const theft = script.timeline.items.find((item) => item.kind === 'incident');
  const pacer = createPacer(screen, script.timeline.items);
  screen.print(['', ...hours.heading()]);
  const stage = {
    ...scene.stage,
    send: async (item: TimelineItem) => {
      if (state.act === 'before' && item.kind === 'incident') {
        state.act = 'after';
        // Before it is sent: what the limits hold without it.
        await hours.close(item.atMs);
      }
      return scene.stage.send(item);
    },
  };
  const result = await replay(stage, script.timeline, async (progress) => {
    if (progress.type === 'tripped') {
      await showTrip(production, hours, { tripped: progress.tripped, state });
      onTripped();
      return;
    }
    await pacer();
    if (progress.item === theft) {
      screen.print(['', ...firstTheftLines(progress.item, viewOf(production))]);
    } else if (state.act === 'before') await hours.add(progress);
    else showAfter(production, { progress, state });
  });
  screen.print(closing(result.tally));
  const { page } = state;
  return page ? { result, page: { subject: page.subject, body: page.body } } : { result };
}

type Item = Extract<Progress, { readonly type: 'item' }>;

async function showTrip(
  production: Production,
  hours: Hours,
  now: { readonly tripped: Tripped; readonly state: State },
): Promise<void> {
  const { scene, script, screen, volume } = production;
  const { tripped, state } = now;
  const view = viewOf(production);
  const wallets = walletsIn(scene.stage.policy, tripped.incident.scope);
  screen.print(['', ...trippedLines(tripped, { wallets }, view)]);
  await screen.rest(READ_MS);
  const byVolume = tripped.incident.first.kind === 'limit';
  const { limits, line } = await hours.gauges();
  screen.print([
    ...(byVolume ? countLines(limits, view) : volumeLines(volume, script.incident, view)),
    line,
    '',
    ...speedLines(tripped, script.summary, view),
  ]);
  await screen.rest(READ_MS);
  const page = await pageOf(production, tripped.incident.incidentId);
  if (page) {
    state.page = page;
    screen.print(['', ...pageBox(page, view)]);
    await screen.rest(2 * READ_MS);
  }
  screen.print([
    '',
    screen.paint.bold('What follows: the service asks the flag, the thief asks nobody'),
  ]);
}

/** Waits for the page: it is on its way through the stream. */
async function pageOf(production: Production, incidentId: string): Promise<Message | undefined> {
  const { scene, signal } = production;
  for (let waitedMs = 0; waitedMs < PAGE_WAIT_MAX_MS; waitedMs += PAGE_POLL_MS) {
    const page = scene
      .messages()
      .find(({ severity, body }) => severity === 'page' && body.includes(incidentId));
    if (page) return page;
    await sleep(PAGE_POLL_MS, undefined, { signal });
  }
  return undefined;
}

function showAfter(
  production: Production,
  now: { readonly progress: Item; readonly state: State },
): void {
  const { screen, scene } = production;
  const { item, result, tally } = now.progress;
  const view = viewOf(production);
  const repeats = item.detailType === 'outflow.observed' && item.detail.withdrawalId !== undefined;
  if (item.kind === 'incident' && result === 'sent' && !repeats) {
    screen.print([theftLine(item, view)]);
  }
  if (result === 'refused' && isShown(item, now.state)) screen.print([refusedLine(item, view)]);
  if (tally.refused > 0) {
    const sum = Money.formatUsd(tally.refusedNotional);
    screen.status(
      `${hourTime(Math.max(item.atMs, scene.nowMs()))}      refused to the exchange's own service: ${plural(tally.refused, 'withdrawal')}, ${sum}`,
    );
  }
}

/** The first refused ones, and each of the drain itself. */
function isShown(item: TimelineItem, state: State): boolean {
  if (item.kind === 'incident') return true;
  state.refusedShown += 1;
  return state.refusedShown <= REFUSED_SHOWN;
}

function closing(tally: Tally): readonly string[] {
  const { refused, refusedNotional } = tally;
  const more = Math.max(0, refused - REFUSED_SHOWN);
  if (more === 0) return [''];
  return [
    `           and ${more} more ordinary withdrawals REFUSED: ${refused} in all, ${Money.formatUsd(refusedNotional)}`,
    '',
  ];
}

/** Wallets that stop when a scope is open, as far as the policy names them; 0 where it does not say. */
function walletsIn(policy: Policy, scope: string): number {
  const { kind, id } = Scope.parseKey(scope);
  if (kind === 'global') return policy.wallets.length;
  if (kind === 'key-domain')
    return policy.wallets.filter((wallet) => wallet.keyDomain === id).length;
  return kind === 'wallet' ? 1 : 0;
}
