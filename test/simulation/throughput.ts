/** What one item takes in a second: DynamoDB gives a partition 1,000 write units, and a hot item is alone in one. */

import type * as Ledger from '../../lib/domain/ledger.ts';

/** Which transactions find room. */
export type Throughput = {
  /** Whether every item that is written has units left; they are used up then. A refused one uses none. */
  readonly take: (changes: Ledger.Changes) => boolean;
};

/** A write within a transaction costs two units for each KB begun; an item with its meter has about two KB. */
const UNITS_PER_ITEM = 4;

/** Items refill all the time and save up no more than what a second gives. */
export function createThroughput(nowMs: () => number, perSecond: () => number): Throughput {
  const used = new Map<string, { units: number; atMs: number }>();
  const usedNow = (key: string) => {
    const { units, atMs } = used.get(key) ?? { units: 0, atMs: 0 };
    return Math.max(0, units - ((nowMs() - atMs) / 1_000) * perSecond());
  };
  return {
    take: ({ items }) => {
      const next = items.map(({ key }) => ({ key, units: usedNow(key) + UNITS_PER_ITEM }));
      if (next.some(({ units }) => units > perSecond())) return false;
      for (const { key, units } of next) used.set(key, { units, atMs: nowMs() });
      return true;
    },
  };
}
