/** Remembers which admissions were used, so that each opens the signer once. */

import type { Clock } from '../ports.ts';
import { wallClock } from './time.ts';

/**
 * Claims a token's id. Signers that run in several processes need one that they share, for example
 * a conditional put in a table with `expiresAtMs` as its time to live.
 */
export type ReplayStore = {
  /**
   * `true` for the first caller with this id, `false` for every later one until `expiresAtMs`.
   * Throws when it cannot tell: the verifier then refuses.
   */
  readonly claim: (jti: string, expiresAtMs: number) => Promise<boolean>;
};

const ENTRIES_MAX_DEFAULT = 100_000;
/** Ids are kept for this long after they expire: a clock that is set back must not revive one. */
const KEEP_AFTER_MS = 60_000;
const SWEEP_AT_LEAST = 1_024;

/**
 * A store within this process. It forgets expired ids and holds at most `entriesMax`.
 * Fail direction: closed, a full store throws instead of forgetting a token that is still good.
 */
export function createMemoryReplayStore(options: {
  readonly clock?: Clock | undefined;
  readonly entriesMax?: number | undefined;
}): ReplayStore {
  const { clock = wallClock, entriesMax = ENTRIES_MAX_DEFAULT } = options;
  const expiries = new Map<string, number>();
  let sweepAt = SWEEP_AT_LEAST;
  const sweep = () => {
    const nowMs = clock.nowMs();
    for (const [jti, expiresAtMs] of expiries) {
      if (expiresAtMs + KEEP_AFTER_MS <= nowMs) expiries.delete(jti);
    }
    // As many claims again pass before the next sweep as this one left behind.
    sweepAt = Math.max(SWEEP_AT_LEAST, 2 * expiries.size);
  };
  return {
    claim: async (jti, expiresAtMs) => {
      if (expiries.has(jti)) return false;
      if (expiries.size >= Math.min(sweepAt, entriesMax)) sweep();
      if (expiries.size >= entriesMax) throw new FullError({ entriesMax });
      expiries.set(jti, expiresAtMs);
      return true;
    },
  };
}

/** More admissions were used within their lifetime than the store may hold. */
export class FullError extends Error {
  override readonly name = 'ReplayStore.FullError';
  constructor(details: { readonly entriesMax: number }) {
    super(`the store of used admissions is full (${details.entriesMax})`);
  }
}
