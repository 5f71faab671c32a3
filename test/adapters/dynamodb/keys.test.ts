import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as Keys from '../../../lib/adapters/dynamodb/keys.ts';

const ids = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '~', '~1', '#', '1', '11', '\ud800', '\ud801', '__proto__'),
  fc.string({ minLength: 680, maxLength: 2_100, unit: fc.constantFrom('x', '金') }),
);

describe('rowKey', () => {
  test('default', () => {
    expect(Keys.rowKey('withdrawal:1')).toEqual({ pk: 'row#withdrawal:1' });
  });

  test('behavior: equal keys come from equal ids, and fit (H25)', () => {
    fc.assert(
      fc.property(ids, ids, (left, right) => {
        const [a, b] = [Keys.rowKey(left).pk, Keys.rowKey(right).pk];
        expect(a === b).toBe(left === right);
        expect(Buffer.byteLength(a)).toBeLessThanOrEqual(2_048);
        expect(a).not.toBe(Keys.itemKey(right).pk);
      }),
    );
  });

  test('behavior: the hash of a long id is not the id that looks like it', () => {
    const { pk } = Keys.rowKey('x'.repeat(3_000));
    expect(pk).toMatch(/^row#~[0-9a-f]{64}$/);
    expect(Keys.rowKey(pk.slice('row#'.length)).pk).not.toBe(pk);
  });
});

describe('itemKey', () => {
  test('default', () => {
    expect(Keys.itemKey('global')).toEqual({ pk: 'item#global' });
  });
});

describe('incidentKey', () => {
  test('behavior: ids keep their order, so that the newest can be found', () => {
    expect(Keys.incidentKey('01J')).toEqual({ pk: 'incident', sk: '01J' });
  });

  test('behavior: equal keys come from equal ids, and fit (H25)', () => {
    fc.assert(
      fc.property(ids, ids, (left, right) => {
        const [a, b] = [Keys.incidentKey(left).sk, Keys.incidentKey(right).sk];
        expect(a === b).toBe(left === right);
        expect(Buffer.byteLength(a)).toBeLessThanOrEqual(1_024);
        expect(a).not.toBe('');
      }),
    );
  });
});

describe('causePk', () => {
  test('default: one partition to an incident', () => {
    expect(Keys.causePk('INC')).toBe('cause#INC');
  });
});

describe('causeKey', () => {
  test('behavior: numbers sort as numbers', () => {
    const [two, ten] = [2, 10].map((number) => Keys.causeKey({ incidentId: 'INC', number }).sk);
    expect([ten, two].sort()).toEqual([two, ten]);
  });
});

describe('alertKey', () => {
  test('default', () => {
    expect(Keys.alertKey('a')).toEqual({ pk: 'alert', sk: 'a' });
  });
});

describe('policyKey', () => {
  test('default', () => {
    expect(Keys.policyKey(12)).toEqual({ pk: 'policy', sk: '0000000000000012' });
  });
});

describe('heldKey', () => {
  test('default', () => {
    const held = { queue: 'wallet-hour@wallet:hot-1', heldAtMs: 5, rowId: 'withdrawal:a' };
    expect(Keys.heldKey(held)).toEqual({
      pk: 'held',
      sk: `${Keys.heldPrefix(held.queue)}0000000000000005#withdrawal:a`,
    });
  });

  test('behavior: in a queue by age, as numbers; ids that are long or odd fit (H25)', () => {
    const key = (heldAtMs: number, rowId = 'a') => Keys.heldKey({ queue: 'q', heldAtMs, rowId }).sk;
    const sorted = [9, 10, 999, 1_694_524_860_000].map((ms) => key(ms));
    expect(sorted.toSorted()).toEqual(sorted);
    const odd = ['x'.repeat(3_000), `${'x'.repeat(3_000)}y`, '\ud800', '\ud801', '~', ''];
    const keys = odd.map((rowId) => key(1, rowId));
    expect(new Set(keys).size).toBe(odd.length);
    for (const sk of keys) expect(Buffer.byteLength(sk)).toBeLessThanOrEqual(1_024);
  });
});

describe('heldPrefix', () => {
  test('behavior: H25: of one length, however long the queue is called', () => {
    const queues = ['q', 'q@', `limit@actor:${'x'.repeat(3_000)}`, 'people'];
    const prefixes = queues.map(Keys.heldPrefix);
    expect(new Set(prefixes).size).toBe(queues.length);
    for (const prefix of prefixes) expect(prefix).toMatch(/^[0-9a-f]{16}#$/);
  });
});

describe('heldQueue', () => {
  test('behavior: H79: behind every withdrawal of a queue, and before any of the next one', () => {
    const [mine, other] = ['mine', 'other'].map(Keys.heldPrefix) as [string, string];
    const rowIds = ['', '~', 'z', '\u{10ffff}', '#'];
    const keys = rowIds.map((rowId) => Keys.heldKey({ queue: 'mine', heldAtMs: 9e15, rowId }).sk);
    for (const sk of keys) {
      const { prefix, behind } = Keys.heldQueue(sk);
      expect(prefix).toBe(mine);
      expect(behind > sk).toBe(true);
      expect(behind < other).toBe(mine < other);
    }
  });
});

describe('pageKey', () => {
  test('default', () => {
    expect(Keys.pageKey('a')).toEqual({ pk: 'page', sk: 'a' });
  });
});
