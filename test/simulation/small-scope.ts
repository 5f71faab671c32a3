/**
 * Every interleaving of two workers over three events — a reservation, its repeat, a report — with at
 * most one crash, lost request or lost reply anywhere. No seed: all of them, one after the other.
 */

import { commitDecision, type Deps } from '../../lib/actions/commit-decision.ts';
import { createMemoryStore } from '../../lib/adapters/memory/store.ts';
import { nodeDigest } from '../../lib/adapters/node-digest.ts';
import { UnavailableError } from '../../lib/adapters/store-errors.ts';
import * as Decision from '../../lib/domain/decision.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import * as Reservation from '../../lib/domain/reservation.ts';
import type { DecisionStore, Store } from '../../lib/ports.ts';
import * as Build from '../support/builders.ts';

/** What goes wrong at one call of one worker. */
export type Accident = 'crash-before' | 'crash-after' | 'lost-request' | 'lost-reply';

/** What became of one interleaving. */
export type Run = {
  /** Which worker went on at each step, and how many could have. */
  readonly choices: readonly { readonly taken: number; readonly of: number }[];
  readonly calls: number;
  readonly allows: number;
  readonly loaded: Ledger.Loaded;
  readonly incidents: number;
  readonly acknowledged: readonly string[];
};

/** Sizes of the reservation and the report: each fits the limit alone, and both do not. */
const DOLLARS = { reserved: 600, reported: 700 };
/** What every interleaving is judged by. */
export const RULES = Build.policy({ limits: [Build.limit({ allowed: Build.usd(1_000) })] });

type Step = () => void;

/** A process died. */
class DeathError extends Error {
  override readonly name = 'SmallScope.DeathError';
}

/**
 * Runs one interleaving: at each step the worker that `path` names goes on, and the first that can
 * where it names none. `accident.at` counts calls to the store over both workers.
 */
export async function interleave(
  path: readonly number[],
  accident?: { readonly at: number; readonly what: Accident },
): Promise<Run> {
  const store = createMemoryStore();
  const waiting = new Map<number, Step>();
  const choices: { taken: number; of: number }[] = [];
  const done = { calls: 0, allows: 0, acknowledged: [] as string[] };
  const turn = (worker: number) =>
    new Promise<void>((resolve) => {
      waiting.set(worker, resolve);
    });
  const call = async <T>(worker: number, execute: () => Promise<T>): Promise<T> => {
    await turn(worker);
    done.calls += 1;
    const here = accident?.at === done.calls ? accident.what : undefined;
    if (here === 'crash-before') throw new DeathError();
    if (here === 'lost-request') {
      throw new UnavailableError({ operation: 'any', reason: 'lost', attempts: 1 });
    }
    const answer = await execute();
    if (here === 'crash-after') throw new DeathError();
    if (here === 'lost-reply') {
      throw new UnavailableError({ operation: 'any', reason: 'lost', attempts: 1 });
    }
    return answer;
  };
  const workers = [0, 1].map((worker) => work(worker, { store, call, done }));
  let running = 2;
  const ended = Promise.all(workers.map((worker) => worker.finally(() => (running -= 1))));
  while (running > 0) {
    await new Promise((resolve) => setImmediate(resolve));
    const ready = [...waiting.keys()].sort();
    if (ready.length === 0) continue;
    const taken = path[choices.length] ?? 0;
    choices.push({ taken, of: ready.length });
    const worker = ready[taken] ?? 0;
    const step = waiting.get(worker);
    waiting.delete(worker);
    step?.();
  }
  await ended;
  const { calls, allows, acknowledged } = done;
  const loaded = await everything(store);
  const incidents = (await store.incidents.list(100)).length;
  return { choices, calls, allows, loaded, incidents, acknowledged };
}

type Here = {
  readonly store: Store;
  readonly call: <T>(worker: number, execute: () => Promise<T>) => Promise<T>;
  readonly done: { allows: number; readonly acknowledged: string[] };
};

/** Worker 0 reserves; worker 1 reserves the same and records the report. Each event comes again until it is answered. */
async function work(worker: number, here: Here): Promise<void> {
  await untilAnswered('reserve', here, () => reserve(depsOf(worker, here), here));
  if (worker === 1) await untilAnswered('report', here, () => report(depsOf(worker, here)));
}

/** A queue or a client: what failed, or died, is asked for again. */
async function untilAnswered(
  event: string,
  { done }: Here,
  act: () => Promise<unknown>,
): Promise<void> {
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    try {
      await act();
      done.acknowledged.push(event);
      return;
    } catch (error) {
      if (!(error instanceof DeathError || error instanceof UnavailableError)) throw error;
    }
  }
}

function depsOf(worker: number, { store, call }: Here): Deps {
  const decisions: DecisionStore = {
    load: (keys) => call(worker, () => store.decisions.load(keys)),
    commit: (changes) => call(worker, () => store.decisions.commit(changes)),
  };
  const known = { version: 0, hash: '', policy: RULES };
  const given = async () => known;
  return {
    decisions,
    policy: { current: given, adopt: given, refresh: given },
    clock: { nowMs: () => Build.T0_MS },
    ids: { decisionId: nextId, incidentId: nextId, stackId: nextId },
    digest: nodeDigest,
    sleep: async () => undefined,
    random: () => 0,
  };
}

let count = 0;

function nextId(): string {
  count += 1;
  return `id-${count}`;
}

async function reserve(deps: Deps, { done }: Here): Promise<void> {
  const withdrawal = Build.withdrawal('reserved', { amount: Build.usd(DOLLARS.reserved) });
  const asks = [{ withdrawal, bodyHash: Build.incoming(withdrawal).bodyHash }];
  const leases = { [Build.CHAIN]: Build.T0_MS + Build.DAY_MS };
  const [verdict] = await commitDecision(deps, {
    keys: (policy) => Reservation.keys(policy, asks),
    decide: (context, loaded) => {
      const { verdicts, changes } = Reservation.decide({ ...context, leases }, loaded, asks);
      return { result: verdicts, changes };
    },
  });
  if (verdict?.kind === 'allow') done.allows += 1;
}

async function report(deps: Deps): Promise<void> {
  const amount = Build.usd(DOLLARS.reported);
  const events = [Build.incoming(Build.withdrawal('reported', { amount }))];
  await commitDecision(deps, {
    keys: (policy) => Decision.keys(policy, events),
    further: (policy, rows) => Decision.further(policy, rows, events),
    decide: (context, loaded) => {
      const { outcomes, changes } = Decision.decide(context, loaded, events);
      return { result: outcomes, changes };
    },
  });
}

async function everything(store: Store): Promise<Ledger.Loaded> {
  return store.decisions.load({
    rows: ['withdrawal:reserved', 'withdrawal:reported'],
    items: ['global', 'wallet:hot-1', 'actor:customer-1'],
  });
}

/** The next path in the tree of all interleavings, or nothing where this was the last. */
export function nextPath(choices: Run['choices']): readonly number[] | undefined {
  for (let at = choices.length - 1; at >= 0; at -= 1) {
    const choice = choices[at];
    if (!choice || choice.taken + 1 >= choice.of) continue;
    return [...choices.slice(0, at).map(({ taken }) => taken), choice.taken + 1];
  }
  return undefined;
}

/** Runs all of them, and hands each to `judge`. @returns how many there were. */
export async function exhaust(
  accident: { readonly at: number; readonly what: Accident } | undefined,
  judge: (run: Run) => void,
): Promise<{ readonly runs: number; readonly calls: number }> {
  let runs = 0;
  let calls = 0;
  for (let path: readonly number[] | undefined = []; path; ) {
    const run: Run = await interleave(path, accident);
    judge(run);
    runs += 1;
    calls = Math.max(calls, run.calls);
    path = nextPath(run.choices);
  }
  return { runs, calls };
}
