/** Laws of reservations, reports, outflows and outcomes together, over random schedules. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AccountId } from '../../lib/domain/caip.ts';
import * as Meter from '../../lib/domain/meter.ts';
import type * as Outcome from '../../lib/domain/outcome.ts';
import type { Transfer } from '../../lib/domain/withdrawal.ts';
import {
  DAY_MS,
  ETH,
  HOT_1,
  HOT_2,
  HOUR_MS,
  incoming,
  limit,
  MINUTE_MS,
  outflow,
  policy,
  SECOND_MS,
  T0_MS,
  USDC,
  usd,
  withdrawal,
} from '../support/builders.ts';
import { expectMetersToCover, expectOutstandingToBeRows } from '../support/ledger-check.ts';
import {
  failed,
  neverSigned,
  nonceSpent,
  operator,
  replaced,
  say,
  settled,
} from '../support/outcomes.ts';
import { reserve, submit, type World, world } from '../support/world.ts';

const ADMISSION_MS = 30_000;
const rules = policy({ limits: [limit({ allowed: usd(10) })], outstandingMax: 2 });

const id = fc.constantFrom('1', '2', '3');
/** Each withdrawal has transactions of its own, so that outflows match, and few, so that they are replaced. */
const transaction = fc.constantFrom('a', 'b');
const evidence = fc.constantFrom<Outcome.Evidence>(nonceSpent, neverSigned, operator);
const parts = fc.record(
  {
    account: fc.constantFrom<AccountId>(HOT_1, HOT_2),
    asset: fc.constantFrom(USDC, ETH),
    amount: fc.bigInt({ min: 0n, max: 10n ** 6n }),
    actor: fc.constantFrom('a', 'b'),
    fee: fc.record({
      asset: fc.constantFrom(USDC, ETH),
      amount: fc.bigInt({ min: 0n, max: 10n ** 9n }),
    }),
  },
  { requiredKeys: ['account', 'asset', 'amount', 'actor'] },
);
type Step =
  | { readonly kind: 'reserve' | 'report'; readonly id: string; readonly parts: Partial<Transfer> }
  | {
      readonly kind: 'see';
      readonly id: string;
      readonly transaction: string;
      readonly parts: Partial<Transfer>;
    }
  | { readonly kind: 'say'; readonly outcomes: readonly Outcome.Outcome[] };
const outcome: fc.Arbitrary<Outcome.Outcome> = fc.oneof(
  id.map(settled),
  fc
    .tuple(id, evidence, fc.constantFrom('failed' as const, 'cancelled' as const))
    .map(([name, proof, kind]) => failed(name, proof, kind)),
  fc.tuple(id, transaction).map(([name, hash]) => replaced(name, `0x${name}${hash}`)),
);
/** One body for each id, so that most outflows match; fees differ. */
const schedule = fc.array(parts, { minLength: 3, maxLength: 3 }).chain((bodies) => {
  const bodyOf = (name: string) => bodies[Number(name) - 1] ?? {};
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc
      .tuple(fc.constantFrom('reserve' as const, 'report' as const), id)
      .map(([kind, name]) => ({ kind, id: name, parts: bodyOf(name) })),
    fc.tuple(id, transaction, parts).map(([name, hash, { fee }]) => ({
      kind: 'see' as const,
      id: name,
      transaction: `0x${name}${hash}`,
      // Who watches a chain knows no customers.
      parts: { ...bodyOf(name), actor: undefined, fee },
    })),
    {
      weight: 2,
      arbitrary: fc
        .array(outcome, { maxLength: 3 })
        .map((outcomes) => ({ kind: 'say' as const, outcomes })),
    },
  );
  const delta = fc.constantFrom(0, 0, SECOND_MS, ADMISSION_MS, MINUTE_MS, HOUR_MS, 2 * DAY_MS);
  return fc.array(fc.record({ step, delta }), { minLength: 10, maxLength: 30 });
});

function play(here: World, step: Step, nowMs: number): void {
  switch (step.kind) {
    case 'reserve': {
      const event = withdrawal(step.id, step.parts);
      const asks = [{ withdrawal: event, bodyHash: incoming(event).bodyHash }];
      reserve(here, { policy: rules, nowMs, asks });
      return;
    }
    case 'report':
      submit(here, { policy: rules, nowMs, events: [incoming(withdrawal(step.id, step.parts))] });
      return;
    case 'see': {
      const seen = outflow({ transaction: step.transaction, withdrawalId: step.id }, step.parts);
      submit(here, { policy: rules, nowMs, events: [incoming(seen)] });
      return;
    }
    case 'say':
      say(here, { policy: rules, nowMs, outcomes: step.outcomes });
      return;
    default:
      step satisfies never;
  }
}

/** micro-USD that the global meter holds over a day. */
function held(here: World): bigint {
  const meter = here.items.get('global')?.meter ?? Meter.EMPTY;
  const window = { metric: 'notional', windowMs: DAY_MS, widenMs: 0, nowMs: T0_MS } as const;
  return Meter.outflow(meter, window);
}

describe('decide', () => {
  test('behavior: P2, H20: after every schedule meters are the sum of the ledger, slot by slot, and what is open is what the rows say', () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(schedule, (steps) => {
        const here = world();
        let nowMs = T0_MS;
        for (const { step, delta } of steps) {
          nowMs += delta;
          play(here, step, nowMs);
          expectOutstandingToBeRows(here);
        }
        expectMetersToCover(here);
        for (const { state } of here.rows.values()) reached.add(state);
      }),
      { numRuns: 150 },
    );
    for (const state of ['failed', 'cancelled', 'replaced', 'matched', 'reserved']) {
      expect(reached).toContain(state);
    }
  });

  test('behavior: H19: the sum falls by what is said to be given back, and by nothing else', () => {
    fc.assert(
      fc.property(schedule, fc.array(outcome, { maxLength: 5 }), (steps, outcomes) => {
        const here = world();
        for (const { step } of steps) play(here, step, T0_MS);
        for (const one of outcomes) {
          const before = held(here);
          const [result] = say(here, { policy: rules, nowMs: T0_MS, outcomes: [one] }).results;
          const back = result?.kind === 'recorded' ? result.givenBack : 0n;
          expect(held(here)).toBe(before - back);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('behavior: H27: no outcome moves what a row was charged', () => {
    fc.assert(
      fc.property(schedule, (steps) => {
        const here = world();
        let nowMs = T0_MS;
        for (const { step, delta } of steps) {
          nowMs += delta;
          const before = new Map(here.rows);
          play(here, step, nowMs);
          if (step.kind !== 'say') continue;
          for (const [rowId, { money, atMs }] of before) {
            if (!money) continue;
            const row = here.rows.get(rowId);
            // What an outflow carried for a late report goes to its withdrawal as it is.
            const moved = row?.state === 'reported' && money.charged.length === 0;
            const bearer = moved ? before.get(before.get(rowId)?.link ?? '')?.money : money;
            expect(row?.money?.chargedAtMs).toBe(bearer?.chargedAtMs);
            const isEmptied = row?.state === 'replaced' && row.money?.charged.length === 0;
            if (!isEmptied) expect(row?.money?.charged).toEqual(bearer?.charged);
            if (!moved) expect(row?.money?.subject).toEqual(money.subject);
            expect(row?.atMs).toBe(atMs);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
