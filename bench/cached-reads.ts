/** What a read of the flag from memory costs: no IO, a look-up and two clocks. */

import type { Question } from '../lib/actions/read-flag.ts';
import { createFlagClient } from '../lib/client/flag-client.ts';
import type { Flag } from '../lib/domain/flag.ts';
import { percentile } from './percentile.ts';
import { walletName } from './sample-policy.ts';
import type { Cell, Section } from './section.ts';

/** Questions that are watched at one time: one, and as many as a client takes unless told otherwise. */
const WATCHED = [1, 100] as const;
const READS = 200_000;
/** Reads before those that are measured: the compiler has seen the code by then. */
const WARM_UP = 20_000;
const P99_MAX_US = 5;
const NS_PER_US = 1_000;
const LEASE_MS = 600_000;

/** Reads one after another; each time is from call to answer and holds one look at the clock. */
export async function measureCachedReads(): Promise<Section> {
  const rows: Cell[][] = [];
  for (const watched of WATCHED) rows.push(row(watched, await timesUs(watched)));
  return {
    title: 'A read of the flag from memory (flag client, cached)',
    columns: ['questions watched', 'p50', 'p99', 'p99.9'],
    rows,
    notes: [`${READS.toLocaleString('en-US')} reads each, one after another, every answer enabled`],
  };
}

function row(watched: number, samplesUs: readonly number[]): Cell[] {
  const cell = (name: string, share: number, max?: number): Cell => ({
    id: `cached.${watched}.${name}`,
    value: percentile(samplesUs, share),
    unit: 'µs',
    digits: 2,
    ...(max === undefined ? {} : { max }),
  });
  return [`${watched}`, cell('p50', 0.5), cell('p99', 0.99, P99_MAX_US), cell('p999', 0.999)];
}

async function timesUs(watched: number): Promise<readonly number[]> {
  const contexts = Array.from({ length: watched }, (_, n): Question => questionOf(n));
  const flag = createFlagClient({ read: enabled, contexts, contextsMax: watched });
  try {
    await flag.refresh();
    const samplesUs: number[] = [];
    for (let at = -WARM_UP; at < READS; at += 1) {
      // A question of its own each time, as a service makes it of what it is about to send.
      const question = questionOf(Math.abs(at) % watched);
      const startedAtNs = process.hrtime.bigint();
      const { enabled: isEnabled } = flag.cached(question);
      const tookNs = process.hrtime.bigint() - startedAtNs;
      if (!isEnabled) throw new NotEnabledError();
      if (at >= 0) samplesUs.push(Number(tookNs) / NS_PER_US);
      // Polls go on, or the answers would grow too old.
      if (at % WARM_UP === 0) await flag.refresh();
    }
    return samplesUs;
  } finally {
    flag.close();
  }
}

function questionOf(wallet: number): Question {
  return { wallet: walletName(wallet), asset: 'eip155:1/slip44:60', actor: 'customer-7' };
}

async function enabled(): Promise<Flag> {
  const inForceUntilMs = Date.now() + LEASE_MS;
  return { enabled: true, reason: 'enabled', text: 'withdrawals are enabled', inForceUntilMs };
}

/** What is measured is a read that says yes. */
class NotEnabledError extends Error {
  override readonly name = 'CachedReads.NotEnabledError';
}
