import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { closeWithdrawal } from '../../lib/actions/close-withdrawal.ts';
import { operateBreaker } from '../../lib/actions/operate-breaker.ts';
import { createPolicyInForce } from '../../lib/actions/policy-in-force.ts';
import { recordEvents } from '../../lib/actions/record-events.ts';
import {
  createRounds,
  type Deps,
  releaseWhereRoom,
  releaseWithdrawal,
} from '../../lib/actions/release-held.ts';
import { reserveWithdrawals } from '../../lib/actions/reserve-withdrawals.ts';
import { fromCompiled } from '../../lib/adapters/compiled-policy.ts';
import * as Ledger from '../../lib/domain/ledger.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import type * as Reservation from '../../lib/domain/reservation.ts';
import { ledgerOf, putInForce, readyWorld, type TestWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import { mulberry32 } from '../support/faults.ts';
import { ask, brief, expectQueuesToBeRows, holding } from '../support/holding.ts';
import { createTurns, interleaved, type Turns } from '../support/interleave.ts';
import { expectMetersToCover, expectOutstandingToBeRows } from '../support/ledger-check.ts';

const { HOUR_MS, MINUTE_MS, SECOND_MS, T0_MS } = Build;
const SLOT_MS = 6 * MINUTE_MS;
/** When what is charged at T0 has left the window of an hour. */
const ROOM_MS = (Math.floor(T0_MS / SLOT_MS) + 1) * SLOT_MS + HOUR_MS + 40 * SECOND_MS;

function depsOf({ world }: TestWorld): Deps {
  return { ...world.reserve, held: world.store.held };
}

async function reserve({ world }: TestWorld, ...asks: readonly Reservation.Ask[]) {
  return reserveWithdrawals(world.reserve, { asks, audience: 'signer' });
}

async function held({ world }: TestWorld): Promise<readonly string[]> {
  return (await world.store.held.list(1_000)).map(({ rowId }) => rowId.replace('withdrawal:', ''));
}

async function rowOf({ world }: TestWorld, id: string): Promise<Ledger.Row | undefined> {
  const rowId = `withdrawal:${id}`;
  return (await world.store.decisions.load({ rows: [rowId], items: [] })).rows.get(rowId);
}

async function expectConsistent(made: TestWorld): Promise<Ledger.Loaded> {
  const ledger = await ledgerOf(made.world.store, made.committed);
  expectMetersToCover(ledger);
  expectOutstandingToBeRows(ledger);
  expectQueuesToBeRows(ledger, await made.world.store.held.list(10_000));
  return ledger;
}

/** A world in which the limits hold. */
function ready(overrides: Partial<Policy.Policy> = {}): Promise<TestWorld> {
  return readyWorld(Build.policy({ limits: [holding()], outstandingMax: 1_000, ...overrides }));
}

async function pause({ world }: TestWorld, scope: string): Promise<void> {
  const deps = {
    ...world.decision,
    incidents: world.store.incidents,
    compilePolicy: world.compilePolicy,
  };
  const command = { kind: 'pause', commandId: `pause-${scope}`, scope, reason: 'drill' } as const;
  await operateBreaker(deps, { command, actor: 'ann' });
}

const customer = Build.limit({
  limitId: 'customer',
  scope: 'actor',
  allowed: Build.usd(700),
  action: { kind: 'pause', scope: 'actor' },
});

describe('releaseWhereRoom', () => {
  test('behavior: H44: nobody waits', async () => {
    const made = await ready();
    expect(await releaseWhereRoom(depsOf(made))).toEqual([]);
    expect(made.committed).toHaveLength(1);
  });

  test('default: H77: what fits is charged, by age, and admitted when it is asked for next', async () => {
    const made = await ready();
    await reserve(made, ask('a', 1_000), ask('b', 400), ask('c', 400), ask('d', 400));
    expect(await releaseWhereRoom(depsOf(made))).toEqual([]);
    made.clock.nowMs = ROOM_MS - 1;
    expect(await releaseWhereRoom(depsOf(made))).toEqual([]);
    made.clock.nowMs = ROOM_MS;
    expect(await releaseWhereRoom(depsOf(made))).toEqual(['b', 'c']);
    expect(await held(made)).toEqual(['d']);
    expect(await rowOf(made, 'b')).toMatchObject({
      state: 'reserved',
      admittedUntilMs: ROOM_MS,
      money: { chargedAtMs: ROOM_MS },
    });
    await expectConsistent(made);
    made.clock.nowMs += 1;
    const [answer] = await reserve(made, ask('b', 400));
    expect(answer).toMatchObject({ kind: 'allow', expiresAtMs: ROOM_MS + 1 + 30_000 });
    await expectConsistent(made);
  });

  test('behavior: who waits for a person is left alone', async () => {
    const made = await ready();
    await reserve(made, ask('a', 1_001));
    made.clock.nowMs += 3 * HOUR_MS;
    expect(await releaseWhereRoom(depsOf(made))).toEqual([]);
    expect(await held(made)).toEqual(['a']);
  });

  test('behavior: of each queue a few at a time, and no queue waits for another', async () => {
    const made = await ready();
    const hot3 = { account: Build.HOT_3 };
    await reserve(made, ask('a', 1_000), ask('x', 1_000, hot3));
    const mine = Array.from({ length: 25 }, (_, n) => ask(`m-${n.toString().padStart(2, '0')}`, 1));
    await reserve(made, ...mine, ask('y', 1, hot3));
    made.clock.nowMs = ROOM_MS;
    const first = await releaseWhereRoom(depsOf(made));
    const oldest = mine.slice(0, 10).map(({ withdrawal: { withdrawalId } }) => withdrawalId);
    expect(first.filter((id) => id !== 'y')).toEqual(oldest);
    expect(first).toContain('y');
    expect(await releaseWhereRoom(depsOf(made))).toHaveLength(10);
    expect(await releaseWhereRoom(depsOf(made))).toHaveLength(5);
    expect(await held(made)).toEqual([]);
    for (const changes of made.committed) expect(Ledger.size(changes)).toBeLessThanOrEqual(100);
    await expectConsistent(made);
  });

  test('behavior: people hear nothing of what is tried in vain, and nothing is written', async () => {
    const made = await ready();
    await reserve(made, ask('a', 1_000), ask('b', 400));
    const [records, committed] = [made.records.length, made.committed.length];
    for (let round = 0; round < 5; round += 1) {
      made.clock.nowMs += 10 * MINUTE_MS;
      await releaseWhereRoom(depsOf(made));
    }
    expect([made.records.length, made.committed.length]).toEqual([records, committed]);
  });

  test('behavior: H79: nobody is let go while a breaker of its scopes is open, or without a lease', async () => {
    const made = await ready();
    await reserve(made, ask('a', 1_000), ask('b', 400));
    made.clock.nowMs = ROOM_MS;
    await pause(made, 'key-domain:vault-a');
    expect(await releaseWhereRoom(depsOf(made))).toEqual([]);
    const released = await releaseWithdrawal(depsOf(made), { withdrawalId: 'b', actor: 'ann' });
    expect(released).toMatchObject({ kind: 'refused', why: expect.stringContaining('paused') });
    expect(await held(made)).toEqual(['b']);
    const other = await ready();
    await reserve(other, ask('a', 1_000), ask('b', 400));
    // The lease of the world holds a day.
    other.clock.nowMs = T0_MS + Build.DAY_MS;
    expect(await releaseWhereRoom(depsOf(other))).toEqual([]);
    const late = await releaseWithdrawal(depsOf(other), { withdrawalId: 'b', actor: 'ann' });
    expect(late).toMatchObject({ why: 'no proof of health for eip155:1' });
    expect(await held(other)).toEqual(['b']);
  });

  test('behavior: H79: one that another limit refuses stays, and the others go on beside its room', async () => {
    const made = await ready({ limits: [holding(), customer] });
    const [greedy, other] = [{ actor: 'greedy' }, { actor: 'other' }];
    await reserve(made, ask('x', 600, other), ask('b', 600, greedy));
    made.clock.nowMs = ROOM_MS - SLOT_MS;
    await reserve(made, ask('g', 200, greedy));
    await reserve(made, ask('c', 150, other), ask('d', 100, other), ask('e', 50, other));
    made.clock.nowMs = ROOM_MS;
    // 1 000 − 600 that are kept for b − 350 that have left since: d waits, b is refused as a customer.
    const [b] = await reserve(made, ask('b', 600, greedy));
    expect(b).toMatchObject({ kind: 'block', limit: { limitId: 'customer' }, position: 1 });
    expect(await releaseWhereRoom(depsOf(made))).toEqual([]);
    expect(await held(made)).toContain('b');
    made.clock.nowMs = ROOM_MS + HOUR_MS;
    expect(await releaseWhereRoom(depsOf(made))).toContain('b');
    await expectConsistent(made);
  });

  test('behavior: one that nobody asks for any more is let go in its turn, and is charged until it is taken out', async () => {
    const made = await ready();
    await reserve(made, ask('a', 1_000), ask('gone', 1_000), ask('b', 1));
    made.clock.nowMs = ROOM_MS;
    expect(await releaseWhereRoom(depsOf(made))).toEqual(['gone']);
    expect(brief(await reserve(made, ask('b', 1)))).toEqual(['hold limit']);
    const evidence = { kind: 'operator', reference: 'ann', reason: 'abandoned' } as const;
    const outcome = { kind: 'cancelled', withdrawalId: 'gone', evidence } as const;
    const deps = { ...made.world.decision, alerts: made.world.store.alerts };
    made.clock.nowMs += 4 * SECOND_MS;
    expect(await closeWithdrawal(deps, outcome)).toMatchObject({ givenBack: Build.usd(1_000) });
    expect(await releaseWhereRoom(depsOf(made))).toEqual(['b']);
    await expectConsistent(made);
  });

  test('behavior: one that left its queue between the list and the decision is nobody’s', async () => {
    const made = await ready();
    await reserve(made, ask('a', 1_000), ask('b', 400), ask('c', 400));
    const listed = await made.world.store.held.list(10);
    const [b] = [ask('b', 400)];
    await recordEvents(made.world.decision, [Build.incoming(b.withdrawal)]);
    made.clock.nowMs = ROOM_MS + 2 * HOUR_MS;
    const stale = {
      ...depsOf(made),
      held: { ...made.world.store.held, heads: async () => listed },
    };
    expect(await releaseWhereRoom(stale)).toEqual(['c']);
    expect(await rowOf(made, 'b')).toMatchObject({ state: 'reported' });
    await expectConsistent(made);
  });

  test('behavior: an edit of the policy moves who waits, with its age', async () => {
    const made = await ready();
    await reserve(made, ask('a', 1_000), ask('b', 600), ask('c', 400));
    const lower = Build.policy({ limits: [holding({ allowed: Build.usd(500) })] });
    await putInForce(made.world, lower);
    expect(await releaseWhereRoom(depsOf(made))).toEqual([]);
    const places = (await made.world.store.held.list(10)).map(({ rowId, place }) => [
      rowId,
      !!place,
    ]);
    expect(new Map(places as [string, boolean][])).toEqual(
      new Map([
        ['withdrawal:b', false],
        ['withdrawal:c', true],
      ]),
    );
    await expectConsistent(made);
    await putInForce(made.world, Build.policy({ name: 'none', limits: [] }));
    expect(await releaseWhereRoom(depsOf(made))).toEqual(['c']);
    await expectConsistent(made);
  });

  test('behavior: H79: what stops those at the head of a queue does not stop who stands behind them', async () => {
    const made = await ready();
    const [stuck, other] = [{ actor: 'stuck' }, { actor: 'other' }];
    const first = Array.from({ length: 12 }, (_, n) => ask(`s-${n}`, 10, stuck));
    await reserve(made, ask('a', 1_000), ...first, ask('late', 10, other));
    await pause(made, 'actor:stuck');
    made.clock.nowMs = ROOM_MS;
    const round = createRounds(depsOf(made));
    const released: string[] = [];
    for (let turn = 0; turn < 3; turn += 1) released.push(...(await round()));
    expect(released).toEqual(['late']);
    await expectConsistent(made);
  });

  test('behavior: H79: hundreds that are stopped do not take its room from the first behind them', async () => {
    const made = await ready();
    const stuck = Array.from({ length: 250 }, (_, n) => ask(`s-${n}`, 101, { actor: 'stuck' }));
    const chunks = Array.from({ length: 5 }, (_, n) => stuck.slice(n * 50, n * 50 + 50));
    await reserve(made, ask('a', 900));
    for (const chunk of chunks) await reserve(made, ...chunk);
    await reserve(made, ask('big', 900, { actor: 'other' }));
    await pause(made, 'actor:stuck');
    for (const chunk of chunks) await reserve(made, ...chunk);
    made.clock.nowMs = ROOM_MS;
    const small = ['x', 'y'].map((id) => ask(id, 100, { actor: 'small' }));
    expect(brief(await reserve(made, ...small))).toEqual(['allow', 'hold queue']);
    expect(brief(await reserve(made, ask('big', 900, { actor: 'other' })))).toEqual(['allow']);
    await expectConsistent(made);
  });

  test('behavior: H79: a queue of thousands does not hide the others', async () => {
    const made = await ready();
    await reserve(made, ask('a', 1_000), ask('b', 400));
    const flood = Array.from({ length: 2_000 }, (_, n) => ({
      change: 'put' as const,
      held: {
        rowId: `withdrawal:flood-${n}`,
        heldAtMs: T0_MS,
        place: { limitId: 'a-limit', scope: 'actor:greedy', need: 1n },
      },
    }));
    const none = { rows: [], items: [], incidents: [], causes: [], alerts: [], atMs: T0_MS };
    for (let at = 0; at < flood.length; at += 100) {
      const changes = { ...none, decisionId: `flood-${at}`, held: flood.slice(at, at + 100) };
      await made.world.store.decisions.commit(changes);
    }
    made.clock.nowMs = ROOM_MS;
    expect(await releaseWhereRoom(depsOf(made))).toEqual(['b']);
  });

  test('behavior: H79: with more queues than one round looks at each is looked at in its turn', async () => {
    const made = await ready({ limits: [holding({ scope: 'actor' })] });
    const actors = Array.from({ length: 230 }, (_, n) => ({ actor: `customer-${n}` }));
    for (const [n, actor] of actors.entries()) {
      await reserve(made, ask(`a-${n}`, 1_000, actor), ask(`b-${n}`, 400, actor));
    }
    made.clock.nowMs = ROOM_MS;
    const first = await releaseWhereRoom(depsOf(made));
    expect(first).toHaveLength(200);
    expect(await releaseWhereRoom(depsOf(made))).toHaveLength(30);
    expect(await held(made)).toEqual([]);
  });

  test('behavior: H79: one that cannot be decided keeps no other from going; how many is told', async () => {
    const made = await ready();
    const ids = Array.from({ length: 8 }, (_, n) => `w-${n}`);
    await reserve(made, ask('a', 1_000), ...ids.map((id) => ask(id, 10)));
    made.clock.nowMs = ROOM_MS;
    const { decisions } = made.world.store;
    const bad = 'withdrawal:w-1';
    const failing = {
      ...decisions,
      load: async (keys: Parameters<typeof decisions.load>[0]) => {
        if (keys.rows.includes(bad)) throw new Error('unreadable');
        return decisions.load(keys);
      },
    };
    await expect(releaseWhereRoom({ ...depsOf(made), decisions: failing })).rejects.toMatchObject({
      name: 'ReleaseHeld.RoundError',
      message: '1 of 8 failed, 7 were let go; the first: unreadable',
      failed: 1,
    });
    expect(await held(made)).toEqual(['w-1']);
    await expectConsistent(made);
  });

  test('error: a store that is down is not asked for each of them', async () => {
    const made = await ready();
    const ids = Array.from({ length: 9 }, (_, n) => `w-${n}`);
    const wallets = [Build.HOT_1, Build.HOT_2, Build.HOT_3];
    for (const account of wallets) {
      const asks = ids.map((id) => ask(`${account}${id}`, 10, { account }));
      await reserve(made, ask(`a-${account}`, 1_000, { account }), ...asks);
    }
    let loads = 0;
    const load = async () => {
      loads += 1;
      throw new Error('down');
    };
    const decisions = { ...made.world.store.decisions, load };
    const round = releaseWhereRoom({ ...depsOf(made), decisions });
    await expect(round).rejects.toThrow(`15 of ${9 * wallets.length} failed, 0 were let go`);
    expect(loads).toBe(3 * (1 + 5));
  });

  test.each([1, 3, 20])(
    'behavior: every transaction has at most 100 items, also where all of it changes: %i queues',
    async (queues) => {
      const limits = Array.from({ length: queues }, (_, n) =>
        holding({ limitId: `all-${n}`, scope: 'global' }),
      );
      const made = await ready({ limits });
      await reserve(made, ask('a', 1_000));
      const apart = (n: number) => ({
        actor: `customer-${n}`,
        destination: `eip155:1:0x${n.toString().padStart(40, '0')}` as const,
        fee: { asset: Build.ETH, amount: 1n },
      });
      await reserve(made, ...Array.from({ length: 10 }, (_, n) => ask(`w-${n}`, 1, apart(n))));
      made.clock.nowMs = ROOM_MS;
      expect(await releaseWhereRoom(depsOf(made))).toHaveLength(10);
      const sizes = made.committed.map(Ledger.size);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
    },
  );
});

describe('createRounds', () => {
  const ids = Array.from({ length: 60 }, (_, n) => `w-${String(n).padStart(2, '0')}`);
  const customer = (n: number) => ({ actor: `customer-${n}` });

  /** Ten held ones in each of six queues; every read takes this long, by the clock. */
  async function slow(readMs: number) {
    const made = await ready({
      limits: [holding({ limitId: 'to', scope: 'destination', allowed: Build.usd(100) })],
    });
    for (let queue = 0; queue < 6; queue += 1) {
      const to = { destination: `eip155:1:0x${`${queue}`.repeat(40)}` as const };
      const waiting = ids.slice(queue * 10, queue * 10 + 10);
      await reserve(made, ask(`first-${queue}`, 100, { ...to, ...customer(queue) }));
      await reserve(made, ...waiting.map((id, n) => ask(id, 10, { ...to, ...customer(n) })));
      made.clock.nowMs += 1_000;
    }
    const tried: string[] = [];
    const decisions: Deps['decisions'] = {
      load: async (keys) => {
        made.clock.nowMs += readMs;
        const isFirst = keys.items.length === 0;
        if (isFirst) tried.push(...keys.rows.map((rowId) => rowId.replace('withdrawal:', '')));
        return made.world.store.decisions.load(keys);
      },
      commit: made.world.store.decisions.commit,
    };
    return { made, tried, deps: { ...depsOf(made), decisions } };
  }

  test('H79: a round that takes 3 s ends, and the next one goes on where it stopped', async () => {
    // Two reads for each five, so that four groups begin within 3 s.
    const { deps, tried } = await slow(400);
    const round = createRounds(deps);
    await round();
    expect(tried).toEqual(ids.slice(0, 20));
    await round();
    expect(tried).toEqual(ids.slice(0, 40));
    await round();
    await round();
    expect(tried).toEqual([...ids, ...ids.slice(0, 20)]);
  });

  test('behavior: one that ends in time begins at the oldest again', async () => {
    const { deps, tried } = await slow(0);
    const round = createRounds(deps);
    await round();
    await round();
    expect(tried).toEqual([...ids, ...ids]);
  });

  test('H79: a store that takes longer than a round still lets each be tried in its turn', async () => {
    const { deps, tried } = await slow(10_000);
    const round = createRounds(deps);
    for (let n = 0; n < 13; n += 1) await round();
    expect(tried).toEqual([...ids, ...ids.slice(0, 5)]);
  });

  test('H79: those that cannot be decided on do not keep the next round from going on behind them', async () => {
    const { deps, tried } = await slow(0);
    const bad = new Set(ids.slice(0, 15).map((id) => `withdrawal:${id}`));
    const { load } = deps.decisions;
    const failing: Deps['decisions'] = {
      ...deps.decisions,
      load: async (keys) => {
        if (keys.rows.some((rowId) => bad.has(rowId))) throw new Error('unreadable');
        return load(keys);
      },
    };
    const round = createRounds({ ...deps, decisions: failing });
    await expect(round()).rejects.toThrow('15 of 60 failed');
    expect(tried).toEqual([]);
    await expect(round()).rejects.toThrow('15 of 60 failed');
    expect(tried).toEqual(ids.slice(15));
  });

  test('error: what loses to other writers gives up soon, and is not tried one by one', async () => {
    const { made, deps } = await slow(0);
    made.clock.nowMs = T0_MS + 2 * HOUR_MS;
    let commits = 0;
    const waits: number[] = [];
    const busy: Deps = {
      ...deps,
      sleep: async (ms) => {
        waits.push(ms);
        made.clock.nowMs += ms;
      },
      decisions: {
        ...deps.decisions,
        commit: async () => {
          commits += 1;
          made.clock.nowMs += 10;
          return 'conflict';
        },
      },
    };
    const startedMs = made.clock.nowMs;
    await expect(createRounds(busy)()).rejects.toThrow('15 of 60 failed, 0 were let go');
    expect(made.clock.nowMs - startedMs).toBeLessThan(3 * 510);
    expect(commits).toBeLessThan(3 * 12);
    expect(Math.max(...waits)).toBeLessThanOrEqual(250);
  });
});

describe('releaseWithdrawal', () => {
  const release = (made: TestWorld, withdrawalId: string) =>
    releaseWithdrawal(depsOf(made), { withdrawalId, actor: 'ann' });

  test('default: H77: charged as any other, with the name of who let it go', async () => {
    const made = await ready();
    await reserve(made, ask('a', 1_000), ask('b', 400));
    expect(await release(made, 'b')).toEqual({ kind: 'released', withdrawalId: 'b' });
    expect(await rowOf(made, 'b')).toMatchObject({ state: 'reserved', released: { by: 'ann' } });
    expect(await held(made)).toEqual([]);
    const told = made.records.flatMap((one) => (one.type === 'entry-added' ? [one.entry] : []));
    expect(told).toMatchObject([{ what: 'withdrawal.released', who: 'ann', reason: '' }]);
    const ledger = await expectConsistent(made);
    const steps = ledger.items.get('wallet:hot-1')?.meter.steps.at(-1) ?? [];
    expect(steps.reduce((sum, { notional }) => sum + notional, 0n)).toBe(Build.usd(1_400));
    // What a person let go past the limit counts: nobody else goes before it has left.
    expect(brief(await reserve(made, ask('b', 400), ask('c', 1)))).toEqual(['allow', 'hold limit']);
  });

  test('behavior: one that is too large for its limit, which only a person lets go', async () => {
    const made = await ready();
    await reserve(made, ask('a', 1_001));
    expect(await release(made, 'a')).toMatchObject({ kind: 'released' });
    made.clock.nowMs += 2 * MINUTE_MS;
    expect(brief(await reserve(made, ask('a', 1_001)))).toEqual(['allow']);
    await expectConsistent(made);
  });

  test('behavior: H77: a limit that pauses is not passed on anybody’s word; it keeps its place', async () => {
    const made = await ready({ limits: [holding(), customer] });
    const greedy = { actor: 'greedy' };
    await reserve(made, ask('x', 600), ask('b', 600, greedy), ask('g', 200, greedy));
    const before = await rowOf(made, 'b');
    expect(before).toMatchObject({ state: 'held' });
    const result = await release(made, 'b');
    expect(result).toMatchObject({ kind: 'refused', why: expect.stringContaining('customer') });
    // Nobody waits for it from here on.
    const { goesAtMs: _, ...kept } = before ?? {};
    const after = await rowOf(made, 'b');
    expect(after).toEqual({ ...kept, version: 2, decisionId: after?.decisionId });
    expect(await held(made)).toEqual(['b']);
    await expectConsistent(made);
  });

  test('behavior: nothing twice, and nothing that is not held', async () => {
    const made = await ready();
    await reserve(made, ask('a', 1_000), ask('b', 400));
    expect(await release(made, 'b')).toMatchObject({ kind: 'released' });
    for (const id of ['b', 'a', 'never-seen']) {
      expect(await release(made, id)).toEqual({
        kind: 'refused',
        withdrawalId: id,
        why: 'no such withdrawal is held',
      });
    }
    await expectConsistent(made);
  });

  test('behavior: H79: an unknown wallet that waits for a person', async () => {
    const rule = { withdrawal: 'hold', outflow: 'pause', scope: 'wallet' } as const;
    const { unknown } = Build.policy();
    const made = await ready({ unknown: { ...unknown, wallet: rule } });
    const stranger = ask('a', 1, { account: Build.STRANGER });
    expect(brief(await reserve(made, stranger, stranger))).toEqual([
      'hold unknown',
      'hold unknown',
    ]);
    const told = made.records.filter(({ type }) => type === 'alert-raised');
    expect(told).toHaveLength(1);
    expect(await releaseWhereRoom(depsOf(made))).toEqual([]);
    expect(await release(made, 'a')).toMatchObject({ kind: 'released' });
    made.clock.nowMs += HOUR_MS;
    expect(brief(await reserve(made, stranger))).toEqual(['allow']);
    await expectConsistent(made);
  });
});

describe('releaseWhereRoom by many at once', () => {
  /** A process of its own over the shared store, losing its turn at every step. */
  function process(made: TestWorld, turns: Turns) {
    const decisions = interleaved(made.world.store.decisions, turns);
    const { policies } = made.world.store;
    const policy = createPolicyInForce({ decisions, policies, parse: fromCompiled });
    return { ...depsOf(made), ...made.world.reserve, decisions, policy, sleep: turns.turn };
  }

  property.prop([fc.integer({ min: 0, max: 2 ** 31 - 1 })], { numRuns: 25 })(
    'H16, H77: sweeps, people and callers at once let each go once, and pass no limit',
    async (seed) => {
      const made = await ready();
      await reserve(made, ask('zero', 1_000));
      const ids = Array.from({ length: 8 }, (_, n) => `w-${n}`);
      await reserve(made, ...ids.map((id) => ask(id, 200)));
      made.clock.nowMs = ROOM_MS;
      const turns = createTurns(mulberry32(seed));
      const released: string[] = [];
      const answers: string[] = [];
      const person = 'w-7';
      const sweep = async () => {
        released.push(...(await releaseWhereRoom(process(made, turns)).catch(() => [])));
      };
      const caller = (id: string) => async () => {
        const asks = [ask(id, 200)];
        const [one] = await reserveWithdrawals(process(made, turns), { asks, audience: 'signer' });
        if (one?.kind === 'allow') answers.push(id);
      };
      await turns.run([
        sweep,
        sweep,
        async () => {
          const asked = { withdrawalId: person, actor: 'ann' };
          const result = await releaseWithdrawal(process(made, turns), asked).catch(
            () => undefined,
          );
          if (result?.kind === 'released') released.push(person);
        },
        ...ids.slice(0, 4).map(caller),
        caller('small'),
      ]);
      expect(new Set(released).size).toBe(released.length);
      const ledger = await expectConsistent(made);
      const inHour = [...ledger.rows.values()].filter(
        ({ state, money }) => state === 'reserved' && money?.chargedAtMs === ROOM_MS,
      );
      expect(inHour.filter(({ released }) => !released).length).toBeLessThanOrEqual(5);
      for (const id of [...released, ...answers]) {
        expect(ledger.rows.get(`withdrawal:${id}`)?.state).toBe('reserved');
      }
    },
  );
});
