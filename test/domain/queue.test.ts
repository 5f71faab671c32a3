import { describe, expect, test } from 'vitest';
import * as Policy from '../../lib/domain/policy.ts';
import * as Queue from '../../lib/domain/queue.ts';
import { ETH, item, limit, policy, T0_MS, transfer, usd } from '../support/builders.ts';

const place = { limitId: 'wallet-hour', scope: 'wallet:hot-1', need: usd(1) };
const row = {
  rowId: 'withdrawal:a',
  version: 1,
  state: 'held',
  decisionId: 'd',
  bodyHash: '',
  atMs: T0_MS,
  policyVersion: 1,
} as const;

describe('key', () => {
  test('behavior: H25: a queue for each limit and scope, none for two of them', () => {
    const places = [
      ['a', 'wallet:b'],
      ['a', 'wallet:b@c'],
      ['ab', 'wallet:b'],
      ['people', 'global'],
    ] as const;
    const keys = places.map(([limitId, scope]) => Queue.key({ limitId, scope }));
    expect(new Set([...keys, Queue.PEOPLE]).size).toBe(5);
  });
});

describe('keyOf', () => {
  test('default: its limit and scope, and without a place that of people', () => {
    expect(Queue.keyOf({ place })).toBe('wallet-hour@wallet:hot-1');
    expect(Queue.keyOf({})).toBe(Queue.PEOPLE);
  });
});

describe('byAge', () => {
  test('behavior: the oldest first; of one ms in the order of their ids, the same in every process', () => {
    const held = (rowId: string, heldAtMs: number) => ({ rowId, heldAtMs });
    const queue = [held('b', 2), held('a', 2), held('c', 1), held('a', 3)];
    const sorted = queue.toSorted(Queue.byAge).map(({ rowId, heldAtMs }) => `${rowId}${heldAtMs}`);
    expect(sorted).toEqual(['c1', 'a2', 'b2', 'a3']);
    expect(Queue.byAge(held('a', 1), { ...held('a', 1), place })).toBe(0);
  });
});

describe('isStopped', () => {
  test('behavior: without a time at which it goes', () => {
    expect(Queue.isStopped({})).toBe(true);
    expect(Queue.isStopped({ goesAtMs: 0 })).toBe(false);
  });
});

describe('lookedAt', () => {
  const stopped = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ rowId: `s-${n}`, heldAtMs: n }));
  const free = (count: number) =>
    stopped(count).map((held) => ({ ...held, rowId: `f-${held.heldAtMs}`, goesAtMs: 1 }));
  const ids = (queue: readonly Queue.Held[]) => queue.map(({ rowId }) => rowId);

  test('default: the first of them, and all of a short queue', () => {
    const queue = free(Queue.LOOKED_AT_MAX + 1);
    expect(ids(Queue.lookedAt(queue))).toEqual(ids(queue.slice(0, Queue.LOOKED_AT_MAX)));
    expect(Queue.lookedAt(stopped(3))).toEqual(stopped(3));
    expect(Queue.lookedAt([])).toEqual([]);
  });

  test('behavior: H79: where all of them are stopped, the first behind them that is not', () => {
    const first = stopped(Queue.LOOKED_AT_MAX);
    const queue = [...first, ...stopped(Queue.SEARCHED_MAX - 1), ...free(2)];
    expect(Queue.lookedAt(queue)).toEqual([...first, free(1)[0]]);
    const beyond = [...first, ...stopped(Queue.SEARCHED_MAX), ...free(1)];
    expect(Queue.lookedAt(beyond)).toEqual(first);
    const [one, ...others] = first;
    const among = [{ ...one, rowId: 'f', heldAtMs: 0, goesAtMs: 1 }, ...others, ...free(1)];
    expect(Queue.lookedAt(among)).toHaveLength(Queue.LOOKED_AT_MAX);
  });
});

describe('gates', () => {
  const gates = (more: Parameters<typeof limit>[0], parts: Parameters<typeof transfer>[0] = {}) => {
    const rules = policy({ limits: [limit({ action: { kind: 'hold' }, ...more })] });
    const found = Queue.gates(rules, Policy.resolve(rules, transfer(parts)));
    return found.map(({ limit: { limitId }, scope: { kind, id } }) => `${limitId}@${kind}:${id}`);
  };

  test('default: limits over a window that hold', () => {
    expect(gates({})).toEqual(['wallet-hour@wallet:hot-1']);
  });

  test.each([
    ['one that pauses', { action: { kind: 'pause', scope: 'wallet' } }],
    ['one that alerts', { action: { kind: 'alert' } }],
    ['one in shadow', { mode: 'shadow' }],
    ['one about a single withdrawal', { metric: 'single', windowMs: 0 }],
    ['one about another wallet', { where: { wallet: 'hot-2' } }],
  ] as const)('args: none for %s', (_, more) => {
    expect(gates(more)).toEqual([]);
  });

  test('behavior: those of the asset that pays the fee too, each once', () => {
    const fee = { asset: ETH, amount: 1n };
    expect(gates({ scope: 'asset' }, { fee })).toHaveLength(2);
    expect(gates({ scope: 'wallet' }, { fee })).toHaveLength(1);
  });
});

describe('waiting', () => {
  test('behavior: H44: as its item says; nobody where it says nothing', () => {
    const some = item({ waiting: [{ limitId: 'a', count: 3 }] });
    expect([some, item(), undefined].map((each) => Queue.waiting(each, 'a'))).toEqual([3, 0, 0]);
    expect(Queue.waiting(some, 'b')).toBe(0);
  });
});

describe('heldOf', () => {
  const one = { rowId: 'withdrawal:a', heldAtMs: T0_MS };

  test('default: as it stands in each of its queues; without any, in that of people', () => {
    const day = { ...place, limitId: 'wallet-day' };
    const places = [place, day];
    expect(Queue.heldOf({ ...row, places })).toEqual([
      { ...one, place },
      { ...one, place: day },
    ]);
    expect(Queue.heldOf(row)).toEqual([one]);
    expect(Queue.heldOf({ ...row, places: [] })).toEqual([one]);
  });

  test('args: a row that is not held, and none', () => {
    expect(Queue.heldOf({ ...row, state: 'reserved', places: [place] })).toEqual([]);
    expect(Queue.heldOf(undefined)).toEqual([]);
  });
});

describe('entries', () => {
  test('default: one for each place, one for people without', () => {
    const one = { rowId: 'withdrawal:a', heldAtMs: T0_MS };
    expect(Queue.entries(one, [place])).toEqual([{ ...one, place }]);
    expect(Queue.entries(one, [])).toEqual([one]);
  });
});

describe('holds', () => {
  test('behavior: those about a single withdrawal too', () => {
    const single = { metric: 'single', windowMs: 0, limitId: 'large' } as const;
    const hold = { action: { kind: 'hold' } } as const;
    const rules = policy({ limits: [limit(hold), limit({ ...hold, ...single }), limit()] });
    const found = Queue.holds(rules, Policy.resolve(rules, transfer()));
    expect(found.map(({ limit: { limitId } }) => limitId)).toEqual(['wallet-hour', 'large']);
  });
});
