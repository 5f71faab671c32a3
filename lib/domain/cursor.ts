/**
 * How far a chain has been read, and what to read next. Blocks follow each other by parent hash:
 * whatever a node says, a block that does not follow the last one is a reorg or a gap, never skipped.
 */

import type { Header } from './block.ts';
import type { ChainId } from './caip.ts';

/** A block that was read. */
export type Seen = Pick<Header, 'number' | 'hash'>;

/** The newest blocks that were read, oldest first, each the parent of the next. */
export type Cursor = {
  readonly chain: ChainId;
  /** At most {@link RECENT_MAX}; empty before the first block. */
  readonly recent: readonly Seen[];
  /** The newest block that was deep enough to be accounted. */
  readonly accounted?: Seen;
  /** When a block came that was newer than all before, by our clock. */
  readonly seenAtMs: number;
  /** The own time of the newest block. */
  readonly timestampMs: number;
};

/** How much is read at once, and how deep a block must lie to be accounted. */
export type Reading = {
  /** Longest range of one step, blocks. */
  readonly spanMax: number;
  /** 0: at first sight. */
  readonly confirmations: number;
};

/**
 * What to do about a head.
 * `read`: this range, both ends included. `behind` counts the blocks that are missing up to the head.
 * `fork`: the head is no descendant of what was read: look for the fork with {@link search}.
 * `idle`: nothing is new, or the node is behind us.
 * `old`: the head is older than everything that is remembered: a node that lost its way. Ignored (H67).
 */
export type Plan =
  | { readonly kind: 'read'; readonly from: number; readonly to: number; readonly behind: number }
  | { readonly kind: 'fork' }
  | { readonly kind: 'idle' }
  | { readonly kind: 'old' };

/** Blocks that are remembered: as deep a reorg can be undone block by block. */
export const RECENT_MAX = 256;

/** A chain of which nothing has been read. `nowMs` starts the time until it counts as blind. */
export function start(chain: ChainId, nowMs: number): Cursor {
  return { chain, recent: [], seenAtMs: nowMs, timestampMs: nowMs };
}

/** What to read next. The first block ever read is the head: what came before is not this watcher's. */
export function plan(cursor: Cursor, head: Header, reading: Pick<Reading, 'spanMax'>): Plan {
  const newest = cursor.recent.at(-1);
  const oldest = cursor.recent[0];
  if (!newest || !oldest) return { kind: 'read', from: head.number, to: head.number, behind: 1 };
  if (head.number < oldest.number) return { kind: 'old' };
  const known = cursor.recent[head.number - oldest.number];
  if (known) return known.hash === head.hash ? { kind: 'idle' } : { kind: 'fork' };
  const behind = head.number - newest.number;
  if (behind === 1 && head.parentHash !== newest.hash) return { kind: 'fork' };
  const to = Math.min(head.number, newest.number + reading.spanMax);
  return { kind: 'read', from: newest.number + 1, to, behind };
}

/** Whether read blocks continue a cursor, and what they changed. */
export type Advance =
  | {
      readonly kind: 'advanced';
      readonly cursor: Cursor;
      /** Blocks that have become deep enough to be accounted, oldest first; each comes once. */
      readonly confirmed: readonly Seen[];
    }
  /** They do not follow what was read: look for the fork with {@link search}. */
  | { readonly kind: 'fork' };

/**
 * Goes on to blocks that were read, oldest first. Depth is counted from the newest of them.
 *
 * @throws {BrokenChainError} the blocks do not follow each other.
 */
export function advance(
  cursor: Cursor,
  headers: readonly Header[],
  at: { readonly nowMs: number; readonly confirmations: number },
): Advance {
  const [first] = headers;
  const last = headers.at(-1);
  if (!first || !last) return { kind: 'advanced', cursor, confirmed: [] };
  for (const [place, header] of headers.slice(1).entries()) {
    const parent = headers[place];
    const follows = header.parentHash === parent?.hash && header.number === parent.number + 1;
    if (!follows) throw new BrokenChainError({ number: header.number });
  }
  const newest = cursor.recent.at(-1);
  const continues = newest?.hash === first.parentHash && newest.number + 1 === first.number;
  if (newest && !continues) return { kind: 'fork' };
  const all = [...cursor.recent, ...headers.map(({ number, hash }) => ({ number, hash }))];
  const deepest = last.number - at.confirmations;
  const from = cursor.accounted?.number ?? -1;
  const confirmed = all.filter(({ number }) => number > from && number <= deepest);
  const accounted = confirmed.at(-1) ?? cursor.accounted;
  return {
    kind: 'advanced',
    cursor: {
      chain: cursor.chain,
      recent: kept(all, accounted),
      ...(accounted ? { accounted } : {}),
      seenAtMs: at.nowMs,
      timestampMs: last.timestampMs,
    },
    confirmed,
  };
}

/** Enough to find a fork, and never less than what waits to be accounted. */
function kept(all: readonly Seen[], accounted: Seen | undefined): readonly Seen[] {
  const waiting = all.filter(({ number }) => number > (accounted?.number ?? -1)).length;
  return all.slice(-Math.max(RECENT_MAX, waiting));
}

/**
 * Where the chain left what was read.
 * `ask`: the hash at this height is needed to go on. `found`: the removed blocks, newest first, and
 * the cursor without them; `isWhole` is false where the fork lies before everything remembered: then
 * older blocks have been removed too, and a person must look.
 */
export type Search =
  | { readonly kind: 'ask'; readonly number: number }
  | {
      readonly kind: 'found';
      readonly removed: readonly Seen[];
      readonly cursor: Cursor;
      readonly isWhole: boolean;
    };

/**
 * Finds the newest block that is still in the chain, by halving: a block is in the chain only if all
 * before it are. `hashes` is what the chain has now by height, as far as it was asked;
 * `absent`: it has none there. Fewer than ten questions for all that is remembered.
 */
export function search(cursor: Cursor, hashes: ReadonlyMap<number, string | 'absent'>): Search {
  const { recent } = cursor;
  let stays = -1;
  let gone = recent.length;
  for (const [place, { number, hash }] of recent.entries()) {
    const now = hashes.get(number);
    if (now === undefined) continue;
    if (now === hash) stays = Math.max(stays, place);
    else gone = Math.min(gone, place);
  }
  const middle = recent[Math.floor((stays + gone) / 2)];
  if (gone - stays > 1 && middle) return { kind: 'ask', number: middle.number };
  const left = recent.slice(0, stays + 1);
  const last = left.at(-1);
  const { accounted } = cursor;
  const isAccounted = accounted !== undefined && last !== undefined;
  const back = isAccounted && accounted.number > last.number ? last : accounted;
  return {
    kind: 'found',
    removed: recent.slice(stays + 1).toReversed(),
    cursor: {
      chain: cursor.chain,
      recent: left,
      ...(back && last ? { accounted: back } : {}),
      seenAtMs: cursor.seenAtMs,
      timestampMs: cursor.timestampMs,
    },
    isWhole: left.length > 0 || recent.length === 0,
  };
}

/** Why a chain is not seen. */
export type Sight = { readonly kind: 'seeing' } | { readonly kind: 'blind'; readonly why: string };

/**
 * Whether blocks come. Both our clock and the block's own time must be young: a node that repeats old
 * blocks shows nothing of now, nor does one that stamps blocks with a time that has not come: by such a
 * time nobody can tell how old they are. `aheadMaxMs`: how far clocks may differ.
 * Fail direction: closed, blind is when nobody knows.
 */
export function sight(
  cursor: Cursor,
  at: {
    readonly nowMs: number;
    readonly blockTimeMs: number;
    readonly blocksMax: number;
    readonly aheadMaxMs: number;
  },
): Sight {
  const boundMs = at.blockTimeMs * at.blocksMax;
  const quietMs = at.nowMs - cursor.seenAtMs;
  const ageMs = at.nowMs - cursor.timestampMs;
  const seconds = (ms: number) => Math.round(ms / 1_000);
  if (quietMs > boundMs) {
    const why = `no new block of ${cursor.chain} for ${seconds(quietMs)} s`;
    return { kind: 'blind', why };
  }
  if (ageMs > boundMs) {
    const why = `the newest block of ${cursor.chain} that was read is ${seconds(ageMs)} s old`;
    return { kind: 'blind', why };
  }
  if (!(-ageMs <= at.aheadMaxMs)) {
    const why = `the newest block of ${cursor.chain} that was read is stamped ${seconds(-ageMs)} s ahead of our clock`;
    return { kind: 'blind', why };
  }
  return { kind: 'seeing' };
}

/** Blocks that were given as one chain are none: a mistake of the caller. */
export class BrokenChainError extends Error {
  override readonly name = 'Cursor.BrokenChainError';
  constructor(details: { readonly number: number }) {
    super(`block ${details.number} does not follow the block that was read before it`);
  }
}
