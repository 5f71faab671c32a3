import { describe, expect, test } from 'vitest';
import { alert } from '../../lib/domain/overdue.ts';

const HOUR_MS = 3_600_000;
const AT = { nowMs: 100 * HOUR_MS, overdueMs: 6 * HOUR_MS, countMax: 100 };

function open(count: number) {
  return Array.from({ length: count }, (_, number) => ({
    withdrawalId: `w${number}`,
    chargedAtMs: number,
  }));
}

describe('alert', () => {
  test('default: how many, and the oldest by name', () => {
    expect(alert(open(2), AT)).toMatchObject({
      kind: 'overdue',
      rowId: 'withdrawal:w0',
      text: '2 admitted withdrawals have had no outcome for over 6 h (w0, w1): were they sent? See: breakwater withdrawal open',
    });
  });

  test('args: none', () => {
    expect(alert([], AT)).toBeUndefined();
  });

  test('args: more than are named, and more than are counted', () => {
    expect(alert(open(7), AT)?.text).toContain('7 admitted withdrawals');
    expect(alert(open(7), AT)?.text).toContain('(w0, w1, w2, w3, w4, …)');
    expect(alert(open(100), AT)?.text).toContain('100 or more');
  });

  test('behavior: the same id until as much time again has gone by', () => {
    const id = (nowMs: number) => alert(open(1), { ...AT, nowMs })?.alertId;
    const start = 96 * HOUR_MS;
    expect(id(start + 6 * HOUR_MS - 1)).toBe(id(start));
    expect(id(start + 6 * HOUR_MS)).not.toBe(id(start));
  });

  test('args: an age in minutes', () => {
    expect(alert(open(1), { ...AT, overdueMs: 90 * 60_000 })?.text).toContain('over 90 min');
  });
});
