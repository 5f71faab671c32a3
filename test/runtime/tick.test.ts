import type { ScheduledEvent } from 'aws-lambda';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { recordEvents } from '../../lib/actions/record-events.ts';
import { reserveWithdrawals as reserve } from '../../lib/actions/reserve-withdrawals.ts';
import { parseEnvelope } from '../../lib/adapters/wire/event.ts';
import { localContext } from '../../lib/local/context.ts';
import { tick, tickOnce } from '../../lib/runtime/tick.ts';
import type { Parts } from '../../lib/runtime/world.ts';
import { putInForce, readyWorld, type TestWorld, testWorld } from '../support/action-world.ts';
import { envelope } from '../support/aws-shapes.ts';
import {
  CHAIN,
  incoming,
  limit,
  OTHER_CHAIN,
  outflow,
  policy,
  T0_MS,
  usd,
  withdrawal,
} from '../support/builders.ts';
import { HELD, slowWorld } from '../support/slow-releases.ts';

const EVENT: ScheduledEvent = {
  version: '0',
  id: '53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa',
  'detail-type': 'Scheduled Event',
  source: 'aws.events',
  account: '111122223333',
  time: new Date(T0_MS).toISOString(),
  region: 'eu-central-1',
  resources: [],
  detail: {},
};

/** A world in which sleeping moves the clock, and heartbeats come through the ingress a second later. */
async function living(
  replace: (parts: Parts) => Partial<Parts> = () => ({}),
): Promise<TestWorld & { slept: number[] }> {
  const slept: number[] = [];
  const made = testWorld((parts) => ({
    sleep: async (ms) => {
      slept.push(ms);
      made.clock.nowMs += ms;
      await arrive(made);
    },
    ...replace(parts),
  }));
  await putInForce(made.world, policy());
  return { ...made, slept };
}

function askFor(withdrawalId: string, amount: bigint) {
  const event = withdrawal(withdrawalId, { amount });
  return { withdrawal: event, bodyHash: incoming(event).bodyHash };
}

async function arrive({ world, sent }: TestWorld): Promise<void> {
  for (const { detailType, detail } of sent.splice(0)) {
    const event = parseEnvelope(envelope(detailType, detail));
    if (event.kind !== 'heartbeat') throw new Error('no heartbeat');
    const { sentAtMs } = event;
    const heartbeat = { sentAtMs, receivedAtMs: sentAtMs + 1_000, oldestWaitingMs: 0 };
    await recordEvents(world.decision, [{ kind: 'heartbeat', heartbeat }]);
  }
}

function run({ world }: TestWorld, everyMs: number): Promise<undefined> {
  return tick(world, { everyMs })(EVENT, localContext('tick', 70_000));
}

afterEach(() => {
  vi.useRealTimers();
});

describe('tick', () => {
  test('default', async () => {
    const made = await living();
    await run(made, 5_000);
    expect(made.slept).toEqual([...Array.from({ length: 12 }, () => 5_000), 1_000]);
    // The closing round found the heartbeat of a second before it, and counts 15 s from there.
    const untilMs = T0_MS + 60_000 + 15_000;
    expect(await made.world.store.health.leases()).toEqual({
      [CHAIN]: untilMs,
      [OTHER_CHAIN]: untilMs,
    });
    expect(untilMs).toBeGreaterThan(made.clock.nowMs);
  });

  test.each([
    [0, 1],
    [60_000, 2],
    [90_000, 1],
    [45_000, 2],
    [30_000, 3],
    [15_000, 5],
  ])('args: everyMs: %i: sleeps %i times', async (everyMs, times) => {
    const made = await living();
    await run(made, everyMs);
    expect(made.slept.length).toBe(times);
    expect(made.sent.length).toBe(1);
  });

  test('behavior: minute after minute the flag stays in force', async () => {
    const made = await living();
    await run(made, 5_000);
    for (let minute = 1; minute < 4; minute += 1) {
      made.clock.nowMs = T0_MS + minute * 60_000;
      const { [CHAIN]: untilMs = 0 } = await made.world.store.health.leases();
      expect(untilMs).toBeGreaterThan(made.clock.nowMs);
      await run(made, 5_000);
    }
  });

  test.each([3, 6, 12])(
    'H89: the flag outlasts an invocation that comes %i s late',
    async (lateS) => {
      const made = await living();
      for (let minute = 0; minute < 5; minute += 1) {
        const startMs = T0_MS + minute * 60_000 + (minute % 2 === 1 ? lateS * 1_000 : 0);
        const { [CHAIN]: untilMs = 0 } = await made.world.store.health.leases();
        if (minute > 0) expect(untilMs).toBeGreaterThan(startMs);
        made.clock.nowMs = Math.max(made.clock.nowMs, startMs);
        await run(made, 5_000);
      }
    },
  );

  test('P7: 2,000 held ones over a slow store let no lease lapse, and what runs at the end is waited for', async () => {
    vi.useFakeTimers({ now: T0_MS });
    const made = await slowWorld();
    let isOver = false;
    const running = run(made, 5_000).then(() => {
      isOver = true;
    });
    const answers: boolean[] = [];
    for (let second = 0; second < 60; second += 1) {
      await vi.advanceTimersByTimeAsync(1_000);
      const answer = made.isEnabled();
      await vi.advanceTimersByTimeAsync(20);
      answers.push(await answer);
    }
    expect(answers.filter((isEnabled) => !isEnabled)).toEqual([]);
    expect([...made.tried].filter((rowId) => rowId.startsWith('withdrawal:w-'))).toHaveLength(HELD);
    // The last renewal was at 61 s; the last round of releasing began at 60 s and has 3 s.
    await vi.advanceTimersByTimeAsync(1_000);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(4_000);
    await running;
    expect([made.listings, vi.getTimerCount()]).toEqual([{ running: 0, most: 1 }, 0]);
    const { [CHAIN]: untilMs = 0 } = await made.world.store.health.leases();
    expect(untilMs).toBeGreaterThanOrEqual(T0_MS + 60_000 + 15_000);
  });

  test('behavior: a round that fails is logged and does not end the loop', async () => {
    let sends = 0;
    const made = await living(({ events }) => ({
      events: {
        send: async (event) => {
          sends += 1;
          if (sends % 2 === 0) throw new Error('the bus is down');
          return events.send(event);
        },
      },
    }));
    await run(made, 5_000);
    expect(sends).toBe(14);
    const reasons = made.lines.filter(({ message }) => message === 'tick failed');
    expect(reasons.length).toBe(7);
    expect(reasons[0]).toMatchObject({ fields: { reason: 'the bus is down' } });
  });

  test('P7: with the bus down for good the leases run out', async () => {
    const made = await living();
    await run(made, 5_000);
    const mute = { ...made.world, events: { send: async () => Promise.reject(new Error('down')) } };
    made.clock.nowMs += 60_000;
    await run({ ...made, world: mute }, 5_000);
    const { [CHAIN]: untilMs = 0 } = await made.world.store.health.leases();
    expect(untilMs).toBeLessThan(made.clock.nowMs);
    expect(made.messages.map(({ severity }) => severity)).toEqual(['page']);
  });
});

describe('tickOnce', () => {
  test('default', async () => {
    const made = await living();
    await tickOnce(made.world, { everyMs: 0 });
    await made.world.sleep(1_000);
    await tickOnce(made.world, { everyMs: 0 });
    expect(await made.world.store.health.leases()).toMatchObject({ [CHAIN]: T0_MS + 180_000 });
    expect(made.lines).toMatchObject([{ message: 'lease not renewed' }]);
  });

  test('H77: what is held goes by itself once there is room, and the service is told at its next question', async () => {
    const rules = policy({
      limits: [limit({ allowed: usd(10), windowMs: 300_000, action: { kind: 'hold' } })],
    });
    const made = await readyWorld(rules);
    const { world, clock } = made;
    const ask = (withdrawalId: string, units: number) =>
      reserve(world.reserve, {
        audience: 'signer',
        asks: [askFor(withdrawalId, usd(units))],
      });
    expect(await ask('first', 8)).toMatchObject([{ kind: 'allow' }]);
    const [held] = await ask('second', 5);
    expect(held).toMatchObject({ kind: 'hold', position: 1 });
    const capacityAtMs = held?.kind === 'hold' ? (held.capacityAtMs ?? 0) : 0;
    clock.nowMs = capacityAtMs - 1;
    await tickOnce(world, { everyMs: 5_000 });
    expect(await world.store.held.list(9)).toHaveLength(1);
    clock.nowMs = capacityAtMs;
    await tickOnce(world, { everyMs: 5_000 });
    expect(await world.store.held.list(9)).toEqual([]);
    expect(made.lines).toContainEqual(
      expect.objectContaining({ fields: { released: ['second'] } }),
    );
    expect(await ask('second', 5)).toMatchObject([{ kind: 'allow' }]);
  });

  test('behavior: reservations whose outcome stays open are told of once for each such time', async () => {
    const made = await readyWorld(policy({ overdueMs: 3_600_000 }));
    const { world, clock } = made;
    const asks = [askFor('lost', 1n)];
    await reserve(world.reserve, { audience: 'signer', asks });
    const told = async (afterMs: number) => {
      clock.nowMs = T0_MS + afterMs;
      await tickOnce(world, { everyMs: 5_000 });
      return made.records.filter(
        (record) => record.type === 'alert-raised' && record.alert.kind === 'overdue',
      ).length;
    };
    expect(await told(3_600_000)).toBe(0);
    expect(await told(3_600_001)).toBe(1);
    expect(await told(3_600_002)).toBe(1);
    expect(await told(7_200_001)).toBe(2);
  });

  test('behavior: an outflow whose report does not come in its time trips at the next round', async () => {
    const matching = { deductedFeeMax: 0n, graceMs: 20_000, unseenMs: 86_400_000 };
    const made = await readyWorld(policy({ matching }));
    const { world, clock } = made;
    await recordEvents(world.decision, [incoming(outflow({ transaction: '0xa' }))]);
    const open = async (afterMs: number) => {
      clock.nowMs = T0_MS + afterMs;
      await tickOnce(world, { everyMs: 5_000 });
      const incidents = await world.store.incidents.list(9);
      return incidents.filter((one) => !one.quarantinedBy).map(({ scope }) => scope);
    };
    expect(await open(19_999)).toEqual([]);
    expect(await open(20_000)).toEqual(['key-domain:vault-a']);
    expect(await open(25_000)).toEqual(['key-domain:vault-a']);
    const line = made.lines.find(({ message }) => message === 'reports did not come in time');
    expect(line?.fields.trips).toMatchObject([{ scope: 'key-domain:vault-a', opened: true }]);
  });

  test('behavior: late reports that cannot be listed keep no lease from being renewed', async () => {
    const made = await living(({ store }) => ({
      store: { ...store, graces: { over: async () => Promise.reject(new Error('down')) } },
    }));
    await tickOnce(made.world, { everyMs: 0 });
    await made.world.sleep(1_000);
    await tickOnce(made.world, { everyMs: 0 });
    expect(await made.world.store.health.leases()).toMatchObject({ [CHAIN]: T0_MS + 180_000 });
    expect(made.lines.map(({ message }) => message)).toContain('late reports not looked at');
  });

  test('behavior: approved withdrawals that are not seen on a watched chain are told of once for each such time', async () => {
    const matching = { deductedFeeMax: 0n, graceMs: 0, unseenMs: 3_600_000 };
    const watch = { confirmations: 0, blindAfterMs: 120_000 };
    const chains = [{ pattern: CHAIN, name: 'Ethereum', watch }];
    const made = await readyWorld(policy({ matching, chains }));
    const { world, clock } = made;
    await recordEvents(world.decision, [incoming(withdrawal('lost'))]);
    const told = async (afterMs: number) => {
      clock.nowMs = T0_MS + afterMs;
      await tickOnce(world, { everyMs: 5_000 });
      return made.records.filter(
        (record) => record.type === 'alert-raised' && record.alert.kind === 'unseen',
      ).length;
    };
    expect(await told(3_600_000)).toBe(0);
    expect(await told(3_600_001)).toBe(1);
    expect(await told(3_600_002)).toBe(1);
    expect(await told(7_200_001)).toBe(2);
  });

  test('behavior: held withdrawals that cannot be listed keep no lease from being renewed', async () => {
    const made = await living(({ store }) => ({
      store: {
        ...store,
        held: { ...store.held, heads: async () => Promise.reject(new Error('down')) },
      },
    }));
    await tickOnce(made.world, { everyMs: 0 });
    await made.world.sleep(1_000);
    await tickOnce(made.world, { everyMs: 0 });
    expect(await made.world.store.health.leases()).toMatchObject({ [CHAIN]: T0_MS + 180_000 });
    expect(made.lines.map(({ message }) => message)).toContain('held withdrawals not tried');
  });

  test('P7: with the store down it renews nothing and does not throw', async () => {
    const made = await living(({ store }) => ({
      store: {
        ...store,
        health: { ...store.health, heartbeat: async () => Promise.reject(new Error('down')) },
      },
    }));
    await tickOnce(made.world, { everyMs: 5_000 });
    expect(made.lines).toMatchObject([{ message: 'tick failed', fields: { reason: 'down' } }]);
    expect(await made.world.store.health.leases()).toEqual({});
  });
});
