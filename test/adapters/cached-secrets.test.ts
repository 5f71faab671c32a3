import { describe, expect, test } from 'vitest';
import { cachedSecrets } from '../../lib/adapters/cached-secrets.ts';

function made() {
  const clock = { now: 1_000_000 };
  const state = { reads: 0, fails: false };
  const secrets = cachedSecrets(
    async (name) => {
      state.reads += 1;
      if (state.fails) throw new Error('no answer');
      return { current: `${name}-${state.reads}` };
    },
    { clock: { nowMs: () => clock.now } },
  );
  return { clock, state, secrets };
}

describe('cachedSecrets', () => {
  test('default: kept for five minutes, by name', async () => {
    const { clock, secrets } = made();
    expect(await secrets.get('a')).toEqual({ current: 'a-1' });
    clock.now += 299_999;
    expect(await secrets.get('a')).toEqual({ current: 'a-1' });
    expect(await secrets.get('b')).toEqual({ current: 'b-2' });
    clock.now += 1;
    expect(await secrets.get('a')).toEqual({ current: 'a-3' });
  });

  test('args: maxAgeMs: a younger one is read', async () => {
    const { clock, secrets } = made();
    await secrets.get('a');
    clock.now += 30_000;
    expect(await secrets.get('a', 30_001)).toEqual({ current: 'a-1' });
    expect(await secrets.get('a', 30_000)).toEqual({ current: 'a-2' });
  });

  test('behavior: whoever waits for the same reading shares it', async () => {
    const { state, secrets } = made();
    await Promise.all([secrets.get('a'), secrets.get('a'), secrets.get('a')]);
    expect(state.reads).toBe(1);
  });

  test('behavior: a clock that went backwards makes everything old', async () => {
    const { clock, secrets } = made();
    await secrets.get('a');
    clock.now -= 1;
    expect(await secrets.get('a')).toEqual({ current: 'a-2' });
  });

  test('error: a failure throws, is not kept, and nothing older stands in', async () => {
    const { clock, state, secrets } = made();
    await secrets.get('a');
    clock.now += 300_000;
    state.fails = true;
    await expect(secrets.get('a')).rejects.toThrow('no answer');
    state.fails = false;
    expect(await secrets.get('a')).toEqual({ current: 'a-3' });
  });
});
