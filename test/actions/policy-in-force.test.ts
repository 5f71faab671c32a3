import { describe, expect, test } from 'vitest';
import {
  createPolicyInForce,
  MissingPolicyError,
  orUnread,
  UncompiledPolicyError,
} from '../../lib/actions/policy-in-force.ts';
import { fromCompiled } from '../../lib/adapters/compiled-policy.ts';
import { createMemoryStore } from '../../lib/adapters/memory/store.ts';
import type { DecisionStore } from '../../lib/ports.ts';
import { putInForce, readyWorld, testWorld } from '../support/action-world.ts';
import { policy } from '../support/builders.ts';

describe('createPolicyInForce', () => {
  test('default', async () => {
    const { world } = await readyWorld(policy());
    const inForce = await world.decision.policy.current();
    expect(inForce).toMatchObject({ version: 1, policy: { name: 'test' } });
    expect(inForce.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  test('H40, H42: before any policy everything is unknown, blocked and paused', async () => {
    const { world } = testWorld();
    const { version, policy: none } = await world.decision.policy.current();
    expect(version).toBe(0);
    for (const rule of Object.values(none.unknown)) {
      expect(rule).toMatchObject({ withdrawal: 'block', outflow: 'pause' });
    }
    expect(none.unmatched.scope).toBe('global');
  });

  test('behavior: a version is read and parsed once', async () => {
    const { world } = await readyWorld(policy());
    let parsed = 0;
    const parse = (source: string) => {
      parsed += 1;
      return fromCompiled(source);
    };
    const { decisions, policies } = world.store;
    const inForce = createPolicyInForce({ decisions, policies, parse });
    await inForce.current();
    await inForce.current();
    await inForce.adopt(1);
    await inForce.refresh();
    expect(parsed).toBe(1);
  });

  test('behavior: refresh finds what another process put in force, current does not look', async () => {
    const { world } = await readyWorld(policy());
    const { decisions, policies } = world.store;
    const reader = createPolicyInForce({ decisions, policies, parse: fromCompiled });
    await reader.current();
    await putInForce(world, policy({ name: 'second' }));
    expect((await reader.current()).version).toBe(1);
    expect((await reader.refresh()).policy.name).toBe('second');
    expect((await reader.current()).version).toBe(2);
  });

  test('error: a version that is in force and not stored', async () => {
    const { decisions, policies } = createMemoryStore();
    const inForce = createPolicyInForce({ decisions, policies, parse: fromCompiled });
    await expect(inForce.adopt(3)).rejects.toThrow(MissingPolicyError);
  });

  test('H32: one that does not parse throws, again and again, and is not taken for the last one', async () => {
    const { world } = await readyWorld(policy());
    const { decisions, policies } = world.store;
    const parse = () => {
      throw new Error('does not parse');
    };
    const inForce = createPolicyInForce({ decisions, policies, parse });
    await expect(inForce.current()).rejects.toThrow('does not parse');
    await expect(inForce.current()).rejects.toThrow('does not parse');
  });

  test('error: H32, H42: one that an older version stored, without its compiled form', async () => {
    const { world } = await readyWorld(policy());
    const { decisions } = world.store;
    const older = { version: 1, hash: 'h', source: 's', appliedAtMs: 1, actor: 'ann' };
    const policies = { load: async () => older };
    const inForce = createPolicyInForce({ decisions, policies, parse: fromCompiled });
    await expect(inForce.current()).rejects.toThrow(UncompiledPolicyError);
    await expect(inForce.current()).rejects.toThrow('breakwater policy apply');
    await putInForce(world, policy({ name: 'second' }));
    const mended = createPolicyInForce({ ...world.store, parse: fromCompiled });
    expect((await mended.current()).policy.name).toBe('second');
  });

  test('H32: a read that fails is tried again and leaves no policy behind', async () => {
    const { world } = await readyWorld(policy());
    const { policies } = world.store;
    let down = true;
    const load: DecisionStore['load'] = async (keys) => {
      if (down) throw new Error('down');
      return world.store.decisions.load(keys);
    };
    const decisions = { ...world.store.decisions, load };
    const inForce = createPolicyInForce({ decisions, policies, parse: fromCompiled });
    await expect(inForce.current()).rejects.toThrow('down');
    down = false;
    expect((await inForce.current()).version).toBe(1);
  });
});

describe('orUnread', () => {
  test('default', async () => {
    const { world } = await readyWorld(policy());
    const inForce = orUnread(world.decision.policy);
    expect((await inForce.current()).policy.name).toBe('test');
    expect((await inForce.refresh()).policy.name).toBe('test');
    expect((await inForce.adopt(1)).policy.name).toBe('test');
  });

  test('behavior: a version that cannot be had keeps its number and knows nothing', async () => {
    const { decisions, policies } = createMemoryStore();
    const inForce = orUnread(createPolicyInForce({ decisions, policies, parse: fromCompiled }));
    expect(await inForce.adopt(3)).toMatchObject({ version: 3, policy: { name: 'none' } });
  });
});
