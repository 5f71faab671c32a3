import { describe, expect, test } from 'vitest';
import type { Header } from '../../lib/domain/block.ts';
import * as Cursor from '../../lib/domain/cursor.ts';
import { CHAIN, SECOND_MS, T0_MS } from '../support/builders.ts';

/** Blocks from a number on; `branch` tells two chains of the same heights apart, `after` is a parent on the other one. */
function chain(
  from: number,
  count: number,
  { branch = 'a', after }: { readonly branch?: string; readonly after?: string } = {},
): readonly Header[] {
  return Array.from({ length: count }, (_, at) => ({
    number: from + at,
    hash: `0x${branch}${from + at}`,
    parentHash: `0x${at === 0 ? (after ?? branch) : branch}${from + at - 1}`,
    timestampMs: T0_MS + (from + at) * SECOND_MS,
  }));
}

function advanced(cursor: Cursor.Cursor, headers: readonly Header[], confirmations = 0) {
  const next = Cursor.advance(cursor, headers, { nowMs: T0_MS, confirmations });
  if (next.kind === 'fork') throw new Error('fork');
  return next;
}

const fresh = Cursor.start(CHAIN, T0_MS);
const at10 = advanced(fresh, chain(1, 10)).cursor;
const head = (number: number, branch = 'a') => chain(number, 1, { branch })[0]!;
const spanMax = 100;

describe('start', () => {
  test('default', () => {
    expect(fresh).toEqual({ chain: CHAIN, recent: [], seenAtMs: T0_MS, timestampMs: T0_MS });
  });
});

describe('plan', () => {
  test('default: the first block is the head', () => {
    expect(Cursor.plan(fresh, head(500), { spanMax })).toEqual({
      kind: 'read',
      from: 500,
      to: 500,
      behind: 1,
    });
  });

  test('behavior: the next block', () => {
    const plan = Cursor.plan(at10, head(11), { spanMax });
    expect(plan).toEqual({ kind: 'read', from: 11, to: 11, behind: 1 });
  });

  test('behavior: H68 a gap is counted and read in bounded ranges', () => {
    const plan = (number: number) => Cursor.plan(at10, head(number), { spanMax });
    expect(plan(110)).toEqual({ kind: 'read', from: 11, to: 110, behind: 100 });
    expect(plan(111)).toEqual({ kind: 'read', from: 11, to: 110, behind: 101 });
  });

  test('behavior: nothing new, or a node behind us', () => {
    expect(Cursor.plan(at10, head(10), { spanMax })).toEqual({ kind: 'idle' });
    expect(Cursor.plan(at10, head(1), { spanMax })).toEqual({ kind: 'idle' });
  });

  test('behavior: H66 another block at a height that was read, or another parent', () => {
    expect(Cursor.plan(at10, head(10, 'b'), { spanMax })).toEqual({ kind: 'fork' });
    expect(Cursor.plan(at10, head(7, 'b'), { spanMax })).toEqual({ kind: 'fork' });
    expect(Cursor.plan(at10, head(11, 'b'), { spanMax })).toEqual({ kind: 'fork' });
  });

  test('behavior: H67 a head older than all that is remembered is ignored', () => {
    expect(Cursor.plan(at10, head(0), { spanMax })).toEqual({ kind: 'old' });
  });
});

describe('advance', () => {
  test('args: no blocks', () => {
    expect(advanced(at10, [])).toEqual({ kind: 'advanced', cursor: at10, confirmed: [] });
  });

  test('behavior: remembers a bounded number of blocks', () => {
    const { cursor } = advanced(at10, chain(11, 300));
    expect(cursor.recent).toHaveLength(Cursor.RECENT_MAX);
    expect(cursor.recent.at(-1)).toEqual({ number: 310, hash: '0xa310' });
    expect(cursor.accounted).toEqual({ number: 310, hash: '0xa310' });
  });

  test('behavior: H73 each block is confirmed once, at its depth', () => {
    const first = advanced(fresh, chain(1, 3), 3);
    expect(first.confirmed).toEqual([]);
    const second = advanced(first.cursor, chain(4, 1), 3);
    expect(second.confirmed.map(({ number }) => number)).toEqual([1]);
    const third = advanced(second.cursor, chain(5, 4), 3);
    expect(third.confirmed.map(({ number }) => number)).toEqual([2, 3, 4, 5]);
  });

  test('behavior: nothing that waits to be confirmed is forgotten', () => {
    const { cursor } = advanced(fresh, chain(1, 400), 300);
    const waiting = advanced(cursor, chain(401, 1), 300);
    expect(waiting.confirmed.map(({ number }) => number)).toEqual([101]);
    expect(waiting.cursor.recent).toHaveLength(300);
  });

  test('behavior: H66 blocks that do not follow are a fork', () => {
    const at = { nowMs: T0_MS, confirmations: 0 };
    expect(Cursor.advance(at10, chain(11, 2, { branch: 'b' }), at)).toEqual({ kind: 'fork' });
    expect(Cursor.advance(at10, chain(12, 2), at)).toEqual({ kind: 'fork' });
  });

  test('error: blocks that do not follow each other', () => {
    const broken = [head(11), head(13)];
    const at = { nowMs: T0_MS, confirmations: 0 };
    expect(() => Cursor.advance(at10, broken, at)).toThrow(Cursor.BrokenChainError);
  });

  test('error: the hash of the parent alone, and the number alone, are not enough', () => {
    const at = { nowMs: T0_MS, confirmations: 0 };
    const [one, two] = chain(11, 2);
    const skipped = [one!, { ...two!, number: 13 }];
    expect(() => Cursor.advance(at10, skipped, at)).toThrow(
      'block 13 does not follow the block that was read before it',
    );
    const foreign = [one!, head(12, 'b')];
    expect(() => Cursor.advance(at10, foreign, at)).toThrow('block 12 does not follow');
    expect(Cursor.advance(at10, [{ ...one!, number: 12 }], at)).toEqual({ kind: 'fork' });
    expect(Cursor.advance(at10, [head(11, 'b')], at)).toEqual({ kind: 'fork' });
  });
});

/** Asks a chain until the fork is found. */
function searched(cursor: Cursor.Cursor, hashAt: (number: number) => string | 'absent') {
  const hashes = new Map<number, string | 'absent'>();
  for (let questions = 0; questions < 20; questions++) {
    const found = Cursor.search(cursor, hashes);
    if (found.kind === 'found') return { ...found, questions };
    hashes.set(found.number, hashAt(found.number));
  }
  throw new Error('never found');
}

describe('search', () => {
  test('behavior: H66 the removed blocks, newest first, and the cursor without them', () => {
    const found = searched(at10, (number) => (number <= 7 ? `0xa${number}` : `0xb${number}`));
    expect(found.removed.map(({ number }) => number)).toEqual([10, 9, 8]);
    expect(found.cursor.recent.at(-1)).toEqual({ number: 7, hash: '0xa7' });
    expect(found.cursor.accounted).toEqual({ number: 7, hash: '0xa7' });
    expect(found.isWhole).toBe(true);
    const next = chain(8, 5, { branch: 'b', after: 'a' });
    expect(advanced(found.cursor, next).confirmed.map(({ hash }) => hash)[0]).toBe('0xb8');
  });

  test('behavior: a shorter chain has nothing at some heights', () => {
    const found = searched(at10, (number) => (number <= 9 ? `0xa${number}` : 'absent'));
    expect(found.removed).toEqual([{ number: 10, hash: '0xa10' }]);
  });

  test('behavior: H73 what was accounted before the fork stays accounted', () => {
    const deep = advanced(fresh, chain(1, 10), 6).cursor;
    expect(deep.accounted?.number).toBe(4);
    const forked = (stays: number) =>
      searched(deep, (number) => (number <= stays ? `0xa${number}` : `0xb${number}`)).cursor;
    expect(forked(7).accounted).toEqual({ number: 4, hash: '0xa4' });
    expect(forked(4).accounted).toEqual({ number: 4, hash: '0xa4' });
    expect(forked(3).accounted).toEqual({ number: 3, hash: '0xa3' });
  });

  test('behavior: of a chain of which nothing was read nothing is removed', () => {
    expect(searched(fresh, () => 'absent')).toMatchObject({ removed: [], isWhole: true });
    const { cursor } = searched(advanced(fresh, chain(1, 3), 9).cursor, (n) =>
      n === 1 ? '0xa1' : 'absent',
    );
    expect(cursor).not.toHaveProperty('accounted');
  });

  test('behavior: a fork before everything that is remembered', () => {
    const found = searched(at10, (number) => `0xb${number}`);
    expect(found.removed).toHaveLength(10);
    expect(found.isWhole).toBe(false);
    expect(found.cursor.recent).toEqual([]);
    expect(found.cursor.accounted).toBeUndefined();
  });

  test('behavior: any depth is found with at most nine questions', () => {
    const { cursor } = advanced(fresh, chain(1, 256));
    for (let stays = 0; stays <= 256; stays++) {
      const found = searched(cursor, (n) => (n <= stays ? `0xa${n}` : `0xb${n}`));
      expect(found.removed).toHaveLength(256 - stays);
      expect(found.questions).toBeLessThanOrEqual(9);
    }
  });
});

describe('sight', () => {
  const bound = { blockTimeMs: 12_000, blocksMax: 5, aheadMaxMs: 17_000 };
  const cursor = { ...at10, seenAtMs: T0_MS, timestampMs: T0_MS };

  test('behavior: H71 just below, at and above N block times', () => {
    const at = (nowMs: number) => Cursor.sight(cursor, { ...bound, nowMs });
    expect(at(T0_MS + 60_000)).toEqual({ kind: 'seeing' });
    expect(at(T0_MS + 60_001)).toEqual({
      kind: 'blind',
      why: 'no new block of eip155:1 for 60 s',
    });
  });

  test('behavior: H71 a node that repeats old blocks, and one that invents a future', () => {
    const old = { ...cursor, timestampMs: T0_MS - 61_000 };
    expect(Cursor.sight(old, { ...bound, nowMs: T0_MS })).toEqual({
      kind: 'blind',
      why: 'the newest block of eip155:1 that was read is 61 s old',
    });
    const future = { ...cursor, timestampMs: T0_MS * 2 };
    expect(Cursor.sight(future, { ...bound, nowMs: T0_MS + 61_000 }).kind).toBe('blind');
  });

  test('behavior: H67 a block of the future shows nothing of now: just below, at and above what clocks may differ', () => {
    const ahead = (ms: number) =>
      Cursor.sight({ ...cursor, timestampMs: T0_MS + ms }, { ...bound, nowMs: T0_MS });
    expect(ahead(16_999)).toEqual({ kind: 'seeing' });
    expect(ahead(17_000)).toEqual({ kind: 'seeing' });
    expect(ahead(17_001)).toEqual({
      kind: 'blind',
      why: 'the newest block of eip155:1 that was read is stamped 17 s ahead of our clock',
    });
    expect(ahead(3_600_000).kind).toBe('blind');
    expect(ahead(Number.NaN).kind).toBe('blind');
    expect(ahead(Number.POSITIVE_INFINITY).kind).toBe('blind');
  });
});
