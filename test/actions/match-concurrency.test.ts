import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { createPolicyInForce } from '../../lib/actions/policy-in-force.ts';
import { recordEvents } from '../../lib/actions/record-events.ts';
import { fromCompiled } from '../../lib/adapters/compiled-policy.ts';
import type { Incoming } from '../../lib/domain/decision.ts';
import type { World } from '../../lib/runtime/world.ts';
import { ledgerOf, readyWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import { mulberry32 } from '../support/faults.ts';
import { createTurns, interleaved, shuffled, type Turns } from '../support/interleave.ts';
import { expectMetersToCover } from '../support/ledger-check.ts';

const SEED = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const APPROVED = 12;
const STOLEN = 3;
const DELIVERIES_MAX = 200;

function worker(world: World, turns: Turns): World['decision'] {
  const decisions = interleaved(world.store.decisions, turns);
  const { policies } = world.store;
  const policy = createPolicyInForce({ decisions, policies, parse: fromCompiled });
  return { ...world.decision, decisions, policy, sleep: turns.turn };
}

/** Records events one batch after the other, and what failed again, as a queue would. */
async function work(deps: World['decision'], events: readonly Incoming[]): Promise<void> {
  let rest = events;
  for (let delivery = 0; rest.length > 0; delivery += 1) {
    if (delivery === DELIVERIES_MAX) throw new Error('the queue gave up');
    const batch = rest.slice(0, 3);
    const recorded = await recordEvents(deps, batch);
    const again = batch.filter((_, position) => recorded[position]?.kind === 'failed');
    rest = [...rest.slice(3), ...again];
  }
}

const reports = Array.from({ length: APPROVED }, (_, n) =>
  Build.incoming(Build.withdrawal(`w-${n}`)),
);
const sights = Array.from({ length: APPROVED + STOLEN }, (_, n) =>
  Build.incoming({ ...Build.outflow({ transaction: `0x${n}` }), sequence: n + 1 }),
);
const removals = [0, 1, 2].map(
  (n): Incoming => ({
    kind: 'removed',
    removed: { rowId: `outflow:eip155:1:0x${n}:top`, sequence: 100 + n },
  }),
);

describe('recordEvents by two workers between two ends', () => {
  test.prop([SEED], { numRuns: 15 })(
    'H63: alike withdrawals, reported first: as many outflows match as were approved, whoever sees them',
    async (seed) => {
      const random = mulberry32(seed);
      const { world, committed } = await readyWorld(Build.policy());
      await work(world.decision, reports);
      const turns = createTurns(random);
      const seenBy = () => shuffled([...sights, ...sights.slice(0, 5)], random);
      await turns.run([seenBy(), seenBy()].map((some) => () => work(worker(world, turns), some)));
      const ledger = await ledgerOf(world.store, committed);
      expectMetersToCover(ledger);
      const states = [...ledger.rows.values()].map(({ rowId, state }) => `${rowId[0]} ${state}`);
      const count = (text: string) => states.filter((one) => one === text).length;
      expect([count('o matched'), count('o unmatched'), count('w matched')]).toEqual([
        APPROVED,
        STOLEN,
        APPROVED,
      ]);
      const links = [...ledger.rows.values()].flatMap(({ rowId, link }) =>
        rowId.startsWith('outflow') && link !== undefined ? [link] : [],
      );
      expect(new Set(links).size).toBe(APPROVED);
    },
  );

  test.prop([SEED], { numRuns: 15 })(
    'H63, H66: reports, sights and removals at once, each twice: everything on the chain is counted once',
    async (seed) => {
      const random = mulberry32(seed);
      const { world, committed } = await readyWorld(Build.policy());
      const turns = createTurns(random);
      const all = () => shuffled([...reports, ...sights, ...removals], random);
      await turns.run([all(), all()].map((some) => () => work(worker(world, turns), some)));
      const ledger = await ledgerOf(world.store, committed);
      expectMetersToCover(ledger);
      const rows = [...ledger.rows.values()];
      const isOutflow = (rowId: string) => rowId.startsWith('outflow');
      const onChain = rows.filter(
        ({ rowId, state }) => isOutflow(rowId) && (state === 'matched' || state === 'unmatched'),
      );
      expect(onChain).toHaveLength(APPROVED + STOLEN - removals.length);
      const pairs = rows.filter(({ rowId, state }) => isOutflow(rowId) && state === 'matched');
      const waiting = rows.filter(({ state }) => state === 'reported');
      expect(pairs.length + waiting.length).toBe(APPROVED);
      const counted = ledger.items.get('global')?.meter.steps.at(-1) ?? [];
      expect(counted.reduce((sum, one) => sum + one.count, 0)).toBe(
        onChain.length + waiting.length,
      );
      const listed = rows.flatMap(({ ends }) => ends?.approvals.flatMap((one) => one.rowIds) ?? []);
      expect(listed.toSorted()).toEqual(waiting.map(({ rowId }) => rowId).toSorted());
    },
  );
});
