import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { createPolicyInForce } from '../../lib/actions/policy-in-force.ts';
import { type Recorded, recordEvents } from '../../lib/actions/record-events.ts';
import { fromCompiled } from '../../lib/adapters/compiled-policy.ts';
import type { Incoming } from '../../lib/domain/decision.ts';
import type { DecisionStore } from '../../lib/ports.ts';
import type { World } from '../../lib/runtime/world.ts';
import { ledgerOf, readyWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import { mulberry32 } from '../support/faults.ts';
import { crashing, createTurns, interleaved, shuffled } from '../support/interleave.ts';
import { expectMetersToBeSums } from '../support/ledger-check.ts';

const SEED = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const WORKERS = 16;
/** Deliveries of one batch, at most: SQS would give up too. */
const DELIVERIES_MAX = 60;

/** A process of its own: its own policy cache over the shared store. */
function worker(world: World, decisions: DecisionStore, sleep: World['sleep']): World['decision'] {
  const { policies } = world.store;
  const policy = createPolicyInForce({ decisions, policies, parse: fromCompiled });
  return { ...world.decision, decisions, policy, sleep };
}

/** Records a batch, and what failed of it again, as the queue would. */
async function deliver(
  deps: World['decision'],
  batch: readonly Incoming[],
): Promise<readonly Recorded[]> {
  const all: Recorded[] = [];
  let rest = batch;
  for (let delivery = 0; rest.length > 0; delivery += 1) {
    if (delivery === DELIVERIES_MAX) throw new Error('the queue gave up');
    const recorded = await recordEvents(deps, rest);
    rest = rest.filter((_event, position) => recorded[position]?.kind === 'failed');
    all.push(...recorded);
  }
  return all;
}

/** Every kind of event, each of which must be counted once. */
function mixedEvents(): readonly Incoming[] {
  const paid = Array.from({ length: 5 }, (_, n) =>
    Build.incoming(Build.withdrawal(`w-${n}`, { amount: Build.usd(100 + n) })),
  );
  const matched = Build.outflow(
    { transaction: '0xa', withdrawalId: 'w-0' },
    { amount: Build.usd(100), fee: { asset: Build.ETH, amount: 1_000n } },
  );
  const unmatched = Build.outflow({ transaction: '0xb' }, { account: Build.HOT_3 });
  const conflict = Build.withdrawal('w-1', { amount: Build.usd(999) });
  return [...paid, ...[matched, unmatched, conflict].map((event) => Build.incoming(event))];
}

describe('recordEvents by many workers', () => {
  test.prop([SEED], { numRuns: 12 })(
    'H14, P2: every event 5 times, shuffled, in batches of any size, by 16 workers: counted once',
    async (seed) => {
      const random = mulberry32(seed);
      const limits = [Build.limit({ allowed: Build.usd(400) })];
      const { world, committed } = await readyWorld(Build.policy({ limits }));
      const turns = createTurns(random);
      const copies = shuffled(Array.from({ length: 5 }, () => mixedEvents()).flat(), random);
      const batches = Array.from({ length: WORKERS }, (): Incoming[] => []);
      for (const copy of copies) batches[Math.floor(random() * WORKERS)]?.push(copy);
      await turns.run(
        batches.map((batch) => async () => {
          const decisions = interleaved(world.store.decisions, turns);
          await deliver(worker(world, decisions, turns.turn), batch);
        }),
      );
      const ledger = await ledgerOf(world.store, committed);
      expectMetersToBeSums(ledger);
      // The claimed row of an outflow that came first is the withdrawal's own; notes carry no money.
      const money = [...ledger.rows.values()].filter((row) => row.money);
      expect(money.length).toBe(7);
      const open = (await world.store.incidents.list(100)).map(({ scope }) => scope);
      expect(new Set(open).size).toBe(open.length);
    },
  );

  test.prop([SEED, fc.integer({ min: 2, max: 16 })], { numRuns: 15 })(
    'H16, P3: k withdrawals at once with room for one: exactly one writer opens the incident',
    async (seed, k) => {
      const limits = [Build.limit()];
      const { world, committed } = await readyWorld(Build.policy({ limits }));
      const turns = createTurns(mulberry32(seed));
      const outcomes: Recorded[] = [];
      await turns.run(
        Array.from({ length: k }, (_, n) => async () => {
          const decisions = interleaved(world.store.decisions, turns);
          const event = Build.incoming(Build.withdrawal(`w-${n}`, { amount: Build.usd(600) }));
          outcomes.push(...(await deliver(worker(world, decisions, turns.turn), [event])));
        }),
      );
      const trips = outcomes.flatMap((one) => (one.kind === 'decided' ? one.outcome.trips : []));
      expect(trips.filter(({ opened }) => opened).length).toBe(1);
      expect(trips.length).toBe(k - 1);
      expect(new Set(trips.map(({ incidentId }) => incidentId)).size).toBe(1);
      const [incident, ...more] = await world.store.incidents.list(10);
      expect(more).toEqual([]);
      expect(incident?.first.limit?.used).toBe(Build.usd(1_200));
      const causes = await world.store.incidents.causes(incident?.incidentId ?? '');
      expect(causes.length).toBe(k - 2);
      expectMetersToBeSums(await ledgerOf(world.store, committed));
    },
  );

  test.prop([SEED], { numRuns: 10 })(
    'P2, P9: processes die between any two steps; delivered again, everything is counted once',
    async (seed) => {
      const random = mulberry32(seed);
      const limits = [Build.limit({ allowed: Build.usd(400) })];
      const { world, committed } = await readyWorld(Build.policy({ limits }));
      const turns = createTurns(random);
      const dies = () => random() < 0.15;
      const batches = [mixedEvents(), shuffled(mixedEvents(), random), mixedEvents().slice(2)];
      await turns.run(
        batches.map((batch) => async () => {
          const decisions = interleaved(crashing(world.store.decisions, dies), turns);
          await deliver(worker(world, decisions, turns.turn), batch);
        }),
      );
      const ledger = await ledgerOf(world.store, committed);
      expectMetersToBeSums(ledger);
      expect([...ledger.rows.values()].filter((row) => row.money).length).toBe(7);
    },
  );

  test('P9: a death at each single step of one batch, then redelivery: the same meters as without', async () => {
    const calm = await readyWorld(Build.policy());
    await deliver(calm.world.decision, mixedEvents());
    const expected = await ledgerOf(calm.world.store, calm.committed);
    let deaths = 0;
    for (let at = 1; at <= 40; at += 1) {
      const { world, committed } = await readyWorld(Build.policy());
      let step = 0;
      const dies = () => {
        step += 1;
        return step === at;
      };
      const decisions = crashing(world.store.decisions, dies);
      await deliver(worker(world, decisions, world.sleep), mixedEvents());
      if (step >= at) deaths += 1;
      const ledger = await ledgerOf(world.store, committed);
      expectMetersToBeSums(ledger);
      const meters = (loaded: typeof ledger) =>
        [...loaded.items].map(([key, { meter }]) => [key, meter]);
      expect(new Map(meters(ledger) as [string, unknown][])).toEqual(
        new Map(meters(expected) as [string, unknown][]),
      );
    }
    expect(deaths).toBeGreaterThan(4);
  });

  test('H14: A, B, A again counts A once', async () => {
    const { world } = await readyWorld(Build.policy());
    const [a, b] = ['a', 'b'].map((id) => Build.incoming(Build.withdrawal(id)));
    const results: string[] = [];
    for (const event of [a, b, a]) {
      for (const one of await recordEvents(world.decision, event ? [event] : [])) {
        results.push(one.kind === 'decided' ? one.outcome.result : one.kind);
      }
    }
    expect(results).toEqual(['new-withdrawal', 'new-withdrawal', 'duplicate']);
  });

  test('H15: an event seen again after it left every window is still the old one', async () => {
    const { world, clock, committed } = await readyWorld(Build.policy());
    const event = Build.incoming(Build.withdrawal('w-1'));
    await recordEvents(world.decision, [event]);
    clock.nowMs += 40 * Build.DAY_MS;
    const [again] = await recordEvents(world.decision, [event]);
    expect(again).toMatchObject({
      kind: 'decided',
      outcome: { result: 'duplicate', notional: 0n },
    });
    expectMetersToBeSums(await ledgerOf(world.store, committed));
  });
});
