import { describe, expect, test } from 'vitest';
import * as Draft from '../../lib/domain/draft.ts';
import type { Leases } from '../../lib/domain/flag.ts';
import * as Hold from '../../lib/domain/hold.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import * as Meter from '../../lib/domain/meter.ts';
import * as Policy from '../../lib/domain/policy.ts';
import * as Queue from '../../lib/domain/queue.ts';
import * as Scope from '../../lib/domain/scope.ts';
import type { Refusal } from '../../lib/domain/verdict.ts';
import {
  charge,
  context,
  DAY_MS,
  ETH,
  HOT_2,
  HOT_3,
  HOUR_MS,
  item,
  limit as limitOf,
  loaded,
  MINUTE_MS,
  outflow,
  policy,
  STRANGER,
  T0_MS,
  transfer,
  usd,
} from '../support/builders.ts';
import { ask, brief, holding, scene } from '../support/holding.ts';
import { operator } from '../support/outcomes.ts';
import { scene as resuming, STEPS } from '../support/resuming.ts';
import { reserve, type World, world } from '../support/world.ts';

const SLOT_MS = 6 * MINUTE_MS;
const WIDEN_MS = 40_000;
/** When what is charged at T0 has left the window of an hour. */
const ROOM_MS = (Math.floor(T0_MS / SLOT_MS) + 1) * SLOT_MS + HOUR_MS + WIDEN_MS;

const refusal: Refusal = {
  kind: 'hold',
  withdrawalId: 'a',
  reason: 'limit',
  text: 'does not fit',
  provisional: true,
};

/** Half of every limit of a scope. */
const HALF = { shareBps: 5_000, incidentId: 'INC', by: 'p', atMs: T0_MS, causes: 1 };
/** Nothing leaves a scope. */
const OPEN = { state: 'open', epoch: 1, incidentId: 'INC', openedAtMs: 1, causes: 1 } as const;

/** Something happened to a scope meanwhile. */
function alter(here: World, scope: Scope.Key, more: Partial<Ledger.Item>): void {
  here.items.set(scope, { ...item(), ...here.items.get(scope), ...more });
}

describe('need', () => {
  const needs = (
    more: Parameters<typeof holding>[0],
    parts: Parameters<typeof transfer>[0] = {},
  ) => {
    const limit = holding(more);
    const rules = policy({ limits: [limit] });
    const resolved = Policy.resolve(rules, transfer({ amount: usd(7), ...parts }));
    const scope = Scope.of(limit.scope, resolved.subject);
    return Hold.need(Draft.start(context({ policy: rules }), loaded()), resolved, { limit, scope });
  };
  const fee = { asset: ETH, amount: 2n * 10n ** 15n };

  test('default: micro-USD, base units or a count, by metric', () => {
    expect(needs({})).toBe(usd(7));
    expect(needs({ scope: 'asset', metric: 'amount' })).toBe(usd(7));
    expect(needs({ metric: 'count' })).toBe(1n);
    expect(needs({ metric: 'assets' })).toBe(1n);
  });

  test('behavior: H24: the fee is part of it, and an asset of its own', () => {
    expect(needs({}, { fee })).toBe(usd(10));
    expect(needs({ metric: 'count' }, { fee })).toBe(1n);
    expect(needs({ metric: 'assets' }, { fee })).toBe(2n);
  });
});

describe('placesOf', () => {
  const placesOf = (dollars: number, ...more: readonly Parameters<typeof holding>[0][]) =>
    placesIn(item(), dollars, ...more);
  const placesIn = (
    wallet: Ledger.Item,
    dollars: number,
    ...more: readonly Parameters<typeof holding>[0][]
  ) => {
    const rules = policy({ limits: [holding(), ...more.map(holding)] });
    const resolved = Policy.resolve(rules, transfer({ amount: usd(dollars) }));
    const known = loaded({ items: { 'wallet:hot-1': wallet } });
    return Hold.placesOf(Draft.start(context({ policy: rules }), known), resolved);
  };
  const place = { limitId: 'wallet-hour', scope: 'wallet:hot-1' };

  test('default: the limit, the scope and what it needs', () => {
    expect(placesOf(999)).toEqual([{ ...place, need: usd(999) }]);
    expect(placesOf(1_000)).toEqual([{ ...place, need: usd(1_000) }]);
  });

  test('behavior: one for each limit over a window that holds', () => {
    const count = { limitId: 'count', scope: 'global', metric: 'count', allowed: 1n } as const;
    const single = { limitId: 'large', metric: 'single', windowMs: 0, allowed: usd(7) } as const;
    expect(placesOf(7, count, single)).toEqual([
      { ...place, need: usd(7) },
      { limitId: 'count', scope: 'global', need: 1n },
    ]);
  });

  test('args: none for more than any whole limit, or than a single one may be', () => {
    expect(placesOf(1_001)).toEqual([]);
    const day = { limitId: 'wallet-day', windowMs: DAY_MS };
    expect(placesOf(1_001, { ...day, allowed: usd(9_000) })).toEqual([]);
    expect(placesOf(8, { ...day, allowed: usd(7) })).toEqual([]);
    expect(placesOf(8, { metric: 'single', windowMs: 0, allowed: usd(7) })).toEqual([]);
  });

  test('behavior: an overlay goes again: what is more than its share alone waits for room', () => {
    const overlay = { shareBps: 1_000, incidentId: 'I', by: 'ann', atMs: T0_MS, causes: 1 };
    expect(placesIn(item({ overlay }), 101)).toEqual([{ ...place, need: usd(101) }]);
    expect(placesIn(item({ overlay }), 1_001)).toEqual([]);
  });

  test('behavior: an allowance that holds gives room for what is more than the limit, and no further', () => {
    const allowance = { limitId: 'wallet-hour', extraBps: 1_000, untilMs: T0_MS + 1 };
    const lifted = item({ allowances: [allowance] });
    expect(placesIn(lifted, 1_100)).toEqual([{ ...place, need: usd(1_100) }]);
    expect(placesIn(lifted, 1_101)).toEqual([]);
  });

  test('behavior: what a share allows changes with the balance: more than it is now waits', () => {
    const share = { bps: 1_000n, basis: 10n };
    expect(placesOf(1, { limitId: 'share', allowed: 1n, share })).toEqual([
      { ...place, need: usd(1) },
      { ...place, limitId: 'share', need: usd(1) },
    ]);
  });

  test('args: no more than fit one transaction', () => {
    const many = Array.from({ length: 30 }, (_, n) => ({ limitId: `limit-${n}` }));
    expect(placesOf(1, ...many)).toHaveLength(Queue.PLACES_MAX);
  });
});

describe('numbers', () => {
  test('default: what is allowed, used and left, and when there is room', () => {
    const meter = Meter.charge(Meter.EMPTY, charge({ notional: usd(900) }), T0_MS);
    const limit = holding();
    const draft = Draft.start(context({ policy: policy({ limits: [limit] }) }), loaded());
    const scope = { kind: 'wallet', id: 'hot-1' } as const;
    const uncharged = new Map([['wallet:hot-1', item({ meter })]]);
    const of = (need: bigint) => Hold.numbers(draft, { limit, scope }, { need, uncharged });
    const numbers = {
      limitId: 'wallet-hour',
      scope: 'wallet:hot-1',
      used: usd(900),
      allowed: usd(1_000),
      headroom: usd(100),
    };
    expect(of(usd(100))).toEqual({ limit: numbers, capacityAtMs: T0_MS });
    expect(of(usd(100) + 1n)).toEqual({ limit: numbers, capacityAtMs: ROOM_MS });
    expect(of(usd(1_001))).toEqual({ limit: numbers });
  });
});

describe('hold', () => {
  test('default: what does not fit is held, uncharged, with its place and when there is room', () => {
    const { here, askFor } = scene();
    expect(brief(askFor(ask('a', 600)))).toEqual(['allow']);
    expect(askFor(ask('b', 600))).toMatchInlineSnapshot(`
      [
        {
          "capacityAtMs": 1694528680000,
          "heldSinceMs": 1694524860000,
          "kind": "hold",
          "limit": {
            "allowed": 1000000000n,
            "headroom": 400000000n,
            "limitId": "wallet-hour",
            "scope": "wallet:hot-1",
            "used": 600000000n,
          },
          "position": 1,
          "provisional": true,
          "reason": "limit",
          "scope": "wallet:hot-1",
          "text": "does not fit: limit wallet-hour on wallet:hot-1: $1,200 in 1h of $1,000 allowed",
          "withdrawalId": "b",
        },
      ]
    `);
    expect(here.rows.get('withdrawal:b')).toMatchObject({
      state: 'held',
      atMs: T0_MS,
      places: [{ limitId: 'wallet-hour', scope: 'wallet:hot-1', need: usd(600) }],
      money: { charged: [] },
    });
    expect([...here.held.keys()]).toEqual([`wallet-hour@wallet:hot-1|${T0_MS}|withdrawal:b`]);
  });

  test('behavior: H79: asked again it keeps its place and its time, and nothing is written', () => {
    const { here, state, askFor } = scene();
    askFor(ask('a', 1_000));
    state.nowMs += 1;
    const [first] = askFor(ask('b', 600));
    state.nowMs += 1;
    askFor(ask('c', 600));
    const before = structuredClone({ rows: here.rows, items: here.items, held: here.held });
    state.nowMs += 10 * MINUTE_MS;
    expect(askFor(ask('b', 600))).toEqual([first]);
    expect(askFor(ask('c', 600))).toMatchObject([
      { heldSinceMs: T0_MS + 2, position: 2, reason: 'limit' },
    ]);
    expect({ rows: here.rows, items: here.items, held: here.held }).toEqual(before);
  });

  test('behavior: when the room is there the first of the queue is admitted, not a ms before', () => {
    const { state, askFor } = scene();
    askFor(ask('a', 1_000), ask('b', 600));
    state.nowMs = ROOM_MS - 1;
    expect(askFor(ask('b', 600))).toMatchObject([{ kind: 'hold', capacityAtMs: ROOM_MS }]);
    state.nowMs = ROOM_MS;
    expect(brief(askFor(ask('b', 600)))).toEqual(['allow']);
  });

  test('behavior: of two in one call the first goes, the second waits behind it', () => {
    const { here, askFor } = scene();
    const verdicts = askFor(ask('a', 1_000), ask('b', 2), ask('c', 1), ask('b', 2));
    expect(brief(verdicts)).toEqual(['allow', 'hold limit', 'hold limit', 'hold limit']);
    expect(verdicts).toMatchObject([{}, { position: 1 }, { position: 2 }, { position: 1 }]);
    expect(here.held.size).toBe(2);
  });

  test('behavior: H13: of one ms, or by a clock that is behind, who comes later stands behind', () => {
    const { here, state, askFor } = scene();
    askFor(ask('a', 600));
    state.nowMs += HOUR_MS;
    askFor(ask('z', 700));
    // Neither its id nor its clock makes it older than who waits: 1 000 − 700 is what it may take.
    for (const behindMs of [0, 2_000]) {
      state.nowMs -= behindMs;
      expect(brief(askFor(ask('b', 301)))).toEqual(['hold queue']);
      const [verdict] = askFor(ask(`c-${behindMs}`, 999));
      expect(verdict).toMatchObject({ position: behindMs === 0 ? 3 : 4 });
      expect(askFor(ask('z', 700))).toMatchObject([{ position: 1 }]);
    }
    const queue = [...here.held.values()].toSorted(Queue.byAge);
    expect(queue.map(({ rowId }) => rowId)).toEqual([
      'withdrawal:z',
      'withdrawal:b',
      'withdrawal:c-0',
      'withdrawal:c-2000',
    ]);
  });

  test('behavior: one that is larger than the limit, or over a single one, waits for a person', () => {
    const limits = [
      holding(),
      holding({ limitId: 'large', metric: 'single', windowMs: 0, allowed: usd(700) }),
    ];
    const { here, askFor } = scene({ limits });
    for (const dollars of [701, 1_001]) {
      const [verdict] = askFor(ask(`w${dollars}`, dollars));
      expect(verdict).toMatchObject({ kind: 'hold', heldSinceMs: T0_MS });
      expect(verdict).not.toHaveProperty('position');
      expect(verdict).not.toHaveProperty('capacityAtMs');
    }
    expect([...here.held.values()].map(Queue.keyOf)).toEqual([Queue.PEOPLE, Queue.PEOPLE]);
    expect(here.rows.get('withdrawal:w701')?.goesAtMs).toBeUndefined();
    // Who waits for a person stands in nobody's way.
    expect(brief(askFor(ask('small', 700)))).toEqual(['allow']);
  });

  test('behavior: another price is another need, in the same place', () => {
    const { here, state, askFor } = scene();
    const eth = { asset: ETH, amount: 4n * 10n ** 17n };
    askFor(ask('a', 1_000), ask('b', 0, eth));
    state.nowMs += MINUTE_MS;
    const assets = state.policy.assets.map((asset) =>
      asset.pattern === ETH ? { ...asset, floorPricePicoUsd: 2_000n * 10n ** 12n } : asset,
    );
    state.policy = { ...state.policy, assets };
    expect(askFor(ask('b', 0, eth))).toMatchObject([{ heldSinceMs: T0_MS, position: 1 }]);
    expect([...here.held.values()]).toMatchObject([{ heldAtMs: T0_MS, place: { need: usd(800) } }]);
  });

  test('behavior: it stands in the queue of every limit that holds, and is told of the last one', () => {
    const limits = [holding(), holding({ limitId: 'all', scope: 'global', allowed: usd(1_500) })];
    const { state, askFor, here } = scene({ limits });
    askFor(ask('a', 1_000));
    state.nowMs += SLOT_MS;
    const hot3 = { account: HOT_3 };
    // The wallet of the second has room. All together have none before the first one is gone.
    const verdicts = askFor(ask('b', 900), ask('x', 500, hot3), ask('y', 400, hot3));
    expect(verdicts).toMatchObject([
      { kind: 'hold', limit: { limitId: 'wallet-hour' }, position: 1, capacityAtMs: ROOM_MS },
      { kind: 'allow' },
      { kind: 'hold', limit: { limitId: 'all' }, position: 2, capacityAtMs: ROOM_MS + SLOT_MS },
    ]);
    const keys = [...here.held.values()].map((one) => `${one.rowId} ${Queue.keyOf(one)}`);
    expect(keys).toEqual([
      'withdrawal:b wallet-hour@wallet:hot-1',
      'withdrawal:b all@global',
      'withdrawal:y wallet-hour@wallet:hot-3',
      'withdrawal:y all@global',
    ]);
    state.nowMs = ROOM_MS;
    expect(brief(askFor(ask('y', 400, hot3), ask('b', 900)))).toEqual(['hold queue', 'allow']);
    expect([...here.held.values()].map(({ rowId }) => rowId)).toEqual([
      'withdrawal:y',
      'withdrawal:y',
    ]);
  });

  test('behavior: an edit of the policy changes its queues, with its age, and only those that differ are written', () => {
    const [wallet, all] = [holding(), holding({ limitId: 'all', scope: 'global' })];
    const { state, askFor, here } = scene({ limits: [wallet] });
    askFor(ask('a', 1_000));
    state.nowMs += 1;
    askFor(ask('b', 900));
    const held = (limitId: string, scope: string) => ({
      rowId: 'withdrawal:b',
      heldAtMs: T0_MS + 1,
      place: { limitId, scope, need: usd(900) },
    });
    const [inWallet, inAll] = [held('wallet-hour', 'wallet:hot-1'), held('all', 'global')];
    const edit = (limits: readonly Policy.Limit[]) => {
      state.nowMs += 1;
      state.policy = { ...state.policy, limits };
      const { changes } = reserve(here, { ...state, asks: [ask('b', 900)] });
      return changes?.held?.map(({ held: { goesAtMs: _, ...one }, change }) => ({
        held: one,
        change,
      }));
    };
    expect(edit([wallet, all])).toEqual([{ held: inAll, change: 'put' }]);
    // Who comes now stands behind it there, too.
    const [later] = askFor(ask('y', 400, { account: HOT_3 }));
    expect(later).toMatchObject({ limit: { limitId: 'all' }, position: 2 });
    expect(edit([all])).toEqual([{ held: inWallet, change: 'delete' }]);
    expect(edit([all])).toBeUndefined();
    expect(edit([{ ...all, allowed: usd(899) }])).toEqual([
      { held: inAll, change: 'delete' },
      { held: { rowId: 'withdrawal:b', heldAtMs: T0_MS + 1 }, change: 'put' },
    ]);
    expect(edit([wallet])).toEqual([
      { held: { rowId: 'withdrawal:b', heldAtMs: T0_MS + 1 }, change: 'delete' },
      { held: inWallet, change: 'put' },
    ]);
    expect(here.items.get('actor:customer-1')).toMatchObject({ outstanding: 3 });
  });

  test('behavior: too large for one of its limits it waits for a person, whichever refuses it', () => {
    const limits = [
      holding({ limitId: 'customer', scope: 'actor', allowed: usd(600) }),
      holding({ limitId: 'large', metric: 'single', windowMs: 0, allowed: usd(500) }),
    ];
    const { here, askFor } = scene({ limits });
    askFor(ask('a', 100));
    const [verdict] = askFor(ask('b', 501));
    expect(verdict).toMatchObject({ kind: 'hold', limit: { limitId: 'customer' } });
    expect(verdict).not.toHaveProperty('position');
    expect(verdict).not.toHaveProperty('capacityAtMs');
    expect([...here.held.values()].map(Queue.keyOf)).toEqual([Queue.PEOPLE]);
    expect(brief(askFor(ask('c', 500)))).toEqual(['allow']);
  });

  test('behavior: H52: the whole limit waits for room where an overlay leaves half of it: the overlay goes again', () => {
    const { here, askFor } = scene();
    askFor(ask('a', 0));
    alter(here, 'wallet:hot-1', { overlay: HALF });
    const [verdict] = askFor(ask('b', 1_000));
    expect(verdict).toMatchObject({ kind: 'hold', reason: 'limit', position: 1 });
    expect(verdict).not.toHaveProperty('capacityAtMs');
    const { overlay: _, ...lifted } = here.items.get('wallet:hot-1')!;
    here.items.set('wallet:hot-1', lifted);
    expect(brief(askFor(ask('c', 1), ask('b', 1_000)))).toEqual(['allow', 'hold limit']);
  });

  test('behavior: what only an allowance has room for waits in the queue, and is told when', () => {
    const { here, askFor } = scene();
    askFor(ask('a', 1_000));
    const half = { limitId: 'wallet-hour', extraBps: 5_000, untilMs: T0_MS + DAY_MS };
    alter(here, 'wallet:hot-1', { allowances: [half] });
    const verdicts = askFor(ask('b', 1_500), ask('c', 0, { amount: usd(1_500) + 1n }));
    expect(verdicts).toMatchObject([
      { kind: 'hold', position: 1, capacityAtMs: ROOM_MS },
      { kind: 'hold' },
    ]);
    expect(verdicts[1]).not.toHaveProperty('position');
  });

  test('behavior: H79: what has room and waits behind an older one keeps the time since it has, and is not written again', () => {
    const { here, state, askFor } = scene();
    askFor(ask('a', 600), ask('head', 700));
    state.nowMs += SLOT_MS;
    expect(brief(askFor(ask('b', 301)))).toEqual(['hold queue']);
    expect(here.rows.get('withdrawal:b')?.goesAtMs).toBe(state.nowMs);
    state.nowMs += SLOT_MS;
    const again = reserve(here, { ...state, asks: [ask('b', 301)] });
    expect(brief(again.verdicts)).toEqual(['hold queue']);
    expect(again.changes).toBeUndefined();
  });

  test('behavior: who comes when the last of the queue goes, in one call, stands there alone', () => {
    const { state, askFor } = scene();
    askFor(ask('a', 1_000), ask('b', 600));
    state.nowMs = ROOM_MS;
    expect(askFor(ask('b', 600), ask('c', 600))).toMatchObject([
      { kind: 'allow' },
      { kind: 'hold', position: 1, heldSinceMs: ROOM_MS },
    ]);
  });

  test('behavior: a reservation whose admission has expired is not held: what was signed may leave', () => {
    const { here, state, askFor } = scene();
    askFor(ask('a', 600));
    state.nowMs += 2 * HOUR_MS;
    askFor(ask('b', 600));
    const [verdict] = askFor(ask('a', 600));
    expect(verdict).toMatchObject({ kind: 'hold', reason: 'limit' });
    expect(verdict).not.toHaveProperty('heldSinceMs');
    expect(here.held.size).toBe(0);
    expect(here.rows.get('withdrawal:a')).toMatchObject({ state: 'reserved' });
  });

  test('behavior: a shadow policy holds nothing, and lets go what was held', () => {
    const { here, state, askFor } = scene();
    askFor(ask('a', 1_000), ask('b', 600));
    state.policy = { ...state.policy, mode: 'shadow' };
    expect(askFor(ask('b', 600), ask('c', 600))).toMatchObject([
      { kind: 'allow', wouldBe: { kind: 'hold' } },
      { kind: 'allow', wouldBe: { kind: 'hold' } },
    ]);
    expect(here.held.size).toBe(0);
  });

  test('behavior: a policy without the limit lets go, and the old queue keeps no count', () => {
    const { here, state, askFor } = scene();
    askFor(ask('a', 1_000), ask('b', 600));
    state.policy = { ...state.policy, limits: [] };
    expect(brief(askFor(ask('b', 600)))).toEqual(['allow']);
    expect(here.items.get('wallet:hot-1')?.waiting).toBeUndefined();
  });
});

describe('waiting', () => {
  test('behavior: H79: behind an open breaker it keeps its place and is not admitted', () => {
    const { here, state, askFor } = scene();
    askFor(ask('a', 1_000), ask('b', 600), ask('c', 1));
    const wallet = here.items.get('wallet:hot-1')!;
    alter(here, 'wallet:hot-1', { breaker: OPEN });
    state.nowMs = ROOM_MS + HOUR_MS;
    expect(askFor(ask('c', 1), ask('b', 600))).toMatchObject([
      { kind: 'block', reason: 'paused', heldSinceMs: T0_MS + 1, position: 2 },
      { kind: 'block', reason: 'paused', heldSinceMs: T0_MS, position: 1 },
    ]);
    alter(here, 'wallet:hot-1', { breaker: wallet.breaker });
    expect(brief(askFor(ask('b', 600)))).toEqual(['allow']);
  });

  test('behavior: when there is room for all before it and itself; none known where that is more than the limit', () => {
    const { state, askFor } = scene();
    askFor(ask('a', 500));
    state.nowMs += SLOT_MS;
    askFor(ask('b', 500));
    const later = askFor(ask('c', 400), ask('d', 600), ask('e', 1));
    expect(later).toMatchObject([
      { position: 1, capacityAtMs: ROOM_MS },
      { position: 2, capacityAtMs: ROOM_MS + SLOT_MS },
      { position: 3 },
    ]);
    expect(later[2]).not.toHaveProperty('capacityAtMs');
  });

  test('behavior: beyond those that are looked at no position is said', () => {
    const draft = Draft.start(context({ policy: policy({ limits: [holding()] }) }), loaded());
    const place = { limitId: 'wallet-hour', scope: 'wallet:hot-1', need: 1n };
    const all = Array.from({ length: Queue.LOOKED_AT_MAX + 1 }, (_, n) => ({
      rowId: `withdrawal:${n}`,
      heldAtMs: T0_MS + n,
      place,
    }));
    draft.queues.set(Queue.key(place), all.slice(0, Queue.LOOKED_AT_MAX));
    const position = (n: number) => Hold.waiting(draft, [all[n]!], refusal).position;
    expect([0, 1, Queue.LOOKED_AT_MAX - 1].map(position)).toEqual([1, 2, Queue.LOOKED_AT_MAX]);
    expect(position(Queue.LOOKED_AT_MAX)).toBeUndefined();
  });

  test('behavior: in the queue of a limit that is gone no position is said either', () => {
    const { state, here, askFor } = scene();
    askFor(ask('a', 1_000), ask('b', 1), ask('c', 1));
    state.policy = { ...state.policy, limits: [] };
    alter(here, 'global', { breaker: OPEN });
    const [verdict] = askFor(ask('c', 1));
    expect(verdict).toMatchObject({ reason: 'paused', heldSinceMs: T0_MS + 1 });
    expect(verdict).not.toHaveProperty('position');
  });

  test('behavior: H77: reported after its outflow was seen, it has left, and stands in no queue', () => {
    const { here, askFor, record } = scene();
    askFor(ask('a', 1_000), ask('b', 1));
    expect(record(outflow({ transaction: '0xb' }, { amount: usd(1) }))?.result).toBe(
      'unmatched-outflow',
    );
    expect(record(ask('b', 1).withdrawal)?.result).toBe('late-report');
    expect(here.rows.get('withdrawal:b')?.state).toBe('matched');
    expect(here.held.size).toBe(0);
  });

  test('behavior: nor where another one leaves that queue in the same call', () => {
    const { state, askFor } = scene();
    const [c1, c2] = [ask('c1', 1, { actor: 'other' }), ask('c2', 1, { actor: 'other' })];
    askFor(ask('a', 1_000), ask('b', 1), c1, c2);
    const none = limitOf({
      limitId: 'none',
      scope: 'actor',
      where: { actor: 'other' },
      allowed: 0n,
    });
    state.policy = { ...state.policy, limits: [none] };
    const [goes, stays] = askFor(ask('b', 1), c2);
    expect([goes?.kind, stays?.kind]).toEqual(['allow', 'block']);
    expect(stays).not.toHaveProperty('position');
  });

  test('behavior: of a limit that blocks it is told when there is room, though its own queue is gone', () => {
    const { state, askFor } = scene();
    askFor(ask('a', 1_000), ask('b', 600));
    state.policy = { ...state.policy, limits: [limitOf({ limitId: 'other' })] };
    expect(askFor(ask('b', 600))).toMatchObject([
      { kind: 'block', limit: { limitId: 'other' }, heldSinceMs: T0_MS, capacityAtMs: ROOM_MS },
    ]);
  });

  test('behavior: of a queue that is gone one goes and one is refused, in one call', () => {
    const { state, askFor } = scene();
    const other = ask('c', 1, { actor: 'other' });
    askFor(ask('a', 1_000), ask('b', 1), other);
    const nothing = limitOf({
      limitId: 'none',
      scope: 'actor',
      where: { actor: 'other' },
      allowed: 0n,
    });
    state.policy = { ...state.policy, limits: [nothing] };
    expect(brief(askFor(ask('b', 1), other))).toEqual(['allow', 'block limit']);
  });

  test('behavior: H25: a scope whose key is longer than an operator may type', () => {
    const limits = [holding({ scope: 'actor' })];
    const { askFor } = scene({ limits });
    const actor = 'x'.repeat(600);
    const asks = [ask('a', 900, { actor }), ask('b', 200, { actor }), ask('c', 300, { actor })];
    expect(askFor(...asks)).toMatchObject([{}, { position: 1 }, { position: 2 }]);
  });
});

describe('behind', () => {
  /** What others are admitted in a slot, in steps of 10 USD, from now. */
  function admitted(here: ReturnType<typeof scene>, name: string): number {
    for (let sum = 0; ; sum += 10) {
      const [verdict] = here.askFor(ask(`${name}-${sum}`, 10));
      if (verdict?.kind !== 'allow') return sum;
    }
  }

  test('default: small ones go on where the first of the queue loses nothing by it', () => {
    const { state, askFor } = scene();
    askFor(ask('a', 600), ask('head', 700));
    state.nowMs += SLOT_MS;
    // 1 000 − 700 = 300 may be in the window when the first one has its room.
    const verdicts = askFor(ask('b', 300), ask('c', 1));
    expect(brief(verdicts)).toEqual(['allow', 'hold queue']);
    expect(verdicts[1]).toMatchInlineSnapshot(`
      {
        "capacityAtMs": 1694529040000,
        "heldSinceMs": 1694525220000,
        "kind": "hold",
        "limit": {
          "allowed": 1000000000n,
          "headroom": 100000000n,
          "limitId": "wallet-hour",
          "scope": "wallet:hot-1",
          "used": 900000000n,
        },
        "position": 2,
        "provisional": true,
        "reason": "queue",
        "scope": "wallet:hot-1",
        "text": "waits for room behind an older withdrawal: limit wallet-hour on wallet:hot-1",
        "withdrawalId": "c",
      }
    `);
    state.nowMs = ROOM_MS;
    expect(brief(askFor(ask('head', 700)))).toEqual(['allow']);
  });

  test('behavior: of what has to wait nobody hears that it would have come near a limit', () => {
    const warns = holding({ limitId: 'customer', scope: 'actor', warnBps: 1_000 });
    const { here, state, askFor } = scene({ limits: [holding(), warns] });
    askFor(ask('a', 600, { actor: 'one' }), ask('head', 700, { actor: 'one' }));
    const before = here.alerts.size;
    state.nowMs += SLOT_MS;
    expect(brief(askFor(ask('b', 301), ask('b2', 301)))).toEqual(['hold queue', 'hold queue']);
    // They hear that somebody waits for an older one, once.
    expect([...here.alerts.keys()].slice(before)).toEqual([expect.stringMatching(/^queue\|/)]);
    expect(brief(askFor(ask('c', 300)))).toEqual(['allow']);
    expect(here.alerts.size).toBe(before + 2);
  });

  test('behavior: one unit more than the first one leaves waits', () => {
    const { state, askFor } = scene();
    askFor(ask('a', 600), ask('head', 700));
    state.nowMs += SLOT_MS;
    const above = ask('b', 0, { amount: usd(300) + 1n });
    expect(brief(askFor(above))).toEqual(['hold queue']);
  });

  test('behavior: what leaves the window with the money in the way takes nothing from the first one', () => {
    const { state, askFor } = scene();
    askFor(ask('a', 600), ask('head', 700), ask('b', 400));
    state.nowMs = ROOM_MS;
    expect(brief(askFor(ask('head', 700)))).toEqual(['allow']);
  });

  test('behavior: room that is there is kept for the first one until it is asked for', () => {
    const { state, askFor } = scene();
    askFor(ask('a', 600), ask('head', 700));
    state.nowMs = ROOM_MS + DAY_MS;
    expect(brief(askFor(ask('b', 301), ask('c', 300)))).toEqual(['hold queue', 'allow']);
    expect(brief(askFor(ask('head', 700)))).toEqual(['allow']);
  });

  test('behavior: H79: many small ones cannot starve a large one, whoever asks first', () => {
    const here = scene({ outstandingMax: 10_000 });
    const { state, askFor } = here;
    askFor(ask('a', 1_000), ask('head', 1_000));
    let admittedAtMs: number | undefined;
    while (state.nowMs < ROOM_MS && admittedAtMs === undefined) {
      state.nowMs = Math.min(state.nowMs + MINUTE_MS, ROOM_MS);
      askFor(...[1, 2, 3].map((n) => ask(`small-${state.nowMs}-${n}`, 10)));
      if (askFor(ask('head', 1_000))[0]?.kind === 'allow') admittedAtMs = state.nowMs;
    }
    expect(admittedAtMs).toBe(ROOM_MS);
  });

  test('behavior: H79: a small one that was let before it and is asked for again does not push it back', () => {
    const { state, askFor } = scene();
    askFor(ask('a', 500), ask('head', 600), ask('small', 500));
    let last: readonly { readonly kind: string }[] = [];
    // Its admission expires every time: charged anew, it would be in the way for one more hour.
    for (; state.nowMs < ROOM_MS; state.nowMs += 5 * MINUTE_MS) last = askFor(ask('small', 500));
    expect(last).toMatchObject([{ kind: 'hold', reason: 'queue' }]);
    state.nowMs = ROOM_MS;
    expect(brief(askFor(ask('head', 600)))).toEqual(['allow']);
  });

  test('behavior: H79: one whose admission has expired is as old as its first admission', () => {
    const { here, state, askFor } = scene();
    askFor(ask('old', 300));
    state.nowMs += 1;
    askFor(ask('head', 800), ask('young', 300));
    state.nowMs += SLOT_MS;
    // Admitted after the first of the queue had come: it waits. Admitted before: it moves its charge.
    expect(brief(askFor(ask('young', 300), ask('old', 300)))).toEqual(['hold queue', 'allow']);
    expect(here.rows.get('withdrawal:young')).toMatchObject({
      state: 'reserved',
      money: { chargedAtMs: T0_MS + 1 },
    });
  });

  test('behavior: one that a queue let go takes its admission, whoever waits by then', () => {
    const { state, askFor, sweep } = scene();
    askFor(ask('a', 600), ask('first', 600), ask('second', 900));
    state.nowMs = ROOM_MS;
    expect(brief(sweep(ask('first', 600), ask('second', 900)))).toEqual(['allow', 'hold limit']);
    state.nowMs += SLOT_MS;
    expect(brief(askFor(ask('second', 900), ask('first', 600)))).toEqual(['hold limit', 'allow']);
    // Later, too: it is older than who waits.
    state.nowMs += SLOT_MS;
    expect(brief(askFor(ask('first', 600)))).toEqual(['allow']);
  });

  test('behavior: H79: two limits that hold: while it waits for one it keeps its room in the other', () => {
    const limits = [holding(), holding({ limitId: 'asset-hour', scope: 'asset' })];
    const rules = policy({ limits, outstandingMax: 10_000 });
    const here = world();
    const ether = { asset: ETH, amount: 10n ** 17n };
    let nowMs = T0_MS;
    const askFor = (...asks: readonly ReturnType<typeof ask>[]) =>
      reserve(here, { policy: rules, nowMs, asks }).verdicts;
    askFor(ask('a', 600), ask('head', 600));
    let isAdmitted = false;
    for (let round = 1; round <= 6 * 12 && !isAdmitted; round += 1) {
      nowMs += 5 * MINUTE_MS;
      const wallet = [1, 2, 3].map((n) => ask(`wallet-${round}-${n}`, 0, ether));
      const asset = [1, 2, 3].map((n) => ask(`asset-${round}-${n}`, 150, { account: HOT_3 }));
      askFor(...wallet, ...asset);
      isAdmitted = askFor(ask('head', 600))[0]?.kind === 'allow';
    }
    expect(isAdmitted).toBe(true);
  });

  test.each([
    [1_000, 0],
    [700, 300],
    [100, 900],
    [10, 990],
  ])(
    'behavior: H79: one customer waits with %i of 1 000 a day: the others have %i that day, not nothing',
    (big, left) => {
      const day = holding({ windowMs: DAY_MS, limitId: 'wallet-day' });
      const here = scene({ limits: [day], outstandingMax: 10_000 });
      const { state, askFor } = here;
      askFor(ask('a', 1_000));
      state.nowMs += 3 * HOUR_MS;
      const greedy = ask('greedy', big, { actor: 'greedy' });
      const [verdict] = askFor(greedy);
      const roomMs = verdict?.kind === 'hold' ? (verdict.capacityAtMs ?? 0) : 0;
      // A day, its slot of 2 h 24 min and 40 s: as without it, nobody else has room before.
      expect(roomMs - T0_MS).toBeLessThanOrEqual(DAY_MS + 144 * MINUTE_MS + WIDEN_MS);
      state.nowMs = roomMs;
      expect(admitted(here, 'others')).toBe(left);
      expect(brief(askFor(greedy))).toEqual(['allow']);
      expect(admitted(here, 'later')).toBe(0);
    },
  );

  test('behavior: H79: an operator lets one go past an older one; a sweep does not, and tells nobody', () => {
    const { here, state, askFor, sweep, release } = scene();
    askFor(ask('a', 600), ask('head', 700));
    state.nowMs = ROOM_MS;
    expect(brief(askFor(ask('b', 301)))).toEqual(['hold queue']);
    state.nowMs += DAY_MS;
    const before = here.alerts.size;
    expect(brief(sweep(ask('b', 301)))).toEqual(['hold queue']);
    expect(here.alerts.size).toBe(before);
    expect(brief(release(ask('b', 301)))).toEqual(['allow']);
  });

  test('behavior: H79: nobody waits for one that has no room under an overlay, in any of its queues', () => {
    const limits = [holding(), holding({ limitId: 'all', scope: 'global', allowed: usd(1_500) })];
    const { here, askFor } = scene({ limits });
    alter(here, 'wallet:hot-1', { overlay: HALF });
    expect(brief(askFor(ask('head', 900)))).toEqual(['hold limit']);
    expect(brief(askFor(ask('x', 1_000, { account: HOT_3 }), ask('y', 500)))).toEqual([
      'allow',
      'allow',
    ]);
  });

  test('behavior: H79: an overlay that leaves the first one no room lets the others go', () => {
    const { here, state, askFor } = scene();
    askFor(ask('a', 600), ask('head', 700));
    state.nowMs = ROOM_MS;
    alter(here, 'wallet:hot-1', { overlay: HALF });
    expect(brief(askFor(ask('b', 500)))).toEqual(['allow']);
  });

  test('behavior: H78, H79: in a step of a resume the first one keeps its room, to the unit', () => {
    const limits = [holding({ windowMs: DAY_MS })];
    const admits = (head: number, small: number) => {
      const here = resuming({ limits });
      here.ask('old', 1_000);
      here.ask('head', head);
      here.clock.nowMs += 2 * DAY_MS;
      here.steal(1, { destination: STRANGER });
      here.resume({ steps: STEPS });
      here.clock.nowMs += 1;
      return here.ask('small', small).kind;
    };
    expect([admits(100, 1), admits(60, 40), admits(60, 41)]).toEqual(['hold', 'allow', 'hold']);
    // More than the step allows: what leaves in it is not in the way of one that goes in a later one.
    expect(admits(101, 1)).toBe('allow');
  });

  describe('where it waits for a day and an hour', () => {
    const limits = [
      holding({ limitId: 'wallet-day', windowMs: DAY_MS }),
      holding({ limitId: 'all', scope: 'global' }),
    ];
    const hot3 = { account: HOT_3 };

    test('behavior: H79: what has left the hour before it has its day goes on', () => {
      const { state, askFor } = scene({ limits });
      askFor(ask('a', 1_000));
      state.nowMs += 3 * HOUR_MS;
      expect(brief(askFor(ask('head', 700), ask('x', 1_000, hot3)))).toEqual([
        'hold limit',
        'allow',
      ]);
    });

    test('behavior: H79: room that comes earlier than it was known is kept from then on', () => {
      const { state, askFor, tell } = scene({ limits });
      const cancel = (withdrawalId: string) =>
        tell({ kind: 'cancelled', withdrawalId, evidence: operator });
      askFor(ask('a', 1_000));
      state.nowMs += 3 * HOUR_MS;
      askFor(ask('head', 900), ask('b', 600));
      expect(cancel('a')).toMatchObject([{ kind: 'recorded' }]);
      expect(brief(askFor(ask('b', 600)))).toEqual(['hold queue']);
      cancel('head');
      expect(brief(askFor(ask('x', 900, hot3), ask('b', 600)))).toEqual(['hold queue', 'allow']);
    });

    test('behavior: H79: one that a queue let go takes its admission, though anew it would be in the way of an older one', () => {
      const { state, askFor, sweep } = scene({ limits });
      const small = ask('small', 900, hot3);
      const verdicts = askFor(ask('a', 1_000), ask('head', 700), small);
      expect(verdicts).toMatchObject([{}, { kind: 'hold' }, { kind: 'hold' }]);
      const [, head] = verdicts;
      const roomMs = head?.kind === 'hold' ? (head.capacityAtMs ?? 0) : 0;
      state.nowMs = ROOM_MS;
      expect(brief(sweep(small))).toEqual(['allow']);
      state.nowMs = roomMs - MINUTE_MS;
      const anew = ask('anew', 900, { account: HOT_2 });
      expect(brief(askFor(anew, small))).toEqual(['hold queue', 'allow']);
    });
  });

  test('behavior: H79: nobody waits for one that something else refuses; it keeps its age, and its room once only room is missing', () => {
    const limits = [
      holding(),
      holding({
        limitId: 'customer',
        scope: 'actor',
        metric: 'count',
        allowed: 5n,
        action: { kind: 'pause', scope: 'actor' },
        where: { actor: 'greedy' },
        windowMs: DAY_MS,
      }),
    ];
    const here = scene({ limits, outstandingMax: 10_000 });
    const { state, askFor, tell } = here;
    const greedy = { actor: 'greedy' };
    askFor(...[1, 2, 3, 4, 5].map((n) => ask(`g${n}`, 100, greedy)), ask('a', 500));
    state.policy = { ...state.policy, limits: limits.slice(0, 1) };
    askFor(ask('big', 600, greedy));
    state.policy = { ...state.policy, limits };
    state.nowMs = ROOM_MS;
    expect(askFor(ask('big', 600, greedy))).toMatchObject([
      { kind: 'block', limit: { limitId: 'customer' }, position: 1 },
    ]);
    expect(admitted(here, 'others')).toBe(1_000);
    state.policy = { ...state.policy, limits: limits.slice(0, 1) };
    expect(askFor(ask('big', 600, greedy))).toMatchObject([{ kind: 'hold', position: 1 }]);
    state.nowMs += 2 * HOUR_MS;
    expect(admitted(here, 'later')).toBe(400);
    const evidence = { kind: 'operator', reference: 'ann', reason: 'in the way' } as const;
    tell({ kind: 'cancelled', withdrawalId: 'big', evidence });
    expect(brief(askFor(ask('more', 500)))).toEqual(['allow']);
  });
});

describe('stop', () => {
  const heldRow = (here: ReturnType<typeof scene>['here'], id: string) =>
    here.rows.get(`withdrawal:${id}`);
  const stopped = (id: string) => {
    const { here, state, askFor } = scene();
    askFor(ask('a', 1_000), ask('b', 600));
    const places = Queue.heldOf(heldRow(here, 'b'));
    const queues = new Map([[Queue.keyOf(places[0]!), [...here.held.values()]]]);
    const draft = Draft.start(context({ policy: state.policy }), { ...here, queues });
    Hold.stop(draft, heldRow(here, id));
    return { draft, before: heldRow(here, id) };
  };

  test('behavior: H79: nobody waits for it, and it keeps its place and its age', () => {
    const { draft, before } = stopped('b');
    expect(before?.goesAtMs).toBeDefined();
    const after = Draft.row(draft, 'withdrawal:b');
    expect(after?.goesAtMs).toBeUndefined();
    expect(after).toMatchObject({ state: 'held', atMs: before?.atMs, places: before?.places });
    const changes = Draft.changes(draft);
    expect(changes.rows.map(({ row }) => row.rowId)).toEqual(['withdrawal:b']);
  });

  test('behavior: H79: it is written once, and without proof of health not at all', () => {
    const { here, state, askFor } = scene();
    askFor(ask('a', 1_000), ask('b', 600));
    const again = (leases?: Leases) =>
      reserve(here, { ...state, asks: [ask('b', 600)], ...(leases && { leases }) });
    const unproven = again({});
    expect(unproven.verdicts).toMatchObject([{ reason: 'lease', heldSinceMs: T0_MS, position: 1 }]);
    expect(unproven.changes).toBeUndefined();
    alter(here, 'wallet:hot-1', { breaker: OPEN });
    expect(again().changes?.rows).toHaveLength(1);
    const stopped = again();
    expect(stopped.verdicts).toMatchObject([{ reason: 'paused', position: 1 }]);
    expect(stopped.changes).toBeUndefined();
  });

  test('behavior: what is not held, and what is not there, stay as they are', () => {
    const { draft } = stopped('a');
    expect(draft.rows.size).toBe(0);
    Hold.stop(draft, undefined);
    expect(draft.rows.size).toBe(0);
  });
});

describe('queueAlert', () => {
  const limit = { limitId: 'wallet-hour' } as NonNullable<Refusal['limit']>;
  const alertAt = (nowMs: number, more: Partial<Refusal> = {}, rules = [holding()]) =>
    Hold.queueAlert(Draft.start(context({ policy: policy({ limits: rules }), nowMs }), loaded()), {
      ...refusal,
      scope: 'wallet:hot-1',
      limit,
      ...more,
    });

  test('default: what it is about, and where to look', () => {
    expect(alertAt(T0_MS)).toEqual({
      alertId: `queue|wallet-hour|wallet:hot-1|${Math.floor(T0_MS / HOUR_MS)}`,
      kind: 'held',
      atMs: T0_MS,
      scope: 'wallet:hot-1',
      rowId: 'withdrawal:a',
      text: 'withdrawal a does not fit; see: breakwater withdrawal held',
    });
  });

  test('behavior: once for each limit and window of that limit, or a fixed time without one', () => {
    const other = holding({ limitId: 'other', windowMs: DAY_MS });
    const day = holding({ windowMs: DAY_MS });
    const period = (rules: ReturnType<typeof holding>[]) =>
      alertAt(T0_MS, {}, rules).alertId.split('|').at(-1);
    expect(period([other, holding()])).toBe(`${Math.floor(T0_MS / HOUR_MS)}`);
    expect(period([holding(), day])).toBe(`${Math.floor(T0_MS / HOUR_MS)}`);
    expect(period([day])).toBe(`${Math.floor(T0_MS / DAY_MS)}`);
    expect(Number(period([]))).toBeGreaterThan(0);
    expect(Number(period([]))).toBeLessThan(T0_MS);
  });
});
