import { describe, expect, test } from 'vitest';
import * as Approval from '../../lib/domain/approval.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import * as Money from '../../lib/domain/money.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import * as Reservation from '../../lib/domain/reservation.ts';
import type * as Verdict from '../../lib/domain/verdict.ts';
import type { Transfer } from '../../lib/domain/withdrawal.ts';
import {
  CHAIN,
  context,
  DAY_MS,
  ETH,
  HOT_2,
  HOT_3,
  HOUR_MS,
  incoming,
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
  usd,
  withdrawal,
} from '../support/builders.ts';
import { scene as holdingScene } from '../support/holding.ts';
import { expectMetersToCover, expectOutstandingToBeRows } from '../support/ledger-check.ts';
import { openScopes, reserve, submit, type World, world } from '../support/world.ts';

const LIFE_MS = 30 * SECOND_MS;

/** A withdrawal of so many USD. */
function ask(withdrawalId: string, dollars: number, more: Partial<Transfer> = {}): Reservation.Ask {
  const { event, bodyHash } = incoming(
    withdrawal(withdrawalId, { amount: usd(dollars), ...more }),
  ) as { event: ReturnType<typeof withdrawal>; bodyHash: string };
  return { withdrawal: event, bodyHash };
}

/** A world with a policy and a clock that tests set. */
function scene(overrides: Partial<Policy.Policy> = {}) {
  const here = world();
  const state = { policy: policy({ limits: [limit()], ...overrides }), nowMs: T0_MS };
  return {
    here,
    state,
    reserve: (...asks: readonly Reservation.Ask[]) => {
      const { verdicts } = reserve(here, { ...state, asks });
      expectMetersToCover(here);
      expectOutstandingToBeRows(here);
      return verdicts;
    },
    record: (event: Parameters<typeof incoming>[0]) => {
      const [outcome] = submit(here, { ...state, events: [incoming(event)] }).outcomes;
      expectMetersToCover(here);
      expectOutstandingToBeRows(here);
      return outcome;
    },
  };
}

function brief(verdicts: readonly Verdict.Verdict[]): readonly string[] {
  return verdicts.map((one) => (one.kind === 'allow' ? 'allow' : `${one.kind} ${one.reason}`));
}

function usedOf(here: World, key: string): bigint {
  const [hour = []] = here.items.get(key)?.meter.steps.slice(-1) ?? [];
  return hour.reduce((sum, slot) => sum + slot.notional, 0n);
}

/** Everything stored, to hold against what it is later. */
function stored({ rows, items }: Ledger.Loaded): string {
  const text = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value);
  return JSON.stringify([[...rows], [...items]], text);
}

describe('keys', () => {
  test('behavior: the queues of the limits that hold, each once', () => {
    const rules = policy({ limits: [limit({ action: { kind: 'hold' } })] });
    expect(Reservation.keys(rules, [ask('w1', 1), ask('w2', 1)]).queues).toEqual([
      { limitId: 'wallet-hour', scope: 'wallet:hot-1' },
    ]);
  });

  test('default: its row, the note of its conflict, and all that it is charged to', () => {
    const one = ask('w1', 1);
    expect(Reservation.keys(policy(), [one, one])).toEqual({
      rows: [
        'withdrawal:w1',
        Approval.endsId(one.withdrawal.transfer),
        `conflict:withdrawal:w1:${one.bodyHash}`,
      ],
      items: expect.arrayContaining([
        'global',
        'actor:customer-1',
        'wallet:hot-1',
        'chain:eip155:1',
      ]),
      gates: [],
      queues: [],
    });
  });

  test('behavior: a destination as a whole is a gate where only its part is charged', () => {
    const part = ask('w1', 1, { memo: 'tag' });
    const whole = `destination:${part.withdrawal.transfer.destination}`;
    expect(Reservation.keys(policy(), [part]).gates).toEqual([whole]);
    expect(Reservation.keys(policy(), [part]).items).not.toContain(whole);
  });

  test('behavior: a whole that another of the batch is charged to is a gate all the same: that one may be refused', () => {
    const part = ask('w1', 1, { memo: 'tag' });
    const whole = `destination:${part.withdrawal.transfer.destination}`;
    const keys = Reservation.keys(policy(), [part, ask('w2', 1)]);
    expect(keys.gates).toEqual([whole]);
    expect(keys.items).toContain(whole);
  });
});

describe('decide: again', () => {
  test('behavior: what is allowed again beside another charges nothing, and that it is not stopped is a condition', () => {
    const here = world();
    const at = (...asks: readonly Reservation.Ask[]) =>
      reserve(here, { policy: policy(), nowMs: T0_MS, asks });
    const other = ask('b', 1, { account: HOT_3 });
    at(ask('a', 1));
    const version = here.items.get('wallet:hot-1')?.version ?? 0;
    expect(at(ask('a', 1)).changes).toBeUndefined();
    const { verdicts } = at(ask('a', 1), other);
    expect(verdicts.map(({ kind }) => kind)).toEqual(['allow', 'allow']);
    expect(here.items.get('wallet:hot-1')?.version).toBe(version + 1);
    at(ask('a', 2), ask('c', 1, { account: HOT_3 }));
    expect(here.items.get('wallet:hot-1')?.version).toBe(version + 2);
  });
});

describe('decide: audience', () => {
  test('behavior: one withdrawal is admitted for one signer at a time', () => {
    const here = world();
    const rules = policy();
    const at = (nowMs: number, audience: string) =>
      reserve(here, { policy: rules, nowMs, asks: [ask('a', 1)], audience }).verdicts[0];
    expect(at(T0_MS, 's1')).toMatchObject({ kind: 'allow' });
    expect(at(T0_MS + 1, 's2')).toMatchObject({
      kind: 'block',
      reason: 'conflict',
      provisional: true,
    });
    expect(at(T0_MS + 2, 's1')).toMatchObject({ kind: 'allow' });
    expect(at(T0_MS + 60_000, 's2')).toMatchObject({ kind: 'allow' });
    expect(at(T0_MS + 60_001, 's1')).toMatchObject({ kind: 'block', reason: 'conflict' });
  });

  test('behavior: the other signer is told until when; who names no signer is let through', () => {
    const here = world();
    const rules = policy();
    const at = (nowMs: number, audience?: string) => {
      const signer = audience === undefined ? {} : { audience };
      return reserve(here, { policy: rules, nowMs, asks: [ask('a', 1)], ...signer }).verdicts[0];
    };
    expect(at(T0_MS)).toMatchObject({ kind: 'allow' });
    expect(at(T0_MS + 1, 's2')).toMatchObject({ kind: 'allow' });
    expect(at(T0_MS + LIFE_MS, 's1')).toMatchObject({ kind: 'allow' });
    const until = new Date(T0_MS + 2 * LIFE_MS).toISOString();
    expect(at(T0_MS + LIFE_MS + 1, 's2')).toMatchObject({
      text: `withdrawal a is admitted for another signer until ${until}`,
      provisional: true,
    });
    expect(at(T0_MS + LIFE_MS + 2)).toMatchObject({ kind: 'allow' });
    expect(here.rows.get('withdrawal:a')?.audience).toBe('s1');
  });
});

describe('decide: for people to lift', () => {
  const { unknown } = policy();
  const rules = policy({
    unknown: { ...unknown, wallet: { ...unknown.wallet, withdrawal: 'hold' } },
  });
  const decideAt = (here: World, nowMs: number, by?: Reservation.By) =>
    reserve(here, {
      policy: rules,
      nowMs,
      asks: [ask('a', 1, { account: STRANGER })],
      ...(by ? { by } : {}),
    });

  test('behavior: H77: what waits for a person is told of once, when it begins to wait', () => {
    const here = world();
    const first = decideAt(here, T0_MS);
    expect(first.verdicts).toMatchObject([{ kind: 'hold', reason: 'unknown' }]);
    expect(first.alerts).toMatchObject([
      {
        kind: 'held',
        atMs: T0_MS,
        rowId: 'withdrawal:a',
        text: expect.stringContaining('withdrawal a is held until a person lets it go: '),
      },
    ]);
    const again = decideAt(here, T0_MS + DAY_MS);
    expect(again.verdicts).toMatchObject([{ kind: 'hold' }]);
    expect(again.alerts).toEqual([]);
  });

  test('behavior: H77: it stands in the queue of people, and in that of no limit', () => {
    const here = world();
    decideAt(here, T0_MS);
    expect([...here.held.values()]).toEqual([{ rowId: 'withdrawal:a', heldAtMs: T0_MS }]);
    expect([...here.items.values()].filter(({ waiting }) => waiting)).toEqual([]);
  });

  test('behavior: H77, H79: what a sweep finds unknown keeps its place; who asks for it waits for a person', () => {
    const limits = [limit({ action: { kind: 'hold' } })];
    const { here, state, askFor, sweep } = holdingScene({ limits, unknown: rules.unknown });
    askFor(ask('a', 1_000), ask('b', 600));
    const places = () => [...here.held.values()].map(({ place }) => place?.limitId);
    state.policy = { ...state.policy, wallets: [] };
    expect(brief(sweep(ask('b', 600)))).toEqual(['hold unknown']);
    expect(places()).toEqual(['wallet-hour']);
    expect(brief(askFor(ask('b', 600)))).toEqual(['hold unknown']);
    expect(places()).toEqual([undefined]);
  });

  test('behavior: H77: a sweep does not lift it, and tells nobody', () => {
    const here = world();
    decideAt(here, T0_MS);
    const swept = decideAt(here, T0_MS + 1, { kind: 'room' });
    expect(swept.verdicts).toMatchObject([{ kind: 'hold', reason: 'unknown' }]);
    expect(swept.alerts).toEqual([]);
  });
});

describe('decide: final answers', () => {
  test('error: H14: other content under a known id is refused for good, and says so', () => {
    const { reserve: askFor } = scene();
    askFor(ask('a', 1));
    expect(askFor(ask('a', 2))).toEqual([
      {
        kind: 'block',
        withdrawalId: 'a',
        reason: 'conflict',
        text: 'withdrawal a was asked for or reported with other content before',
        provisional: false,
      },
    ]);
  });

  test('error: H17: what has left already is refused for good, and says so', () => {
    const { reserve: askFor, record } = scene();
    record(ask('a', 1).withdrawal);
    expect(askFor(ask('a', 1))).toMatchObject([
      {
        kind: 'block',
        reason: 'final',
        text: 'withdrawal a is reported already',
        provisional: false,
      },
    ]);
  });
});

describe('decide', () => {
  test('default: charges, keeps the row, and says until when', () => {
    const { here, reserve: askFor } = scene();
    expect(askFor(ask('w1', 1_000))).toEqual([
      { kind: 'allow', withdrawalId: 'w1', expiresAtMs: T0_MS + LIFE_MS },
    ]);
    expect(here.rows.get('withdrawal:w1')).toMatchObject({
      state: 'reserved',
      atMs: T0_MS,
      admittedUntilMs: T0_MS + LIFE_MS,
      money: { chargedAtMs: T0_MS },
    });
    expect(usedOf(here, 'wallet:hot-1')).toBe(usd(1_000));
    expect(here.items.get('actor:customer-1')?.outstanding).toBe(1);
  });

  test('behavior: one unit more than what is left is refused, with the numbers; what fits goes on', () => {
    const { here, reserve: askFor } = scene();
    const verdicts = askFor(ask('a', 600), ask('b', 400, { amount: usd(400) + 1n }), ask('c', 400));
    expect(brief(verdicts)).toEqual(['allow', 'block limit', 'allow']);
    expect(verdicts[1]).toMatchInlineSnapshot(`
      {
        "capacityAtMs": 1694528680000,
        "kind": "block",
        "limit": {
          "allowed": 1000000000n,
          "headroom": 400000000n,
          "limitId": "wallet-hour",
          "scope": "wallet:hot-1",
          "used": 600000000n,
        },
        "provisional": true,
        "reason": "limit",
        "scope": "wallet:hot-1",
        "text": "does not fit: limit wallet-hour on wallet:hot-1: $1,001 in 1h of $1,000 allowed",
        "withdrawalId": "b",
      }
    `);
    expect(here.rows.has('withdrawal:b')).toBe(false);
    expect(openScopes(here)).toEqual([]);
  });

  test('behavior: H17: a refused one writes no row, leaves everything as it was and alerts once a window', () => {
    const { here, state, reserve: askFor } = scene();
    askFor(ask('a', 600));
    const before = stored(here);
    for (const id of ['b', 'c', 'b']) expect(brief(askFor(ask(id, 401)))).toEqual(['block limit']);
    expect(stored(here)).toBe(before);
    expect([...here.alerts.values()]).toMatchInlineSnapshot(`
      [
        {
          "alertId": "refused|wallet-hour|wallet:hot-1|470701",
          "atMs": 1694524860000,
          "kind": "refused",
          "rowId": "withdrawal:b",
          "scope": "wallet:hot-1",
          "text": "a withdrawal was refused, it does not fit: limit wallet-hour on wallet:hot-1: $1,001 in 1h of $1,000 allowed",
        },
      ]
    `);
    state.nowMs += HOUR_MS;
    askFor(ask('d', 1_001));
    expect(here.alerts.size).toBe(2);
  });

  test('behavior: a repeat before its expiry is the same answer, and writes nothing', () => {
    const { here, state, reserve: askFor } = scene();
    const [first] = askFor(ask('a', 1_000));
    const before = stored(here);
    state.nowMs += LIFE_MS - 1;
    expect(askFor(ask('a', 1_000))).toEqual([first]);
    expect(stored(here)).toBe(before);
    expect(here.alerts.size).toBe(0);
  });

  test('behavior: twice in one call is one charge and one answer', () => {
    const { here, reserve: askFor } = scene();
    const [first, second] = askFor(ask('a', 600), ask('a', 600));
    expect(second).toEqual(first);
    expect(usedOf(here, 'global')).toBe(usd(600));
  });

  test('behavior: P5: after its expiry the charge moves to now, at the price of now', () => {
    const { here, state, reserve: askFor } = scene();
    askFor(ask('a', 0, { asset: ETH, amount: 10n ** 17n }));
    expect(usedOf(here, 'global')).toBe(usd(150));
    state.nowMs += 3 * HOUR_MS;
    const assets = state.policy.assets.map((asset) =>
      asset.pattern === ETH ? { ...asset, floorPricePicoUsd: 3_000n * 10n ** 12n } : asset,
    );
    state.policy = { ...state.policy, assets };
    expect(askFor(ask('a', 0, { asset: ETH, amount: 10n ** 17n }))).toMatchObject([
      { kind: 'allow', expiresAtMs: state.nowMs + LIFE_MS },
    ]);
    expect(usedOf(here, 'global')).toBe(usd(300));
    const hours = here.items.get('global')?.meter.steps[3]?.map(({ notional }) => notional);
    expect(hours?.reduce((sum, one) => sum + one, 0n)).toBe(usd(300));
    expect(here.rows.get('withdrawal:a')).toMatchObject({
      atMs: T0_MS,
      money: { chargedAtMs: state.nowMs },
    });
  });

  test('behavior: its own old charge does not stand against it', () => {
    const { state, reserve: askFor } = scene();
    askFor(ask('a', 1_000));
    state.nowMs += LIFE_MS;
    expect(brief(askFor(ask('a', 1_000)))).toEqual(['allow']);
  });

  test('behavior: where it does not fit any more, the old charge stays', () => {
    const { here, state, reserve: askFor } = scene();
    askFor(ask('a', 600));
    state.nowMs += 2 * HOUR_MS;
    askFor(ask('b', 600));
    const before = stored(here);
    expect(brief(askFor(ask('a', 600)))).toEqual(['block limit']);
    expect(stored(here)).toBe(before);
  });

  test('behavior: charges of another policy and another actor move whole', () => {
    const { here, state, reserve: askFor } = scene({ outstandingMax: 1 });
    askFor(ask('a', 600));
    state.nowMs += LIFE_MS;
    const wallets = state.policy.wallets.map((one) => ({ ...one, keyDomain: 'vault-z' }));
    state.policy = { ...state.policy, wallets };
    expect(brief(askFor(ask('a', 600, { actor: 'customer-2' })))).toEqual(['allow']);
    expect(usedOf(here, 'key-domain:vault-a')).toBe(0n);
    expect(usedOf(here, 'key-domain:vault-z')).toBe(usd(600));
    expect(here.items.get('actor:customer-1')?.outstanding).toBeUndefined();
    expect(here.items.get('actor:customer-2')?.outstanding).toBe(1);
  });

  test.each(['reported', 'matched', 'failed', 'cancelled', 'claimed'] as const)(
    'behavior: a withdrawal that is %s is final',
    (state) => {
      const { here, reserve: askFor } = scene();
      askFor(ask('a', 1));
      const row = here.rows.get('withdrawal:a')!;
      here.rows.set('withdrawal:a', { ...row, state });
      const one = reserve(here, { policy: policy(), nowMs: T0_MS, asks: [ask('a', 1)] });
      expect(one).toEqual({
        alerts: [],
        verdicts: [
          {
            kind: 'block',
            withdrawalId: 'a',
            reason: 'final',
            provisional: false,
            text: `withdrawal a is ${state} already`,
          },
        ],
      });
    },
  );

  test('behavior: H14: one id with another body is an incident, once for each body', () => {
    const { here, reserve: askFor } = scene();
    askFor(ask('a', 1));
    expect(brief(askFor(ask('a', 2), ask('a', 2), ask('b', 1)))).toEqual([
      'block conflict',
      'block conflict',
      'block paused',
    ]);
    expect(openScopes(here)).toEqual(['wallet:hot-1']);
    expect(brief(askFor(ask('a', 2)))).toEqual(['block conflict']);
    expect(here.incidents.size).toBe(1);
    expect([...here.incidents.values()][0]?.first.kind).toBe('conflict');
  });

  test('behavior: the report of a reserved withdrawal charges nothing and conflicts with nothing', () => {
    const { here, reserve: askFor, record } = scene();
    askFor(ask('a', 600));
    const before = usedOf(here, 'global');
    expect(record(withdrawal('a', { amount: usd(600) }))).toMatchObject({ result: 'duplicate' });
    expect(usedOf(here, 'global')).toBe(before);
    expect(here.rows.get('withdrawal:a')?.state).toBe('reserved');
  });

  test('behavior: an outflow that names no actor meets its reservation, which is open no more, once', () => {
    const { here, reserve: askFor, record } = scene();
    askFor(ask('a', 1), ask('b', 1));
    const seen = outflow({ transaction: '0xa', withdrawalId: 'a' });
    expect(record(seen)).toMatchObject({ result: 'matched-outflow', notional: 0n });
    expect(here.items.get('actor:customer-1')?.outstanding).toBe(1);
    expect(record(seen)).toMatchObject({ result: 'duplicate' });
    expect(here.items.get('actor:customer-1')?.outstanding).toBe(1);
    expect(brief(askFor(ask('a', 1)))).toEqual(['block final']);
    expect(openScopes(here)).toEqual([]);
  });

  test('behavior: an outflow after its admission expired still meets it', () => {
    const { state, reserve: askFor, record } = scene();
    askFor(ask('a', 1));
    state.nowMs += DAY_MS;
    expect(record(outflow({ transaction: '0xa', withdrawalId: 'a' }))).toMatchObject({
      result: 'matched-outflow',
    });
  });

  test('behavior: H20: one actor may have so many open, and may ask for those again', () => {
    const { here, state, reserve: askFor, record } = scene({ outstandingMax: 2 });
    const verdicts = askFor(ask('a', 1), ask('b', 1), ask('c', 1), ask('d', 1, { actor: 'other' }));
    expect(brief(verdicts)).toEqual(['allow', 'allow', 'block outstanding', 'allow']);
    expect(verdicts[2]).toMatchObject({ provisional: true, scope: 'actor:customer-1' });
    expect(brief(askFor(ask('a', 1)))).toEqual(['allow']);
    state.nowMs += LIFE_MS;
    expect(brief(askFor(ask('a', 1), ask('c', 1)))).toEqual(['allow', 'block outstanding']);
    record(outflow({ transaction: '0xa', withdrawalId: 'a' }));
    expect(brief(askFor(ask('c', 1)))).toEqual(['allow']);
    expect(here.items.get('actor:customer-1')?.outstanding).toBe(2);
  });

  test('behavior: what names no actor has no such cap', () => {
    const { reserve: askFor } = scene({ outstandingMax: 1 });
    const nobody = { actor: undefined };
    expect(brief(askFor(ask('a', 1, nobody), ask('b', 1, nobody)))).toEqual(['allow', 'allow']);
  });

  test.each([
    ['actor', 'destination'],
    ['destination', 'wallet-asset'],
    ['actor', 'wallet'],
    ['wallet', 'global'],
    ['chain', 'global'],
  ] as const)(
    'behavior: H34: the limit of the %s is named before that of the %s',
    (first, then) => {
      for (const order of [1, -1]) {
        for (const [one, other] of [
          ['hold', 'pause'],
          ['pause', 'hold'],
        ] as const) {
          const of = (scope: 'actor' | 'global', kind: 'hold' | 'pause') =>
            limit({
              limitId: scope,
              scope,
              tripOnRefusal: scope === then,
              action: kind === 'hold' ? { kind } : { kind, scope },
            });
          const limits = [of(first as 'actor', one), of(then as 'global', other)];
          const { here, reserve: askFor } = scene({
            limits: order > 0 ? limits : limits.toReversed(),
          });
          expect(askFor(ask('a', 1_001))).toMatchObject([{ limit: { limitId: first } }]);
          expect(openScopes(here)).toEqual([]);
        }
      }
    },
  );

  test('behavior: a fee in another asset is named in the order of scopes too', () => {
    const limits = [
      limit({ limitId: 'all', scope: 'global', action: { kind: 'pause', scope: 'global' } }),
      limit({ limitId: 'asset', scope: 'asset', where: { asset: ETH }, metric: 'notional' }),
    ];
    const { reserve: askFor } = scene({ limits });
    const fee = { asset: ETH, amount: 10n ** 18n };
    expect(askFor(ask('a', 1, { fee }))).toMatchObject([{ limit: { limitId: 'asset' } }]);
  });

  test('behavior: in one scope what blocks is named before what holds; alone it holds', () => {
    const hold = limit({ limitId: 'hold', action: { kind: 'hold' }, allowed: usd(10) });
    const { reserve: askFor } = scene({ limits: [hold, limit()] });
    expect(askFor(ask('a', 1_001), ask('b', 11), ask('c', 10))).toMatchObject([
      { kind: 'block', limit: { limitId: 'wallet-hour' } },
      { kind: 'hold', provisional: true, limit: { limitId: 'hold' } },
      { kind: 'allow' },
    ]);
  });

  test('behavior: tripOnRefusal opens the breaker in the same decision, with the reason', () => {
    const limits = [limit({ tripOnRefusal: true, action: { kind: 'pause', scope: 'key-domain' } })];
    const { here, reserve: askFor } = scene({ limits });
    const verdicts = askFor(ask('a', 600), ask('b', 401), ask('c', 1));
    expect(brief(verdicts)).toEqual(['allow', 'block limit', 'block paused']);
    expect(verdicts[1]).toMatchObject({ incidentId: 'INC1' });
    expect(openScopes(here)).toEqual(['key-domain:vault-a']);
    expect([...here.incidents.values()][0]?.first).toMatchInlineSnapshot(`
      {
        "atMs": 1694524860000,
        "kind": "limit",
        "limit": {
          "allowed": 1000000000n,
          "limitId": "wallet-hour",
          "used": 1001000000n,
        },
        "notional": 401000000n,
        "rowId": "withdrawal:b",
        "text": "a reservation was refused: limit wallet-hour on wallet:hot-1: $1,001 in 1h of $1,000 allowed",
      }
    `);
    expect(usedOf(here, 'wallet:hot-1')).toBe(usd(600));
    expect(here.alerts.size).toBe(0);
    expect(brief(askFor(ask('b', 401), ask('a', 600)))).toEqual(['block paused', 'block paused']);
    expect(here.causes.size).toBe(0);
  });

  test('behavior: a limit that only alerts admits and alerts, as warn levels do', () => {
    const limits = [
      limit({ limitId: 'tell', action: { kind: 'alert' }, allowed: usd(10) }),
      limit({ warnBps: 5_000 }),
    ];
    const { here, reserve: askFor } = scene({ limits });
    expect(brief(askFor(ask('a', 501)))).toEqual(['allow']);
    expect(
      [...here.alerts.values()].map(({ kind, text }) => `${kind}: ${text}`),
    ).toMatchInlineSnapshot(`
      [
        "breach: limit tell on wallet:hot-1: $501 in 1h of $10.00 allowed",
        "warn: limit wallet-hour on wallet:hot-1: $501 in 1h of $1,000 allowed",
      ]
    `);
  });

  test('behavior: a shadow limit admits, says what it would have done and alerts', () => {
    const limits = [limit({ limitId: 'try', mode: 'shadow', allowed: usd(10) }), limit()];
    const { here, reserve: askFor } = scene({ limits });
    expect(askFor(ask('a', 11), ask('b', 2_000))).toMatchObject([
      { kind: 'allow', wouldBe: { kind: 'block', reason: 'limit', limit: { limitId: 'try' } } },
      { kind: 'block', limit: { limitId: 'wallet-hour' } },
    ]);
    expect([...here.alerts.keys()]).toEqual([
      expect.stringMatching(/^would-refuse\|try\|wallet:hot-1\|/),
      expect.stringMatching(/^refused\|wallet-hour\|wallet:hot-1\|/),
    ]);
  });

  test('behavior: a shadow policy refuses nothing and says what it would have been', () => {
    const limits = [limit({ tripOnRefusal: true })];
    const { here, state, reserve: askFor } = scene({ mode: 'shadow', limits, outstandingMax: 1 });
    const asks = [
      ask('a', 1),
      ask('a', 2),
      ask('b', 1, { actor: 'other', amount: usd(1_001) }),
      ask('c', 1),
      ask('d', 1, { actor: 'd', asset: PRICELESS }),
    ];
    const wouldBe = (verdicts: readonly Verdict.Verdict[]) =>
      verdicts.map((one) => (one.kind === 'allow' ? (one.wouldBe?.reason ?? 'allow') : 'refused'));
    expect(wouldBe(askFor(...asks))).toEqual([
      'allow',
      'conflict',
      'limit',
      'outstanding',
      'unknown',
    ]);
    expect(openScopes(here)).toEqual([]);
    const unproven = reserve(here, { ...state, asks: [ask('e', 1, { actor: 'e' })], leases: {} });
    expect(wouldBe(unproven.verdicts)).toEqual(['lease']);
    here.rows.set('withdrawal:a', { ...here.rows.get('withdrawal:a')!, state: 'matched' });
    const again = reserve(here, { ...state, asks: [ask('a', 1)] });
    expect(wouldBe(again.verdicts)).toEqual(['final']);
  });

  test('behavior: H14: in shadow, too, other content under a known id is told of once', () => {
    const { here, state } = scene({ mode: 'shadow' });
    const told = (dollars: number) =>
      reserve(here, { ...state, asks: [ask('a', dollars)] }).alerts.map(({ kind }) => kind);
    expect([told(1), told(2), told(2)]).toEqual([[], ['would-trip'], []]);
  });

  test('behavior: a shadow policy says of a repeat too what it would have been', () => {
    const { here, state } = scene({ mode: 'shadow' });
    const at = { ...state, asks: [ask('a', 1)] };
    reserve(here, { ...at, audience: 's1' });
    const [paused] = reserve(here, { ...at, leases: {} }).verdicts;
    expect(paused).toMatchObject({ kind: 'allow', wouldBe: { reason: 'lease' } });
    const [elsewhere] = reserve(here, { ...at, audience: 's2' }).verdicts;
    expect(elsewhere).toMatchObject({ kind: 'allow', wouldBe: { reason: 'conflict' } });
  });

  test('behavior: what is known of its transaction stays when it is asked for without it', () => {
    const { here, state, reserve: askFor } = scene();
    const { withdrawal: body, bodyHash } = ask('a', 1);
    const sent = { transaction: '0xa', nonce: 3 };
    askFor({ withdrawal: { ...body, sent }, bodyHash }, ask('b', 2));
    const approvals = () =>
      [...here.rows.values()]
        .flatMap(({ ends }) => ends?.approvals ?? [])
        .map(({ nonce }) => nonce);
    expect(here.rows.get('withdrawal:a')?.sent).toEqual(sent);
    expect(here.rows.get('withdrawal:b')).not.toHaveProperty('sent');
    expect(approvals()).toEqual([3, undefined]);
    state.nowMs += LIFE_MS;
    askFor(ask('a', 1), ask('b', 2));
    expect(here.rows.get('withdrawal:a')?.sent).toEqual(sent);
    expect(approvals()).toEqual([3, undefined]);
    state.nowMs += LIFE_MS;
    askFor({ withdrawal: { ...body, sent: { nonce: 4 } }, bodyHash });
    expect(here.rows.get('withdrawal:a')?.sent).toEqual({ nonce: 4 });
  });

  test('behavior: its outflow has to show where its chain is watched', () => {
    const watch = { confirmations: 0, blindAfterMs: 1 };
    const watched = scene({ chains: [{ pattern: CHAIN, name: 'Ethereum', watch }] });
    watched.reserve(ask('a', 1));
    expect(watched.here.rows.get('withdrawal:a')?.isAwaited).toBe(true);
    const blind = scene();
    blind.reserve(ask('a', 1));
    expect(blind.here.rows.get('withdrawal:a')).not.toHaveProperty('isAwaited');
  });

  test('behavior: who names no signer is noted with none', () => {
    const { here, reserve: askFor } = scene();
    askFor(ask('a', 1));
    expect(here.rows.get('withdrawal:a')).not.toHaveProperty('audience');
  });

  test('behavior: an open breaker blocks, an admitted repeat too', () => {
    const {
      here,
      reserve: askFor,
      record,
    } = scene({ unmatched: { scope: 'wallet', risks: 'pause' } });
    askFor(ask('a', 1));
    record(outflow({ transaction: '0xb' }, { destination: STRANGER }));
    expect(askFor(ask('a', 1), ask('b', 1), ask('c', 1, { account: HOT_2 }))).toMatchObject([
      { kind: 'block', reason: 'paused', scope: 'wallet:hot-1', incidentId: 'INC1' },
      { kind: 'block', reason: 'paused', provisional: true },
      { kind: 'allow' },
    ]);
    expect(here.rows.has('withdrawal:b')).toBe(false);
  });

  test('behavior: a breaker over the asset of the fee blocks too', () => {
    const { here, reserve: askFor } = scene();
    const fee = { asset: ETH, amount: 1n };
    const breaker = {
      state: 'open',
      epoch: 1,
      incidentId: 'X',
      openedAtMs: T0_MS,
      causes: 1,
    } as const;
    askFor(ask('a', 1, { fee }));
    here.items.set(`asset:${ETH}`, { ...here.items.get(`asset:${ETH}`)!, breaker });
    expect(brief(askFor(ask('b', 1, { fee }), ask('c', 1)))).toEqual(['block paused', 'allow']);
  });

  test('behavior: without a lease of its chain nothing is admitted, a repeat neither', () => {
    const { here, state, reserve: askFor } = scene();
    askFor(ask('a', 1));
    const asks = [ask('a', 1), ask('b', 1)];
    for (const leases of [
      {},
      { [CHAIN]: T0_MS },
      { [OTHER_CHAIN]: T0_MS + DAY_MS },
      { [CHAIN]: Number.POSITIVE_INFINITY },
    ]) {
      const { verdicts, changes } = reserve(here, { ...state, asks, leases });
      expect(brief(verdicts)).toEqual(['block lease', 'block lease']);
      expect(changes).toBeUndefined();
    }
    const leases = { [CHAIN]: T0_MS + 1 };
    expect(brief(reserve(here, { ...state, asks, leases }).verdicts)).toEqual(['allow', 'allow']);
  });

  test.each([
    ['wallet', { account: STRANGER }],
    ['price', { asset: PRICELESS }],
    ['asset', { asset: UNLISTED }],
  ] as const)('behavior: an unknown %s is blocked, held or allowed by its rule', (what, body) => {
    for (const rule of ['block', 'hold', 'allow'] as const) {
      const { unknown } = policy();
      const other = { ...unknown.price, withdrawal: 'allow' as const };
      const { reserve: askFor } = scene({
        unknown: {
          ...unknown,
          price: other,
          [what]: { ...unknown[what], withdrawal: rule },
        },
      });
      expect(brief(askFor(ask('a', 1, body), ask('b', 1)))).toEqual([
        rule === 'allow' ? 'allow' : `${rule} unknown`,
        'allow',
      ]);
    }
  });

  test('behavior: of two unknowns what blocks is named before what holds', () => {
    const { unknown } = policy();
    const { reserve: askFor } = scene({
      unknown: { ...unknown, wallet: { ...unknown.wallet, withdrawal: 'hold' } },
    });
    const both = ask('a', 1, { account: STRANGER, asset: PRICELESS });
    expect(askFor(both)).toMatchObject([{ kind: 'block', text: expect.stringContaining('price') }]);
  });

  test('behavior: zero fits a full limit, and what is too large to count fits none', () => {
    const { here, reserve: askFor } = scene();
    const huge = ask('c', 0, { amount: 2n ** 256n });
    expect(brief(askFor(ask('a', 1_000), ask('b', 0), huge))).toEqual([
      'allow',
      'allow',
      'block limit',
    ]);
    expect(usedOf(here, 'global')).toBe(usd(1_000));
  });

  test('behavior: what saturated a meter never comes back out of it', () => {
    const { here, state, reserve: askFor } = scene({ limits: [] });
    const huge = ask('a', 0, { amount: 2n ** 256n });
    expect(brief(askFor(huge))).toEqual(['allow']);
    state.nowMs += LIFE_MS;
    const { verdicts } = reserve(here, { ...state, asks: [huge] });
    expect(brief(verdicts)).toEqual(['allow']);
    expect(usedOf(here, 'global')).toBeGreaterThanOrEqual(Money.MAX);
  });

  test('behavior: time is never behind what was charged', () => {
    const { state, reserve: askFor } = scene();
    askFor(ask('a', 1));
    state.nowMs -= MINUTE_MS;
    expect(askFor(ask('b', 1))).toMatchObject([{ expiresAtMs: T0_MS + LIFE_MS }]);
  });

  test('behavior: the row names the policy that charged it last', () => {
    const asks = [ask('a', 1)];
    const leases = { [CHAIN]: T0_MS + DAY_MS };
    const first = Reservation.decide({ ...context(), leases }, loaded(), asks);
    const rows = first.changes?.rows.map(({ row }) => row) ?? [];
    const items = Object.fromEntries(first.changes?.items.map((one) => [one.key, one.item]) ?? []);
    const later = { nowMs: T0_MS + HOUR_MS, policyVersion: 2, decisionId: 'decision-2' };
    const next = Reservation.decide({ ...context(later), leases }, loaded({ rows, items }), asks);
    expect(rows[0]?.policyVersion).toBe(1);
    expect(next.changes?.rows[0]?.row).toMatchObject({ policyVersion: 2, version: 2 });
  });

  describe('on the word of others', () => {
    test('behavior: H77: only what is held is let go, by a sweep or by an operator', () => {
      const { askFor: ask1, sweep, release } = holdingScene();
      ask1(ask('a', 1_000), ask('b', 400));
      for (const tried of [sweep, release]) {
        expect(tried(ask('a', 1_000), ask('never', 1))).toMatchObject([
          { kind: 'block', reason: 'final', text: 'withdrawal a is not held', provisional: false },
          { kind: 'block', reason: 'final', text: 'withdrawal never is not held' },
        ]);
      }
      expect(brief(release(ask('b', 400), ask('b', 400)))).toEqual(['allow', 'block final']);
    });

    test('behavior: H77: a sweep admits nobody: the admission begins when it is asked for', () => {
      const { here, state, askFor: ask1, sweep } = holdingScene();
      ask1(ask('a', 1_000), ask('b', 400));
      state.nowMs += 2 * HOUR_MS;
      expect(sweep(ask('b', 400))).toEqual([
        { kind: 'allow', withdrawalId: 'b', expiresAtMs: state.nowMs },
      ]);
      expect(here.items.get('actor:customer-1')?.outstanding).toBe(2);
      expect(ask1(ask('b', 400))).toMatchObject([{ expiresAtMs: state.nowMs + LIFE_MS }]);
      expect(here.items.get('actor:customer-1')?.outstanding).toBe(2);
    });

    test('behavior: H20: what is held is open too, and is let go without being counted twice', () => {
      const { here, state, askFor: ask1, sweep } = holdingScene({ outstandingMax: 2 });
      const x = ask('x', 1_000, { actor: 'other' });
      expect(brief(ask1(x, ask('b', 400), ask('c', 400), ask('d', 1)))).toEqual([
        'allow',
        'hold limit',
        'hold limit',
        'block outstanding',
      ]);
      state.nowMs += 2 * HOUR_MS;
      expect(brief(sweep(ask('b', 400), ask('c', 400)))).toEqual(['allow', 'allow']);
      expect(here.items.get('actor:customer-1')?.outstanding).toBe(2);
      expect(brief(ask1(ask('d', 1)))).toEqual(['block outstanding']);
    });

    test('behavior: H14: another body under the id of a held one is an incident, and it stays held', () => {
      const { here, askFor: ask1 } = holdingScene();
      ask1(ask('a', 1_000), ask('b', 400));
      expect(brief(ask1(ask('b', 401)))).toEqual(['block conflict']);
      expect(openScopes(here)).toEqual(['wallet:hot-1']);
      expect(here.rows.get('withdrawal:b')).toMatchObject({ state: 'held' });
    });

    test('behavior: H77: an operator’s word about one says nothing any more once it is overdue', () => {
      const { here, state, askFor: ask1, release } = holdingScene({ overdueMs: HOUR_MS });
      ask1(ask('x', 1_000, { actor: 'other' }), ask('b', 400));
      expect(brief(release(ask('b', 400)))).toEqual(['allow']);
      const releasedMs = state.nowMs;
      state.nowMs = releasedMs + HOUR_MS - LIFE_MS;
      expect(brief(ask1(ask('b', 400)))).toEqual(['allow']);
      state.nowMs = releasedMs + HOUR_MS;
      expect(brief(ask1(ask('b', 400)))).toEqual(['hold limit']);
      expect(here.rows.get('withdrawal:b')?.released?.atMs).toBe(releasedMs);
    });

    test('behavior: H77: what a sweep finds trips and tells nothing, which asking for it would', () => {
      const mine = limit({
        limitId: 'mine',
        scope: 'actor',
        allowed: usd(500),
        action: { kind: 'pause', scope: 'actor' },
        tripOnRefusal: true,
      });
      const limits = [limit({ action: { kind: 'hold' } }), mine];
      const { here, state, askFor: ask1, sweep, record } = holdingScene({ limits });
      const others = ['x', 'y'].map((actor) => ask(actor, 500, { actor }));
      expect(brief(ask1(...others, ask('b', 400)))).toEqual(['allow', 'allow', 'hold limit']);
      state.nowMs += HOUR_MS - MINUTE_MS;
      record(withdrawal('r', { amount: usd(200), account: HOT_2 }));
      const told = [...here.alerts.keys()];
      expect(brief(sweep(ask('b', 400)))).toEqual(['block limit']);
      expect([openScopes(here), [...here.alerts.keys()]]).toEqual([[], told]);
      ask1(ask('b', 400));
      expect(openScopes(here)).toEqual(['actor:customer-1']);
    });

    test('behavior: what an operator let go asks no limit that holds any more, and every other', () => {
      const customer = limit({
        limitId: 'customer',
        scope: 'actor',
        allowed: usd(1_500),
        action: { kind: 'pause', scope: 'actor' },
      });
      const {
        here,
        state,
        askFor: ask1,
        release,
      } = holdingScene({
        limits: [limit({ action: { kind: 'hold' } }), customer],
      });
      ask1(ask('x', 1_000, { actor: 'other' }), ask('b', 900));
      expect(brief(release(ask('b', 900)))).toEqual(['allow']);
      state.nowMs += LIFE_MS;
      expect(brief(ask1(ask('b', 900)))).toEqual(['allow']);
      expect(here.rows.get('withdrawal:b')).toMatchObject({ released: { by: 'ann' } });
      state.policy = { ...state.policy, limits: [{ ...customer, allowed: usd(800) }] };
      state.nowMs += LIFE_MS;
      expect(brief(ask1(ask('b', 900)))).toEqual(['block limit']);
    });
  });
});
