/**
 * The in-memory store behind a network, as the adapter for DynamoDB meets it: every call travels,
 * may be lost, throttled or late, and is sent again with identical bytes within the adapter's bounds.
 * A batch read is not one instant, as a BatchGetItem is none; a transaction is.
 */

import { checkClock } from '../../lib/adapters/dynamodb/clock-guard.ts';
import { UnavailableError } from '../../lib/adapters/store-errors.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import type { DecisionStore, Keys, Store } from '../../lib/ports.ts';
import { drawFate, type Fate, type Rates } from './faults.ts';
import type { Process } from './host.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import type { Throughput } from './throughput.ts';

/** What a store is reached through. */
export type Network = {
  readonly scheduler: Scheduler;
  readonly process: Process;
  readonly random: Random;
  readonly rates: () => Rates;
  readonly throughput: Throughput;
  /** Told of each load at the instant at which its first and its last part were read. */
  readonly onLoad: (span: { readonly fromMs: number; readonly toMs: number }) => void;
};

/** How often and how long the adapter sends the same bytes (`lib/adapters/dynamodb/connection.ts`). */
const ATTEMPTS_MAX = 5;
const BUDGET_MS = 3_000;
const TIMEOUT_MS = 1_000;
const LATE_MAX_MS = 25_000;

/** An item of the transaction takes no more in this second: nothing is written, and it is tried again. */
const HOT: unique symbol = Symbol('hot');

/** The store as one process sees it. */
export function createFaultyStore(store: Store, network: Network): Store {
  const read = <T>(execute: () => Promise<T>) => exchange(network, { kind: 'read' }, execute);
  const write = <T>(execute: () => Promise<T>) => exchange(network, { kind: 'write' }, execute);
  const { process, random, rates } = network;
  const { policies, incidents, health, alerts, held, graces, projections, watches } = store;
  return {
    ...store,
    decisions: createDecisions(store.decisions, network),
    policies: { load: (version) => read(() => policies.load(version)) },
    incidents: { ...incidents, get: (id) => read(() => incidents.get(id)) },
    health: {
      heartbeat: () => read(() => health.heartbeat()),
      stuckAtMs: () => read(() => health.stuckAtMs()),
      noteStuck: (atMs) => write(() => health.noteStuck(atMs)),
      sights: (chains) => read(() => health.sights(chains)),
      noteSight: (chain, sight) => write(() => health.noteSight(chain, sight)),
      leases: () => read(() => health.leases()),
      renew: (leases, atMs) => write(() => health.renew(leases, atMs)),
    },
    watches: {
      load: (chain) => read(() => watches.load(chain)),
      save: async (state) => {
        // Between what is counted and what is remembered of it lies the worst moment to die.
        if (random.chance(rates().dying)) process.crash();
        await process.wait(0);
        return write(() => watches.save(state));
      },
    },
    alerts: { raise: (alert) => read(() => alerts.raise(alert)) },
    held: { ...held, heads: (...of) => read(() => held.heads(...of)) },
    graces: { over: (...of) => read(() => graces.over(...of)) },
    projections: {
      ...projections,
      isPaged: (pageId) => read(() => projections.isPaged(pageId)),
      markPaged: (pageId, atMs) => read(() => projections.markPaged(pageId, atMs)),
    },
  };
}

function createDecisions(decisions: DecisionStore, network: Network): DecisionStore {
  const { scheduler, random, rates } = network;
  return {
    load: (keys) =>
      exchange(network, { kind: 'read' }, async () => {
        const fromMs = scheduler.nowMs();
        const loaded = random.chance(rates().torn)
          ? await loadTorn(decisions, keys, network)
          : await decisions.load(keys);
        network.onLoad({ fromMs, toMs: scheduler.nowMs() });
        return loaded;
      }),
    commit: (changes) =>
      exchange<'committed' | 'conflict'>(
        network,
        { kind: 'write', conflict: 'conflict' },
        async () =>
          network.throughput.take(changes) ? decisions.commit(changes) : Promise.reject(HOT),
      ),
  };
}

/** Reads some of it now and the rest a moment later; queues come after all items, as in the adapter. */
async function loadTorn(
  decisions: DecisionStore,
  keys: Keys,
  { process, random }: Network,
): Promise<Ledger.Loaded> {
  const isFirst = new Map([...keys.rows, ...keys.items].map((key) => [key, random.chance(0.5)]));
  const part = (first: boolean) => ({
    rows: keys.rows.filter((key) => isFirst.get(key) === first),
    items: keys.items.filter((key) => isFirst.get(key) === first),
  });
  const one = await decisions.load({ ...part(true), facts: keys.facts });
  await process.wait(random.int(150));
  const other = await decisions.load(part(false));
  const rows = new Map([...one.rows, ...other.rows]);
  const { gates = [] } = keys;
  const last = gates.length > 0 ? await decisions.load({ rows: [], items: gates }) : undefined;
  const items = new Map([...one.items, ...other.items, ...(last?.items ?? [])]);
  const facts = one.facts ? { facts: one.facts } : {};
  if (!keys.queues || keys.queues.length === 0) return { rows, items, ...facts };
  // Which queues are used only the items tell, that were read before.
  const used = keys.queues.filter(({ scope, limitId }) =>
    items.get(scope)?.waiting?.some((each) => each.limitId === limitId),
  );
  const scopes = used.map(({ scope }) => scope);
  const { queues } = await decisions.load({ rows: [], items: scopes, queues: used });
  return { rows, items, ...(queues ? { queues } : {}), ...facts };
}

/** One call with everything that may go wrong on its way; `conflict`: the answer while another transaction is at work. */
async function exchange<T>(
  network: Network,
  { kind, conflict }: { readonly kind: 'read' | 'write'; readonly conflict?: T },
  execute: () => Promise<T>,
): Promise<T> {
  const { process, random, rates } = network;
  const startedMs = process.nowMs();
  for (let attempt = 1; ; attempt += 1) {
    const fate = drawFate(random, rates(), kind);
    if (mayDie(network)) await process.wait(0);
    if (fate === 'conflict' && conflict !== undefined) {
      await process.wait(travelMs(network));
      return conflict;
    }
    const sent = await send(network, fate, execute);
    if (sent) return sent.answer;
    const isOver = process.nowMs() - startedMs >= BUDGET_MS || attempt >= ATTEMPTS_MAX;
    if (isOver) throw new UnavailableError({ operation: kind, reason: fate, attempts: attempt });
    await process.wait(random.next() * Math.min(25 * 2 ** attempt, 500));
  }
}

/** The answer, where one came. */
async function send<T>(
  network: Network,
  fate: Fate,
  execute: () => Promise<T>,
): Promise<{ readonly answer: T } | undefined> {
  const { process, scheduler, random } = network;
  const sentAtMs = process.nowMs();
  if (fate === 'throttled') await process.wait(travelMs(network));
  if (fate === 'late' || fate === 'twice') {
    const arrivesMs = scheduler.nowMs() + random.int(LATE_MAX_MS);
    scheduler.at(arrivesMs, () => void execute().catch(() => undefined));
  }
  if (fate === 'down' || fate === 'lost-request' || fate === 'late') await process.wait(TIMEOUT_MS);
  if (fate !== 'fine' && fate !== 'twice' && fate !== 'lost-reply') return undefined;
  const answer = await arrive(network, execute).catch((error): typeof HOT => {
    if (error !== HOT) throw error;
    return HOT;
  });
  if (isHot(answer)) {
    await process.wait(travelMs(network));
    return undefined;
  }
  if (fate === 'lost-reply') {
    await process.wait(TIMEOUT_MS);
    return undefined;
  }
  const date = dateAt(scheduler.nowMs());
  await process.wait(travelMs(network));
  if (mayDie(network)) await process.wait(0);
  checkClock(date, { sentAtMs, receivedAtMs: process.nowMs() });
  return { answer };
}

function isHot(answer: unknown): answer is typeof HOT {
  return answer === HOT;
}

/** A request arrives whether its sender lives or not. */
function arrive<T>(network: Network, execute: () => Promise<T>): Promise<T> {
  const { scheduler } = network;
  return new Promise((resolve, reject) => {
    scheduler.at(scheduler.nowMs() + travelMs(network), () => {
      execute().then(resolve, reject);
    });
  });
}

function travelMs({ random, rates }: Network): number {
  return random.chance(rates().slow) ? random.int(900) : 1 + random.int(8);
}

/** Whether something became of the process. */
function mayDie({ process, random, rates }: Network): boolean {
  const dies = random.chance(rates().crash);
  if (dies) process.crash();
  const freezes = !dies && random.chance(rates().freeze);
  if (freezes) process.freeze(random.int(25_000));
  return dies || freezes;
}

let known = { second: 0, date: '' };

/** The header of an answer, which names the second. */
function dateAt(nowMs: number): string {
  const second = Math.floor(nowMs / 1_000);
  if (known.second !== second) known = { second, date: new Date(nowMs).toUTCString() };
  return known.date;
}
