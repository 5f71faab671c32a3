/** What may go wrong on the way to the store and back, and how often in one schedule. */

import type { Random } from './random.ts';

/** What becomes of one call. */
export type Fate =
  | 'fine'
  | 'lost-request'
  | 'lost-reply'
  /** It arrives, and a copy of it arrives later. */
  | 'twice'
  /** Nobody waits for it any more when it arrives. */
  | 'late'
  | 'throttled'
  | 'conflict'
  | 'down';

/** Shares of calls, one number for each fault; and of waits at which the process dies or freezes. */
export type Rates = {
  readonly lost: number;
  readonly late: number;
  readonly twice: number;
  readonly throttled: number;
  readonly conflict: number;
  readonly down: number;
  readonly slow: number;
  readonly crash: number;
  readonly freeze: number;
  /** Reads whose items are not all read at one instant. */
  readonly torn: number;
  /** Batches that are delivered twice. */
  readonly redelivered: number;
  /** Calls that the node of the chain does not answer, and those that it answers with an old head. */
  readonly node: number;
  readonly behind: number;
  /** Times at which a watcher dies before it remembers what it has told. */
  readonly dying: number;
};

/** Nothing goes wrong. */
export const NO_FAULTS: Rates = {
  lost: 0,
  late: 0,
  twice: 0,
  throttled: 0,
  conflict: 0,
  down: 0,
  slow: 0,
  crash: 0,
  freeze: 0,
  torn: 0,
  redelivered: 0,
  node: 0,
  behind: 0,
  dying: 0,
};

/** Rates for one schedule: some faults often, most of them never, so that each shows alone too. */
export function drawRates(random: Random): Rates {
  const some = (share: number, most: number) => (random.chance(share) ? most * random.next() : 0);
  return {
    lost: some(0.5, 0.2),
    late: some(0.3, 0.1),
    twice: some(0.3, 0.2),
    throttled: some(0.3, 0.2),
    conflict: some(0.4, 0.3),
    down: some(0.15, 0.1),
    slow: some(0.4, 0.3),
    crash: some(0.4, 0.05),
    freeze: some(0.25, 0.02),
    torn: some(0.6, 0.5),
    redelivered: some(0.6, 0.4),
    node: some(0.4, 0.3),
    behind: some(0.3, 0.5),
    dying: some(0.5, 0.4),
  };
}

/** Draws what becomes of a call. Only writes meet conflicts. */
export function drawFate(random: Random, rates: Rates, kind: 'read' | 'write'): Fate {
  const drawn = random.next();
  let sum = 0;
  const within = (share: number) => {
    sum += share;
    return drawn < sum;
  };
  if (within(rates.down)) return 'down';
  if (within(rates.lost)) return random.chance(0.5) ? 'lost-request' : 'lost-reply';
  if (within(rates.throttled)) return 'throttled';
  if (kind === 'read') return 'fine';
  if (within(rates.conflict)) return 'conflict';
  if (within(rates.twice)) return 'twice';
  return within(rates.late) ? 'late' : 'fine';
}
