/**
 * Laws of matching over random histories of reports, reservations, sights, reorgs and cancellations,
 * told late, twice and out of order. The model keeps lists of names and shares no code with the domain.
 */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type * as Decision from '../../lib/domain/decision.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import type { Transfer } from '../../lib/domain/withdrawal.ts';
import {
  ETH,
  incoming,
  outflow,
  policy,
  SECOND_MS,
  STRANGER,
  T0_MS,
  usd,
  withdrawal,
} from '../support/builders.ts';
import { expectMetersToCover, expectOutstandingToBeRows } from '../support/ledger-check.ts';
import { failed, nonceSpent, say } from '../support/outcomes.ts';
import { reserve, submit, type World, world } from '../support/world.ts';

/** Few bodies, so that many withdrawals and transactions are alike. */
const BODIES: readonly Partial<Transfer>[] = [
  { amount: usd(1) },
  { amount: usd(2) },
  { amount: usd(1), destination: STRANGER },
];
/** What they and their fees are worth, USD. */
const WORTH = [1n, 2n, 1n];
const FEE_MILLI_ETH = 2n;
const FEE_WORTH = 3n;

const WITHDRAWALS = ['w1', 'w2', 'w3', 'w4', 'w5'];
const TRANSACTIONS = ['0xa', '0xb', '0xc', '0xd', '0xe'];

type Name = string;
/** The body of everything, which withdrawal a transaction names, and whether its wallet pays a fee. */
type Cast = {
  readonly bodyOf: ReadonlyMap<Name, number>;
  readonly claims: ReadonlyMap<Name, Name | undefined>;
  readonly paysFee: ReadonlyMap<Name, boolean>;
};
type Step =
  | { readonly kind: 'report' | 'reserve' | 'cancel'; readonly name: Name }
  /** The chain takes a transaction up, or drops it; told at once, or at the end. */
  | { readonly kind: 'chain'; readonly name: Name; readonly isLate: boolean }
  /** What was told before is told again. */
  | { readonly kind: 'again'; readonly position: number };
type Told = { readonly name: Name; readonly sequence: number; readonly isOn: boolean };

/** What a withdrawal or a transaction has come to, by name. */
type Model = {
  /** Withdrawals that await an outflow, oldest first. */
  waiting: Name[];
  /** Transactions that nobody approved and that a report may still be about, oldest first. */
  seen: Name[];
  /** Transactions that named a withdrawal which nobody had reported, by that withdrawal. */
  readonly named: Map<Name, Name>;
  /** Which of them stand for themselves. */
  readonly alone: Set<Name>;
  readonly pairs: Map<Name, { readonly withdrawal: Name; readonly isLate: boolean }>;
  readonly known: Map<Name, { readonly sequence: number; readonly isOn: boolean }>;
  /** Withdrawals that were ever spoken of, and fees that one of them has kept of an outflow that is gone. */
  readonly spoken: Set<Name>;
  readonly kept: Map<Name, bigint>;
};

function model(): Model {
  return {
    waiting: [],
    seen: [],
    named: new Map(),
    alone: new Set(),
    pairs: new Map(),
    known: new Map(),
    spoken: new Set(),
    kept: new Map(),
  };
}

function without(names: readonly Name[], name: Name): Name[] {
  return names.filter((one) => one !== name);
}

/** @returns whether it counts. */
function modelReport(now: Model, cast: Cast, name: Name): void {
  if (now.spoken.has(name)) return;
  now.spoken.add(name);
  const claimant = now.named.get(name);
  const like = (one: Name) => cast.bodyOf.get(one) === cast.bodyOf.get(name);
  const found = claimant && now.alone.has(claimant) ? claimant : now.seen.find(like);
  if (found === undefined) {
    now.waiting.push(name);
    return;
  }
  now.alone.delete(found);
  now.seen = without(now.seen, found);
  now.pairs.set(found, { withdrawal: name, isLate: true });
}

function modelReserve(now: Model, name: Name): void {
  if (now.spoken.has(name) || now.named.has(name)) return;
  now.spoken.add(name);
  now.waiting.push(name);
}

function modelCancel(now: Model, name: Name): void {
  now.waiting = without(now.waiting, name);
}

/** @returns whether it is an outflow that nobody approved. */
function modelTold(now: Model, cast: Cast, told: Told): boolean {
  const { name, sequence, isOn } = told;
  const known = now.known.get(name) ?? { sequence: 0, isOn: false };
  if (sequence <= known.sequence) return false;
  now.known.set(name, { sequence, isOn });
  if (known.isOn === isOn) return false;
  return isOn ? modelSeen(now, cast, name) : modelRemoved(now, cast, name);
}

function modelSeen(now: Model, cast: Cast, name: Name): boolean {
  const claims = cast.claims.get(name);
  const like = (one: Name) => cast.bodyOf.get(one) === cast.bodyOf.get(name);
  const found = now.waiting.find((one) => (claims === undefined ? like(one) : one === claims));
  if (found !== undefined) {
    now.waiting = without(now.waiting, found);
    now.pairs.set(name, { withdrawal: found, isLate: false });
    return false;
  }
  now.alone.add(name);
  const isFirst = claims !== undefined && !now.spoken.has(claims) && !now.named.has(claims);
  if (isFirst) now.named.set(claims, name);
  else now.seen.push(name);
  return true;
}

function modelRemoved(now: Model, cast: Cast, name: Name): boolean {
  now.alone.delete(name);
  now.seen = without(now.seen, name);
  const pair = now.pairs.get(name);
  now.pairs.delete(name);
  if (!pair) return false;
  now.waiting.push(pair.withdrawal);
  if (pair.isLate) now.kept.set(pair.withdrawal, feeOf(cast, name));
  return false;
}

function feeOf(cast: Cast, name: Name): bigint {
  return cast.paysFee.get(name) ? FEE_WORTH : 0n;
}

/** What must be counted, USD and withdrawals. */
function modelTotal(now: Model, cast: Cast): { readonly worth: bigint; readonly count: number } {
  const worthOf = (name: Name) => WORTH[cast.bodyOf.get(name) ?? 0] ?? 0n;
  const keptOf = (name: Name) => now.kept.get(name) ?? 0n;
  let worth = 0n;
  for (const name of now.waiting) worth += worthOf(name) + keptOf(name);
  for (const name of now.alone) worth += worthOf(name) + feeOf(cast, name);
  for (const [name, { withdrawal: paid }] of now.pairs) {
    const [fee, kept] = [feeOf(cast, name), keptOf(paid)];
    worth += worthOf(paid) + (fee > kept ? fee : kept);
  }
  return { worth, count: now.waiting.length + now.alone.size + now.pairs.size };
}

/** What the global meter holds on its longest step. */
function metered(here: World): { readonly worth: bigint; readonly count: number } {
  const slots = here.items.get('global')?.meter.steps.at(-1) ?? [];
  return {
    worth: slots.reduce((sum, { notional }) => sum + notional, 0n) / usd(1),
    count: slots.reduce((sum, { count }) => sum + count, 0),
  };
}

/** What waits according to the rows of ends, and according to the rows that wait themselves. */
function expectEndsToBeRows(here: World, now: Model): void {
  const rows = [...here.rows.values()];
  const listed = rows.flatMap(({ ends }) => ends?.approvals.flatMap(({ rowIds }) => rowIds) ?? []);
  const awaiting = rows.flatMap(({ rowId, state }) =>
    state === 'reported' || state === 'reserved' ? [rowId] : [],
  );
  expect(listed.toSorted()).toEqual(awaiting.toSorted());
  expect(awaiting.toSorted()).toEqual(now.waiting.map((name) => `withdrawal:${name}`).toSorted());
  const seen = rows.flatMap(({ ends }) => ends?.seen.map(({ transaction }) => transaction) ?? []);
  expect(seen.toSorted()).toEqual(now.seen.toSorted());
}

function sightOf(cast: Cast, { name, sequence, isOn }: Told): Decision.Incoming {
  const rowId = `outflow:eip155:1:${name}:top`;
  if (!isOn) return { kind: 'removed', removed: { rowId, sequence } };
  const claims = cast.claims.get(name);
  const body = BODIES[cast.bodyOf.get(name) ?? 0];
  const fee = cast.paysFee.get(name)
    ? { asset: ETH, amount: FEE_MILLI_ETH * 10n ** 15n }
    : undefined;
  const id = { transaction: name, ...(claims === undefined ? {} : { withdrawalId: claims }) };
  return incoming({ ...outflow(id, { ...body, fee }), sequence });
}

const cast: fc.Arbitrary<Cast> = fc
  .record({
    bodies: fc.array(fc.nat({ max: BODIES.length - 1 }), { minLength: 10, maxLength: 10 }),
    claims: fc.array(fc.option(fc.nat({ max: 4 }), { nil: undefined }), {
      minLength: 5,
      maxLength: 5,
    }),
    fees: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
  })
  .map(({ bodies, claims, fees }) => {
    const bodyOf = new Map(WITHDRAWALS.map((name, n) => [name, bodies[n] ?? 0]));
    for (const [n, name] of TRANSACTIONS.entries()) {
      // One that names a withdrawal is like it: others conflict, and are shown elsewhere.
      const claimed = WITHDRAWALS[claims[n] ?? -1];
      bodyOf.set(name, (claimed === undefined ? bodies[n + 5] : bodyOf.get(claimed)) ?? 0);
    }
    return {
      bodyOf,
      claims: new Map(TRANSACTIONS.map((name, n) => [name, WITHDRAWALS[claims[n] ?? -1]])),
      paysFee: new Map(TRANSACTIONS.map((name, n) => [name, fees[n] ?? false])),
    };
  });
const approved = fc.constantFrom(...WITHDRAWALS);
const mined = fc.constantFrom(...TRANSACTIONS);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: approved.map((name): Step => ({ kind: 'report', name })) },
  { weight: 2, arbitrary: approved.map((name): Step => ({ kind: 'reserve', name })) },
  { weight: 1, arbitrary: approved.map((name): Step => ({ kind: 'cancel', name })) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(mined, fc.boolean())
      .map(([name, isLate]): Step => ({ kind: 'chain', name, isLate })),
  },
  { weight: 2, arbitrary: fc.nat().map((position): Step => ({ kind: 'again', position })) },
);
const steps = fc.array(fc.tuple(step, fc.constantFrom(0, 0, 7, 3_000)), {
  minLength: 5,
  maxLength: 40,
});

/** Plays a history, checks everything after each step, and gives back how it ended. */
function play(
  cast: Cast,
  history: readonly (readonly [Step, number])[],
  mode: Policy.Mode,
): { readonly here: World; readonly now: Model; readonly truth: ReadonlyMap<Name, boolean> } {
  const rules = policy({ mode });
  const here = world();
  const now = model();
  const truth = new Map<Name, boolean>();
  const late: Told[] = [];
  const told: Told[] = [];
  let nowMs = T0_MS;
  let sequence = 0;
  const check = () => {
    expect(metered(here)).toEqual(modelTotal(now, cast));
    expectEndsToBeRows(here, now);
  };
  const tell = (...some: readonly Told[]) => {
    told.push(...some);
    const events = some.map((one) => sightOf(cast, one));
    const { outcomes } = submit(here, { policy: rules, nowMs, events });
    const effects = outcomes.map(({ trips, wouldTrip }) => trips.length + wouldTrip.length > 0);
    expect(effects).toEqual(some.map((one) => modelTold(now, cast, one)));
    check();
  };
  for (const [one, seconds] of history) {
    nowMs += seconds * SECOND_MS;
    switch (one.kind) {
      case 'report': {
        const event = incoming(withdrawal(one.name, BODIES[cast.bodyOf.get(one.name) ?? 0]));
        submit(here, { policy: rules, nowMs, events: [event] });
        modelReport(now, cast, one.name);
        break;
      }
      case 'reserve': {
        // A pause refuses reservations, which is shown elsewhere.
        if (mode === 'enforce') break;
        const asked = withdrawal(one.name, BODIES[cast.bodyOf.get(one.name) ?? 0]);
        const asks = [{ withdrawal: asked, bodyHash: incoming(asked).bodyHash }];
        reserve(here, { policy: rules, nowMs, asks });
        modelReserve(now, one.name);
        break;
      }
      case 'cancel':
        say(here, { policy: rules, nowMs, outcomes: [failed(one.name, nonceSpent)] });
        modelCancel(now, one.name);
        break;
      case 'chain': {
        const isOn = !truth.get(one.name);
        truth.set(one.name, isOn);
        sequence += 1;
        if (one.isLate) late.push({ name: one.name, sequence, isOn });
        else tell({ name: one.name, sequence, isOn });
        break;
      }
      case 'again': {
        const known = told[one.position % Math.max(1, told.length)];
        if (known) tell(known);
        break;
      }
      default:
        one satisfies never;
    }
    check();
  }
  // The newest and the oldest in turn, some in one batch.
  while (late.length > 0) tell(...late.splice(late.length % 2 === 0 ? -1 : 0, 3));
  expectMetersToCover(here);
  expectOutstandingToBeRows(here);
  return { here, now, truth };
}

describe('decide', () => {
  test('behavior: P2, H63, H66: everything is counted once, by the rows as by the model, and an outflow trips exactly where nobody awaits it', () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(cast, steps, fc.constantFrom('enforce', 'shadow'), (who, history, mode) => {
        const { here } = play(who, history, mode);
        for (const { state } of here.rows.values()) reached.add(state);
      }),
      { numRuns: 150 },
    );
    for (const state of ['matched', 'unmatched', 'removed', 'claimed', 'failed', 'reserved']) {
      expect(reached).toContain(state);
    }
  });

  test('behavior: P11: once all is told, what is on the chain is counted, and what is not is not', () => {
    fc.assert(
      fc.property(cast, steps, (who, history) => {
        const { now, truth } = play(who, history, 'enforce');
        const onChain = [...truth].flatMap(([name, isOn]) => (isOn ? [name] : []));
        const counted = [...now.alone, ...now.pairs.keys()];
        expect(counted.toSorted()).toEqual(onChain.toSorted());
      }),
      { numRuns: 100 },
    );
  });

  test('behavior: P11: with every report before its outflow nothing trips, whatever the chain does', () => {
    const some = fc.subarray(TRANSACTIONS);
    const chainOnly = fc.array(
      mined.map((name): readonly [Step, number] => [{ kind: 'chain', name, isLate: false }, 1]),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(some, chainOnly, fc.boolean(), (named, chain, alike) => {
        const bodyOf = new Map(
          [...WITHDRAWALS, ...TRANSACTIONS].map((name, n) => [name, alike ? 0 : (n % 5) % 3]),
        );
        const who: Cast = {
          bodyOf,
          claims: new Map(
            TRANSACTIONS.map((name, n) => [name, named.length === 5 ? WITHDRAWALS[n] : undefined]),
          ),
          paysFee: new Map(TRANSACTIONS.map((name) => [name, named.includes(name)])),
        };
        const reports = WITHDRAWALS.map((name): readonly [Step, number] => [
          { kind: 'report', name },
          1,
        ]);
        const { here } = play(who, [...reports, ...chain], 'enforce');
        expect(here.incidents.size).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});
