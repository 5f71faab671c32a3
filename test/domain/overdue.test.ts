import { describe, expect, test } from 'vitest';
import { alert, unseenAlert } from '../../lib/domain/overdue.ts';

const HOUR_MS = 3_600_000;
const AT = { nowMs: 100 * HOUR_MS, ageMs: 6 * HOUR_MS, countMax: 100 };

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
    expect(alert(open(1), { ...AT, ageMs: 90 * 60_000 })?.text).toContain('over 90 min');
  });
});

describe('unseenAlert', () => {
  test('default: none where all were seen', () => {
    expect(unseenAlert([], AT)).toBeUndefined();
  });

  test('behavior: its own words, beside those of the other alert', () => {
    const told = unseenAlert(open(2), { ...AT, ageMs: 24 * HOUR_MS });
    expect(told?.kind).toBe('unseen');
    expect(told?.alertId).toBe('unseen|4');
    expect(told?.text).toMatchInlineSnapshot(
      `"2 approved withdrawals were not seen on their chain for over 24 h (w0, w1): were they sent, and does the watcher see everything?"`,
    );
  });

  test('behavior: told once in each such age', () => {
    const at = (nowMs: number) => unseenAlert(open(1), { ...AT, nowMs })?.alertId;
    expect(at(6 * HOUR_MS)).toBe(at(12 * HOUR_MS - 1));
    expect(at(12 * HOUR_MS)).not.toBe(at(12 * HOUR_MS - 1));
  });
});
