import { describe, expect, test } from 'vitest';
import { createLeasesInForce } from '../../lib/actions/leases-in-force.ts';
import type { Leases } from '../../lib/domain/flag.ts';
import { readyWorld } from '../support/action-world.ts';
import { CHAIN, OTHER_CHAIN, policy, T0_MS } from '../support/builders.ts';

/** Leases over the store in memory, with a count of what was read. */
async function scene(stored: Leases) {
  const { world, clock } = await readyWorld(policy());
  await world.store.health.renew(stored, T0_MS);
  const state = { reads: 0, fails: false };
  const health = {
    ...world.store.health,
    leases: async () => {
      state.reads += 1;
      if (state.fails) throw new Error('the store is down');
      return world.store.health.leases();
    },
  };
  return { leases: createLeasesInForce({ health, clock: world.clock }), world, clock, state };
}

describe('createLeasesInForce', () => {
  test('default: reads once for as long as all that is asked for holds', async () => {
    const stored = { [CHAIN]: T0_MS + 100, [OTHER_CHAIN]: T0_MS + 50 };
    const { leases, clock, state } = await scene(stored);
    expect(await leases.of([CHAIN, OTHER_CHAIN])).toEqual(stored);
    clock.nowMs += 49;
    expect(await leases.of([CHAIN, OTHER_CHAIN])).toEqual(stored);
    expect(state.reads).toBe(1);
    clock.nowMs += 1;
    await leases.of([CHAIN]);
    expect(state.reads).toBe(1);
    await leases.of([CHAIN, OTHER_CHAIN]);
    expect(state.reads).toBe(2);
  });

  test('behavior: what was prolonged is seen as soon as the old one has run out', async () => {
    const { leases, world, clock } = await scene({ [CHAIN]: T0_MS + 100 });
    await leases.of([CHAIN]);
    const next = { [CHAIN]: T0_MS + 900 };
    await world.store.health.renew(next, T0_MS + 50);
    clock.nowMs += 100;
    expect(await leases.of([CHAIN])).toEqual(next);
  });

  test.each([
    [{}],
    [{ [CHAIN]: T0_MS }],
    [{ [CHAIN]: Number.POSITIVE_INFINITY }],
    [{ [CHAIN]: 1e300 }],
  ])('behavior: %o holds for nothing, and is read again each time', async (stored) => {
    const { leases, world, state } = await scene(stored);
    await leases.of([CHAIN]);
    await leases.of([CHAIN]);
    expect(state.reads).toBe(2);
    const next = { [CHAIN]: T0_MS + 900 };
    await world.store.health.renew(next, T0_MS + 50);
    expect(await leases.of([CHAIN])).toEqual(next);
  });

  test('error: a read that fails is thrown, and asked again', async () => {
    const stored = { [CHAIN]: T0_MS + 100 };
    const { leases, state } = await scene(stored);
    state.fails = true;
    await expect(leases.of([CHAIN])).rejects.toThrow('the store is down');
    state.fails = false;
    expect(await leases.of([CHAIN])).toEqual(stored);
  });

  test('error: a read that fails after one that held is thrown too', async () => {
    const { leases, clock, state } = await scene({ [CHAIN]: T0_MS + 100 });
    await leases.of([CHAIN]);
    clock.nowMs += 100;
    state.fails = true;
    await expect(leases.of([CHAIN])).rejects.toThrow('the store is down');
  });
});
