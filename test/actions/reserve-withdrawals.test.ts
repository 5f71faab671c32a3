import { fc, test as property } from '@fast-check/vitest';
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { createPolicyInForce } from '../../lib/actions/policy-in-force.ts';
import { recordEvents } from '../../lib/actions/record-events.ts';
import {
  type Answer,
  type Deps,
  plan,
  REPLY_MAX_MS,
  reserveWithdrawals,
} from '../../lib/actions/reserve-withdrawals.ts';
import { fromCompiled } from '../../lib/adapters/compiled-policy.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import type * as Reservation from '../../lib/domain/reservation.ts';
import type { Transfer } from '../../lib/domain/withdrawal.ts';
import type { DecisionStore } from '../../lib/ports.ts';
import { ledgerOf, putInForce, readyWorld, type TestWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import { mulberry32 } from '../support/faults.ts';
import { holding } from '../support/holding.ts';
import {
  CrashError,
  crashing,
  createTurns,
  interleaved,
  type Turns,
} from '../support/interleave.ts';
import {
  expectMetersToBeSums,
  expectMetersToCover,
  expectOutstandingToBeRows,
} from '../support/ledger-check.ts';

const SEED = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const LIFE_MS = 30_000;
/** Times one caller asks again, at most. */
const ASKED_MAX = 200;

/** A withdrawal of so many USD. */
function ask(withdrawalId: string, dollars: number, more: Partial<Transfer> = {}): Reservation.Ask {
  const event = Build.withdrawal(withdrawalId, { amount: Build.usd(dollars), ...more });
  return { withdrawal: event, bodyHash: Build.incoming(event).bodyHash };
}

function reserve(deps: Deps, ...asks: readonly Reservation.Ask[]): Promise<readonly Answer[]> {
  return reserveWithdrawals(deps, { asks, audience: 'signer' });
}

function brief(answers: readonly Answer[]): readonly string[] {
  return answers.map((one) => (one.kind === 'allow' ? 'allow' : `${one.kind} ${one.reason}`));
}

function limited(dollars: number, more: Partial<Policy.Policy> = {}): Policy.Policy {
  return Build.policy({
    limits: [Build.limit({ allowed: Build.usd(dollars) })],
    outstandingMax: 100_000,
    ...more,
  });
}

/** A process of its own: its own caches over the shared store, losing its turn at every step. */
function caller(made: TestWorld, turns: Turns, decisions = made.world.store.decisions): Deps {
  const mine = interleaved(decisions, turns);
  const { policies } = made.world.store;
  const policy = createPolicyInForce({ decisions: mine, policies, parse: fromCompiled });
  return { ...made.world.reserve, decisions: mine, policy, sleep: turns.turn };
}

/** Asks until it is decided, as a client does; counts how often. */
async function insist(deps: Deps, one: Reservation.Ask): Promise<Answer> {
  for (let asked = 0; asked < ASKED_MAX; asked += 1) {
    const [answer] = await reserve(deps, one);
    if (answer && (answer.kind === 'allow' || answer.reason !== 'unavailable')) return answer;
  }
  throw new Error(`undecided after ${ASKED_MAX} times`);
}

/** What is admitted, by the rows. */
function admitted(ledger: Ledger.Loaded): bigint {
  return [...ledger.rows.values()]
    .filter(({ state }) => state === 'reserved')
    .reduce((sum, { money }) => sum + (money?.transfer.amount ?? 0n), 0n);
}

async function expectConsistent(made: TestWorld): Promise<Ledger.Loaded> {
  const ledger = await ledgerOf(made.world.store, made.committed);
  expectMetersToBeSums(ledger);
  expectOutstandingToBeRows(ledger);
  return ledger;
}

describe('plan', () => {
  test('default: groups in order, none left out, none too large to be written', () => {
    const asks = Array.from({ length: 100 }, (_, n) =>
      ask(`w${n}`, 1, {
        actor: `a${n}`,
        destination: `eip155:1:0x${n.toString().padStart(40, '0')}`,
      }),
    );
    const groups = plan(limited(1), asks);
    expect(groups.flat()).toEqual(asks);
    expect(groups.map((group) => group.length)).toMatchInlineSnapshot(`
      [
        10,
        10,
        10,
        10,
        10,
        10,
        10,
        10,
        10,
        10,
      ]
    `);
  });

  test('behavior: what is held stands in several queues: fewer fit one transaction', () => {
    const limits = ['a', 'b', 'c', 'd'].map((limitId) => holding({ limitId }));
    const asks = Array.from({ length: 30 }, (_, n) => ask(`w${n}`, 1));
    const sizes = (policy: Policy.Policy) => plan(policy, asks).map(({ length }) => length);
    expect(sizes(Build.policy({ limits: limits.slice(0, 1) }))).toEqual([17, 13]);
    expect(sizes(Build.policy({ limits }))).toEqual([8, 8, 8, 6]);
  });

  test('args: none, and one that cannot be valued', () => {
    expect(plan(limited(1), [])).toEqual([]);
    const odd = ask('w', 0, { amount: -1n });
    expect(plan(limited(1), [odd, ask('v', 1)]).flat().length).toBe(2);
  });
});

describe('reserveWithdrawals', () => {
  test('default: one verdict each in order, and an admission over what was asked', async () => {
    const { world } = await readyWorld(limited(1_000));
    const answers = await reserve(world.reserve, ask('a', 600), ask('b', 500), ask('c', 400));
    expect(brief(answers)).toEqual(['allow', 'block limit', 'allow']);
    const [first] = answers;
    if (first?.kind !== 'allow') throw new Error('refused');
    expect(first.expiresAtMs).toBe(Build.T0_MS + LIFE_MS);
    const { jti, ...claims } = decodeJwt(first.admission);
    expect(jti).toMatch(/^[0-9a-f]{32}$/);
    expect(claims).toMatchInlineSnapshot(`
      {
        "amount": "600000000",
        "asset": "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
        "aud": "signer",
        "destination": "eip155:1:0xcccccccccccccccccccccccccccccccccccccccc",
        "exp": 1694524890,
        "iat": 1694524860,
        "iss": "breakwater-test",
        "sub": "a",
        "wallet": "eip155:1:0x1111111111111111111111111111111111111111",
      }
    `);
  });

  test('args: nothing, and a memo', async () => {
    const { world } = await readyWorld(limited(1_000));
    expect(await reserve(world.reserve)).toEqual([]);
    const [one] = await reserve(world.reserve, ask('a', 1, { memo: '7' }));
    expect(one?.kind === 'allow' && decodeJwt(one.admission).memo).toBe('7');
  });

  test('behavior: asked again within its life the token is the same admission, later another', async () => {
    const { world, clock, committed } = await readyWorld(limited(1_000));
    const idOf = async () => {
      const [one, same] = await reserve(world.reserve, ask('a', 600), ask('a', 600));
      if (one?.kind !== 'allow' || same?.kind !== 'allow') throw new Error('refused');
      expect(decodeJwt(same.admission).jti).toBe(decodeJwt(one.admission).jti);
      return decodeJwt(one.admission).jti;
    };
    const first = await idOf();
    const commits = committed.length;
    clock.nowMs += LIFE_MS - 1;
    expect(await idOf()).toBe(first);
    expect(committed.length).toBe(commits);
    clock.nowMs += 1;
    expect(await idOf()).not.toBe(first);
  });

  test('behavior: H13: an admission of the longest life is never too long for verifiers', async () => {
    const wallets = Build.policy().wallets.map((wallet) =>
      wallet.name === 'hot-1' ? { ...wallet, admissionMs: 900_000 } : wallet,
    );
    const { world, clock } = await readyWorld(limited(1_000, { wallets }));
    const lifeS = async (one: Reservation.Ask) => {
      const [answer] = await reserve(world.reserve, one);
      if (answer?.kind !== 'allow') throw new Error('refused');
      const { iat = 0, exp = 0 } = decodeJwt(answer.admission);
      expect(exp * 1_000).toBeLessThanOrEqual(answer.expiresAtMs);
      return exp - iat;
    };
    expect(await lifeS(ask('a', 1))).toBe(900);
    // The meters know a later time than this worker.
    clock.nowMs -= 3_500;
    expect(await lifeS(ask('b', 1))).toBe(900);
    expect(await lifeS(ask('c', 1, { account: Build.HOT_3 }))).toBeLessThan(60);
  });

  test('behavior: a hundred with more alerts than fit one transaction are all decided', async () => {
    const limits = Array.from({ length: 12 }, (_, n) =>
      Build.limit({ limitId: `tell-${n}`, scope: 'actor', action: { kind: 'alert' }, allowed: 1n }),
    );
    const { world, committed } = await readyWorld(Build.policy({ limits }));
    const asks = Array.from({ length: 100 }, (_, n) => ask(`w${n}`, 1, { actor: `a${n}` }));
    expect(new Set(brief(await reserve(world.reserve, ...asks)))).toEqual(new Set(['allow']));
    const sizes = committed.map(
      ({ rows, items, alerts }) => rows.length + items.length + alerts.length,
    );
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
  });

  test('behavior: one that cannot be valued fails alone', async () => {
    const { world } = await readyWorld(limited(1_000));
    const odd = ask('b', 0, { amount: -1n });
    const answers = await reserve(world.reserve, ask('a', 1), odd, ask('c', 1));
    expect(brief(answers)).toEqual(['allow', 'block unavailable', 'allow']);
    expect(answers[1]).toMatchObject({ provisional: true });
  });

  test('behavior: one whose admission cannot be signed fails alone, and is found again', async () => {
    const made = await readyWorld(limited(1_000));
    const { signer } = made.world.reserve;
    const failing = {
      ...signer,
      sign: async (claims: Parameters<typeof signer.sign>[0]) => {
        if (claims.sub === 'b') throw new Error('throttled');
        return signer.sign(claims);
      },
    };
    const deps = { ...made.world.reserve, signer: failing };
    expect(brief(await reserve(deps, ask('a', 400), ask('b', 600), ask('c', 1)))).toEqual([
      'allow',
      'block unavailable',
      'block limit',
    ]);
    expect(brief(await reserve(made.world.reserve, ask('b', 600)))).toEqual(['allow']);
    await expectConsistent(made);
  });

  test('behavior: a refusal alone is told once, without a commit; tripOnRefusal commits', async () => {
    const limits = [
      Build.limit(),
      Build.limit({
        limitId: 'big',
        metric: 'single',
        windowMs: 0,
        scope: 'actor',
        allowed: Build.usd(5_000),
        tripOnRefusal: true,
        action: { kind: 'pause', scope: 'actor' },
      }),
    ];
    const made = await readyWorld(Build.policy({ limits }));
    const before = made.committed.length;
    for (const id of ['a', 'b', 'a']) await reserve(made.world.reserve, ask(id, 1_001));
    expect(made.committed.length).toBe(before);
    const told = () => made.records.filter(({ type }) => type === 'alert-raised').length;
    expect(told()).toBe(1);
    const [refused] = await reserve(made.world.reserve, ask('c', 5_001));
    const [incident] = await made.world.store.incidents.list(10);
    expect(refused).toMatchObject({ reason: 'limit', incidentId: incident?.incidentId });
    expect(incident).toMatchObject({
      scope: 'actor:customer-1',
      first: { limit: { limitId: 'big' } },
    });
    expect(brief(await reserve(made.world.reserve, ask('d', 1)))).toEqual(['block paused']);
    await expectConsistent(made);
  });

  test('behavior: an outflow that names no actor closes the reservation, through the events too', async () => {
    const made = await readyWorld(limited(1_000, { outstandingMax: 1 }));
    await reserve(made.world.reserve, ask('a', 1));
    expect(brief(await reserve(made.world.reserve, ask('b', 1)))).toEqual(['block outstanding']);
    const seen = Build.incoming(Build.outflow({ transaction: '0xa', withdrawalId: 'a' }));
    expect(await recordEvents(made.world.decision, [seen])).toMatchObject([
      { kind: 'decided', outcome: { result: 'matched-outflow' } },
    ]);
    expect(brief(await reserve(made.world.reserve, ask('b', 1)))).toEqual(['allow']);
    await expectConsistent(made);
  });

  test('behavior: a charge of another policy moves, whatever scopes it lay in', async () => {
    const made = await readyWorld(limited(1_000));
    await reserve(made.world.reserve, ask('a', 600));
    const policy = limited(1_000);
    const wallets = policy.wallets.map((one) => ({ ...one, keyDomain: 'vault-z' }));
    await putInForce(made.world, { ...policy, wallets });
    made.clock.nowMs += LIFE_MS;
    expect(brief(await reserve(made.world.reserve, ask('a', 600)))).toEqual(['allow']);
    expectMetersToCover(await ledgerOf(made.world.store, made.committed));
  });

  test('error: later than a reply may be, everything is a block, and nothing more is charged', async () => {
    const made = await readyWorld(limited(100_000));
    const { decisions } = made.world.store;
    const slow: DecisionStore = {
      load: decisions.load,
      commit: async (changes) => {
        made.clock.nowMs += REPLY_MAX_MS + 1;
        return made.world.decision.decisions.commit(changes);
      },
    };
    const asks = Array.from({ length: 100 }, (_, n) => ask(`w${n}`, 1, { actor: `a${n}` }));
    const before = made.committed.length;
    const answers = await reserve({ ...made.world.reserve, decisions: slow }, ...asks);
    expect(new Set(brief(answers))).toEqual(new Set(['block timeout']));
    expect(made.committed.length).toBe(before + 1);
    expect(brief(await reserve(made.world.reserve, ...asks.slice(0, 1)))).toEqual(['allow']);
  });

  test('error: without a policy, leases or a store everything is a block that may be asked again', async () => {
    const made = await readyWorld(limited(1_000));
    const down = async () => {
      throw new Error('down');
    };
    const { reserve: deps } = made.world;
    for (const broken of [
      { ...deps, policy: { ...deps.policy, current: down } },
      { ...deps, leases: { of: down } },
      { ...deps, decisions: { ...deps.decisions, load: down } },
      { ...deps, decisions: { ...deps.decisions, commit: down } },
      { ...deps, decisions: { ...deps.decisions, commit: async () => 'conflict' as const } },
    ]) {
      const answers = await reserve(broken, ask('a', 1), ask('b', 1));
      expect(answers).toMatchObject([
        { kind: 'block', reason: 'unavailable', withdrawalId: 'a', provisional: true },
        { kind: 'block', reason: 'unavailable', withdrawalId: 'b', provisional: true },
      ]);
    }
    expect((await ledgerOf(made.world.store, made.committed)).rows.has('withdrawal:a')).toBe(false);
  });
});

describe('reserveWithdrawals by many callers', () => {
  for (const callers of [1, 8, 32, 64]) {
    property.prop([SEED], { numRuns: callers > 8 ? 2 : 6 })(
      `P5, H16: ${callers} at once on one wallet with room for some: exactly those are admitted`,
      async (seed) => {
        const room = Math.ceil(callers / 2);
        const made = await readyWorld(limited(10 * room));
        const turns = createTurns(mulberry32(seed));
        const answers: Answer[] = [];
        let undecided = 0;
        await turns.run(
          Array.from({ length: callers }, (_, n) => async () => {
            const deps = caller(made, turns);
            const [first] = await reserve(deps, ask(`w${n}`, 10));
            if (first?.kind === 'block' && first.reason === 'unavailable') undecided += 1;
            answers.push(await insist(deps, ask(`w${n}`, 10)));
          }),
        );
        expect(answers.length).toBe(callers);
        expect(answers.filter(({ kind }) => kind === 'allow').length).toBe(room);
        expect(undecided).toBeLessThan(callers);
        expect(admitted(await expectConsistent(made))).toBe(Build.usd(10 * room));
      },
    );
  }

  property.prop([SEED], { numRuns: 10 })(
    'H17, H21: lost replies and deaths at any step: no admission without its row, no double charge',
    async (seed) => {
      const random = mulberry32(seed);
      const made = await readyWorld(limited(100));
      const turns = createTurns(random);
      const given: Answer[] = [];
      await turns.run(
        Array.from({ length: 8 }, (_, n) => async () => {
          for (let asked = 0; asked < ASKED_MAX; asked += 1) {
            const dies = () => random() < 0.15;
            const deps = caller(made, turns, crashing(made.world.decision.decisions, dies));
            const own = [ask(`w${n}`, 20), ask(`w${(n + 1) % 8}`, 20)];
            const answers = await reserve(deps, ...own);
            given.push(...answers);
            if (!brief(answers).includes('block unavailable')) return;
          }
        }),
      );
      const ledger = await expectConsistent(made);
      expect(admitted(ledger)).toBe(Build.usd(100));
      for (const one of given) {
        if (one.kind !== 'allow') continue;
        const row = ledger.rows.get(`withdrawal:${one.withdrawalId}`);
        expect(row).toMatchObject({ state: 'reserved', admittedUntilMs: one.expiresAtMs });
      }
    },
  );

  property.prop([SEED], { numRuns: 10 })(
    'P6: after the commit of a trip no admission is committed, nor given for what was asked after it',
    async (seed) => {
      const random = mulberry32(seed);
      const made = await readyWorld(
        limited(1_000_000, { unmatched: { scope: 'wallet', risks: 'pause' } }),
      );
      const turns = createTurns(random);
      const askedAfter: Answer[] = [];
      const isOpen = () => made.committed.some(({ incidents }) => incidents.length > 0);
      await turns.run([
        ...Array.from({ length: 12 }, (_, n) => async () => {
          const deps = caller(made, turns);
          for (let round = 0; round < 4; round += 1) {
            const after = isOpen();
            const answers = await reserve(deps, ask(`w${n}-${round}`, 1), ask('shared', 1));
            if (after) askedAfter.push(...answers);
          }
        }),
        async () => {
          for (let wait = random() * 120; wait > 0; wait -= 1) await turns.turn();
          const thief = Build.incoming(
            Build.outflow({ transaction: '0xbad' }, { destination: Build.STRANGER }),
          );
          let [recorded] = await recordEvents(caller(made, turns), [thief]);
          while (recorded?.kind === 'failed') {
            [recorded] = await recordEvents(caller(made, turns), [thief]);
          }
        },
      ]);
      const tripped = made.committed.findIndex(({ incidents }) => incidents.length > 0);
      expect(tripped).toBeGreaterThan(0);
      const later = made.committed.slice(tripped + 1).flatMap(({ rows }) => rows);
      expect(later.filter(({ row }) => row.state === 'reserved')).toEqual([]);
      expect(askedAfter.filter(({ kind }) => kind === 'allow')).toEqual([]);
      await expectConsistent(made);
    },
  );

  test('P6: a death of the caller is no answer: the error of the process is not swallowed as an allow', async () => {
    const made = await readyWorld(limited(1_000));
    let step = 0;
    const dies = () => {
      step += 1;
      return step === 4;
    };
    const decisions = crashing(made.world.decision.decisions, dies);
    const [lost] = await reserve({ ...made.world.reserve, decisions }, ask('a', 600));
    expect(lost).toMatchObject({ kind: 'block', reason: 'unavailable' });
    expect(lost?.kind === 'block' && lost.text).toContain(new CrashError().name);
    // It was committed and the reply lost: asked again it is the same charge.
    expect(brief(await reserve(made.world.reserve, ask('a', 600), ask('b', 401)))).toEqual([
      'allow',
      'block limit',
    ]);
    await expectConsistent(made);
  });
});
