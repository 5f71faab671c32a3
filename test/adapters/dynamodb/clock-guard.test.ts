import { describe, expect, test } from 'vitest';
import { checkClock } from '../../../lib/adapters/dynamodb/clock-guard.ts';
import * as Build from '../../support/builders.ts';

/** Sent 400 ms into a second, answered 300 ms later. */
const exchange = { sentAtMs: Build.T0_MS + 400, receivedAtMs: Build.T0_MS + 700 };

function check(offsetMs: number, sentAfterMs = 0): void {
  checkClock(new Date(Build.T0_MS + offsetMs).toUTCString(), {
    sentAtMs: exchange.sentAtMs + sentAfterMs,
    receivedAtMs: exchange.receivedAtMs + sentAfterMs,
  });
}

describe('checkClock', () => {
  test('default: the same second', () => {
    expect(() => check(0)).not.toThrow();
  });

  test('behavior: two seconds behind the second before sending pass, one more does not', () => {
    expect(() => check(-2_000)).not.toThrow();
    expect(() => check(-3_000, -400)).not.toThrow();
    expect(() => check(-3_000, -399)).toThrowError(
      expect.objectContaining({ name: 'Store.ClockError', deviationMs: -2_001 }),
    );
  });

  test('behavior: two seconds ahead of receiving pass, one more does not', () => {
    expect(() => check(2_000)).not.toThrow();
    expect(() => check(3_000, 300)).not.toThrow();
    expect(() => check(3_000, 299)).toThrowError(
      expect.objectContaining({ name: 'Store.ClockError', deviationMs: 2_001 }),
    );
  });

  test('behavior: a slow answer may tell any second of its way', () => {
    const slow = { sentAtMs: Build.T0_MS, receivedAtMs: Build.T0_MS + 60_000 };
    for (const atMs of [0, 30_000, 60_000]) {
      const date = new Date(Build.T0_MS + atMs).toUTCString();
      expect(() => checkClock(date, slow)).not.toThrow();
    }
  });

  test.each([undefined, '', 'soon'])('error: a date of %j is refused', (date) => {
    expect(() => checkClock(date, exchange)).toThrowError(
      expect.objectContaining({ name: 'Store.ClockError', deviationMs: undefined }),
    );
  });

  test('error: a host that knows no time is refused', () => {
    const date = new Date(Build.T0_MS).toUTCString();
    const lost = { sentAtMs: Number.NaN, receivedAtMs: Number.NaN };
    expect(() => checkClock(date, lost)).toThrowError(
      expect.objectContaining({ name: 'Store.ClockError', deviationMs: undefined }),
    );
  });
});
