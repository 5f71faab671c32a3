/** P6 on the engine: callers who reserve while a breaker opens and is closed again, by their whole history. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operateBreaker } from '../../lib/actions/operate-breaker.ts';
import { recordEvents } from '../../lib/actions/record-events.ts';
import { reserveWithdrawals } from '../../lib/actions/reserve-withdrawals.ts';
import { createDynamoStore } from '../../lib/adapters/dynamodb/store.ts';
import { nodeIds } from '../../lib/adapters/node-ids.ts';
import { type Breaker, CLOSED } from '../../lib/domain/breaker.ts';
import type { Ask } from '../../lib/domain/reservation.ts';
import type { DecisionStore } from '../../lib/ports.ts';
import { startTestEngine, type Tables, wallClock } from '../adapters/dynamodb/engine.ts';
import { compileSource, readyWorld, testWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import { mulberry32 } from '../support/faults.ts';
import { type Operation, violations, witnessed } from '../support/trip-history.ts';

const SEED = Number(process.env.BREAKWATER_SEED ?? 20_230_912);
const CALLERS = 8;
const PAUSES = 3;
/** How long it flows, and how long it is paused, at most. */
const PHASE_MS = 150;
/** Commits of one command or event, at most: others want to commit too. */
const TRIES_MAX = 50;

let engine: Awaited<ReturnType<typeof startTestEngine>>;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

const plain = (decisions: DecisionStore) => decisions;

/** One that does not look at gates: it decides as if every breaker were closed, and leaves them as they are. */
function gateless(decisions: DecisionStore): DecisionStore {
  const stored = new Map<string, Breaker>();
  return {
    load: async (keys) => {
      const loaded = await decisions.load(keys);
      for (const [key, { breaker }] of loaded.items) stored.set(key, breaker);
      const items = [...loaded.items].map(
        ([key, item]) => [key, { ...item, breaker: CLOSED }] as const,
      );
      return { ...loaded, items: new Map(items) };
    },
    commit: (changes) => {
      const items = changes.items.map((write) => {
        const breaker = stored.get(write.key) ?? write.item.breaker;
        return { ...write, item: { ...write.item, breaker } };
      });
      return decisions.commit({ ...changes, items });
    },
  };
}

/** A process with a client of its own. Its last decision's versions are noted. */
function startProcess({ names }: Tables, view = plain) {
  const client = engine.newClient();
  const store = createDynamoStore({ client, tables: names, wallClock });
  const { store: decisions, seen } = witnessed(view(store.decisions));
  const { world } = testWorld(() => ({
    store: { ...store, decisions },
    ids: nodeIds,
    sleep: async (ms) => void (await sleep(ms)),
    random: Math.random,
  }));
  return { world, seen, end: () => client.destroy() };
}

type Process = ReturnType<typeof startProcess>;

/** Does something and notes when, and on which versions. */
async function note(
  history: Operation[],
  { seen }: Process,
  act: () => Promise<Pick<Operation, 'kind' | 'what'>>,
): Promise<void> {
  const startedMs = performance.now();
  const told = await act();
  history.push({ ...told, startedMs, endedMs: performance.now(), ...seen() });
}

/** Asks for new withdrawals, and for one that is admitted already, until the others are done. */
async function call(
  history: Operation[],
  one: Process,
  caller: { readonly name: string; readonly isOver: () => boolean },
): Promise<void> {
  const { name, isOver } = caller;
  for (let turn = 0; !isOver(); turn += 1) {
    const withdrawalId = turn % 4 === 3 ? `${name}-0` : `${name}-${turn}`;
    await note(history, one, async () => {
      const [answer] = await reserveWithdrawals(one.world.reserve, {
        asks: [ask(withdrawalId)],
        audience: 'signer',
      });
      const reason = answer?.kind === 'allow' ? '' : ` ${answer?.reason}`;
      const kind = answer?.kind === 'allow' ? 'allow' : 'refuse';
      return { kind, what: `${withdrawalId}${reason}` };
    });
  }
}

function ask(withdrawalId: string): Ask {
  const event = Build.withdrawal(withdrawalId, { actor: withdrawalId });
  return { withdrawal: event, bodyHash: Build.incoming(event).bodyHash };
}

/** Records an outflow that nobody approved. @returns the incident that it opened. */
async function trip(history: Operation[], one: Process, number: number): Promise<string> {
  // To somebody else: an outflow of what is reserved would be its own.
  const thief = { destination: Build.STRANGER };
  const theft = Build.incoming(Build.outflow({ transaction: `0xbad${number}` }, thief));
  let incidentId = '';
  await note(history, one, async () => {
    for (let tried = 0; incidentId === '' && tried < TRIES_MAX; tried += 1) {
      const [recorded] = await recordEvents(one.world.decision, [theft]);
      if (recorded?.kind === 'decided') incidentId = recorded.outcome.trips[0]?.incidentId ?? '';
    }
    return { kind: 'trip', what: `trip ${number}` };
  });
  return incidentId;
}

async function resume(history: Operation[], one: Process, incidentId: string): Promise<void> {
  await note(history, one, async () => {
    const { decision, store } = one.world;
    const commandId = `resume-${incidentId}`;
    const open = await store.incidents.listOpen(10);
    const along = open.filter((each) => each.quarantinedBy === incidentId);
    const also = along.map((each) => each.incidentId);
    const command = { kind: 'resume', commandId, incidentId, also, reason: 'drill' } as const;
    const deps = { ...decision, incidents: store.incidents, compilePolicy: compileSource };
    const result = await operateBreaker(deps, { command, actor: 'ann' });
    expect(result).toMatchObject({ kind: 'resumed', incidentId });
    return { kind: 'resume', what: `resume ${incidentId}` };
  });
}

/** Callers who reserve while the breaker opens at random moments and is closed again. */
async function play(seed: number, view = plain): Promise<readonly Operation[]> {
  const tables = await engine.tables();
  const { client, names } = tables;
  const store = createDynamoStore({ client, tables: names, wallClock });
  await readyWorld(Build.policy(), () => ({ store, ids: nodeIds }));
  const random = mulberry32(seed);
  const history: Operation[] = [];
  let isDone = false;
  const processes = Array.from({ length: CALLERS }, () => startProcess(tables, view));
  const operator = startProcess(tables);
  const callers = processes.map((one, number) =>
    call(history, one, { name: `c${number}`, isOver: () => isDone }),
  );
  for (let number = 0; number < PAUSES; number += 1) {
    await sleep(20 + random() * PHASE_MS);
    const incidentId = await trip(history, operator, number);
    await sleep(20 + random() * PHASE_MS);
    await resume(history, operator, incidentId);
  }
  await sleep(PHASE_MS);
  isDone = true;
  await Promise.all(callers);
  for (const { end } of [...processes, operator]) end();
  return history;
}

function versionOf(history: readonly Operation[], kind: Operation['kind']): readonly number[] {
  return history.flatMap((one) => (one.kind === kind ? (one.wroteVersion ?? []) : []));
}

describe('violations', () => {
  const at = (kind: Operation['kind'], readVersion: number, more: Partial<Operation> = {}) => {
    const times = { startedMs: readVersion * 10, endedMs: readVersion * 10 + 5 };
    return { kind, what: `${kind} ${readVersion}`, readVersion, ...times, ...more };
  };
  const commit = (kind: Operation['kind'], readVersion: number, more: Partial<Operation> = {}) =>
    at(kind, readVersion, { wroteVersion: readVersion + 1, ...more });
  const pause = [commit('trip', 10), commit('resume', 20)];

  test('behavior: just before the trip and from the resume on is fine, on a repeat too', () => {
    const fine = [commit('allow', 9), at('allow', 9), at('allow', 21), commit('allow', 21)];
    expect(violations([...pause, ...fine, at('refuse', 15)])).toEqual([]);
  });

  test.each([11, 15, 20])('behavior: on version %i it is not, written or repeated', (version) => {
    const more = { startedMs: 0, endedMs: 1_000 };
    expect(violations([...pause, at('allow', version, more)])).toEqual([
      `allow ${version} lies within the pause`,
    ]);
    if (version === 20) return;
    expect(violations([...pause, commit('allow', version, more)])).toEqual([
      `allow ${version} lies within the pause`,
    ]);
  });

  test('behavior: nor is it after a trip that nobody resumed', () => {
    expect(violations([commit('trip', 10), commit('allow', 99)])).toEqual([
      'allow 99 lies within the pause',
    ]);
  });

  test('behavior: nor with versions of before, asked after the trip had answered', () => {
    const stale = at('allow', 9, { startedMs: 106, endedMs: 199 });
    expect(violations([...pause, stale])).toEqual([
      'allow 9 was asked and allowed within the pause',
    ]);
    const racing = at('allow', 9, { startedMs: 105, endedMs: 199 });
    expect(violations([...pause, racing])).toEqual([]);
  });

  test('behavior: two commits of one version, and one that skips a version, are no history', () => {
    expect(violations([commit('allow', 1), commit('allow', 1)])).toEqual([
      'two commits gave one version',
    ]);
    expect(violations([at('allow', 1, { wroteVersion: 3 })])).toEqual([
      'allow 1 was decided on 1 and committed as 3',
    ]);
  });
});

describe('reserveWithdrawals while a breaker opens and is closed', () => {
  test.each([SEED, SEED + 1, SEED + 2])(
    'P6: no allow between the commit of a trip and that of its resume, seed %i',
    async (seed) => {
      const history = await play(seed);
      expect(violations(history)).toEqual([]);
      const trips = versionOf(history, 'trip');
      const resumes = versionOf(history, 'resume');
      expect([trips.length, resumes.length]).toEqual([PAUSES, PAUSES]);
      // It is no empty history: allows before, between and after, refusals within.
      const allows = versionOf(history, 'allow');
      for (const [number, tripped] of trips.entries()) {
        const before = resumes[number - 1] ?? 0;
        expect(allows.some((version) => version > before && version < tripped)).toBe(true);
      }
      expect(allows.some((version) => version > (resumes.at(-1) ?? 0))).toBe(true);
      const paused = history.filter(({ what }) => what.endsWith(' paused'));
      expect(paused.length).toBeGreaterThan(PAUSES);
    },
  );

  test('behavior: callers who do not look at gates are found out', async () => {
    const wrong = violations(await play(SEED, gateless));
    expect(wrong.some((line) => line.endsWith('lies within the pause'))).toBe(true);
  });
});
