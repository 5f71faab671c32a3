/** From the commit of a trip to the first refusal of each kind of reader, through the embedded runtime over HTTP. */

import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { createFlagClient, type FlagClient } from '../lib/client/flag-client.ts';
import * as Random from '../lib/local/replay/random.ts';
import { percentile } from './percentile.ts';
import { walletName } from './sample-policy.ts';
import type { Cell, Section } from './section.ts';
import { NotTrippedError, onStage, outflow, type TripStage } from './trip.ts';

const STRONG = 100;
const POLLED = 50;
const POLL_MS = 500;
/** Looks until a trip is committed, or shows: turns of the loop, or milliseconds. */
const LOOKS_MAX = 100_000;

/** What a strong read that began at the commit was told, and when. */
type StrongRead = { readonly isRefused: boolean; readonly tookMs: number };

/** Trips of fresh wallets, one after another; a polled one at a random moment of its poll. */
export async function measureTripShows(seed: string): Promise<Section> {
  const random = Random.create(`${seed} phase`);
  const { strong, polledMs } = await onStage(STRONG + POLLED, async (stage) => {
    const reads: StrongRead[] = [];
    for (let wallet = 0; wallet < STRONG; wallet += 1)
      reads.push(await readAtCommit(stage, wallet));
    const waits: number[] = [];
    for (let wallet = STRONG; wallet < STRONG + POLLED; wallet += 1) {
      waits.push(await waitForPoll(stage, { wallet, phaseMs: random() * POLL_MS }));
    }
    return { strong: reads, polledMs: waits };
  });
  const strongMs = strong.map(({ tookMs }) => tookMs);
  const boundMs = Math.ceil(POLL_MS + percentile(strongMs, 1));
  return {
    title: 'From the commit of a trip to a refusal, over HTTP',
    columns: ['', 'trips', 'p50', 'slowest'],
    rows: [
      ['strong read that begins at the commit', `${STRONG}`, ...times('strong', strongMs)],
      [`polled every ${POLL_MS} ms`, `${POLLED}`, ...times('polled', polledMs, boundMs)],
    ],
    notes: [
      `first strong reads after the commit that were refused: ${strong.filter(({ isRefused }) => isRefused).length} of ${STRONG}`,
      'the bound of the polled one is a poll and the slowest of the strong reads',
    ],
  };
}

function times(id: string, samples: readonly number[], max?: number): readonly Cell[] {
  const figure = (name: string, share: number) => ({
    id: `shows.${id}.${name}`,
    value: percentile(samples, share),
    unit: 'ms',
    digits: 1,
  });
  const slowest = figure('max', 1);
  return [figure('p50', 0.5), max === undefined ? slowest : { ...slowest, max }];
}

async function readAtCommit(stage: TripStage, wallet: number): Promise<StrongRead> {
  const question = { wallet: walletName(wallet) };
  const flag = createFlagClient({ url: `${stage.runtime.url}/flag` });
  try {
    await enabledAtFirst(() => flag.check(question));
    const committedMs = await commitTrip(stage, wallet);
    const { reason } = await flag.check(question);
    return { isRefused: reason === 'breaker-open', tookMs: performance.now() - committedMs };
  } finally {
    flag.close();
  }
}

async function waitForPoll(
  stage: TripStage,
  one: { readonly wallet: number; readonly phaseMs: number },
): Promise<number> {
  const question = { wallet: walletName(one.wallet) };
  const url = `${stage.runtime.url}/flag`;
  const flag = createFlagClient({ url, pollMs: POLL_MS, contexts: [question] });
  try {
    await flag.refresh();
    await enabledAtFirst(async () => flag.cached(question));
    await sleep(one.phaseMs);
    const committedMs = await commitTrip(stage, one.wallet);
    for (let look = 0; look < LOOKS_MAX; look += 1) {
      if (!flag.cached(question).enabled) return performance.now() - committedMs;
      await sleep(1);
    }
    throw new NotTrippedError({ scope: question.wallet, why: 'what is cached stayed enabled' });
  } finally {
    flag.close();
  }
}

async function enabledAtFirst(ask: () => ReturnType<FlagClient['check']>): Promise<void> {
  const { enabled, text } = await ask();
  if (!enabled) throw new NotTrippedError({ scope: 'flag', why: `at first ${text}` });
}

/** Lets an unapproved outflow leave. When its trip was committed, by `performance.now()`. */
async function commitTrip({ runtime }: TripStage, wallet: number): Promise<number> {
  const before = runtime.lastTripAtMs();
  await runtime.submit([{ detailType: 'outflow.observed', detail: outflow(wallet) }]);
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const atMs = runtime.lastTripAtMs();
    if (atMs !== undefined && atMs !== before) return atMs;
    await nextTurn();
  }
  throw new NotTrippedError({ scope: walletName(wallet), why: 'no trip was committed' });
}
