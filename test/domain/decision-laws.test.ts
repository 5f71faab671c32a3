/** Laws of decisions over random schedules, each against a reference that shares no code with the domain. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AccountId, AssetId } from '../../lib/domain/caip.ts';
import type * as Decision from '../../lib/domain/decision.ts';
import * as Meter from '../../lib/domain/meter.ts';
import {
  DAY_MS,
  ETH,
  HOT_1,
  HOT_1_OTHER_CHAIN,
  HOT_2,
  HOT_3,
  HOUR_MS,
  incoming,
  limit,
  MINUTE_MS,
  outflow,
  PRICELESS,
  policy,
  STRANGER,
  shortHash,
  T0_MS,
  UNLISTED,
  USDC,
  usd,
  WRAPPED_ETH,
  withdrawal,
} from '../support/builders.ts';
import * as Oracle from '../support/oracle.ts';
import { submit, type World, world } from '../support/world.ts';

const rules = policy({
  limits: [
    limit({ warnBps: 8_000 }),
    limit({
      limitId: 'day',
      scope: 'global',
      windowMs: DAY_MS,
      allowed: usd(5_000),
      action: { kind: 'pause', scope: 'global' },
    }),
    limit({
      limitId: 'assets',
      scope: 'key-domain',
      metric: 'assets',
      allowed: 2n,
      mode: 'shadow',
    }),
  ],
});

const account = fc.constantFrom<AccountId>(HOT_1, HOT_2, HOT_3, HOT_1_OTHER_CHAIN, STRANGER);
const asset = fc.constantFrom<AssetId>(USDC, ETH, WRAPPED_ETH, PRICELESS, UNLISTED);
const parts = fc.record(
  {
    account,
    asset,
    amount: fc.oneof(
      fc.bigInt({ min: 0n, max: 10n ** 9n }),
      fc.bigInt({ min: 0n, max: 2n ** 90n }),
    ),
    actor: fc.constantFrom('a', 'b'),
    memo: fc.constantFrom('1', '11'),
    fee: fc.record({ asset, amount: fc.bigInt({ min: 0n, max: 10n ** 9n }) }),
  },
  { requiredKeys: ['account', 'asset', 'amount'] },
);
/** Few ids, so that duplicates, conflicts, matches, late reports and second claims all happen. */
const id = fc.constantFrom('1', '2', '3', '11');
const event: fc.Arbitrary<Decision.Incoming> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(id, parts).map(([name, body]) => incoming(withdrawal(name, body))),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom('0xa', '0xb', '0xc', '0xd'), fc.option(id, { nil: undefined }), parts)
      .map(([transaction, withdrawalId, body]) =>
        incoming(
          outflow(
            withdrawalId === undefined ? { transaction } : { transaction, withdrawalId },
            body,
          ),
        ),
      ),
  },
  {
    weight: 1,
    arbitrary: id.map(
      (name) => ({ kind: 'parked', event: withdrawal(name), reason: 'x' }) as const,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constant({
      kind: 'heartbeat',
      heartbeat: { sentAtMs: T0_MS, receivedAtMs: T0_MS, oldestWaitingMs: 0 },
    } as const),
  },
);
/** Approved withdrawals with their outflows, in any order and with bodies that agree. */
const pair = fc
  .tuple(fc.string({ unit: fc.constantFrom(...'xyz'), minLength: 1, maxLength: 3 }), parts)
  .map(([name, body]) => [
    incoming(withdrawal(name, body)),
    incoming(outflow({ transaction: `0x${name}`, withdrawalId: name }, body)),
  ]);
const delta = fc.oneof(
  fc.constantFrom(
    0,
    1,
    5_999,
    6_000,
    MINUTE_MS,
    HOUR_MS,
    DAY_MS,
    16 * HOUR_MS,
    33 * DAY_MS,
    -HOUR_MS,
  ),
  fc.nat({ max: 40_000 }),
);
const batches = fc.array(
  fc.record({
    delta,
    events: fc
      .tuple(fc.array(event, { maxLength: 4 }), fc.array(pair, { maxLength: 2 }))
      .map(([some, pairs]) => [...some, ...pairs.flat()]),
  }),
  { maxLength: 12 },
);

/** Plays batches one after the other. The world checks versions, unique keys and loaded keys itself. */
function play(
  schedule: readonly { readonly delta: number; readonly events: readonly Decision.Incoming[] }[],
  after: (here: World, decision: Decision.Decision, nowMs: number) => void = () => {},
): World {
  const here = world();
  let nowMs = T0_MS;
  for (const { delta: ms, events } of schedule) {
    nowMs += ms;
    after(here, submit(here, { policy: rules, nowMs, events }), nowMs);
  }
  return here;
}

describe('decide', () => {
  test('behavior: P2: meters are the sum of the ledger, slot by slot, after every schedule', () => {
    fc.assert(
      fc.property(batches, (schedule) => {
        const here = play(schedule);
        const rebuilt = Oracle.rebuild(here.rows.values(), shortHash);
        for (const key of new Set([...rebuilt.keys(), ...here.items.keys()])) {
          expectSame(key, here.items.get(key)?.meter ?? Meter.EMPTY, rebuilt.get(key) ?? new Map());
        }
      }),
      { numRuns: 200 },
    );
  });

  test('behavior: P1, P4: after every decision each window holds what the ledger says left, and at most a slot more', () => {
    fc.assert(
      fc.property(batches, fc.constantFrom(0, 40_000), (schedule, widenMs) => {
        play(schedule, (here, _, workerMs) => {
          const { meter } = here.items.get('global')!;
          const left = leftOf(here);
          const nowMs = Math.max(workerMs, meter.newestMs);
          for (const { slotMs, windowMs } of Oracle.STEPS) {
            for (const metric of ['notional', 'count', 'assets'] as const) {
              const counted = Meter.outflow(meter, { metric, windowMs, widenMs, nowMs: workerMs });
              const fromMs = nowMs - windowMs - widenMs;
              const least = Oracle.sum(left, { metric, fromMs, toMs: nowMs });
              const most = Oracle.sum(left, { metric, fromMs: fromMs - slotMs + 1, toMs: nowMs });
              expect([metric, windowMs, least <= counted && counted <= most]).toEqual([
                metric,
                windowMs,
                true,
              ]);
            }
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  test('behavior: P3: what crosses a limit in enforce mode leaves a breaker open over it', () => {
    fc.assert(
      fc.property(batches, (schedule) => {
        play(schedule, (here, decision) => {
          for (const trip of decision.outcomes.flatMap((outcome) => outcome.trips)) {
            expect(here.items.get(trip.scope)?.breaker).toMatchObject({
              incidentId: trip.incidentId,
            });
          }
          const { meter, breaker } = here.items.get('global')!;
          const window = {
            metric: 'notional',
            windowMs: DAY_MS,
            widenMs: 40_000,
            nowMs: decision.changes.atMs,
          } as const;
          const judged = decision.outcomes.some((outcome) => outcome.notional > 0n);
          if (judged && Meter.outflow(meter, window) > usd(5_000))
            expect(breaker.state).toBe('open');
        });
      }),
      { numRuns: 100 },
    );
  });

  test('behavior: H29: every opening is one incident, with the causes that its breaker counted', () => {
    fc.assert(
      fc.property(batches, (schedule) => {
        const here = play(schedule);
        for (const [key, { breaker }] of here.items) {
          if (breaker.state === 'closed') continue;
          const incident = here.incidents.get(breaker.incidentId);
          expect([incident?.scope, incident?.epoch, incident?.state]).toEqual([
            key,
            breaker.epoch,
            'open',
          ]);
          const further = [...here.causes.keys()].filter((name) =>
            name.startsWith(`${breaker.incidentId}#`),
          );
          expect(further.length).toBeLessThanOrEqual(Math.min(breaker.causes, 20) - 1);
        }
        const open = [...here.items.values()].filter((item) => item.breaker.state !== 'closed');
        expect(here.incidents.size).toBe(open.length);
      }),
      { numRuns: 100 },
    );
  });

  test('behavior: H14: every event five times, shuffled over batches, counts once', () => {
    // An outflow of zero counts nowhere (H72), and one between the ends of a withdrawal may be its own.
    const stolen = parts.map((body) => ({
      ...body,
      amount: body.amount + 1n,
      destination: STRANGER,
    }));
    const once = fc.uniqueArray(
      fc.oneof(
        fc
          .tuple(fc.string({ minLength: 1, maxLength: 3 }), parts)
          .map(([name, body]) => withdrawal(name, body)),
        fc
          .tuple(fc.constantFrom('0xa', '0xb', '0xc'), fc.nat({ max: 20 }), stolen)
          .map(([transaction, log, body]) => outflow({ transaction, place: `log:${log}` }, body)),
      ),
      {
        minLength: 1,
        maxLength: 8,
        selector: (one) =>
          one.kind === 'withdrawal'
            ? `w${one.withdrawalId}`
            : `o${one.transaction}${one.place}${one.transfer.account.split(':')[1]}`,
      },
    );
    const shuffled = once.chain((events) => {
      const five = events.flatMap((one) => Array.from({ length: 5 }, () => one));
      return fc.record({
        events: fc.constant(events),
        order: fc.shuffledSubarray(five, { minLength: five.length, maxLength: five.length }),
        sizes: fc.array(fc.integer({ min: 1, max: 7 }), {
          minLength: five.length,
          maxLength: five.length,
        }),
      });
    });
    fc.assert(
      fc.property(shuffled, ({ events, order, sizes }) => {
        const many = world();
        let from = 0;
        for (const size of sizes) {
          const batch = order.slice(from, from + size).map((one) => incoming(one));
          submit(many, { policy: rules, nowMs: T0_MS, events: batch });
          from += size;
        }
        const single = world();
        submit(single, { policy: rules, nowMs: T0_MS, events: events.map((one) => incoming(one)) });
        expect(metersOf(many)).toEqual(metersOf(single));
        expect([...many.rows.values()].filter(({ ends }) => !ends)).toHaveLength(events.length);
        expect(leftOf(many).reduce((sum, one) => sum + one.count, 0)).toBe(events.length);
      }),
      { numRuns: 60 },
    );
  });

  test('behavior: a withdrawal and its outflow count once, in whatever order and batches they come', () => {
    const moving = parts.map((body) => ({ ...body, amount: body.amount + 1n }));
    const both = fc.tuple(moving, fc.boolean(), fc.boolean(), fc.nat({ max: 3 }));
    fc.assert(
      fc.property(both, ([body, reportFirst, oneBatch, repeats]) => {
        const events = [
          incoming(withdrawal('w', body)),
          incoming(outflow({ transaction: '0xa', withdrawalId: 'w' }, body)),
        ];
        const ordered = reportFirst ? events : events.toReversed();
        const all = [...ordered, ...Array.from({ length: repeats }, () => ordered).flat()];
        const schedule = oneBatch
          ? [{ delta: 0, events: all }]
          : all.map((one) => ({ delta: 0, events: [one] }));
        const here = play(schedule);
        const alone = play([{ delta: 0, events: [events[0]!] }]);
        const sums = (where: World) => leftOf(where).reduce((sum, one) => sum + one.notional, 0n);
        expect(sums(here)).toBe(sums(alone));
        expect(leftOf(here).reduce((sum, one) => sum + one.count, 0)).toBe(1);
        const states = [...here.rows.values()].flatMap(({ ends, state }) => (ends ? [] : [state]));
        expect(states).toEqual(['matched', 'matched']);
      }),
      { numRuns: 60 },
    );
  });
});

/** What left according to the rows' own legs: one entry for each leg. */
function leftOf(here: World): readonly Oracle.Left[] {
  const rows = [...here.rows.values()];
  const late = new Set(rows.filter(Oracle.isLate).map((row) => row.rowId));
  return rows
    .flatMap((row) =>
      (row.money?.charged ?? []).map((leg, position) => ({
        atMs: row.money!.chargedAtMs,
        notional: leg.notional,
        amount: 0n,
        count: position === 0 && !Oracle.isFeeOnly(row, late) ? 1 : 0,
        assets: [shortHash(leg.asset)],
      })),
    )
    .toSorted((a, b) => a.atMs - b.atMs);
}

function metersOf(here: World): Record<string, Meter.Meter> {
  return Object.fromEntries([...here.items].map(([key, item]) => [key, item.meter]));
}

function expectSame(
  key: string,
  meter: Meter.Meter,
  expected: ReadonlyMap<string, Oracle.Total>,
): void {
  const missing = new Map(expected);
  for (const [step, slots] of meter.steps.entries()) {
    for (const { index, ...totals } of slots) {
      const name = `${step}:${index}`;
      expect([key, name, totals]).toEqual([key, name, expected.get(name)]);
      missing.delete(name);
    }
  }
  // What the meter no longer holds has left every window, widened by the shipped 40 s.
  for (const name of missing.keys()) {
    const [step = 0, index = 0] = name.split(':').map(Number);
    const { slotMs, windowMs } = Oracle.STEPS[step]!;
    const endMs = (index + 1) * slotMs;
    expect([key, name, endMs <= meter.newestMs - windowMs - 40_000]).toEqual([key, name, true]);
  }
}
