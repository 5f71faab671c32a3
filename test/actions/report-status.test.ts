import { describe, expect, test } from 'vitest';
import { operateBreaker } from '../../lib/actions/operate-breaker.ts';
import { recordEvents } from '../../lib/actions/record-events.ts';
import { reportStatus } from '../../lib/actions/report-status.ts';
import { stringify } from '../../lib/adapters/wire/json.ts';
import type { OperatorWorld as World } from '../../lib/runtime/world.ts';
import { putInForce, readyWorld, testWorld } from '../support/action-world.ts';
import { incident } from '../support/aws-shapes.ts';
import * as Build from '../support/builders.ts';

function status(world: World) {
  const { decisions, incidents, health, held } = world.store;
  const { clock, deadLetters } = world;
  const { policy } = world.decision;
  return reportStatus({ decisions, incidents, health, held, deadLetters, policy, clock });
}

async function trip(world: World): Promise<string> {
  await recordEvents(world.decision, [Build.incoming(Build.outflow({ transaction: '0x1' }))]);
  const incidents = await world.store.incidents.list(10);
  return (
    incidents.find((one) => one.first.kind === 'unmatched' && !one.quarantinedBy)?.incidentId ?? ''
  );
}

async function pause(world: World, scope: string): Promise<void> {
  const { incidents } = world.store;
  const deps = { ...world.decision, incidents, compilePolicy: world.compilePolicy };
  const command = { kind: 'pause', commandId: `pause ${scope}`, scope, reason: 'drill' } as const;
  await operateBreaker(deps, { command, actor: 'on-call' });
}

/** Incidents of one commit: each one that closes has a row for it. */
const AT_ONCE = 50;

/** Later incidents of customers, in this state. */
async function many(world: World, count: number, state: 'open' | 'closed'): Promise<void> {
  for (let from = 0; from < count; from += AT_ONCE) {
    const ids = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, n) => from + n);
    await world.store.decisions.commit({
      decisionId: `${state} ${from}`,
      atMs: Build.T0_MS,
      rows: [],
      items: [],
      incidents: ids.map((id) => ({
        incident: { ...incident(`Z${state}${id}`), scope: `actor:${id}`, state },
        expected: 'absent',
      })),
      causes: [],
      alerts: [],
    });
  }
}

describe('reportStatus', () => {
  test('default', async () => {
    const { world } = await readyWorld(Build.policy());
    const untilMs = Build.T0_MS + Build.DAY_MS;
    expect(await status(world)).toEqual({
      atMs: Build.T0_MS,
      policy: {
        name: 'test',
        version: 1,
        hash: expect.any(String),
        mode: 'enforce',
        resume: 'trial',
      },
      open: [],
      chains: [Build.CHAIN, Build.OTHER_CHAIN].map((chain) => ({
        chain,
        inForce: true,
        untilMs,
        watched: false,
      })),
      unproven: 'no heartbeat has come through the ingress yet',
      summary: 'enabled',
    });
  });

  test('H83: says why leases are not renewed, and nothing while they are', async () => {
    const { world, dead } = await readyWorld(Build.policy());
    const sentAtMs = Build.T0_MS - 1_000;
    const heartbeat = { sentAtMs, receivedAtMs: sentAtMs + 5, oldestWaitingMs: 0 };
    await recordEvents(world.decision, [{ kind: 'heartbeat', heartbeat }]);
    expect((await status(world)).unproven).toBeUndefined();
    dead.count = 2;
    expect((await status(world)).unproven).toBe('2 events lie uncounted in a dead-letter queue');
  });

  test('behavior: a dead-letter queue that cannot be read is named and fails nothing', async () => {
    const { world } = await readyWorld(Build.policy());
    const deadLetters = { count: () => Promise.reject(new Error('denied')) };
    const { unproven, summary } = await status({ ...world, deadLetters });
    expect(unproven).toBe('the dead-letter queue could not be read');
    expect(summary).toBe('enabled');
  });

  test('H80: trial mode says so', async () => {
    const { world } = await readyWorld(Build.policy());
    expect((await status(world)).policy.resume).toBe('trial');
    await putInForce(world, Build.policy({ name: 'second', resume: Build.QUORUM }));
    expect((await status(world)).policy.resume).toBe('quorum');
  });

  test('behavior: paused, with why and since when, until it is resumed', async () => {
    const { world } = await readyWorld(Build.policy());
    const incidentId = await trip(world);
    const paused = await status(world);
    expect(paused).toMatchObject({
      summary: 'paused',
      open: [
        { scope: `destination:${Build.CUSTOMER}`, quarantinedBy: incidentId },
        { scope: 'wallet:hot-1', quarantinedBy: incidentId },
        {
          incidentId,
          scope: 'key-domain:vault-a',
          openedAtMs: Build.T0_MS,
          first: { kind: 'unmatched' },
        },
      ],
    });
    const { incidents } = world.store;
    const deps = { ...world.decision, incidents, compilePolicy: world.compilePolicy };
    const resume = async (named: string) => {
      const commandId = `resume-${named}`;
      const command = { kind: 'resume', commandId, incidentId: named, reason: 'ok' } as const;
      await operateBreaker(deps, { command, actor: 'on-call' });
    };
    await resume(incidentId);
    // H79: what was stopped beside it stays stopped until it is named.
    expect(await status(world)).toMatchObject({ summary: 'paused', open: [{}, {}] });
    for (const { incidentId: named } of (await status(world)).open) await resume(named);
    expect(await status(world)).toMatchObject({ summary: 'enabled', open: [] });
  });

  test('H83: a theft that came under a pause is counted beside the pause', async () => {
    const { world } = await readyWorld(Build.policy());
    await pause(world, 'key-domain:vault-a');
    expect((await status(world)).open[0]).not.toHaveProperty('alsoUnmatched');
    await trip(world);
    expect((await status(world)).open).toMatchObject([
      { scope: `destination:${Build.CUSTOMER}` },
      { scope: 'wallet:hot-1' },
      { first: { kind: 'operator' }, alsoUnmatched: 1 },
    ]);
  });

  test('H83: a pause is told however many incidents came after it', async () => {
    const { world } = await readyWorld(Build.policy());
    await pause(world, 'global');
    await many(world, 1_000, 'closed');
    expect(await status(world)).toMatchObject({ summary: 'paused', open: [{ scope: 'global' }] });
    await many(world, 1_001, 'open');
    const full = await status(world);
    expect(full).toMatchObject({ summary: 'paused', truncated: true });
    expect(full.open.at(-1)).toMatchObject({ scope: 'global' });
    expect(full.open.length).toBe(1_001);
  });

  test.each([
    'global',
    'wallet:hot-2',
    'key-domain:vault-b',
    `chain:${Build.OTHER_CHAIN}`,
    `asset:${Build.ETH}`,
  ])('H83: an open gate of %s is told although no list names its incident', async (scope) => {
    const { world } = await readyWorld(Build.policy());
    await pause(world, scope);
    const listOpen = async () => [];
    const incidents = { ...world.store.incidents, listOpen };
    const store = { ...world.store, incidents };
    expect(await status({ ...world, store })).toMatchObject({
      summary: 'paused',
      open: [{ scope }],
    });
    const gone = { ...store, incidents: { ...incidents, get: async () => undefined } };
    expect(await status({ ...world, store: gone })).toMatchObject({ summary: 'paused', open: [] });
  });

  test('H32: lapsed as soon as one chain is', async () => {
    const { world, clock } = await readyWorld(Build.policy());
    const soon = {
      [Build.CHAIN]: Build.T0_MS + Build.DAY_MS,
      [Build.OTHER_CHAIN]: Build.T0_MS + 1,
    };
    await world.store.health.renew(soon, clock.nowMs);
    expect((await status(world)).summary).toBe('enabled');
    clock.nowMs += 1;
    const lapsed = await status(world);
    expect(lapsed.summary).toBe('lapsed');
    expect(lapsed.chains.map(({ inForce }) => inForce)).toEqual([true, false]);
  });

  test('H42: without a policy', async () => {
    const { world } = testWorld();
    expect(await status(world)).toMatchObject({ summary: 'no-policy', chains: [] });
  });

  test('behavior: the last heartbeat is told', async () => {
    const { world } = await readyWorld(Build.policy());
    const heartbeat = { sentAtMs: 1, receivedAtMs: 2, oldestWaitingMs: 3 };
    await recordEvents(world.decision, [{ kind: 'heartbeat', heartbeat }]);
    expect((await status(world)).heartbeat).toEqual(heartbeat);
  });

  test('behavior: JSON can carry it', async () => {
    const { world } = await readyWorld(Build.policy());
    await trip(world);
    const told = await status(world);
    expect(JSON.parse(stringify(told)).open[0].first.notional).toBe(Build.usd(1).toString());
  });

  test('behavior: H68 H71 each chain: watched, blind since when and why, or not watched', async () => {
    const made = testWorld();
    const rule = { confirmations: 0, blindAfterMs: 10 * Build.SECOND_MS };
    const base = Build.policy();
    const chains = base.chains.map((chain) => ({ ...chain, watch: rule }));
    await putInForce(made.world, { ...base, chains });
    const { health } = made.world.store;
    await health.noteSight(Build.CHAIN, { seenAtMs: Build.T0_MS, timestampMs: Build.T0_MS });
    const now = () => status(made.world);
    expect((await now()).chains).toEqual([
      { chain: Build.CHAIN, inForce: false, watched: true },
      {
        chain: Build.OTHER_CHAIN,
        inForce: false,
        watched: false,
        blind: { why: `no watcher has seen a block of ${Build.OTHER_CHAIN} yet` },
      },
    ]);
    made.clock.nowMs += 11 * Build.SECOND_MS;
    expect((await now()).chains[0]).toMatchObject({
      watched: false,
      blind: { why: `no new block of ${Build.CHAIN} for 11 s`, sinceMs: Build.T0_MS },
    });
  });
});
