import { describe, expect, test } from 'vitest';
import { backgroundTimers, hostTimers, pause, within } from '../../lib/client/time.ts';
import { fakeTime } from './fake-time.ts';

describe('within', () => {
  test('default', async () => {
    const { timers, pending } = fakeTime();
    expect(await within({ timers, timeoutMs: 10 }, async () => 'done')).toBe('done');
    expect(pending()).toBe(0);
  });

  test('error: what was thrown, now or later', async () => {
    const { timers, pending } = fakeTime();
    const now = within({ timers, timeoutMs: 10 }, () => {
      throw new Error('now');
    });
    await expect(now).rejects.toThrow('now');
    const later = within({ timers, timeoutMs: 10 }, () => Promise.reject(new Error('later')));
    await expect(later).rejects.toThrow('later');
    expect(pending()).toBe(0);
  });

  test('error: too late, and told so', async () => {
    const { timers, advance } = fakeTime();
    let told: AbortSignal | undefined;
    const late = within({ timers, timeoutMs: 10 }, (signal) => {
      told = signal;
      return new Promise<void>(() => {});
    });
    const heard = expect(late).rejects.toThrow('no answer within 10 ms');
    await advance(9);
    expect(told?.aborted).toBe(false);
    await advance(1);
    await heard;
    expect(told?.aborted).toBe(true);
  });
});

describe('pause', () => {
  test('default', async () => {
    const { timers, advance, pending } = fakeTime();
    const paused = pause(timers, 10);
    await advance(10);
    await paused;
    expect(pending()).toBe(0);
  });
});

describe.each([
  ['hostTimers', hostTimers],
  ['backgroundTimers', backgroundTimers],
])('%s', (_name, timers) => {
  test('default', async () => {
    await new Promise<void>((resolve) => {
      timers.after(1, resolve);
    });
  });

  test('behavior: taken back', async () => {
    let ran = false;
    timers.after(1, () => {
      ran = true;
    })();
    await pause(hostTimers, 10);
    expect(ran).toBe(false);
  });
});
