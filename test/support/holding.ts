/** Withdrawals that wait: a world that checks its queues after every step, and what they must be. */

import { expect } from 'vitest';
import type * as Ledger from '../../lib/domain/ledger.ts';
import type * as Outcome from '../../lib/domain/outcome.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import type * as Queue from '../../lib/domain/queue.ts';
import type * as Reservation from '../../lib/domain/reservation.ts';
import type { Transfer, Withdrawal } from '../../lib/domain/withdrawal.ts';
import * as Build from './builders.ts';
import { expectMetersToCover, expectOutstandingToBeRows } from './ledger-check.ts';
import { say } from './outcomes.ts';
import { reserve, submit, world } from './world.ts';

/** A limit as `Build.limit` makes it, whose action is to hold. */
export function holding(overrides: Partial<Policy.Standing> = {}): Policy.Standing {
  return Build.limit({ action: { kind: 'hold' }, ...overrides });
}

/** A withdrawal of so many USD. */
export function ask(
  withdrawalId: string,
  dollars: number,
  more: Partial<Transfer> = {},
): Reservation.Ask {
  const withdrawal: Withdrawal = Build.withdrawal(withdrawalId, {
    amount: Build.usd(dollars),
    ...more,
  });
  return { withdrawal, bodyHash: Build.incoming(withdrawal).bodyHash };
}

/** Answers in two words each. */
export function brief(
  verdicts: readonly { readonly kind: string; readonly reason?: string }[],
): readonly string[] {
  return verdicts.map(({ kind, reason }) => (kind === 'allow' ? kind : `${kind} ${reason}`));
}

/** Held rows, the entries of the queues, one for each place, and the counts on the items say the same. */
export function expectQueuesToBeRows(ledger: Ledger.Loaded, held: Iterable<Queue.Held>): void {
  const waiting = [...ledger.rows.values()].filter(({ state }) => state === 'held');
  const text = ({ rowId, heldAtMs, place }: Queue.Held) => {
    const { limitId = '', scope = '', need = 0n } = place ?? {};
    return `${rowId} since ${heldAtMs} for ${need} of ${limitId} in ${scope}`;
  };
  const entries = [...held].map(text).sort();
  const expected = waiting.flatMap(({ rowId, atMs: heldAtMs, places = [] }) =>
    places.length === 0
      ? [text({ rowId, heldAtMs })]
      : places.map((place) => text({ rowId, heldAtMs, place })),
  );
  expect(entries).toEqual(expected.sort());
  const counts = new Map<string, number>();
  for (const place of waiting.flatMap(({ places = [] }) => places)) {
    const key = `${place.limitId} in ${place.scope}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const counted = [...ledger.items].flatMap(([scope, item]) =>
    (item.waiting ?? []).map(({ limitId, count }) => [`${limitId} in ${scope}`, count] as const),
  );
  expect(Object.fromEntries(counted)).toEqual(Object.fromEntries(counts));
  expect(counted).toHaveLength(counts.size);
  // What waits is charged nothing.
  expect(waiting.flatMap(({ money }) => money?.charged ?? [])).toEqual([]);
}

/** A world with a policy and a clock that tests set. */
export function scene(overrides: Partial<Policy.Policy> = {}) {
  const here = world();
  const state = {
    policy: Build.policy({ limits: [holding()], ...overrides }),
    nowMs: Build.T0_MS,
  };
  const check = () => {
    expectMetersToCover(here);
    expectOutstandingToBeRows(here);
    expectQueuesToBeRows(here, here.held.values());
  };
  const decide = (by: Reservation.By, asks: readonly Reservation.Ask[]) => {
    const { verdicts } = reserve(here, { ...state, asks, by });
    check();
    return verdicts;
  };
  return {
    here,
    state,
    askFor: (...asks: readonly Reservation.Ask[]) => decide({ kind: 'caller' }, asks),
    sweep: (...asks: readonly Reservation.Ask[]) => decide({ kind: 'room' }, asks),
    release: (...asks: readonly Reservation.Ask[]) =>
      decide({ kind: 'operator', actor: 'ann' }, asks),
    record: (event: Parameters<typeof Build.incoming>[0]) => {
      const [outcome] = submit(here, { ...state, events: [Build.incoming(event)] }).outcomes;
      check();
      return outcome;
    },
    tell: (...outcomes: readonly Outcome.Outcome[]) => {
      const { results } = say(here, { ...state, outcomes });
      check();
      return results;
    },
  };
}
