import { describe, expect, test } from 'vitest';
import { createHeads } from '../../lib/actions/list-heads.ts';
import * as Queue from '../../lib/domain/queue.ts';
import type { HeldStore } from '../../lib/ports.ts';

const HEADS = 10;
const place = { limitId: 'wallet-hour', scope: 'wallet:hot-1', need: 1n };

/** A queue of so many, of which those at these places are stopped. */
function queue(length: number, isStopped: (n: number) => boolean): readonly Queue.Held[] {
  return Array.from({ length }, (_, n) => {
    const held = { rowId: `w-${n}`, heldAtMs: n, place };
    return isStopped(n) ? held : { ...held, goesAtMs: 1 };
  });
}

/** A lister over one queue, which says how many are behind the head. */
function lister(held: readonly Queue.Held[]) {
  const asked: string[] = [];
  const store: HeldStore = {
    list: async () => held,
    heads: async (perQueue) => held.slice(0, perQueue),
    behind: async (one, limit) => {
      asked.push(one.rowId);
      return held.filter((other) => Queue.byAge(other, one) > 0).slice(0, limit);
    },
  };
  const list = createHeads(store);
  const behind = async () => (await list('0')).slice(HEADS).map(({ rowId }) => rowId);
  return { list, behind, asked };
}

describe('createHeads', () => {
  test('default: the first of each queue, and nothing more is read', async () => {
    const { list, asked } = lister(queue(30, () => false));
    expect(await list('0')).toEqual(queue(HEADS, () => false));
    const short = lister(queue(HEADS - 1, () => true));
    expect(await short.list('0')).toHaveLength(HEADS - 1);
    expect([...asked, ...short.asked]).toEqual([]);
  });

  test('behavior: H79: for each that is stopped one more, further back from round to round, and again', async () => {
    const { behind } = lister(queue(17, (n) => n < 3));
    expect(await behind()).toEqual(['w-10', 'w-11', 'w-12']);
    expect(await behind()).toEqual(['w-13', 'w-14', 'w-15']);
    expect(await behind()).toEqual(['w-16']);
    expect(await behind()).toEqual(['w-10', 'w-11', 'w-12']);
  });

  test('behavior: where the head has moved past what was reached, it begins behind the head', async () => {
    const held = [...queue(40, () => true)];
    const { behind } = lister(held);
    expect(await behind()).toHaveLength(HEADS);
    held.splice(0, 25);
    expect((await behind())[0]).toBe('w-35');
  });

  test('behavior: who waits for a person is no queue to look into', async () => {
    const people = queue(20, () => true).map(({ rowId, heldAtMs }) => ({ rowId, heldAtMs }));
    const { list, asked } = lister(people);
    expect(await list('0')).toHaveLength(HEADS);
    expect(asked).toEqual([]);
  });
});
