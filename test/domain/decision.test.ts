import { describe, expect, test } from 'vitest';
import { CLOSED } from '../../lib/domain/breaker.ts';
import type { AccountId } from '../../lib/domain/caip.ts';
import * as Decision from '../../lib/domain/decision.ts';
import * as FirstSight from '../../lib/domain/first-sight.ts';
import * as Forewarn from '../../lib/domain/forewarn.ts';
import * as Ledger from '../../lib/domain/ledger.ts';
import * as Meter from '../../lib/domain/meter.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import * as Scope from '../../lib/domain/scope.ts';
import {
  CUSTOMER,
  charge,
  context,
  DAY_MS,
  ETH,
  eth,
  HOT_1,
  HOT_1_OTHER_CHAIN,
  HOT_2,
  HOT_3,
  HOUR_MS,
  incoming,
  item,
  limit,
  loaded,
  MINUTE_MS,
  OTHER_CHAIN,
  outflow,
  PRICELESS,
  policy,
  SECOND_MS,
  STRANGER,
  T0_MS,
  UNLISTED,
  USDC,
  usd,
  WRAPPED_ETH,
  withdrawal,
} from '../support/builders.ts';
import { ask, holding, scene } from '../support/holding.ts';
import { openScopes, submit, toldIncidents, type World, world } from '../support/world.ts';

/** Submits events one batch after the other at T0, and gives the outcome of the last. */
function send(
  here: World,
  rules: Policy.Policy,
  ...events: readonly Decision.Incoming[]
): Decision.Outcome {
  return events
    .map((event) => submit(here, { policy: rules, nowMs: T0_MS, events: [event] }))
    .at(-1)!.outcomes[0]!;
}

/** What a meter holds of a metric over the last day. */
function held(here: World, key: string, metric: Meter.Metric = 'notional'): bigint {
  const meter = here.items.get(key)?.meter ?? Meter.EMPTY;
  return Meter.outflow(meter, { metric, windowMs: DAY_MS, widenMs: 0, nowMs: T0_MS });
}

const thousandAnHour = policy({ limits: [limit()] });
const reported = (id: string, whole: number, lagMs = 0) =>
  incoming(withdrawal(id, { amount: usd(whole) }), lagMs);

describe('keys', () => {
  test('behavior: what is removed is judged by its own row, what is foreseen or seen by its scopes', () => {
    const removed = { rowId: 'outflow:x', sequence: 1 };
    expect(Decision.keys(policy(), [{ kind: 'removed', removed }])).toEqual({
      rows: ['outflow:x'],
      items: ['global'],
    });
    const event = outflow({ transaction: '0xa' });
    const { bodyHash } = incoming(event);
    const seen = Decision.keys(policy(), [{ kind: 'sighted', event, bodyHash }]);
    expect(seen.rows).toContain(FirstSight.rowIdOf(event));
    expect(seen.items).toEqual(
      expect.arrayContaining([...FirstSight.keys(policy(), { event, bodyHash })]),
    );
    const plain = incoming(event);
    expect(Decision.keys(policy(), [plain]).rows).not.toContain(FirstSight.rowIdOf(event));
    expect(Decision.keys(policy(), [{ ...plain, wasSighted: true }]).rows).toContain(
      FirstSight.rowIdOf(event),
    );
    const risk = {
      riskId: 'r',
      kind: 'control',
      account: HOT_1,
      transaction: '0xa',
      text: 't',
    } as const;
    const foreseen = Decision.keys(policy(), [{ kind: 'risk', risk }]);
    expect(foreseen.rows).toEqual([...Forewarn.rowIds(risk)]);
    expect(foreseen.items).toEqual(expect.arrayContaining([...Forewarn.keys(policy(), risk)]));
  });

  test('behavior: H44: no events, but global', () => {
    expect(Decision.keys(policy(), [])).toEqual({ rows: [], items: ['global'] });
    const heartbeat = { sentAtMs: 1, receivedAtMs: 2, oldestWaitingMs: 0 };
    expect(Decision.keys(policy(), [{ kind: 'heartbeat', heartbeat }])).toEqual({
      rows: [],
      items: ['global'],
    });
  });

  test('behavior: each key once for a batch of one wallet', () => {
    const { rows, items } = Decision.keys(policy(), [
      reported('w1', 1),
      reported('w2', 1),
      reported('w1', 1),
    ]);
    expect(items).toHaveLength(8);
    expect(new Set(items).size).toBe(8);
    expect(rows).toHaveLength(5);
  });

  test('args: a parked record', () => {
    const event = withdrawal('w1');
    expect(Decision.keys(policy(), [{ kind: 'parked', event, reason: '' }]).rows).toEqual([
      'parked:withdrawal:w1',
    ]);
  });
});

describe('decide', () => {
  test('default', () => {
    const here = world();
    expect(send(here, policy(), reported('w1', 5))).toMatchInlineSnapshot(`
      {
        "notional": 5000000n,
        "result": "new-withdrawal",
        "rowId": "withdrawal:w1",
        "trips": [],
        "wouldTrip": [],
      }
    `);
    expect(here.rows.get('withdrawal:w1')).toMatchInlineSnapshot(`
      {
        "atMs": 1694524860000,
        "bodyHash": "462a3a25d004da8c2e10dff8db7a244d82ed0a584a11803f09a64b3ea17fd265",
        "decisionId": "decision-1",
        "money": {
          "charged": [
            {
              "amount": 5000000n,
              "asset": "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
              "notional": 5000000n,
              "pricePicoUsd": 1000000000000n,
            },
          ],
          "chargedAtMs": 1694524860000,
          "subject": {
            "actor": "customer-1",
            "asset": "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
            "chain": "eip155:1",
            "destination": "eip155:1:0xcccccccccccccccccccccccccccccccccccccccc",
            "keyDomain": "vault-a",
            "memo": undefined,
            "wallet": "hot-1",
          },
          "transfer": {
            "account": "eip155:1:0x1111111111111111111111111111111111111111",
            "actor": "customer-1",
            "amount": 5000000n,
            "asset": "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
            "destination": "eip155:1:0xcccccccccccccccccccccccccccccccccccccccc",
          },
        },
        "policyVersion": 1,
        "rowId": "withdrawal:w1",
        "state": "reported",
        "version": 1,
      }
    `);
  });

  test('behavior: H44: an empty batch', () => {
    const { outcomes, changes } = Decision.decide(context(), loaded(), []);
    expect(outcomes).toEqual([]);
    expect(Ledger.size(changes)).toBe(1);
  });

  test('behavior: a heartbeat moves the version of global and nothing else', () => {
    const here = world();
    send(here, policy(), reported('w1', 5));
    const before = here.items.get('global')!;
    const heartbeat = { sentAtMs: T0_MS - 1, receivedAtMs: T0_MS, oldestWaitingMs: 3 };
    const { changes } = submit(here, {
      policy: policy(),
      nowMs: T0_MS,
      events: [{ kind: 'heartbeat', heartbeat }],
    });
    expect(Ledger.size(changes)).toBe(2);
    expect(here.heartbeats).toEqual([heartbeat]);
    expect(here.items.get('global')).toEqual({ ...before, version: before.version + 1 });
  });

  describe('what an event is', () => {
    test('behavior: H14: A, B, A counts A once', () => {
      const here = world();
      send(here, policy(), reported('a', 5), reported('b', 7));
      expect(send(here, policy(), reported('a', 5))).toMatchObject({
        result: 'duplicate',
        notional: 0n,
      });
      expect([held(here, 'global'), held(here, 'global', 'count')]).toEqual([usd(12), 2n]);
    });

    test('behavior: H14: twice in one batch counts once', () => {
      const here = world();
      submit(here, {
        policy: policy(),
        nowMs: T0_MS,
        events: [reported('a', 5), reported('a', 5)],
      });
      expect(held(here, 'global', 'count')).toBe(1n);
    });

    test('behavior: H15: seen again after it left the window it does not count afresh', () => {
      const here = world();
      send(here, policy(), reported('a', 5));
      const laterMs = T0_MS + 31 * DAY_MS;
      const { outcomes } = submit(here, {
        policy: policy(),
        nowMs: laterMs,
        events: [reported('a', 5)],
      });
      expect(outcomes[0]?.result).toBe('duplicate');
      const at = { metric: 'notional', windowMs: MINUTE_MS, widenMs: 0, nowMs: laterMs } as const;
      expect(Meter.outflow(here.items.get('global')!.meter, at)).toBe(0n);
    });

    test('behavior: H27: the outflow of an old withdrawal moves it into no window', () => {
      const here = world();
      send(here, policy(), reported('a', 5));
      const laterMs = T0_MS + 31 * DAY_MS;
      const seen = incoming(outflow({ transaction: '0xa', withdrawalId: 'a' }, { amount: usd(5) }));
      const { outcomes } = submit(here, { policy: policy(), nowMs: laterMs, events: [seen] });
      expect(outcomes[0]).toMatchObject({ result: 'matched-outflow', notional: 0n, trips: [] });
      const window = { metric: 'notional', windowMs: MINUTE_MS, widenMs: 0 } as const;
      const { meter } = here.items.get('global')!;
      expect(Meter.outflow(meter, { ...window, nowMs: laterMs })).toBe(0n);
      expect(meter.newestMs).toBe(T0_MS);
    });

    test('behavior: H72: an outflow of zero that names nothing stops nothing and charges nothing', () => {
      const here = world();
      const zero = incoming(outflow({ transaction: '0xdust' }, { amount: 0n }));
      expect(send(here, policy(), zero)).toMatchObject({ result: 'nothing-moved', trips: [] });
      expect(send(here, policy(), zero)).toMatchObject({ result: 'duplicate' });
      expect(openScopes(here)).toEqual([]);
      const one = incoming(outflow({ transaction: '0xdust2' }, { amount: 1n }));
      expect(send(here, policy(), one).result).toBe('unmatched-outflow');
    });

    test('behavior: H14: the same id with another amount is an incident, once, and counts nothing', () => {
      const here = world();
      send(here, policy(), reported('a', 5));
      const outcome = send(here, policy(), reported('a', 900));
      expect(outcome).toMatchObject({
        result: 'conflict',
        notional: 0n,
        trips: [{ scope: 'wallet:hot-1', opened: true }],
      });
      expect(here.incidents.get('INC1')?.first.text).toBe(
        'withdrawal a came again with other content: amount 5000000 → 900000000',
      );
      expect(held(here, 'global')).toBe(usd(5));
      expect(send(here, policy(), reported('a', 900)).result).toBe('duplicate');
      expect(send(here, policy(), reported('a', 5)).result).toBe('duplicate');
      expect(here.causes.size).toBe(0);
    });

    test('behavior: an outflow of an approved withdrawal is linked and counts nothing more', () => {
      const here = world();
      send(here, policy(), reported('a', 5));
      const seen = outflow({ transaction: '0xa', withdrawalId: 'a' }, { amount: usd(5) });
      expect(send(here, policy(), incoming(seen))).toEqual({
        rowId: 'outflow:eip155:1:0xa:top',
        result: 'matched-outflow',
        notional: 0n,
        trips: [],
        wouldTrip: [],
      });
      expect(here.rows.get('withdrawal:a')).toMatchObject({
        state: 'matched',
        link: 'outflow:eip155:1:0xa:top',
        version: 2,
      });
      expect(here.rows.get('outflow:eip155:1:0xa:top')).toMatchObject({
        state: 'matched',
        link: 'withdrawal:a',
      });
      expect([held(here, 'global'), held(here, 'global', 'count')]).toEqual([usd(5), 1n]);
    });

    test('behavior: H62: a report after its outflow is linked, counts nothing more and undoes no trip', () => {
      const here = world();
      const seen = outflow({ transaction: '0xa', withdrawalId: 'a' }, { amount: usd(5) });
      expect(send(here, policy(), incoming(seen)).result).toBe('unmatched-outflow');
      expect(here.rows.get('withdrawal:a')).toMatchObject({
        state: 'claimed',
        money: { charged: [] },
      });
      expect(send(here, policy(), reported('a', 5))).toMatchObject({
        result: 'late-report',
        notional: 0n,
      });
      expect(here.rows.get('withdrawal:a')).toMatchObject({
        state: 'matched',
        link: 'outflow:eip155:1:0xa:top',
      });
      expect(send(here, policy(), reported('a', 5)).result).toBe('duplicate');
      expect([held(here, 'global'), held(here, 'global', 'count')]).toEqual([usd(5), 1n]);
      expect(openScopes(here)).toEqual(['key-domain:vault-a']);
    });

    test('behavior: H63: a second outflow that names one withdrawal is unmatched and counts', () => {
      const here = world();
      send(here, policy(), reported('a', 5));
      const named = (transaction: string) =>
        incoming(outflow({ transaction, withdrawalId: 'a' }, { amount: usd(5) }));
      send(here, policy(), named('0xa'));
      expect(send(here, policy(), named('0xb'))).toMatchObject({
        result: 'unmatched-outflow',
        notional: usd(5),
        trips: [{ scope: 'key-domain:vault-a' }],
      });
      expect(held(here, 'global', 'count')).toBe(2n);
    });

    test('behavior: H63: both in one batch, the first is matched and the second is not', () => {
      const here = world();
      const named = (transaction: string) => incoming(outflow({ transaction, withdrawalId: 'a' }));
      const events = [reported('a', 1), named('0xa'), named('0xb')];
      const { outcomes } = submit(here, { policy: policy(), nowMs: T0_MS, events });
      expect(outcomes.map((outcome) => outcome.result)).toEqual([
        'new-withdrawal',
        'matched-outflow',
        'unmatched-outflow',
      ]);
    });

    test('behavior: H23: every leg of a transaction counts, once', () => {
      const here = world();
      const legs = ['top', 'log:0', 'log:1', 'log:10', 'trace:0.1', 'log:1'].map((place) =>
        incoming(outflow({ transaction: '0xa', place })),
      );
      submit(here, { policy: policy(), nowMs: T0_MS, events: legs });
      expect(held(here, 'global', 'count')).toBe(5n);
    });
  });

  describe('fees', () => {
    const fee = { asset: ETH, amount: eth(1) };
    const named = (parts: Parameters<typeof outflow>[1]) =>
      incoming(outflow({ transaction: '0xa', withdrawalId: 'a' }, parts));

    test.each([
      ['in the same asset', { asset: USDC, amount: usd(2) }, usd(3)],
      ['in another asset', fee, usd(1_501)],
    ])('behavior: H24: reported %s is charged with it and not again', (_, paid, notional) => {
      const here = world();
      const rules = policy();
      expect(send(here, rules, incoming(withdrawal('a', { fee: paid }))).notional).toBe(notional);
      expect(send(here, rules, named({ fee: paid })).notional).toBe(0n);
      expect([held(here, 'wallet:hot-1'), held(here, 'wallet:hot-1', 'count')]).toEqual([
        notional,
        1n,
      ]);
    });

    test('behavior: H24: known only from the chain it is charged then, and is no second withdrawal', () => {
      const here = world();
      send(here, policy(), incoming(withdrawal('a')));
      expect(send(here, policy(), named({ fee }))).toMatchObject({
        result: 'matched-outflow',
        notional: usd(1_500),
        trips: [],
      });
      expect(held(here, 'wallet:hot-1')).toBe(usd(1_501));
      expect(held(here, `asset:${ETH}`, 'amount')).toBe(eth(1));
      for (const key of ['wallet:hot-1', 'global', `asset:${ETH}`]) {
        expect([key, held(here, key, 'count')]).toEqual([key, key.startsWith('asset') ? 0n : 1n]);
      }
      expect(send(here, policy(), named({ fee })).result).toBe('duplicate');
      expect(held(here, 'wallet:hot-1')).toBe(usd(1_501));
    });

    test.each([
      ['higher than reported: the rest', { asset: ETH, amount: eth(3) }, usd(3_000)],
      ['equal', fee, 0n],
      ['lower', { asset: ETH, amount: 1n }, 0n],
      ['in another asset than reported: all of it', { asset: USDC, amount: usd(2) }, usd(2)],
      ['none', undefined, 0n],
    ])('behavior: H24: on the chain %s', (_, paid, charged) => {
      const here = world();
      send(here, policy(), incoming(withdrawal('a', { fee })));
      expect(send(here, policy(), named({ fee: paid })).notional).toBe(charged);
      expect(held(here, 'global')).toBe(usd(1_501) + charged);
    });

    test('behavior: H24: a fee trips the limits on its own asset, before and at the match', () => {
      const limits = [
        limit({
          limitId: 'eth',
          scope: 'asset',
          where: { asset: ETH },
          metric: 'amount',
          allowed: eth(1) - 1n,
          action: { kind: 'pause', scope: 'asset' },
        }),
      ];
      const rules = policy({ limits });
      const before = world();
      expect(send(before, rules, incoming(withdrawal('a', { fee }))).trips).toMatchObject([
        { scope: `asset:${ETH}` },
      ]);
      const later = world();
      send(later, rules, incoming(withdrawal('a')));
      expect(send(later, rules, named({ fee })).trips).toMatchObject([{ scope: `asset:${ETH}` }]);
      expect(openScopes(later)).toEqual([`asset:${ETH}`]);
    });

    test('behavior: a limit on a scope that both assets lie in speaks once', () => {
      const rules = policy({ limits: [limit({ allowed: 1n })] });
      const here = world();
      expect(send(here, rules, incoming(withdrawal('a', { fee }))).trips).toHaveLength(1);
    });
  });

  describe('limits', () => {
    test('behavior: H4, H12, H28: the event that crosses is counted, and its trip is in the same changes', () => {
      const here = world();
      expect(send(here, thousandAnHour, reported('a', 1_000)).trips).toEqual([]);
      const outcome = send(here, thousandAnHour, reported('b', 1));
      expect(outcome.trips).toEqual([{ scope: 'wallet:hot-1', incidentId: 'INC1', opened: true }]);
      expect(held(here, 'wallet:hot-1')).toBe(usd(1_001));
      expect(here.items.get('wallet:hot-1')?.breaker.state).toBe('open');
      expect(here.incidents.get('INC1')).toMatchInlineSnapshot(`
        {
          "epoch": 1,
          "first": {
            "atMs": 1694524860000,
            "kind": "limit",
            "limit": {
              "allowed": 1000000000n,
              "limitId": "wallet-hour",
              "used": 1001000000n,
            },
            "notional": 1000000n,
            "rowId": "withdrawal:b",
            "text": "limit wallet-hour on wallet:hot-1: $1,001 in 1h of $1,000 allowed",
          },
          "incidentId": "INC1",
          "openedAtMs": 1694524860000,
          "policyVersion": 1,
          "scope": "wallet:hot-1",
          "state": "open",
        }
      `);
    });

    test('behavior: H36: many below the limit on one withdrawal trip on their sum', () => {
      const single = limit({ limitId: 'single', metric: 'single', windowMs: 0, allowed: usd(200) });
      const rules = policy({ limits: [limit(), single] });
      const here = world();
      const outcomes = Array.from({ length: 11 }, (_, i) =>
        send(here, rules, reported(`w${i}`, 100)),
      );
      expect(outcomes.map((outcome) => outcome.trips.length)).toEqual([
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
      ]);
      expect(here.incidents.get('INC1')?.first.limit?.limitId).toBe('wallet-hour');
    });

    test('behavior: H9: dust below a micro-USD adds up', () => {
      const rules = policy({ limits: [limit({ allowed: 5n })] });
      const here = world();
      const dust = (id: number) => incoming(withdrawal(`w${id}`, { asset: ETH, amount: 1n }));
      const tripped = [1, 2, 3, 4, 5, 6].map((id) => send(here, rules, dust(id)).trips.length);
      expect(tripped).toEqual([0, 0, 0, 0, 0, 1]);
    });

    test('behavior: H1: two full bursts either side of a boundary of day, hour and slot never both pass', () => {
      const midnightMs = Math.ceil(T0_MS / DAY_MS) * DAY_MS;
      for (const [beforeMs, afterMs] of [
        [1, 0],
        [1, 1],
        [HOUR_MS - 1, 0],
        [1, HOUR_MS - 1],
      ] as const) {
        const here = world();
        const at = (id: string, nowMs: number) =>
          submit(here, { policy: thousandAnHour, nowMs, events: [reported(id, 1_000)] })
            .outcomes[0]!.trips.length;
        expect(at('a', midnightMs - beforeMs)).toBe(0);
        expect(at('b', midnightMs + afterMs)).toBe(1);
      }
    });

    test('behavior: H37: there is no event that lowers a meter', () => {
      const here = world();
      send(here, policy(), reported('a', 900));
      const deposit = withdrawal('b', { amount: -usd(900) });
      expect(() => send(here, policy(), incoming(deposit))).toThrow('must not be negative');
      expect(held(here, 'global')).toBe(usd(900));
    });

    test('behavior: H26: money under two ids trips on their sum', () => {
      const rules = policy({
        limits: [
          limit({
            scope: 'asset',
            where: { asset: ETH },
            metric: 'amount',
            allowed: eth(2),
            action: { kind: 'pause', scope: 'asset' },
          }),
        ],
      });
      const here = world();
      const wrapped = (id: string, amount: bigint) =>
        incoming(withdrawal(id, { account: HOT_1_OTHER_CHAIN, asset: WRAPPED_ETH, amount }));
      expect(
        send(here, rules, incoming(withdrawal('a', { asset: ETH, amount: eth(1) }))).trips,
      ).toEqual([]);
      expect(send(here, rules, wrapped('b', 10n ** 8n)).trips).toEqual([]);
      expect(send(here, rules, wrapped('c', 1n)).trips).toMatchObject([{ scope: `asset:${ETH}` }]);
    });

    test('behavior: H39: the first event of a new wallet is judged like any other', () => {
      const here = world();
      expect(send(here, thousandAnHour, reported('a', 1_001)).trips).toHaveLength(1);
    });

    test('behavior: H35: a volume limit stops the scope that it names, not its siblings', () => {
      const here = world();
      send(here, thousandAnHour, reported('a', 1_001));
      expect(openScopes(here)).toEqual(['wallet:hot-1']);
      const sibling = incoming(withdrawal('b', { account: HOT_2 }));
      expect(send(here, thousandAnHour, sibling).trips).toEqual([]);
    });

    test('behavior: H33: a pause of one chain leaves the power to pause the next', () => {
      const limits = [
        limit({ scope: 'chain', allowed: 0n, action: { kind: 'pause', scope: 'chain' } }),
      ];
      const rules = policy({ limits });
      const here = world();
      send(here, rules, reported('a', 1));
      const other = { account: HOT_1_OTHER_CHAIN, asset: WRAPPED_ETH, amount: 1n };
      expect(send(here, rules, incoming(withdrawal('b', other))).trips).toMatchObject([
        { opened: true },
      ]);
      expect(openScopes(here)).toEqual(['chain:eip155:1', `chain:${OTHER_CHAIN}`]);
    });

    test('behavior: H33: an asset on two chains opens although one of the chains is open', () => {
      const limits = [
        limit({
          limitId: 'chain',
          scope: 'chain',
          where: { chain: OTHER_CHAIN },
          allowed: 0n,
          action: { kind: 'pause', scope: 'chain' },
        }),
        limit({
          limitId: 'eth',
          scope: 'asset',
          where: { asset: ETH },
          metric: 'amount',
          allowed: eth(1),
          action: { kind: 'pause', scope: 'asset' },
        }),
      ];
      const here = world();
      const wrapped = (id: string) =>
        incoming(
          withdrawal(id, { account: HOT_1_OTHER_CHAIN, asset: WRAPPED_ETH, amount: 10n ** 8n }),
        );
      send(here, policy({ limits }), wrapped('a'), wrapped('b'));
      expect(openScopes(here)).toEqual([`asset:${ETH}`, `chain:${OTHER_CHAIN}`]);
    });

    test('behavior: H43: a limit that only alerts hides none that pauses', () => {
      const limits = [
        limit({ limitId: 'look', action: { kind: 'alert' } }),
        limit(),
        limit({ limitId: 'hold', action: { kind: 'hold' } }),
      ];
      const here = world();
      expect(send(here, policy({ limits }), reported('a', 1_001)).trips).toHaveLength(1);
      expect([...here.alerts.values()].map((alert) => alert.alertId.split('|')[1])).toEqual([
        'look',
        'hold',
      ]);
    });

    test('behavior: H34: customer and destination are named before the wallet, and it before everything', () => {
      const limits = (['global', 'wallet', 'actor', 'destination'] as const).map((scope) =>
        limit({ limitId: scope, scope, action: { kind: 'pause', scope } }),
      );
      const { trips } = send(world(), policy({ limits }), reported('a', 1_001));
      expect(trips.map((trip) => trip.scope.split(':')[0])).toEqual([
        'actor',
        'destination',
        'wallet',
        'global',
      ]);
    });

    test('behavior: H90: usage far over a lowered limit trips and goes on counting', () => {
      const here = world();
      send(here, policy(), reported('a', 50_000));
      const lowered = policy({ limits: [limit({ allowed: 1n })] });
      expect(send(here, lowered, reported('b', 1)).trips).toHaveLength(1);
      expect(send(here, lowered, reported('c', 1)).trips).toMatchObject([{ opened: false }]);
      expect(held(here, 'wallet:hot-1')).toBe(usd(50_002));
    });

    test('behavior: a warning is an alert', () => {
      const here = world();
      send(here, policy({ limits: [limit({ warnBps: 8_000 })] }), reported('a', 801));
      expect([...here.alerts.values()]).toMatchInlineSnapshot(`
        [
          {
            "alertId": "warn|wallet-hour|wallet:hot-1|470701",
            "atMs": 1694524860000,
            "kind": "warn",
            "rowId": "withdrawal:a",
            "scope": "wallet:hot-1",
            "text": "limit wallet-hour on wallet:hot-1: $801 in 1h of $1,000 allowed",
          },
        ]
      `);
    });

    test('behavior: one event fits one transaction, whatever hundreds of limits say of it', () => {
      const limits = Scope.KINDS.flatMap((scope) =>
        Array.from({ length: 40 }, (_, i) =>
          limit({ limitId: `${scope}-${i}`, scope, allowed: 0n, action: { kind: 'pause', scope } }),
        ),
      );
      for (const mode of ['enforce', 'shadow'] as const) {
        const event = incoming(withdrawal('a', { fee: { asset: ETH, amount: eth(1) } }));
        const { changes } = submit(world(), {
          policy: policy({ mode, limits }),
          nowMs: T0_MS,
          events: [event],
        });
        expect(Ledger.size(changes)).toBeLessThanOrEqual(Ledger.CHANGES_MAX);
      }
    });
  });

  describe('trips', () => {
    test('behavior: H62: an outflow that nobody approved stops the key domain, however small', () => {
      const here = world();
      send(here, policy(), incoming(outflow({ transaction: '0xa' }, { amount: 1n })));
      expect(openScopes(here)).toEqual(['key-domain:vault-a']);
      expect(here.incidents.get('INC1')?.first.text).toBe(
        `outflow of 0.000001 USDC from hot-1 to ${outflow({ transaction: '0xa' }).transfer.destination} that nobody approved: no approved withdrawal awaits it`,
      );
      send(here, policy(), incoming(outflow({ transaction: '0xb' }, { account: HOT_3 })));
      expect(openScopes(here)).toEqual(['key-domain:vault-a', 'key-domain:vault-b']);
    });

    test('behavior: H29: the first cause stays, later ones follow, of any wallet that the scope holds', () => {
      const here = world();
      const seen = (transaction: string, account = HOT_1) =>
        incoming(outflow({ transaction }, { account }));
      send(here, thousandAnHour, seen('0xa'), seen('0xb', HOT_2), reported('w', 1_000));
      expect(toldIncidents(here).length).toBe(1);
      expect(here.incidents.get('INC1')?.first.rowId).toBe('outflow:eip155:1:0xa:top');
      expect([...here.causes].map(([key, cause]) => [key, cause.kind, cause.rowId])).toEqual([
        ['INC1#2', 'unmatched', 'outflow:eip155:1:0xb:top'],
        // The wallet is stopped by an incident of its own by then.
        ['INC2#2', 'limit', 'withdrawal:w'],
      ]);
      expect(openScopes(here)).toEqual(['key-domain:vault-a']);
    });

    test('behavior: the 20th cause is kept, the 21st only counted', () => {
      const here = world();
      for (let i = 1; i <= 22; i += 1)
        send(here, policy(), incoming(outflow({ transaction: `0x${i}` })));
      expect(here.causes.size).toBe(19);
      expect(here.causes.has('INC1#20')).toBe(true);
      expect(here.items.get('key-domain:vault-a')?.breaker).toMatchObject({
        causes: 22,
        incidentId: 'INC1',
      });
      expect(held(here, 'global', 'count')).toBe(22n);
    });

    test.each([
      ['wallet', { account: STRANGER }, `wallet:${STRANGER}`, 1],
      ['asset', { asset: UNLISTED }, 'wallet:hot-1', 2],
      [
        'chain',
        { account: `eip155:5:${HOT_1.slice(9)}` as AccountId },
        `wallet:eip155:5:${HOT_1.slice(9)}`,
        2,
      ],
      ['price', { asset: PRICELESS }, 'wallet:hot-1', 1],
    ])('behavior: H40: an unknown %s pauses, and counts', (...[what, overrides, scope, causes]) => {
      const here = world();
      const outcome = send(here, policy(), incoming(withdrawal('a', overrides)));
      expect(outcome.trips.map((trip) => trip.scope)).toEqual(
        Array.from({ length: causes }, () => scope),
      );
      expect(
        [...here.incidents.values(), ...here.causes.values()]
          .map((one) => ('first' in one ? one.first : one).text)
          .join(),
      ).toContain(what);
      expect(held(here, 'global', 'count')).toBe(1n);
    });

    test('behavior: H40: by another default it alerts, once a day', () => {
      const { unknown } = policy();
      const rules = policy({
        unknown: { ...unknown, price: { ...unknown.price, outflow: 'alert' } },
      });
      const here = world();
      const priceless = (id: string) => incoming(withdrawal(id, { asset: PRICELESS }));
      send(here, rules, priceless('a'), priceless('b'));
      expect(openScopes(here)).toEqual([]);
      expect([...here.alerts.values()].map((alert) => alert.text)).toEqual([
        `no price is known for ${PRICELESS}`,
      ]);
    });

    test('behavior: H61: a limit on base units works without any price', () => {
      const { unknown } = policy();
      const rules = policy({
        unknown: { ...unknown, price: { ...unknown.price, outflow: 'alert' } },
        limits: [limit({ scope: 'wallet-asset', metric: 'amount', allowed: 10n })],
      });
      const here = world();
      const some = (id: string, amount: bigint) =>
        incoming(withdrawal(id, { asset: PRICELESS, amount }));
      expect(send(here, rules, some('a', 10n)).trips).toHaveLength(0);
      expect(send(here, rules, some('b', 1n)).trips).toHaveLength(1);
    });

    test('behavior: a parked record trips once, counts nothing, and may be decided on later', () => {
      const here = world();
      const parked = { kind: 'parked', event: withdrawal('a'), reason: 'broken' } as const;
      expect(send(here, policy(), parked)).toMatchObject({
        result: 'parked',
        trips: [{ scope: 'wallet:hot-1' }],
      });
      expect(send(here, policy(), parked)).toMatchObject({ result: 'parked', trips: [] });
      expect(here.incidents.get('INC1')?.first).toMatchObject({
        kind: 'parked',
        text: 'a record could not be decided on and is parked: broken',
      });
      expect(held(here, 'global', 'count')).toBe(0n);
      expect(send(here, policy(), reported('a', 1)).result).toBe('new-withdrawal');
    });

    describe('under a pause of an operator', () => {
      const breaker = {
        state: 'isolated',
        epoch: 1,
        incidentId: 'INC0',
        openedAtMs: 1,
        causes: 1,
      } as const;
      const paused = (key: Scope.Key) => {
        const here = world();
        here.items.set(key, item({ breaker }));
        return here;
      };
      const theft = incoming(outflow({ transaction: '0xa' }));

      test('behavior: H29: of the same scope: its incident collects causes and stays the operator’s', () => {
        const here = paused('key-domain:vault-a');
        const { trips } = send(here, policy(), theft);
        expect(trips).toEqual([{ scope: 'key-domain:vault-a', incidentId: 'INC0', opened: false }]);
        expect(here.items.get('key-domain:vault-a')?.breaker).toEqual({
          ...breaker,
          causes: 2,
          unmatched: 1,
        });
      });

      test('behavior: H29: of a destination: a limit on one of its memos adds to that incident', () => {
        const destination = `destination:${CUSTOMER}`;
        const here = paused(destination);
        const limits = [
          limit({ scope: 'destination', action: { kind: 'pause', scope: 'destination' } }),
        ];
        const tagged = incoming(withdrawal('w', { memo: '77', amount: usd(2_000) }));
        const { trips } = send(here, policy({ limits }), tagged);
        expect(trips).toEqual([{ scope: destination, incidentId: 'INC0', opened: false }]);
        expect(openScopes(here)).toEqual([destination]);
      });

      test('behavior: H28, H62: of everything: a theft opens its own scope, which a resume of the pause leaves open', () => {
        const here = paused('global');
        const { trips } = send(here, policy(), theft);
        expect(trips).toEqual([{ scope: 'key-domain:vault-a', incidentId: 'INC1', opened: true }]);
        expect(here.items.get('global')?.breaker).toEqual(breaker);
      });

      test.each([
        ['a conflict', [reported('w', 1), reported('w', 2)]],
        ['something unknown', [incoming(withdrawal('w', { asset: UNLISTED }))]],
        [
          'a parked record',
          [{ kind: 'parked', event: withdrawal('w'), reason: 'broken' } as const],
        ],
      ])('behavior: H28: of everything: %s opens its own scope', (_, events) => {
        const here = paused('global');
        send(here, policy(), ...events);
        expect(openScopes(here)).toEqual(['global', 'wallet:hot-1']);
      });

      test('behavior: H28: of everything: one withdrawal that is too large opens its own scope, a sum is collected and shows again', () => {
        const single = limit({ limitId: 'single', metric: 'single', windowMs: 0 });
        for (const [rule, scope] of [
          [single, 'wallet:hot-1'],
          [limit(), 'global'],
        ] as const) {
          const here = paused('global');
          const rules = policy({ limits: [rule] });
          expect(send(here, rules, reported('a', 1_001)).trips).toMatchObject([{ scope }]);
        }
        const here = paused('global');
        const rules = policy({ limits: [limit()] });
        send(here, rules, reported('a', 1_001));
        here.items.set('global', { ...here.items.get('global')!, breaker: CLOSED });
        expect(send(here, rules, reported('b', 1)).trips).toMatchObject([
          { scope: 'wallet:hot-1', opened: true },
        ]);
      });
    });

    test('behavior: H33: a sum over a wallet is collected by its key domain, and not by a chain that is open', () => {
      const breaker = {
        state: 'open',
        epoch: 1,
        incidentId: 'INC0',
        openedAtMs: 1,
        causes: 1,
      } as const;
      const tripped = (key: Scope.Key) => {
        const here = world();
        here.items.set(key, item({ breaker }));
        return send(here, thousandAnHour, reported('a', 1_001)).trips[0]?.scope;
      };
      expect(tripped('key-domain:vault-a')).toBe('key-domain:vault-a');
      expect(tripped('chain:eip155:1')).toBe('wallet:hot-1');
    });

    test('behavior: H29: one theft of an unlisted token is one incident', () => {
      const here = world();
      send(here, policy(), incoming(outflow({ transaction: '0xa' }, { asset: UNLISTED })));
      expect(toldIncidents(here).map(({ scope }) => scope)).toEqual(['key-domain:vault-a']);
      expect([...here.causes.values()].map(({ kind }) => kind)).toEqual(['unknown', 'unknown']);
    });
  });

  describe('shadow', () => {
    const shadow = policy({ mode: 'shadow', limits: [limit()] });

    test('behavior: H54: a shadow policy meters and matches, changes no breaker, and says what it would have done', () => {
      const here = world();
      const events = [
        reported('a', 1_001),
        incoming(outflow({ transaction: '0xa' })),
        incoming(withdrawal('b', { asset: UNLISTED })),
        reported('a', 2),
        { kind: 'parked', event: withdrawal('c'), reason: 'broken' } as const,
      ];
      const outcomes = events.map((event) => send(here, shadow, event));
      expect(outcomes.flatMap((outcome) => outcome.trips)).toEqual([]);
      expect(outcomes.map((outcome) => outcome.wouldTrip)).toEqual([
        ['wallet:hot-1'],
        ['key-domain:vault-a', 'wallet:hot-1'],
        ['wallet:hot-1', 'wallet:hot-1', 'wallet:hot-1'],
        ['wallet:hot-1'],
        ['wallet:hot-1'],
      ]);
      expect([openScopes(here), toldIncidents(here).length]).toEqual([[], 0]);
      expect(held(here, 'global', 'count')).toBe(3n);
      expect(
        [...here.alerts.values()].map((alert) => `${alert.kind} ${alert.text}`),
      ).toMatchInlineSnapshot(`
        [
          "would-trip would have tripped wallet:hot-1: limit wallet-hour on wallet:hot-1: $1,002 in 1h of $1,000 allowed",
          "would-trip would have tripped key-domain:vault-a: outflow of 1 USDC from hot-1 to eip155:1:0xcccccccccccccccccccccccccccccccccccccccc that nobody approved: no approved withdrawal awaits it",
          "would-trip would have tripped wallet:hot-1: the policy does not know asset eip155:1/erc20:0x00000000000000000000000000000000000000ff",
          "would-trip would have tripped wallet:hot-1: withdrawal a came again with other content: amount 1001000000 → 2000000",
          "would-trip would have tripped wallet:hot-1: a record could not be decided on and is parked: broken",
        ]
      `);
    });

    test('behavior: one limit in shadow does not hold back the others', () => {
      const limits = [limit({ limitId: 'trial', mode: 'shadow', allowed: 0n }), limit()];
      const here = world();
      expect(send(here, policy({ limits }), reported('a', 1))).toMatchObject({
        trips: [],
        wouldTrip: ['wallet:hot-1'],
      });
      expect(send(here, policy({ limits }), reported('b', 1_000)).trips).toHaveLength(1);
    });
  });

  describe('time', () => {
    test('behavior: a late backlog alerts on short windows and trips on long ones', () => {
      const limits = [
        limit({ limitId: 'minute', windowMs: MINUTE_MS }),
        limit({ limitId: 'day', windowMs: DAY_MS }),
      ];
      const tripped = (lagMs: number) => {
        const here = world();
        send(here, policy({ limits }), reported('a', 1_001, lagMs));
        const causes = [...here.incidents.values()].map(
          (incident) => incident.first.limit?.limitId,
        );
        return [...causes, ...[...here.causes.values()].map((cause) => cause.limit?.limitId)];
      };
      expect(tripped(6 * SECOND_MS)).toEqual(['minute', 'day']);
      expect(tripped(6 * SECOND_MS + 1)).toEqual(['day']);
      expect(tripped(2.4 * HOUR_MS + 1)).toEqual([]);
    });

    test('behavior: a late backlog says so, and still trips on what nobody approved and on one too large', () => {
      const single = limit({
        limitId: 'single',
        metric: 'single',
        windowMs: 0,
        allowed: usd(1_000),
      });
      const rules = policy({ limits: [limit(), single] });
      const here = world();
      const seen = outflow({ transaction: '0xa' }, { amount: usd(1_001) });
      const { trips } = send(here, rules, incoming(seen, DAY_MS));
      expect(trips).toEqual([
        { scope: 'key-domain:vault-a', incidentId: 'INC1', opened: true },
        { scope: 'key-domain:vault-a', incidentId: 'INC1', opened: false },
      ]);
      expect([...here.alerts.values()][0]?.text).toContain('(late backlog: alerted, not tripped)');
    });

    test('behavior: H13: a worker whose clock is behind decides at the newest charge', () => {
      const here = world();
      submit(here, { policy: thousandAnHour, nowMs: T0_MS, events: [reported('a', 600)] });
      const { changes, outcomes } = submit(here, {
        policy: thousandAnHour,
        nowMs: T0_MS - 3 * HOUR_MS,
        events: [reported('b', 401)],
      });
      expect(changes.atMs).toBe(T0_MS);
      expect(outcomes[0]?.trips).toHaveLength(1);
      expect(here.rows.get('withdrawal:b')?.money?.chargedAtMs).toBe(T0_MS);
    });
  });

  describe('batches', () => {
    test('behavior: each event sees what those before it charged', () => {
      const here = world();
      const events = [reported('a', 600), reported('b', 400), reported('c', 1)];
      const { outcomes } = submit(here, { policy: thousandAnHour, nowMs: T0_MS, events });
      expect(outcomes.map((outcome) => outcome.trips.length)).toEqual([0, 0, 1]);
    });

    test('behavior: H29: several trips in one batch are one incident with its causes', () => {
      const here = world();
      const events = ['0xa', '0xb', '0xc'].map((transaction) => incoming(outflow({ transaction })));
      submit(here, { policy: policy(), nowMs: T0_MS, events });
      expect([toldIncidents(here).length, here.causes.size]).toEqual([1, 2]);
    });

    test('behavior: H89: of two heartbeats the one that was sent later counts, in either order', () => {
      const at = (sentAtMs: number) =>
        ({
          kind: 'heartbeat',
          heartbeat: { sentAtMs, receivedAtMs: 9, oldestWaitingMs: 0 },
        }) as const;
      for (const events of [
        [at(1), at(2)],
        [at(2), at(1)],
      ]) {
        const here = world();
        const { outcomes } = submit(here, { policy: policy(), nowMs: T0_MS, events });
        expect(here.heartbeats.map(({ sentAtMs }) => sentAtMs)).toEqual([2]);
        expect(outcomes[0]).toEqual({
          rowId: 'heartbeat',
          result: 'heartbeat',
          notional: 0n,
          trips: [],
          wouldTrip: [],
        });
      }
    });

    test('behavior: H66: what is removed and was never seen changes nothing', () => {
      const removed = { rowId: 'outflow:x', sequence: 1 };
      const { outcomes } = submit(world(), {
        policy: policy(),
        nowMs: T0_MS,
        events: [{ kind: 'removed', removed }],
      });
      expect(outcomes).toMatchObject([
        { rowId: 'outflow:x', notional: 0n, trips: [], wouldTrip: [] },
      ]);
    });

    test('behavior: outcomes come in the order of the events', () => {
      const heartbeat = { sentAtMs: 1, receivedAtMs: 2, oldestWaitingMs: 0 };
      const events = [
        reported('b', 1),
        { kind: 'heartbeat', heartbeat } as const,
        reported('a', 1),
      ];
      const { outcomes } = submit(world(), { policy: policy(), nowMs: T0_MS, events });
      expect(outcomes.map((outcome) => outcome.rowId)).toEqual([
        'withdrawal:b',
        'heartbeat',
        'withdrawal:a',
      ]);
    });
  });

  test('behavior: H25: hostile ids are ids like any other', () => {
    const hostile = [
      '1',
      '11',
      '__proto__',
      'constructor',
      'a:b',
      'a|b',
      'withdrawal:x',
      '\ud800',
      '💸',
      ' ',
      '%none',
      '../x',
    ];
    const here = world();
    for (const id of hostile) {
      const outcome = send(here, policy(), incoming(withdrawal(id, { actor: id, memo: id })));
      expect([id, outcome.result]).toEqual([id, 'new-withdrawal']);
      const again = send(here, policy(), incoming(withdrawal(id, { actor: id, memo: id })));
      expect([id, again.result]).toEqual([id, 'duplicate']);
    }
    expect(held(here, 'global', 'count')).toBe(BigInt(hostile.length));
    const actors = [...here.items].filter(([key]) => key.startsWith('actor:'));
    expect(actors).toHaveLength(hostile.length);
    for (const [key] of actors) expect([key, held(here, key, 'count')]).toEqual([key, 1n]);
  });

  test('behavior: H7: what was loaded is not changed, and deciding again gives the same', () => {
    const here = world();
    send(here, thousandAnHour, reported('a', 600), incoming(outflow({ transaction: '0xa' })));
    const meter = Meter.charge(Meter.EMPTY, charge({ count: 1 }), T0_MS);
    const read = loaded({
      rows: [...here.rows.values()],
      items: { ...Object.fromEntries(here.items), other: item({ meter }) },
    });
    const copy = structuredClone(read);
    const events = [
      reported('b', 500),
      incoming(outflow({ transaction: '0xb', withdrawalId: 'a' })),
    ];
    const first = Decision.decide(context({ policy: thousandAnHour }), read, events);
    expect(read).toEqual(copy);
    expect(Decision.decide(context({ policy: thousandAnHour }), read, events)).toEqual(first);
  });

  test('behavior: H77: the report of a held one counts it, once, and takes it out of its queue', () => {
    const { here, askFor, record } = scene();
    askFor(ask('a', 1_000), ask('b', 600), ask('c', 1));
    const report = ask('b', 600).withdrawal;
    // It breaches its limit, which holds only what has not left: people are told.
    expect(record(report)).toMatchObject({
      result: 'new-withdrawal',
      notional: usd(600),
      trips: [],
    });
    expect(here.rows.get('withdrawal:b')).toMatchObject({ state: 'reported' });
    expect(here.rows.get('withdrawal:b')).not.toHaveProperty('places');
    expect(held(here, 'wallet:hot-1')).toBe(usd(1_600));
    expect(record(report)).toMatchObject({ result: 'duplicate', notional: 0n });
    expect(askFor(ask('b', 600), ask('c', 1))).toMatchObject([
      { kind: 'block', reason: 'final' },
      { kind: 'hold', position: 1 },
    ]);
  });

  test('behavior: H77: an outflow that names a held one is unmatched and trips; it stays in its queue', () => {
    const { here, askFor, record } = scene();
    askFor(ask('a', 1_000), ask('b', 600));
    const seen = outflow({ transaction: '0xa', withdrawalId: 'b' }, { amount: usd(600) });
    expect(record(seen)).toMatchObject({ result: 'unmatched-outflow', notional: usd(600) });
    expect(openScopes(here)).toEqual(['key-domain:vault-a']);
    expect(here.rows.get('withdrawal:b')).toMatchObject({ state: 'held' });
    expect(askFor(ask('b', 600))).toMatchObject([
      { kind: 'block', reason: 'paused', heldSinceMs: T0_MS, position: 1 },
    ]);
  });

  test('behavior: the report of a held one by another actor takes it out of the queue of the first', () => {
    const { here, state, askFor, record } = scene({ limits: [holding({ scope: 'actor' })] });
    askFor(ask('a', 1_000), ask('b', 600));
    state.nowMs += 1;
    record(ask('b', 600, { actor: 'somebody' }).withdrawal);
    expect(here.items.get('actor:customer-1')?.waiting).toBeUndefined();
    expect(here.held.size).toBe(0);
  });
});
