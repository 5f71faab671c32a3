/** Reservations on the engine while everything fails that can: what was admitted, charged and given back must still agree. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closeWithdrawals } from '../../lib/actions/close-withdrawal.ts';
import { type Answer, reserveWithdrawals } from '../../lib/actions/reserve-withdrawals.ts';
import { createDynamoStore } from '../../lib/adapters/dynamodb/store.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import type { Outcome } from '../../lib/domain/outcome.ts';
import type * as Reservation from '../../lib/domain/reservation.ts';
import type { Ids } from '../../lib/ports.ts';
import type { World } from '../../lib/runtime/world.ts';
import { startTestEngine, type Tables, wallClock } from '../adapters/dynamodb/engine.ts';
import { countedIds, readyWorld, testWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import { type Fault, injectFaults, mulberry32, type Script } from '../support/faults.ts';
import { crashing, createLockstep, interleaved, type Turns } from '../support/interleave.ts';
import { expectOutstandingToBeRows } from '../support/ledger-check.ts';
import { disagreements, keptOn } from '../support/recount.ts';

const SEED = Number(process.env.BREAKWATER_SEED ?? 20_230_912);
const SCHEDULES = 12;
const WORKERS = 5;
const CALLS = 8;
const ALLOWED = 2_000;
/** Sizes of the withdrawals: together about twice what is allowed, and one that never fits. */
const DOLLARS = [...Array.from({ length: 22 }, (_, number) => 20 + 15 * number), ALLOWED + 1];
const FAULT_SHARE = { read: 0.2, write: 0.4 };
const DEATH_SHARE = 0.04;
const CLOSE_SHARE = 0.15;
const LIFE_MS = 30_000;
/** An admission must be over before anybody can say that it was never signed. */
const AFTER_LIFE_MS = LIFE_MS + 10_000;

/** What may go wrong with any call, and with transactions only. */
const FAULTS: readonly Fault[] = [
  { kind: 'lost-request' },
  { kind: 'lost-reply' },
  { kind: 'error', type: 'ThrottlingException' },
  { kind: 'error', type: 'InternalServerError', status: 500 },
];
const TRANSACTION_FAULTS: readonly Fault[] = [
  ...FAULTS,
  { kind: 'lost-reply' },
  { kind: 'cancel', reasons: ['None', 'TransactionConflict'] },
  { kind: 'cancel', reasons: ['ThrottlingError', 'None'] },
];

let engine: Awaited<ReturnType<typeof startTestEngine>>;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

/** One run: everything in it follows from the seed. */
type Schedule = {
  readonly tables: Tables;
  /** Meets no fault. */
  readonly calm: World;
  readonly clock: { nowMs: number };
  readonly random: () => number;
  readonly turns: Turns;
  readonly trace: string[];
  /** What callers were answered by processes that lived to do so. */
  readonly answers: Answer[];
  readonly ids: Ids;
};

let runs = 0;

/** Counted, and no other run's: the engine knows the tokens of all tables. */
function idsOfRun(): Ids {
  runs += 1;
  const run = runs;
  const { decisionId, ...others } = countedIds();
  return { decisionId: () => `${run}-${decisionId()}`, ...others };
}

function ask(number: number): Reservation.Ask {
  const amount = Build.usd(DOLLARS[number] ?? 0);
  const event = Build.withdrawal(`w${number}`, { amount, actor: `customer-${number % 3}` });
  return { withdrawal: event, bodyHash: Build.incoming(event).bodyHash };
}

async function start(seed: number): Promise<Schedule> {
  const tables = await engine.tables();
  const { client, names } = tables;
  const store = createDynamoStore({ client, tables: names, wallClock });
  const limits = [Build.limit({ allowed: Build.usd(ALLOWED) })];
  const ids = idsOfRun();
  const { world: calm, clock } = await readyWorld(Build.policy({ limits }), () => ({ store, ids }));
  const random = mulberry32(seed);
  const turns = createLockstep(random);
  return { tables, calm, clock, random, turns, trace: [], answers: [], ids };
}

/** A process with a client of its own, on which faults are laid, and which may die at any step. */
function startProcess(schedule: Schedule, worker: number) {
  const { random, turns, clock, ids, tables, trace } = schedule;
  const client = engine.newClient();
  const script: Script = ({ operation }) => {
    const isWrite = operation === 'TransactWriteItems';
    const share = isWrite ? FAULT_SHARE.write : FAULT_SHARE.read;
    const faults = isWrite ? TRANSACTION_FAULTS : FAULTS;
    const fault = random() < share ? pick(random, faults) : undefined;
    trace.push(`${worker} ${operation} ${JSON.stringify(fault ?? 'ok')}`);
    return fault;
  };
  injectFaults(client, script);
  const over = (sleep: () => Promise<void>) => {
    const retry = { attemptsMax: 2, budgetMs: 600_000, delayMs: () => 0, sleep };
    return createDynamoStore({ client, tables: tables.names, wallClock, retry });
  };
  let isDead = false;
  const dies = () => {
    isDead ||= random() < DEATH_SHARE;
    return isDead;
  };
  // Only what reads and commits comes one after the other, so only that takes turns.
  const { decisions } = over(turns.turn);
  const store = {
    ...over(async () => undefined),
    decisions: interleaved(crashing(decisions, dies), turns),
  };
  const { world } = testWorld(() => ({ store, ids, random, sleep: turns.turn }));
  // Time stands still for each: while others go on, it would only run out.
  const { nowMs } = clock;
  const own = { ...world.decision, clock: { nowMs: () => nowMs } };
  return {
    deps: { ...world.reserve, ...own },
    closing: { ...own, alerts: world.store.alerts },
    isDead: () => isDead,
    end: () => client.destroy(),
  };
}

function pick<T>(random: () => number, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)] as T;
}

/** Asks for some withdrawals, or says of one that it will not leave, with a process that may die. */
async function act(schedule: Schedule, worker: number): Promise<void> {
  const { random, clock, answers, trace } = schedule;
  clock.nowMs += pick(random, [0, 1, 2_000, LIFE_MS + 1]);
  const one = startProcess(schedule, worker);
  try {
    if (random() < CLOSE_SHARE) {
      const number = Math.floor(random() * DOLLARS.length);
      const evidence = { kind: 'nonce-spent', reference: '0xother' } as const;
      const outcome: Outcome = { kind: 'failed', withdrawalId: `w${number}`, evidence };
      await closeWithdrawals(one.closing, [outcome]);
      return;
    }
    const asks = Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
      ask(Math.floor(random() * DOLLARS.length)),
    );
    const given = await reserveWithdrawals(one.deps, { asks, audience: 'signer' });
    // Who died has told nobody anything.
    if (one.isDead()) return;
    answers.push(...given);
    trace.push(`${worker} told ${given.map(brief).join(', ')}`);
  } finally {
    one.end();
  }
}

function brief(answer: Answer): string {
  const { withdrawalId, kind } = answer;
  return `${withdrawalId} ${kind === 'allow' ? `until ${answer.expiresAtMs}` : answer.reason}`;
}

async function play(seed: number): Promise<Schedule> {
  const schedule = await start(seed);
  await schedule.turns.run(
    Array.from({ length: WORKERS }, (_, worker) => async () => {
      for (let call = 0; call < CALLS; call += 1) await act(schedule, worker);
    }),
  );
  return schedule;
}

/** Reads all of it, and holds every meter and every count against the rows. */
async function consistent({ tables }: Schedule): Promise<Ledger.Loaded> {
  const kept = await keptOn(tables.client, tables.names);
  expect(disagreements(kept)).toEqual([]);
  expectOutstandingToBeRows(kept);
  return kept;
}

function open(ledger: Ledger.Loaded): readonly Ledger.Row[] {
  return [...ledger.rows.values()].filter(({ state }) => state === 'reserved');
}

function usedBy(rows: readonly Ledger.Row[]): bigint {
  return rows.reduce((sum, { money }) => sum + (money?.transfer.amount ?? 0n), 0n);
}

/** Each `allow` that was told stands on a row that was reserved for at least as long. */
function expectComplete(ledger: Ledger.Loaded, answers: readonly Answer[]): void {
  for (const answer of answers) {
    if (answer.kind !== 'allow') continue;
    const row = ledger.rows.get(`withdrawal:${answer.withdrawalId}`);
    expect(['reserved', 'failed']).toContain(row?.state);
    expect(row?.money?.charged.length).toBe(1);
    expect(row?.admittedUntilMs ?? 0).toBeGreaterThanOrEqual(answer.expiresAtMs);
  }
}

/** Asks for everything again when nothing fails any more. */
async function askAll({ calm }: Schedule): Promise<readonly Answer[]> {
  const asks = DOLLARS.map((_, number) => ask(number));
  return reserveWithdrawals(calm.reserve, { asks, audience: 'signer' });
}

describe('reserveWithdrawals under faults', () => {
  test('behavior: the same seed is the same run', async () => {
    const [one, other] = [await play(SEED), await play(SEED)];
    expect(one.trace.length).toBeGreaterThan(100);
    expect(other.trace).toEqual(one.trace);
    expect((await play(SEED + 1)).trace).not.toEqual(one.trace);
  });

  test.each(Array.from({ length: SCHEDULES }, (_, number) => SEED + number))(
    'H16, H17, H18, H21: no admission without its charge, none charged twice, no budget lost, seed %i',
    async (seed) => {
      const schedule = await play(seed);
      const { calm, clock, answers, trace } = schedule;
      expect(trace.some((line) => line.includes('lost-reply'))).toBe(true);
      expect(answers.filter(({ kind }) => kind === 'allow').length).toBeGreaterThan(2);
      const before = await consistent(schedule);
      expectComplete(before, answers);
      expect(usedBy(open(before))).toBeLessThanOrEqual(Build.usd(ALLOWED));

      const again = await askAll(schedule);
      const after = await consistent(schedule);
      expectComplete(after, again);
      const used = usedBy(open(after));
      expect(used).toBeLessThanOrEqual(Build.usd(ALLOWED));
      for (const answer of again) {
        if (answer.kind === 'allow') continue;
        // Nothing but the limit and what is known of the id stands against anything, and a limit counts no more than the rows.
        expect(['limit', 'final']).toContain(answer.reason);
        if ('limit' in answer) expect(answer.limit?.used).toBeLessThanOrEqual(used);
      }

      clock.nowMs += AFTER_LIFE_MS;
      const evidence = { kind: 'never-signed', reference: 'signer-log' } as const;
      const cancelled = open(after).map(({ rowId }): Outcome => {
        return { kind: 'cancelled', withdrawalId: rowId.replace('withdrawal:', ''), evidence };
      });
      const closing = { ...calm.decision, alerts: calm.store.alerts };
      const half = Math.ceil(cancelled.length / 2);
      await closeWithdrawals(closing, cancelled.slice(0, half));
      const rest = await consistent(schedule);
      expect(open(rest).length).toBe(cancelled.length - half);
      await closeWithdrawals(closing, cancelled.slice(half));
      expect(open(await consistent(schedule))).toEqual([]);
      const whole = Build.withdrawal('whole', { amount: Build.usd(ALLOWED) });
      const last = { withdrawal: whole, bodyHash: Build.incoming(whole).bodyHash };
      const [all] = await reserveWithdrawals(calm.reserve, { asks: [last], audience: 'signer' });
      expect(all).toMatchObject({ kind: 'allow' });
    },
  );
});
