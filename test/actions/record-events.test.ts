import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { plan, recordEvents, UndecidableError } from '../../lib/actions/record-events.ts';
import { UnavailableError } from '../../lib/adapters/store-errors.ts';
import * as Approval from '../../lib/domain/approval.ts';
import type { Incoming } from '../../lib/domain/decision.ts';
import * as Ledger from '../../lib/domain/ledger.ts';
import type { Limit } from '../../lib/domain/policy.ts';
import * as Scope from '../../lib/domain/scope.ts';
import type { Withdrawal } from '../../lib/domain/withdrawal.ts';
import type { DecisionStore } from '../../lib/ports.ts';
import { ledgerOf, putInForce, readyWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import { expectMetersToBeSums } from '../support/ledger-check.ts';

/** Many limits on every kind of scope, all of which anything breaches, and each opening another kind. */
function breachedLimits(count: number): readonly Limit[] {
  return Array.from({ length: count }, (_, n) => {
    const kind = (offset: number) => Scope.KINDS[(n + offset) % Scope.KINDS.length] ?? 'global';
    return Build.limit({
      limitId: `limit-${n}`,
      scope: kind(0),
      metric: 'notional',
      allowed: 1n,
      action: n % 5 === 0 ? { kind: 'alert' } : { kind: 'pause', scope: kind(3) },
      mode: n % 7 === 0 ? 'shadow' : 'enforce',
    });
  });
}

const destination = fc
  .integer({ min: 0, max: 60 })
  .map((n) => `eip155:1:0x${n.toString(16).padStart(40, '0')}` as const);
const transfer = fc.record({
  account: fc.constantFrom(Build.HOT_1, Build.HOT_2, Build.HOT_3, Build.STRANGER),
  asset: fc.constantFrom(Build.ETH, Build.USDC, Build.PRICELESS, Build.UNLISTED),
  destination,
  actor: fc.option(
    fc.integer({ min: 0, max: 60 }).map((n) => `customer-${n}`),
    { nil: undefined },
  ),
  amount: fc.constantFrom(0n, 1n, Build.eth(1), 2n ** 256n - 1n),
  fee: fc.option(fc.constant({ asset: Build.ETH, amount: 21_000n }), { nil: undefined }),
});
const event: fc.Arbitrary<Incoming> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.nat(40), transfer)
      .map(([id, of]) => Build.incoming(Build.withdrawal(`w-${id}`, of))),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.nat(40), fc.nat(40), transfer)
      .map(([id, withdrawalId, of]) =>
        Build.incoming(
          Build.outflow({ transaction: `0x${id}`, withdrawalId: `w-${withdrawalId}` }, of),
        ),
      ),
  },
  {
    weight: 1,
    arbitrary: fc.constant<Incoming>({
      kind: 'heartbeat',
      heartbeat: { sentAtMs: 1, receivedAtMs: 2, oldestWaitingMs: 0 },
    }),
  },
);

/** Rules that throw for one withdrawal: what a mistake in them would do. */
function poisoned(id: string): Withdrawal {
  const bad = Build.withdrawal(id);
  return { ...bad, transfer: { ...bad.transfer, amount: -1n } };
}

/** A store that fails to commit what touches some row. */
function failingFor(decisions: DecisionStore, rowId: string): DecisionStore {
  return {
    load: decisions.load,
    commit: async (changes) => {
      if (changes.rows.some(({ row }) => row.rowId === rowId)) {
        throw new UnavailableError({ operation: 'commit', reason: 'Throttled', attempts: 3 });
      }
      return decisions.commit(changes);
    },
  };
}

describe('plan', () => {
  test('H44: no events, no chunks; one event, one chunk', () => {
    expect(plan(Build.policy(), [])).toEqual([]);
    const one = Build.incoming(Build.withdrawal('w-1'));
    expect(plan(Build.policy(), [one])).toEqual([[one]]);
  });

  test('behavior: 17 withdrawals of one customer from one wallet are one transaction', () => {
    const events = Array.from({ length: 17 }, (_, n) => Build.incoming(Build.withdrawal(`w-${n}`)));
    expect(plan(Build.policy(), events).length).toBe(1);
  });

  test.prop([fc.array(event, { maxLength: 60 })])(
    'behavior: chunks are the events in order, and none is empty',
    (events) => {
      const chunks = plan(Build.policy(), events);
      expect(chunks.flat()).toEqual(events);
      expect(chunks.every((chunk) => chunk.length > 0)).toBe(true);
    },
  );
});

describe('recordEvents', () => {
  test('behavior: a report that comes again alone, and says more of its transaction, is kept', async () => {
    const { world } = await readyWorld(Build.policy());
    const report = Build.withdrawal('w-1');
    await recordEvents(world.decision, [Build.incoming(report)]);
    const [again] = await recordEvents(world.decision, [
      Build.incoming({ ...report, sent: { nonce: 7 } }),
    ]);
    expect(again).toMatchObject({ outcome: { result: 'duplicate', notional: 0n } });
    const rows = ['withdrawal:w-1', Approval.endsId(report.transfer)];
    const loaded = await world.store.decisions.load({ rows, items: [] });
    expect(loaded.rows.get('withdrawal:w-1')?.sent).toEqual({ nonce: 7 });
    expect(loaded.rows.get(rows[1] ?? '')?.ends?.approvals).toMatchObject([{ nonce: 7 }]);
  });

  test('behavior: an outflow that comes before its report in one batch is approved', async () => {
    const { world } = await readyWorld(Build.policy());
    const report = Build.incoming(Build.withdrawal('a'));
    const seen = Build.incoming(Build.outflow({ transaction: '0xa', withdrawalId: 'a' }));
    const recorded = await recordEvents(world.decision, [seen, report]);
    expect(recorded.map((one) => one.kind === 'decided' && one.outcome.result)).toEqual([
      'matched-outflow',
      'new-withdrawal',
    ]);
    expect(await world.store.incidents.list(1)).toEqual([]);
  });

  test('behavior: an outflow that names nothing waits with the report between its ends that failed in the same call', async () => {
    const { world } = await readyWorld(Build.policy());
    const many = Array.from({ length: 40 }, (_, n) => Build.incoming(Build.withdrawal(`w-${n}`)));
    const decisions = failingFor(world.decision.decisions, 'withdrawal:w-0');
    const seen = Build.incoming(Build.outflow({ transaction: '0xa' }));
    const stolen = Build.outflow({ transaction: '0xb' }, { destination: Build.STRANGER });
    const events = [...many, seen, Build.incoming(stolen)];
    const recorded = await recordEvents({ ...world.decision, decisions }, events);
    expect(recorded.slice(-2).map(({ kind }) => kind)).toEqual(['failed', 'decided']);
    const again = await recordEvents(world.decision, [...many, seen]);
    expect(again.at(-1)).toMatchObject({ outcome: { result: 'matched-outflow', trips: [] } });
  });

  test('behavior: a report that comes again with the hash is a duplicate that is written', async () => {
    const { world, committed } = await readyWorld(Build.policy());
    const report = Build.withdrawal('w-1');
    await recordEvents(world.decision, [Build.incoming(report)]);
    const before = committed.length;
    const named = Build.incoming({ ...report, sent: { transaction: '0xa' } });
    for (const _ of [1, 2]) {
      const [recorded] = await recordEvents(world.decision, [named]);
      expect(recorded).toMatchObject({ outcome: { result: 'duplicate', notional: 0n } });
    }
    expect(committed.length - before).toBe(1);
    const rowId = 'withdrawal:w-1';
    const { rows } = await world.store.decisions.load({ rows: [rowId], items: [] });
    expect(rows.get(rowId)?.sent).toEqual({ transaction: '0xa' });
  });

  test('behavior: an outflow whose report fails in the same call waits with it', async () => {
    const { world } = await readyWorld(Build.policy());
    const many = Array.from({ length: 40 }, (_, n) => Build.incoming(Build.withdrawal(`w-${n}`)));
    const seen = Build.incoming(Build.outflow({ transaction: '0xa', withdrawalId: 'w-0' }));
    const decisions = failingFor(world.decision.decisions, 'withdrawal:w-0');
    const recorded = await recordEvents({ ...world.decision, decisions }, [...many, seen]);
    expect(recorded[0]?.kind).toBe('failed');
    expect(recorded.at(-1)).toMatchObject({ kind: 'failed', error: expect.any(Error) });
    expect(await world.store.incidents.list(1)).toEqual([]);
    const again = await recordEvents(world.decision, [...many, seen]);
    expect(again.at(-1)).toMatchObject({ kind: 'decided', outcome: { result: 'matched-outflow' } });
  });

  test('default', async () => {
    const { world } = await readyWorld(Build.policy());
    const [recorded] = await recordEvents(world.decision, [
      Build.incoming(Build.withdrawal('w-1')),
    ]);
    expect(recorded).toEqual({
      kind: 'decided',
      outcome: {
        rowId: 'withdrawal:w-1',
        result: 'new-withdrawal',
        notional: Build.usd(1),
        trips: [],
        wouldTrip: [],
      },
    });
  });

  test('H44: an empty batch reads and writes nothing', async () => {
    const { world } = await readyWorld(Build.policy());
    const fail = async () => {
      throw new Error('was asked');
    };
    const policy = { current: fail, adopt: fail, refresh: fail };
    const deps = { ...world.decision, decisions: { load: fail, commit: fail }, policy };
    expect(await recordEvents(deps, [])).toEqual([]);
  });

  test.prop([fc.array(event, { minLength: 1, maxLength: 30 }), fc.constantFrom(0, 3, 100, 256)], {
    numRuns: 40,
  })(
    'behavior: every transaction has at most 100 items, however many limits are breached',
    async (events, limits) => {
      const { world, committed } = await readyWorld(
        Build.policy({ limits: breachedLimits(limits) }),
      );
      const recorded = await recordEvents(world.decision, events);
      expect(recorded.length).toBe(events.length);
      expect(recorded.every(({ kind }) => kind === 'decided')).toBe(true);
      expect(Math.max(...committed.map(Ledger.size))).toBeLessThanOrEqual(Ledger.CHANGES_MAX);
      const outcomes = recorded.flatMap((one) =>
        one.kind === 'decided' ? [one.outcome.result] : [],
      );
      expect(outcomes).not.toContain('parked');
      expectMetersToBeSums(await ledgerOf(world.store, committed));
    },
  );

  test('behavior: the event that the rules cannot judge is parked and trips; the others go on', async () => {
    const { world, committed } = await readyWorld(Build.policy());
    const events = [
      Build.withdrawal('w-1'),
      poisoned('w-2'),
      Build.withdrawal('w-3'),
      Build.withdrawal('w-4', { account: Build.HOT_3 }),
    ].map((one) => Build.incoming(one));
    const recorded = await recordEvents(world.decision, events);
    const results = recorded.map((one) => (one.kind === 'decided' ? one.outcome.result : one.kind));
    expect(results).toEqual(['new-withdrawal', 'parked', 'new-withdrawal', 'new-withdrawal']);
    const [incident] = await world.store.incidents.list(10);
    expect(incident).toMatchObject({ scope: 'wallet:hot-1', first: { kind: 'parked' } });
    expect(incident?.first.text).toContain('must not be negative');
    expectMetersToBeSums(await ledgerOf(world.store, committed));
  });

  test('behavior: an event that cannot even be placed takes no other with it', () => {
    const placeless = Build.withdrawal('w-2', { fee: { asset: Build.ETH, amount: -1n } });
    const events = [Build.withdrawal('w-1'), placeless, Build.withdrawal('w-3')];
    const chunks = plan(
      Build.policy(),
      events.map((one) => Build.incoming(one)),
    );
    expect(chunks.map((chunk) => chunk.length)).toEqual([1, 1, 1]);
  });

  test('behavior: a parked event delivered again adds no second cause', async () => {
    const { world } = await readyWorld(Build.policy());
    const events = [Build.incoming(poisoned('w-2'))];
    await recordEvents(world.decision, events);
    const [again] = await recordEvents(world.decision, events);
    expect(again).toMatchObject({ kind: 'decided', outcome: { result: 'parked', trips: [] } });
    const [incident] = await world.store.incidents.list(10);
    expect(await world.store.incidents.causes(incident?.incidentId ?? '')).toEqual([]);
  });

  test('behavior: changes that fit no transaction are decided in halves', async () => {
    const many = Array.from({ length: 12 }, (_, n) =>
      Build.incoming(Build.withdrawal(`w-${n}`, { amount: Build.usd(2), actor: 'customer-1' })),
    );
    const { world, committed } = await readyWorld(Build.policy({ limits: breachedLimits(60) }));
    const count = committed.length;
    expect(plan(Build.policy(), many).length).toBe(1);
    const recorded = await recordEvents(world.decision, many);
    expect(recorded.map((one) => one.kind === 'decided' && one.outcome.rowId)).toEqual(
      many.map((_, n) => `withdrawal:w-${n}`),
    );
    expect(committed.length - count).toBeGreaterThan(1);
  });

  test('behavior: a chunk that the store refuses fails alone and unchanged', async () => {
    const { world, committed } = await readyWorld(Build.policy());
    // Every one with a destination and customer of its own, so that they need several transactions.
    const events = Array.from({ length: 30 }, (_, n) => {
      const to = `eip155:1:0x${(n + 1).toString(16).padStart(40, '0')}` as const;
      return Build.incoming(Build.withdrawal(`w-${n}`, { destination: to, actor: `c-${n}` }));
    });
    const chunks = plan(Build.policy(), events);
    expect(chunks.length).toBeGreaterThan(2);
    const decisions = failingFor(world.store.decisions, 'withdrawal:w-0');
    const recorded = await recordEvents({ ...world.decision, decisions }, events);
    const failed = recorded.filter(({ kind }) => kind === 'failed').length;
    expect(failed).toBe(chunks[0]?.length);
    expect(recorded.slice(failed).every(({ kind }) => kind === 'decided')).toBe(true);
    expectMetersToBeSums(await ledgerOf(world.store, committed));
    const again = await recordEvents(world.decision, events);
    const results = again.map((one) => one.kind === 'decided' && one.outcome.result);
    expect(results.filter((result) => result === 'new-withdrawal').length).toBe(failed);
    expectMetersToBeSums(await ledgerOf(world.store, committed));
  });

  test('H18: events fail, and are not parked, when the store is down', async () => {
    const { world } = await readyWorld(Build.policy());
    const down = new UnavailableError({ operation: 'load', reason: 'Throttled', attempts: 3 });
    const load = async () => {
      throw down;
    };
    const deps = { ...world.decision, decisions: { ...world.store.decisions, load } };
    const events = [Build.withdrawal('w-1'), Build.withdrawal('w-2')].map((one) =>
      Build.incoming(one),
    );
    expect(await recordEvents(deps, events)).toEqual(
      events.map(() => ({ kind: 'failed', error: down })),
    );
    expect(await world.store.incidents.list(1)).toEqual([]);
  });

  test('H18: events fail one by one when not even the policy can be read', async () => {
    const { world } = await readyWorld(Build.policy());
    const down = new Error('no policy');
    const fail = async () => {
      throw down;
    };
    const deps = { ...world.decision, policy: { current: fail, adopt: fail, refresh: fail } };
    const events = [Build.incoming(Build.withdrawal('w-1'))];
    expect(await recordEvents(deps, events)).toEqual([{ kind: 'failed', error: down }]);
  });

  test('behavior: a chunk planned by an old policy is decided by the new one', async () => {
    const { world } = await readyWorld(Build.policy());
    const other = await readyWorld(Build.policy(), () => ({ store: world.store, ids: world.ids }));
    const wallets = [{ name: 'renamed', keyDomain: 'vault-z', addresses: [Build.HOT_1] }];
    await putInForce(other.world, Build.policy({ name: 'second', wallets }));
    await recordEvents(world.decision, [Build.incoming(Build.withdrawal('w-1'))]);
    const { items } = await world.store.decisions.load({
      rows: [],
      items: ['wallet:renamed', 'wallet:hot-1'],
    });
    expect([...items.keys()]).toEqual(['wallet:renamed']);
  });

  test('H28, H12: the withdrawal that crosses is counted and trips in the same commit', async () => {
    const { world, committed } = await readyWorld(Build.policy({ limits: [Build.limit()] }));
    await recordEvents(world.decision, [
      Build.incoming(Build.withdrawal('w-1', { amount: Build.usd(1_000) })),
    ]);
    expect(await world.store.incidents.list(1)).toEqual([]);
    await recordEvents(world.decision, [Build.incoming(Build.withdrawal('w-2', { amount: 1n }))]);
    const last = committed.at(-1);
    expect(last?.incidents.length).toBe(1);
    expect(last?.rows.map(({ row }) => row.rowId)).toEqual([
      'withdrawal:w-2',
      Approval.endsId(Build.transfer()),
    ]);
  });

  test('H36: many small withdrawals trip on their sum', async () => {
    const { world } = await readyWorld(Build.policy({ limits: [Build.limit()] }));
    const small = Array.from({ length: 101 }, (_, n) =>
      Build.incoming(Build.withdrawal(`w-${n}`, { amount: Build.usd(10), actor: `c-${n % 7}` })),
    );
    const trips = (await recordEvents(world.decision, small)).flatMap((one) =>
      one.kind === 'decided' ? one.outcome.trips : [],
    );
    expect(trips).toMatchObject([{ scope: 'wallet:hot-1', opened: true }]);
  });
});

describe('quarantine', () => {
  test('behavior: H79: thefts to as many destinations with memos fit their transactions, all of them', async () => {
    const made = await readyWorld(Build.policy());
    const thefts = Array.from({ length: 30 }, (_, at) =>
      Build.incoming(
        Build.outflow(
          { transaction: `0x${at}` },
          { destination: `eip155:1:0x${at.toString(16).padStart(40, 'd')}`, memo: `${at}` },
        ),
      ),
    );
    const recorded = await recordEvents(made.world.decision, thefts);
    expect(new Set(recorded.map(({ kind }) => kind))).toEqual(new Set(['decided']));
    for (const changes of made.committed) {
      expect(Ledger.size(changes)).toBeLessThanOrEqual(Ledger.CHANGES_MAX);
    }
    const open = await made.world.store.incidents.listOpen(1_000);
    expect(open).toHaveLength(2 + 2 * 30);
    expect(open.filter(({ quarantinedBy }) => !quarantinedBy)).toHaveLength(1);
  });
});

describe('UndecidableError', () => {
  test('default', () => {
    const cause = new Error('why');
    const error = new UndecidableError({ reason: 'it changes 101 items', cause });
    expect([error.message, error.cause]).toEqual(['it changes 101 items', cause]);
  });
});
