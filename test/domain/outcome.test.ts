import { describe, expect, test } from 'vitest';
import * as Approval from '../../lib/domain/approval.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import * as Meter from '../../lib/domain/meter.ts';
import * as Outcome from '../../lib/domain/outcome.ts';
import type * as Verdict from '../../lib/domain/verdict.ts';
import type { Transfer } from '../../lib/domain/withdrawal.ts';
import {
  DAY_MS,
  ETH,
  HOT_1,
  HOUR_MS,
  incoming,
  limit,
  MINUTE_MS,
  outflow,
  policy,
  SECOND_MS,
  T0_MS,
  transfer,
  USDC,
  usd,
  withdrawal,
} from '../support/builders.ts';
import { ask, holding, scene } from '../support/holding.ts';
import { expectMetersToCover } from '../support/ledger-check.ts';
import {
  failed,
  neverSigned,
  nonceSpent,
  operator,
  replaced,
  say as sayIn,
  settled,
} from '../support/outcomes.ts';
import {
  commit,
  contextOf,
  load,
  openScopes,
  reserve as reserveIn,
  submit,
  type World,
  world,
} from '../support/world.ts';

const ADMISSION_MS = 30_000;
const TOLERANCE_MS = 2_000;
const rules = policy({ limits: [limit({ allowed: usd(10) })], outstandingMax: 2 });

/** Says it, as the action does. */
function say(here: World, outcomes: readonly Outcome.Outcome[], nowMs = T0_MS): Outcome.Decided {
  return sayIn(here, { policy: rules, nowMs, outcomes });
}

/** What became of one outcome. */
function became(here: World, outcome: Outcome.Outcome, nowMs = T0_MS): Outcome.Result | undefined {
  return say(here, [outcome], nowMs).results[0];
}

function reserve(here: World, withdrawalId: string, nowMs = T0_MS): Verdict.Verdict | undefined {
  const event = withdrawal(withdrawalId);
  const asks = [{ withdrawal: event, bodyHash: incoming(event).bodyHash }];
  return reserveIn(here, { policy: rules, nowMs, asks }).verdicts[0];
}

function report(here: World, withdrawalId: string, transfer: Partial<Transfer> = {}): void {
  submit(here, {
    policy: rules,
    nowMs: T0_MS,
    events: [incoming(withdrawal(withdrawalId, transfer))],
  });
}

/** Sees a transaction of a withdrawal, as a watcher that knows no customers; its fee in thousandths of an ETH. */
function see(here: World, transaction: string, feeMilliEth = 0) {
  const fee =
    feeMilliEth === 0 ? undefined : { asset: ETH, amount: BigInt(feeMilliEth) * 10n ** 15n };
  const event = outflow({ transaction, withdrawalId: 'w1' }, { fee });
  return submit(here, { policy: rules, nowMs: T0_MS, events: [incoming(event)] }).outcomes[0]
    ?.result;
}

function rowOf(here: World, withdrawalId: string): Ledger.Row | undefined {
  return here.rows.get(`withdrawal:${withdrawalId}`);
}

/** micro-USD that the meter of a scope holds over a day. */
function heldBy(here: World, scope: string, metric: 'notional' | 'count' = 'notional'): bigint {
  const meter = here.items.get(scope)?.meter ?? Meter.EMPTY;
  return Meter.outflow(meter, { metric, windowMs: DAY_MS, widenMs: 0, nowMs: T0_MS });
}

function outstandingOf(here: World, actor = 'customer-1'): number {
  return here.items.get(`actor:${actor}`)?.outstanding ?? 0;
}

/** A withdrawal whose first transaction was seen, with a fee that was charged at the match. */
function seenWithFee(): World {
  const here = world();
  report(here, 'w1');
  see(here, '0xa', 1);
  return here;
}

describe('keys', () => {
  test('default', () => {
    expect(Outcome.keys([settled('w1'), failed('w1'), replaced('w2', '0xA')])).toEqual({
      rows: ['withdrawal:w1', 'withdrawal:w2', 'replaced:w2:0xA'],
      items: ['global'],
    });
  });
});

describe('further', () => {
  test('behavior: the outflow that a replaced transaction was matched with', () => {
    const here = seenWithFee();
    const further = (outcome: Outcome.Outcome) => Outcome.further(here.rows, [outcome]);
    const ends = Approval.endsId(transfer());
    expect(further(replaced('w1', '0xA'))).toEqual([ends, 'outflow:eip155:1:0xa:top']);
    expect(further(replaced('w1', '0xb'))).toEqual([ends]);
    expect(further(replaced('w2', '0xa'))).toEqual([]);
    expect(further(settled('w1'))).toEqual([ends]);
  });

  test('behavior: a transaction whose name begins as another does is another', () => {
    const here = seenWithFee();
    const found = Outcome.further(here.rows, [replaced('w1', '0x')]);
    expect(found).toEqual([Approval.endsId(transfer())]);
  });
});

describe('decide: settled', () => {
  test('default: nothing is given back, and the reservation is open no more', () => {
    const here = world();
    reserve(here, 'w1');
    expect(outstandingOf(here)).toBe(1);
    expect(became(here, settled('w1'), T0_MS + SECOND_MS)).toEqual({
      kind: 'recorded',
      withdrawalId: 'w1',
      outcome: 'settled',
      givenBack: 0n,
    });
    expect(outstandingOf(here)).toBe(0);
    expect(heldBy(here, 'wallet:hot-1')).toBe(usd(1));
    expect(rowOf(here, 'w1')).toMatchObject({ settledAtMs: T0_MS + SECOND_MS });
  });

  test('behavior: H14: said again it changes nothing', () => {
    const here = world();
    reserve(here, 'w1');
    reserve(here, 'w2');
    became(here, settled('w1'));
    const { results, changes } = say(here, [settled('w1')]);
    expect([results, changes]).toEqual([[{ kind: 'duplicate', withdrawalId: 'w1' }], undefined]);
    expect(outstandingOf(here)).toBe(1);
  });

  test('behavior: its outflow still matches, and counts it as open no second time', () => {
    const here = world();
    reserve(here, 'w1');
    reserve(here, 'w2');
    became(here, settled('w1'));
    expect(see(here, '0xa')).toBe('matched-outflow');
    expect(outstandingOf(here)).toBe(1);
    expect(openScopes(here)).toEqual([]);
  });

  test('behavior: said after its outflow was seen', () => {
    const here = world();
    reserve(here, 'w1');
    see(here, '0xa');
    expect(became(here, settled('w1'))).toMatchObject({ kind: 'recorded' });
    expect(rowOf(here, 'w1')).toMatchObject({ state: 'matched', settledAtMs: T0_MS });
    expect(outstandingOf(here)).toBe(0);
  });

  test('behavior: it is admitted no more, also after its admission has expired', () => {
    const here = world();
    reserve(here, 'w1');
    became(here, settled('w1'));
    const again = reserve(here, 'w1', T0_MS + HOUR_MS);
    expect(again).toMatchObject({ kind: 'block', reason: 'final' });
  });

  test('behavior: H27: a transition does not move its charge', () => {
    const here = world();
    report(here, 'w1');
    const before = rowOf(here, 'w1')?.money;
    const meter = here.items.get('wallet:hot-1')?.meter;
    became(here, settled('w1'), T0_MS + DAY_MS);
    expect(rowOf(here, 'w1')?.money).toEqual(before);
    expect(rowOf(here, 'w1')?.atMs).toBe(T0_MS);
    expect(here.items.get('wallet:hot-1')?.meter).toBe(meter);
  });

  test('error: what has failed cannot settle', () => {
    const here = world();
    report(here, 'w1');
    became(here, failed('w1'));
    expect(became(here, settled('w1'))).toMatchObject({
      kind: 'refused',
      why: 'it is failed already',
    });
    expect(here.alerts.size).toBe(0);
  });
});

describe('decide: failed, cancelled', () => {
  test.each(['failed', 'cancelled'] as const)(
    'default: H19: %s gives back exactly what was charged, where it was charged',
    (kind) => {
      const here = world();
      report(here, 'w0', { amount: usd(3) });
      const before = new Map([...here.items].map(([key, { meter }]) => [key, meter]));
      report(here, 'w1', { fee: { asset: ETH, amount: 10n ** 15n } });
      expect(heldBy(here, 'wallet:hot-1')).toBe(usd(3) + usd(1) + 1_500_000n);
      expect(became(here, failed('w1', nonceSpent, kind), T0_MS + DAY_MS)).toEqual({
        kind: 'recorded',
        withdrawalId: 'w1',
        outcome: kind,
        givenBack: usd(1) + 1_500_000n,
      });
      expect(rowOf(here, 'w1')).toMatchObject({ state: kind, note: 'nonce-spent 0xother' });
      expect(heldBy(here, 'wallet:hot-1')).toBe(usd(3));
      expect(heldBy(here, 'wallet:hot-1', 'count')).toBe(1n);
      expect(here.items.get(`wallet-asset:hot-1|${USDC}`)?.meter).toEqual(
        before.get(`wallet-asset:hot-1|${USDC}`),
      );
      expectMetersToCover(here);
    },
  );

  test('behavior: H19: given back once, however often it is said and in one batch', () => {
    const here = world();
    report(here, 'w0');
    report(here, 'w1');
    const { results } = say(here, [
      failed('w1'),
      failed('w1'),
      failed('w1', neverSigned, 'cancelled'),
    ]);
    expect(results.map(({ kind }) => kind)).toEqual(['recorded', 'duplicate', 'refused']);
    expect(became(here, failed('w1'))).toEqual({ kind: 'duplicate', withdrawalId: 'w1' });
    expect(heldBy(here, 'wallet:hot-1')).toBe(usd(1));
    expectMetersToCover(here);
  });

  test('behavior: H19: at the price, and in the scopes, of the time of the charge', () => {
    const here = world();
    report(here, 'w1', { asset: ETH, amount: 10n ** 15n });
    const dearer = policy({
      assets: rules.assets.map((one) => ({ ...one, floorPricePicoUsd: 10n ** 18n })),
      wallets: [{ name: 'renamed', keyDomain: 'vault-z', addresses: [HOT_1] }],
    });
    const { rows, items } = Outcome.keys([failed('w1')]);
    const loaded = load(here, { rows, items: [...items, ...here.items.keys()] });
    const decided = Outcome.decide(contextOf(here, dearer, T0_MS), loaded, [failed('w1')]);
    commit(here, decided.changes!);
    expect(heldBy(here, 'wallet:hot-1')).toBe(0n);
    expect(here.items.has('wallet:renamed')).toBe(false);
  });

  test('behavior: H19: from a slot that has left the ladder nothing returns, and nothing goes below zero', () => {
    const here = world();
    report(here, 'w1', { amount: usd(5) });
    const laterMs = T0_MS + 2 * HOUR_MS;
    const events = [incoming(withdrawal('w2'))];
    submit(here, { policy: rules, nowMs: laterMs, events });
    became(here, failed('w1'), laterMs);
    const meter = here.items.get('wallet:hot-1')!.meter;
    for (const windowMs of [MINUTE_MS, HOUR_MS, DAY_MS]) {
      const window = { metric: 'notional', windowMs, widenMs: 0, nowMs: laterMs } as const;
      expect(Meter.outflow(meter, window)).toBe(usd(1));
    }
    expectMetersToCover(here);
  });

  test('behavior: an outflow that names it later is approved by nobody', () => {
    const here = world();
    report(here, 'w1');
    became(here, failed('w1'));
    expect(see(here, '0xa')).toBe('unmatched-outflow');
    expect(openScopes(here)).toEqual(['key-domain:vault-a']);
    expect(heldBy(here, 'wallet:hot-1')).toBe(usd(1));
    expectMetersToCover(here);
  });

  test('behavior: it is reserved and reported no more', () => {
    const here = world();
    reserve(here, 'w1');
    became(here, failed('w1'));
    expect(reserve(here, 'w1')).toMatchObject({ kind: 'block', reason: 'final' });
    report(here, 'w1');
    expect(heldBy(here, 'wallet:hot-1')).toBe(0n);
  });

  test('behavior: H20: while its admission lives a reservation cannot be taken back unsigned', () => {
    const here = world();
    reserve(here, 'w1');
    const early = became(
      here,
      failed('w1', neverSigned),
      T0_MS + ADMISSION_MS + 2 * TOLERANCE_MS - 1,
    );
    expect(early).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('its admission lives until 2023-09-12T13:21:30.000Z'),
    });
    expect(became(here, failed('w1', operator), T0_MS)).toMatchObject({ kind: 'refused' });
    expect(heldBy(here, 'wallet:hot-1')).toBe(usd(1));
    const afterMs = T0_MS + ADMISSION_MS + 2 * TOLERANCE_MS;
    expect(became(here, failed('w1', neverSigned), afterMs)).toMatchObject({ kind: 'recorded' });
    expect(heldBy(here, 'wallet:hot-1')).toBe(0n);
  });

  test('behavior: a spent nonce says that the admission was used', () => {
    const here = world();
    reserve(here, 'w1');
    expect(became(here, failed('w1', nonceSpent), T0_MS)).toMatchObject({ kind: 'recorded' });
  });

  test('behavior: H20: the cap holds a customer who reserves and cancels in a cycle', () => {
    const here = world();
    const verdicts = ['w1', 'w2', 'w3'].map((id) => reserve(here, id)?.kind);
    expect(verdicts).toEqual(['allow', 'allow', 'block']);
    became(here, failed('w1', neverSigned, 'cancelled'), T0_MS + SECOND_MS);
    expect(reserve(here, 'w3')).toMatchObject({ kind: 'block', reason: 'outstanding' });
    const afterMs = T0_MS + MINUTE_MS;
    const twice = [failed('w1', neverSigned, 'cancelled'), failed('w1', neverSigned, 'cancelled')];
    say(here, twice, afterMs);
    expect(outstandingOf(here)).toBe(1);
    expect(reserve(here, 'w3', afterMs)?.kind).toBe('allow');
    expect(reserve(here, 'w4', afterMs)).toMatchObject({ reason: 'outstanding' });
    expectMetersToCover(here);
  });

  test('error: its outflow was seen on chain', () => {
    const here = world();
    report(here, 'w1');
    see(here, '0xa');
    const { results, alerts, changes } = say(here, [failed('w1')]);
    const why = 'its outflow was seen on chain (outflow:eip155:1:0xa:top)';
    expect(results).toEqual([{ kind: 'refused', withdrawalId: 'w1', why }]);
    expect(changes).toBeUndefined();
    expect(alerts).toEqual([
      {
        alertId: `outcome|seen|wallet:hot-1|${Math.floor(T0_MS / HOUR_MS)}`,
        kind: 'refused',
        atMs: T0_MS,
        scope: 'wallet:hot-1',
        rowId: 'withdrawal:w1',
        text: `withdrawal w1 was said to be failed: ${why}; nothing was changed`,
      },
    ]);
  });

  test('error: nobody approved it, or only an outflow has named it', () => {
    const here = world();
    submit(here, {
      policy: rules,
      nowMs: T0_MS,
      events: [incoming(outflow({ transaction: '0xa', withdrawalId: 'w2' }))],
    });
    const all = [settled('w1'), failed('w1'), replaced('w1', '0xa'), failed('w2'), settled('w2')];
    const { results, alerts } = say(here, all);
    expect(new Set(results.map((one) => one.kind === 'refused' && one.why))).toEqual(
      new Set(['nobody approved such a withdrawal']),
    );
    expect(alerts.map(({ scope, alertId }) => [scope, alertId.split('|')[1]])).toEqual([
      ['global', 'unknown'],
      ['wallet:hot-1', 'unknown'],
    ]);
  });

  test('behavior: after it was settled only an operator can take it back', () => {
    const here = world();
    reserve(here, 'w1');
    became(here, settled('w1'));
    const afterMs = T0_MS + HOUR_MS;
    expect(became(here, failed('w1'), afterMs)).toMatchObject({ kind: 'refused' });
    expect(became(here, failed('w1', operator), afterMs)).toMatchObject({ kind: 'recorded' });
    expect(rowOf(here, 'w1')?.note).toBe('operator arn:aws:iam::1:user/ann: checked');
    expect(outstandingOf(here)).toBe(0);
    expect(heldBy(here, 'wallet:hot-1')).toBe(0n);
  });

  test('behavior: an operator who is refused reads it, and nobody else is told', () => {
    const here = world();
    expect(say(here, [failed('w1', operator)])).toEqual({
      results: [{ kind: 'refused', withdrawalId: 'w1', why: 'nobody approved such a withdrawal' }],
      alerts: [],
    });
  });

  test('behavior: one that is refused does not touch the others, and is told with their commit', () => {
    const here = world();
    report(here, 'w1');
    const { results, changes } = say(here, [failed('nobody'), failed('w1')]);
    expect(results.map(({ kind }) => kind)).toEqual(['refused', 'recorded']);
    expect(changes?.alerts.length).toBe(1);
  });
});

describe('decide: replaced', () => {
  test('default: H22: a speed-up counts once', () => {
    const here = seenWithFee();
    const fee = 1_500_000n;
    expect(heldBy(here, 'wallet:hot-1')).toBe(usd(1) + fee);
    expect(became(here, replaced('w1', '0xA'))).toEqual({
      kind: 'recorded',
      withdrawalId: 'w1',
      outcome: 'replaced',
      givenBack: fee,
    });
    expect(heldBy(here, 'wallet:hot-1')).toBe(usd(1));
    expect(here.rows.get('outflow:eip155:1:0xa:top')).toMatchObject({
      state: 'replaced',
      note: 'nonce-spent 0xother',
    });
    expect(rowOf(here, 'w1')).toMatchObject({ state: 'reported' });
    expect(rowOf(here, 'w1')).not.toHaveProperty('link');
    expect(see(here, '0xother', 2)).toBe('matched-outflow');
    expect(heldBy(here, 'wallet:hot-1')).toBe(usd(1) + 2n * fee);
    expect(heldBy(here, 'wallet:hot-1', 'count')).toBe(1n);
    expect(openScopes(here)).toEqual([]);
    expectMetersToCover(here);
  });

  test('behavior: H22: said again, and the replaced outflow seen again, change nothing', () => {
    const here = seenWithFee();
    became(here, replaced('w1', '0xa'));
    expect(see(here, '0xa', 1)).toBe('duplicate');
    expect(say(here, [replaced('w1', '0xa')])).toEqual({
      results: [{ kind: 'duplicate', withdrawalId: 'w1' }],
      alerts: [],
    });
    see(here, '0xb', 1);
    expect(became(here, replaced('w1', '0xa'))).toMatchObject({ kind: 'duplicate' });
    expect(rowOf(here, 'w1')?.state).toBe('matched');
    expectMetersToCover(here);
  });

  test('error: P2: what the watcher saw on chain is replaced on nobody’s word', () => {
    const here = world();
    report(here, 'w1');
    const seen = { ...outflow({ transaction: '0xa' }), nonce: 4, sequence: 7 };
    submit(here, { policy: rules, nowMs: T0_MS, events: [incoming(seen)] });
    expect(became(here, replaced('w1', '0xa'))).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('only a reorg'),
    });
    expect(here.rows.get('withdrawal:w1')).toMatchObject({ state: 'matched' });
  });

  test('behavior: a replacement that is replaced in turn', () => {
    const here = seenWithFee();
    became(here, replaced('w1', '0xa'));
    see(here, '0xb', 2);
    expect(became(here, replaced('w1', '0xb'))).toMatchObject({ givenBack: 3_000_000n });
    expect(see(here, '0xc')).toBe('matched-outflow');
    expect(heldBy(here, 'wallet:hot-1')).toBe(usd(1));
    expectMetersToCover(here);
  });

  test('behavior: before anything was seen it is noted, and undoes the match when said again after it', () => {
    const here = world();
    reserve(here, 'w1');
    expect(became(here, replaced('w1', '0xa'))).toMatchObject({ kind: 'recorded', givenBack: 0n });
    expect(rowOf(here, 'w1')?.state).toBe('reserved');
    expect(here.rows.get('replaced:w1:0xa')?.note).toBe('nonce-spent 0xother');
    expect(became(here, replaced('w1', '0xa'))).toMatchObject({ kind: 'duplicate' });
    see(here, '0xa');
    expect(became(here, replaced('w1', '0xa'))).toMatchObject({ kind: 'recorded' });
    expect(see(here, '0xb')).toBe('matched-outflow');
    expect(outstandingOf(here)).toBe(0);
  });

  test('behavior: it is signed for, and admitted no more', () => {
    const here = world();
    reserve(here, 'w1');
    see(here, '0xa');
    became(here, replaced('w1', '0xa'));
    expect(reserve(here, 'w1', T0_MS + HOUR_MS)).toMatchObject({ reason: 'final' });
    expect(outstandingOf(here)).toBe(0);
  });

  test('behavior: an outflow that was seen before its report keeps the charge of both', () => {
    const here = world();
    const first = incoming(outflow({ transaction: '0xa', withdrawalId: 'w1' }));
    submit(here, { policy: rules, nowMs: T0_MS, events: [first] });
    report(here, 'w1');
    expect(became(here, replaced('w1', '0xa'))).toMatchObject({ givenBack: 0n });
    expect(see(here, '0xb')).toBe('matched-outflow');
    expect(heldBy(here, 'wallet:hot-1')).toBe(usd(1));
    expect(heldBy(here, 'wallet:hot-1', 'count')).toBe(1n);
    expect(rowOf(here, 'w1')?.money).toMatchObject({
      charged: [{ notional: usd(1) }],
      subject: { actor: undefined },
    });
    expectMetersToCover(here);
  });

  test('behavior: a withdrawal whose transaction was replaced by another payment can then fail', () => {
    const here = seenWithFee();
    const { results } = say(here, [replaced('w1', '0xa'), failed('w1')]);
    expect(results.map(({ kind }) => kind)).toEqual(['recorded', 'recorded']);
    expect(heldBy(here, 'wallet:hot-1')).toBe(0n);
    expectMetersToCover(here);
  });

  test('error: what has failed is replaced by nothing', () => {
    const here = world();
    report(here, 'w1');
    became(here, failed('w1'));
    expect(became(here, replaced('w1', '0xa'))).toMatchObject({ why: 'it is failed already' });
  });
});

describe('decide', () => {
  test('behavior: H44: nothing said, nothing written', () => {
    expect(say(world(), [])).toEqual({ results: [], alerts: [] });
  });

  describe('of a held one', () => {
    const holds = { limits: [holding({ allowed: usd(10) })] };
    const held = () => {
      const made = scene(holds);
      made.askFor(ask('a', 10), ask('b', 5), ask('c', 5));
      return made;
    };

    test.each([
      ['failed', neverSigned],
      ['cancelled', operator],
      ['cancelled', nonceSpent],
    ] as const)(
      'behavior: %s: it leaves its queue, and nothing is given back',
      (kind, evidence) => {
        const { here, tell, askFor } = held();
        const meters = () => [...here.items.values()].map(({ meter }) => meter);
        const before = meters();
        expect(tell(failed('b', evidence, kind))).toEqual([
          { kind: 'recorded', withdrawalId: 'b', outcome: kind, givenBack: 0n },
        ]);
        expect(meters()).toEqual(before);
        expect(here.rows.get('withdrawal:b')).toMatchObject({ state: kind, atMs: T0_MS });
        expect(here.rows.get('withdrawal:b')).not.toHaveProperty('places');
        expect(here.items.get('wallet:hot-1')?.waiting).toEqual([
          { limitId: 'wallet-hour', count: 1 },
        ]);
        expect(tell(failed('b', evidence, kind))).toMatchObject([{ kind: 'duplicate' }]);
        expect(askFor(ask('b', 5), ask('c', 5))).toMatchObject([
          { kind: 'block', reason: 'final' },
          { kind: 'hold', position: 1 },
        ]);
      },
    );

    test('behavior: H77: nobody was admitted to sign for it: settled and replaced are refused', () => {
      const { here, tell } = held();
      const before = structuredClone({ rows: here.rows, items: here.items, held: here.held });
      const why = 'it is held, and nobody was admitted to sign for it';
      for (const outcome of [settled('b'), replaced('b', '0xa')]) {
        expect(tell(outcome)).toEqual([{ kind: 'refused', withdrawalId: 'b', why }]);
      }
      expect({ rows: here.rows, items: here.items, held: here.held }).toEqual(before);
    });

    test('behavior: the last one out leaves no count behind', () => {
      const { here, tell } = held();
      tell(failed('b'), failed('c'));
      expect(here.items.get('wallet:hot-1')?.waiting).toBeUndefined();
      expect(here.held.size).toBe(0);
    });
  });
});
