import { describe, expect, test } from 'vitest';
import { createVirtualClock } from '../../lib/local/virtual-clock.ts';

function handClock(startMs: number) {
  let nowMs = startMs;
  return {
    nowMs: () => nowMs,
    set: (ms: number) => {
      nowMs = ms;
    },
  };
}

describe('createVirtualClock', () => {
  test('default', () => {
    const wall = handClock(5_000);
    const clock = createVirtualClock({ startMs: 1_000_000, speed: 60, wall });
    expect(clock.nowMs()).toBe(1_000_000);
    wall.set(5_100);
    expect(clock.nowMs()).toBe(1_006_000);
  });

  test('behavior: jumps forward and goes on from there', () => {
    const wall = handClock(0);
    const clock = createVirtualClock({ startMs: 0, speed: 1, wall });
    clock.advanceTo(10_000);
    expect(clock.nowMs()).toBe(10_000);
    wall.set(5);
    expect(clock.nowMs()).toBe(10_005);
  });

  test('behavior: never runs back', () => {
    const wall = handClock(1_000);
    const clock = createVirtualClock({ startMs: 100, speed: 1, wall });
    wall.set(1_050);
    clock.advanceTo(120);
    expect(clock.nowMs()).toBe(150);
    wall.set(0);
    expect(clock.nowMs()).toBe(150);
  });

  test('behavior: sleeps for virtual time and wakes up when aborted', async () => {
    const wall = { nowMs: () => performance.now() };
    const clock = createVirtualClock({ startMs: 0, speed: 10_000, wall });
    await clock.sleepMs(60_000);
    expect(clock.nowMs()).toBeGreaterThan(50_000);
    const stopping = new AbortController();
    const sleeping = clock.sleepMs(1e9, stopping.signal);
    stopping.abort();
    await expect(sleeping).rejects.toThrow(/aborted/);
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('error: speed %s', (speed) => {
    const wall = handClock(0);
    expect(() => createVirtualClock({ startMs: 0, speed, wall })).toThrow(/must be a positive/);
  });
});
