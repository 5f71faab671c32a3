import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { tickLoop } from '../../lib/local/ticking.ts';
import { T0_MS } from '../support/builders.ts';
import { HELD, slowWorld } from '../support/slow-releases.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: T0_MS });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('tickLoop', () => {
  test('P7: 2,000 held ones over a slow store let no lease lapse; what runs at the end is waited for', async () => {
    const made = await slowWorld();
    const end = tickLoop(made.world, { everyMs: 5_000, speed: 1 });
    const answers: boolean[] = [];
    for (let second = 0; second < 56; second += 1) {
      await vi.advanceTimersByTimeAsync(1_000);
      const answer = made.isEnabled();
      await vi.advanceTimersByTimeAsync(20);
      answers.push(await answer);
    }
    expect(answers.filter((isEnabled) => !isEnabled)).toEqual([]);
    expect([...made.tried].filter((rowId) => rowId.startsWith('withdrawal:w-'))).toHaveLength(HELD);
    expect(made.listings.most).toBe(1);
    const { size } = made.tried;
    const ended = end();
    await vi.advanceTimersByTimeAsync(10_000);
    await ended;
    expect([made.listings.running, vi.getTimerCount(), made.tried.size]).toEqual([0, 0, size]);
  });

  test('args: everyMs: 0: it does not tick', async () => {
    const made = await slowWorld();
    const end = tickLoop(made.world, { everyMs: 0, speed: 1 });
    expect(vi.getTimerCount()).toBe(0);
    await end();
  });
});
