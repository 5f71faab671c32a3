import { describe, expect, test } from 'vitest';
import { recordEvents } from '../../lib/actions/record-events.ts';
import { type Deps, renewLeases } from '../../lib/actions/renew-leases.ts';
import type { Heartbeat } from '../../lib/domain/ledger.ts';
import { putInForce, type TestWorld, testWorld } from '../support/action-world.ts';
import { CHAIN, OTHER_CHAIN, policy, SECOND_MS, T0_MS } from '../support/builders.ts';

const LEASE_MS = 180 * SECOND_MS;

/** A world with a policy and without any proof of health. */
async function unproven(): Promise<TestWorld> {
  const made = testWorld();
  await putInForce(made.world, policy());
  return made;
}

function depsOf({ world }: TestWorld): Deps {
  const { health, projections } = world.store;
  const { events, deadLetters, notifier, clock } = world;
  return {
    health,
    projections,
    policy: world.decision.policy,
    events,
    deadLetters,
    notifier,
    clock,
  };
}

/** A heartbeat that came through the ingress. */
async function beat({ world }: TestWorld, heartbeat: Partial<Heartbeat> = {}): Promise<void> {
  const nowMs = world.clock.nowMs();
  await recordEvents(world.decision, [
    {
      kind: 'heartbeat',
      heartbeat: { sentAtMs: nowMs, receivedAtMs: nowMs, oldestWaitingMs: 0, ...heartbeat },
    },
  ]);
}

const failing = async () => {
  throw new Error('not now');
};

describe('renewLeases', () => {
  test('default', async () => {
    const made = await unproven();
    await beat(made);
    made.clock.nowMs += 5 * SECOND_MS;
    const leases = { [CHAIN]: T0_MS + LEASE_MS, [OTHER_CHAIN]: T0_MS + LEASE_MS };
    expect(await renewLeases(depsOf(made))).toEqual({ kind: 'healthy', leases });
    expect(await made.world.store.health.leases()).toEqual(leases);
    const sentAt = new Date(made.clock.nowMs).toISOString();
    expect(made.sent).toEqual([{ detailType: 'heartbeat', detail: { sentAt } }]);
  });

  test('args: leaseMs', async () => {
    const made = await unproven();
    await beat(made);
    await renewLeases(depsOf(made), { leaseMaxMs: 15_000 });
    expect(await made.world.store.health.leases()).toMatchObject({ [CHAIN]: T0_MS + 15_000 });
  });

  test('P7: the same heartbeat found again and again makes no lease longer', async () => {
    const made = await unproven();
    await beat(made);
    for (let round = 0; round < 50; round += 1) {
      made.clock.nowMs += 5 * SECOND_MS;
      await renewLeases(depsOf(made));
    }
    expect(await made.world.store.health.leases()).toMatchObject({ [CHAIN]: T0_MS + LEASE_MS });
    expect(made.clock.nowMs).toBeGreaterThan(T0_MS + LEASE_MS);
  });

  test('P7: a heartbeat that claims to be from tomorrow is worth no more than its arrival', async () => {
    const made = await unproven();
    await beat(made, { sentAtMs: T0_MS + 86_400_000 });
    await renewLeases(depsOf(made));
    expect(await made.world.store.health.leases()).toMatchObject({ [CHAIN]: T0_MS + LEASE_MS });
  });

  test.each<[string, (made: TestWorld) => Promise<void>, string]>([
    ['no heartbeat ever', async () => undefined, 'no heartbeat'],
    [
      'a heartbeat from long ago',
      (made) => beat(made, { sentAtMs: T0_MS - LEASE_MS }),
      'was sent 180 s ago',
    ],
    [
      'a backlog',
      (made) => beat(made, { oldestWaitingMs: 30_001 }),
      'oldest waiting event is 30 s',
    ],
    [
      'a dead letter',
      async (made) => {
        await beat(made);
        made.dead.count = 1;
      },
      '1 events lie uncounted',
    ],
  ])(
    'P7: not renewed with %s, and the next heartbeat goes out all the same',
    async (_name, prepare, why) => {
      const made = await unproven();
      await prepare(made);
      expect(await renewLeases(depsOf(made))).toEqual({
        kind: 'unproven',
        why: expect.stringContaining(why),
      });
      expect(await made.world.store.health.leases()).toEqual({});
      expect(made.sent.length).toBe(1);
    },
  );

  test('P7: exactly 30 s of waiting is still young', async () => {
    const made = await unproven();
    await beat(made, { oldestWaitingMs: 30_000 });
    expect(await renewLeases(depsOf(made))).toMatchObject({ kind: 'healthy' });
  });

  test('P7: not renewed when the dead letters cannot be counted', async () => {
    const made = await unproven();
    await beat(made);
    const deps = { ...depsOf(made), deadLetters: { count: failing } };
    expect(await renewLeases(deps)).toMatchObject({ kind: 'unproven' });
    expect(await made.world.store.health.leases()).toEqual({});
    expect(made.sent.length).toBe(1);
  });

  test.each(['heartbeat', 'leases'] as const)(
    'P7: nothing is renewed when %s cannot be read',
    async (what) => {
      const made = await unproven();
      await beat(made);
      const deps = depsOf(made);
      const health = { ...deps.health, [what]: failing };
      await expect(renewLeases({ ...deps, health })).rejects.toThrow('not now');
      expect(await made.world.store.health.leases()).toEqual({});
    },
  );

  test('P7: nothing is renewed when the policy cannot be read', async () => {
    const made = await unproven();
    await beat(made);
    const deps = depsOf(made);
    await expect(
      renewLeases({ ...deps, policy: { ...deps.policy, refresh: failing } }),
    ).rejects.toThrow('not now');
    expect(await made.world.store.health.leases()).toEqual({});
  });

  test('behavior: the heartbeat goes out although the lease could not be written', async () => {
    const made = await unproven();
    await beat(made);
    const deps = depsOf(made);
    await expect(
      renewLeases({ ...deps, health: { ...deps.health, renew: failing } }),
    ).rejects.toThrow('not now');
    expect(made.sent.length).toBe(1);
  });

  test('behavior: a lapse is told once; the next one again', async () => {
    const made = await unproven();
    for (let lapse = 0; lapse < 2; lapse += 1) {
      await beat(made);
      await renewLeases(depsOf(made));
      made.clock.nowMs += LEASE_MS;
      for (let round = 0; round < 3; round += 1) await renewLeases(depsOf(made));
    }
    expect(made.messages.map(({ severity }) => severity)).toEqual(['page', 'page']);
    expect(made.messages[0]?.subject).toBe(
      'NOT ENABLED: no proof of health since 2023-09-12T13:24:00.000Z; run: breakwater status',
    );
  });

  test('behavior: before the first lease there is no lapse to tell', async () => {
    const made = await unproven();
    await renewLeases(depsOf(made));
    expect(made.messages).toEqual([]);
  });

  test('behavior: nothing is told while the lease still runs', async () => {
    const made = await unproven();
    await beat(made);
    await renewLeases(depsOf(made));
    made.dead.count = 1;
    made.clock.nowMs += LEASE_MS - 1;
    await renewLeases(depsOf(made));
    expect(made.messages).toEqual([]);
  });

  test('behavior: a lapse is told although no heartbeat can be sent any more', async () => {
    const made = await unproven();
    await beat(made);
    await renewLeases(depsOf(made));
    made.clock.nowMs += LEASE_MS;
    const deps = { ...depsOf(made), events: { send: failing } };
    await expect(renewLeases(deps)).rejects.toThrow('not now');
    expect(made.messages.length).toBe(1);
  });

  test('behavior: heartbeats go on although nobody can be told', async () => {
    const made = await unproven();
    await beat(made);
    await renewLeases(depsOf(made));
    made.clock.nowMs += LEASE_MS;
    const deps = { ...depsOf(made), notifier: { send: failing } };
    await expect(renewLeases(deps)).rejects.toThrow('not now');
    expect(made.sent.length).toBe(2);
    await renewLeases(depsOf(made));
    expect(made.messages.length).toBe(1);
  });

  test('behavior: chains that a new policy leaves out lose their lease', async () => {
    const made = await unproven();
    await beat(made);
    await renewLeases(depsOf(made));
    const [, , hot3] = policy().wallets;
    await putInForce(made.world, policy({ name: 'one', wallets: hot3 ? [hot3] : [] }));
    await renewLeases(depsOf(made));
    expect(Object.keys(await made.world.store.health.leases())).toEqual([CHAIN]);
  });

  test('behavior: a tick that was frozen does not take back a later lease', async () => {
    const made = await unproven();
    await beat(made);
    await made.world.store.health.renew({ [CHAIN]: T0_MS + 999_999 }, T0_MS + 10_000);
    await renewLeases(depsOf(made));
    expect(await made.world.store.health.leases()).toEqual({ [CHAIN]: T0_MS + 999_999 });
  });

  test('P7: H71 a blind watcher: its chain alone gets no lease, and people are told once', async () => {
    const made = testWorld();
    const rule = { confirmations: 0, blindAfterMs: 10 * SECOND_MS };
    const base = policy();
    const chains = base.chains.map((chain) =>
      chain.pattern === CHAIN ? { ...chain, watch: rule } : chain,
    );
    await putInForce(made.world, { ...base, chains });
    const { health } = made.world.store;
    await health.noteSight(CHAIN, { seenAtMs: T0_MS, timestampMs: T0_MS });
    await beat(made);
    await renewLeases(depsOf(made));
    expect(await health.leases()).toEqual({
      [CHAIN]: T0_MS + LEASE_MS,
      [OTHER_CHAIN]: T0_MS + LEASE_MS,
    });
    for (let round = 0; round < 5; round += 1) {
      made.clock.nowMs += 50 * SECOND_MS;
      await beat(made);
      expect(await renewLeases(depsOf(made))).toMatchObject({ blind: [{ chain: CHAIN }] });
    }
    expect(await health.leases()).toEqual({
      [CHAIN]: T0_MS + LEASE_MS,
      [OTHER_CHAIN]: made.clock.nowMs + LEASE_MS,
    });
    expect(made.messages.map(({ subject }) => subject)).toEqual([
      expect.stringContaining(`NOT ENABLED on ${CHAIN}: its watcher is blind`),
    ]);
    const { nowMs } = made.clock;
    await health.noteSight(CHAIN, { seenAtMs: nowMs, timestampMs: nowMs });
    await renewLeases(depsOf(made));
    expect(await health.leases()).toMatchObject({ [CHAIN]: nowMs + LEASE_MS });
  });
});
