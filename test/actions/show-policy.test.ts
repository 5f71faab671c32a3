import { describe, expect, test } from 'vitest';
import { MissingPolicyError } from '../../lib/actions/policy-in-force.ts';
import { showPolicy } from '../../lib/actions/show-policy.ts';
import { toCompiled } from '../../lib/adapters/compiled-policy.ts';
import { putInForce, readyWorld, testWorld, unreadable } from '../support/action-world.ts';
import { policy } from '../support/builders.ts';

describe('showPolicy', () => {
  test('default', async () => {
    const { world } = await readyWorld(policy());
    await putInForce(world, policy({ name: 'second' }));
    const compiled = toCompiled(policy({ name: 'second' }));
    expect(await showPolicy(world.store)).toMatchObject({ version: 2, compiled, actor: 'test' });
  });

  test('behavior: version 0 before any was applied', async () => {
    expect(await showPolicy(testWorld().world.store)).toEqual({ version: 0 });
  });

  test('behavior: one that nothing can be decided by is shown as it is', async () => {
    const { world } = await readyWorld(policy());
    const shown = await showPolicy(unreadable(world.store));
    expect(shown).toMatchObject({ version: 1, compiled: '{"format":2}' });
  });

  test('error: a version that is in force and not stored', async () => {
    const { world } = await readyWorld(policy());
    const policies = { load: async () => undefined };
    await expect(showPolicy({ ...world.store, policies })).rejects.toThrow(MissingPolicyError);
  });
});
