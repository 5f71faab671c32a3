import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { measureWorkers } from '../../bench/concurrency.ts';
import { incoming, scopesOf, withdrawal } from '../../bench/events.ts';
import { drawEth, fullMeter, ofEth } from '../../bench/full-meters.ts';
import { openLimiter } from '../../bench/limiter-account.ts';
import { loseReplies } from '../../bench/lost-replies.ts';
import { oneScopeDecision } from '../../bench/one-scope.ts';
import { putMeters, type Rig, startRig } from '../../bench/rig.ts';
import { policySource } from '../../bench/sample-policy.ts';
import { measureScenario } from '../../bench/units.ts';
import { watchWire } from '../../bench/wire-count.ts';
import { recordEvents } from '../../lib/actions/record-events.ts';
import { nodeIds } from '../../lib/adapters/node-ids.ts';
import * as Meter from '../../lib/domain/meter.ts';
import { systemClock } from '../../lib/runtime/system.ts';

let rig: Rig;
let number = 0;

beforeAll(async () => {
  rig = await startRig({ policySource: policySource(1), seed: 'test' });
});
afterAll(() => rig.stop());
beforeEach(() => rig.watch.reset());

function next() {
  number += 1;
  return incoming(withdrawal({ id: `wire-${number}`, amount: 10n ** 18n }));
}

async function walletOf(): Promise<Meter.Meter> {
  const { wallet } = scopesOf({});
  const { items } = await rig.store.decisions.load({ rows: [], items: [wallet] });
  return items.get(wallet)?.meter ?? Meter.EMPTY;
}

describe('watchWire', () => {
  test('default', async () => {
    await recordEvents(rig.deps, [next()]);
    // A row and eight items of less than a KB each, twice their price in a transaction.
    const expected = { requests: 2, transactions: 1, writeUnits: 20, refusals: 0, cancelled: 0 };
    expect(rig.watch.read()).toEqual(expected);
  });

  test('behavior: a refused condition is counted, and brings no units', async () => {
    const { wallet } = scopesOf({});
    const item = {
      version: 1,
      meter: Meter.EMPTY,
      breaker: { state: 'closed', epoch: 0 },
    } as const;
    const nothing = { rows: [], incidents: [], causes: [], alerts: [] };
    const items = [{ key: wallet, item, expected: 'absent' as const }];
    const changes = { decisionId: nodeIds.decisionId(), atMs: 0, items, ...nothing };
    expect(await rig.store.decisions.commit(changes)).toBe('conflict');
    const expected = { requests: 1, transactions: 1, writeUnits: 0, refusals: 1, cancelled: 1 };
    expect(rig.watch.read()).toEqual(expected);
  });
});

describe('putMeters', () => {
  test('behavior: replaces the meter, and the policy stays in force', async () => {
    const endMs = systemClock.nowMs();
    const meter = fullMeter({ seed: 'test', endMs, draw: ofEth(drawEth), spanMs: 3_600_000 });
    await putMeters(rig.store, new Map([['global', meter]]));
    const { items } = await rig.store.decisions.load({ rows: [], items: ['global'] });
    expect(items.get('global')?.meter).toEqual(meter);
    expect(items.get('global')?.policyVersion).toBe(1);
  });
});

describe('measureScenario', () => {
  test('default', async () => {
    const cost = await measureScenario(rig, { batches: [[next()], [next()]] });
    expect(cost).toEqual({ roundTrips: 2, units: 20 });
  });

  test('behavior: a batch shares reading and meters; what comes before is not counted', async () => {
    const cost = await measureScenario(rig, {
      before: [[next()]],
      batches: [[next(), next(), next(), next()]],
    });
    expect(cost).toEqual({ roundTrips: 0.5, units: (4 * 2 + 9 * 2) / 4 });
  });
});

describe('oneScopeDecision', () => {
  test('behavior: counts once, for four units', async () => {
    const oneScope = oneScopeDecision(rig.store.decisions, nodeIds.decisionId);
    await oneScope.fill(Meter.EMPTY);
    rig.watch.reset();
    await oneScope.once('one');
    expect(rig.watch.read()).toMatchObject({ requests: 2, writeUnits: 4 });
    await oneScope.once('one');
    expect((await walletOf()).steps[0]?.map(({ count }) => count)).toEqual([1]);
  });
});

describe('loseReplies', () => {
  test('behavior: what is lost was done, is asked again, and counts once', async () => {
    await putMeters(rig.store, new Map([[scopesOf({}).wallet, Meter.EMPTY]]));
    rig.watch.reset();
    // The second answer, that of the commit, is lost.
    const losing = loseReplies(rig.client, { share: 0.5, random: lostAt(1) });
    const recorded = await recordEvents(rig.deps, [next()]);
    losing.stop();
    expect(recorded[0]?.kind).toBe('decided');
    expect(losing.lost()).toBe(1);
    expect(rig.watch.read()).toMatchObject({ requests: 3, transactions: 2 });
    expect((await walletOf()).steps[0]?.map(({ count }) => count)).toEqual([1]);
    await recordEvents(rig.deps, [next()]);
    expect(losing.lost()).toBe(1);
  });
});

describe('openLimiter', () => {
  test('behavior: five windows are ten requests, half of them refused', async () => {
    const limiter = await openLimiter(rig.endpoint, 'limiter');
    try {
      await limiter.consume(7);
      const watch = watchWire(limiter.client);
      await limiter.consume(5);
      const refused = { refusals: 5, cancelled: 0 };
      expect(watch.read()).toEqual({ requests: 10, transactions: 0, writeUnits: 5, ...refused });
      expect(await limiter.consumed()).toBe(12);
    } finally {
      limiter.stop();
    }
  });
});

describe('measureWorkers', () => {
  test('behavior: attempts are at least decisions, and every event is counted', async () => {
    await putMeters(rig.store, new Map([[scopesOf({}).wallet, Meter.EMPTY]]));
    const run = await measureWorkers(rig, { workers: 2, batch: 2, seed: 'test', durationMs: 50 });
    expect(run.decisions).toBeGreaterThan(0);
    expect(run.attempts).toBeGreaterThanOrEqual(run.decisions);
    const { steps } = await walletOf();
    const counted = steps.at(-1)?.reduce((sum, { count }) => sum + count, 0);
    expect(counted).toBe(2 * run.decisions);
  });
});

/** Random numbers that lose only the answer in this place. */
function lostAt(place: number): () => number {
  let at = -1;
  return () => {
    at += 1;
    return at === place ? 0 : 1;
  };
}
