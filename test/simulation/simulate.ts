/** Runs one schedule: the real actions in a world that a seed makes, and everybody who judges them. */

import { advanceSteps } from '../../lib/actions/advance-steps.ts';
import { carryOutDue } from '../../lib/actions/carry-out-due.ts';
import { releaseWhereRoom } from '../../lib/actions/release-held.ts';
import { renewLeases } from '../../lib/actions/renew-leases.ts';
import { reserveWithdrawals } from '../../lib/actions/reserve-withdrawals.ts';
import * as Build from '../support/builders.ts';
import { isPaused } from './books.ts';
import { createChain } from './chain.ts';
import {
  applyPolicy,
  begin,
  type Exchange,
  heartbeatAt,
  isMoney,
  lookAtFlag,
  redrive,
} from './exchange.ts';
import { createIngress } from './ingest.ts';
import { keysOf, slotMsOf, stoppedBy, sumOf, WIDEN_MS } from './naive.ts';
import { type Plan, planOf, type Unit } from './plan.ts';
import { readPolicy } from './policies.ts';
import { createStream } from './stream.ts';
import { judgeEnd, unitsOf } from './verdict.ts';
import { createLook, type Look, startWatching } from './watcher.ts';
import { blame, type Counts, createWitness, type Violation } from './witness.ts';
import { createSimulated, type World } from './world.ts';

/** What came of one schedule. */
export type Result = {
  readonly seed: number;
  readonly steps: number;
  readonly counts: Counts;
  readonly violations: readonly Violation[];
};

/** Between two tries of what is held, and between two looks at steps and proposals that are over. */
const HELD_MS = 15_000;
const STEP_MS = 5_000;
/** After the end everything is delivered, and what stays open is looked at. */
const REST_MS = 130_000;
/** What was stuck keeps leases from being renewed for a while. */
const LEASED_REST_MS = 215_000;
/** What is late has come by then; and heartbeats, blocks and leases are young again after this time, ms. */
const HEALED_MS = 60_000;
const LAST_LOOK_MS = 45_000;
/** Between two ticks. */
const RENEW_MS = 10_000;

/** Runs the schedule of a seed, or what is kept of it. */
export function simulate(seed: number, keep?: readonly number[]): Promise<Result> {
  const plan = planOf(seed);
  if (!keep) return run(plan);
  return run({ ...plan, operations: keep.flatMap((at) => plan.operations[at] ?? []) });
}

/** Runs a schedule to its end. */
export async function run(plan: Plan): Promise<Result> {
  const units = [...plan.operations.flatMap(unitsOf), PROBE];
  const thefts = plan.operations.flatMap((one) => (one.kind === 'theft' ? [one.unit] : []));
  const witness = createWitness(units, thefts, plan);
  const world = createSimulated(plan, witness);
  const stream = createStream(world);
  const exchange: Exchange = {
    world,
    queue: createIngress(world),
    chain: createChain(world.scheduler.nowMs),
    truth: {
      departed: new Map(),
      renounced: new Set(),
      allowed: new Set(),
      onChain: new Set(),
      gone: new Set(),
      reported: new Set(),
    },
    sequence: 0,
    commands: 0,
  };
  try {
    applyPolicy(exchange, plan.policy);
    await world.scheduler.run();
    // The first block that a watcher ever reads is the head: what came before is not its own.
    const look = createLook(world, exchange.chain);
    if (plan.isWatched) look(world.hosts[0]);
    await world.scheduler.run();
    start(exchange, look);
    await world.scheduler.run();
    await judgeEnd(
      exchange,
      stream.told.map((message) => JSON.stringify(message)),
    );
    if (exchange.queue.open() > 0) blame(witness, 'P9', `${exchange.queue.open()} events wait`);
    const aside = exchange.queue.dead(isMoney);
    if (aside > 0) blame(witness, 'P9', `${aside} events lie aside`);
    if (stream.open() > 0) blame(witness, 'P9', `${stream.open()} records wait`);
  } catch (error) {
    blame(witness, 'end', error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  const { counts, violations } = witness;
  return { seed: plan.seed, steps: world.scheduler.steps(), counts, violations };
}

function start(exchange: Exchange, look: Look): void {
  const { world } = exchange;
  const { scheduler, plan } = world;
  world.fail();
  for (const operation of plan.operations) {
    scheduler.at(operation.atMs, () => begin(exchange, operation));
  }
  for (let atMs = plan.startMs + HELD_MS; atMs < plan.endMs + REST_MS; atMs += HELD_MS) {
    scheduler.at(atMs, () => tryHeld(exchange));
  }
  for (let atMs = plan.startMs; atMs < plan.endMs + REST_MS; atMs += STEP_MS) {
    scheduler.at(atMs, () => goOn(world));
  }
  const overMs = plan.endMs + (plan.isLeased ? LEASED_REST_MS : REST_MS);
  // Long after everything has healed nothing is new until the last look.
  const isQuiet = (atMs: number) => atMs > plan.endMs + HEALED_MS && atMs < overMs - LAST_LOOK_MS;
  if (plan.isWatched) startWatching(world, exchange.chain, { look, untilMs: overMs, isQuiet });
  if (plan.isLeased) {
    for (let atMs = plan.startMs; atMs < overMs; atMs += RENEW_MS) {
      if (isQuiet(atMs)) continue;
      scheduler.at(atMs + world.random.int(2_000), () => renew(exchange));
      scheduler.at(atMs + world.random.int(RENEW_MS), () => lookAtFlag(world, PROBE));
    }
  }
  scheduler.at(plan.endMs, world.heal);
  // What nobody can read comes back until it lies aside, and then people look at it.
  for (const inMs of [5_000, 50_000, 160_000])
    scheduler.at(plan.endMs + inMs, () => redrive(exchange));
  scheduler.at(overMs, () => probe(world));
}

/** The real tick: leases by what is proven, and the next heartbeat. */
function renew({ world, queue }: Exchange): void {
  const { random, hosts } = world;
  const { deps, store } = world.invoke(random.pick(hosts));
  const { health, projections } = store;
  const events = {
    send: async ({ detail }: { readonly detail: unknown }) => {
      const sentAtMs = Date.parse((detail as { readonly sentAt: string }).sentAt);
      queue.send({ entry: (waited) => heartbeatAt(sentAtMs, waited) });
    },
  };
  const deadLetters = { count: async () => queue.dead() };
  const notifier = { send: async () => undefined };
  const renewing = { ...deps, health, projections, events, deadLetters, notifier };
  renewLeases(renewing).catch(() => undefined);
}

/** Steps that are over, and proposals whose time has come, where there are any. */
function goOn({ invoke, random, hosts, witness }: World): void {
  const { books } = witness;
  if (books.steps.size > 0) {
    const { deps, store } = invoke(random.pick(hosts));
    advanceSteps({ ...deps, incidents: store.incidents }).catch(() => undefined);
  }
  if (books.proposed.size === 0) return;
  const { deps, store } = invoke(random.pick(hosts));
  const { incidents, proposals } = store;
  const carrying = { ...deps, incidents, proposals, parsePolicy: readPolicy };
  carryOutDue(carrying).catch(() => undefined);
}

/** What is held is tried again, where anything may be. */
function tryHeld({ world }: Exchange): void {
  const { random, hosts, witness } = world;
  const limits = witness.policies.get(witness.books.policyVersion)?.limits ?? [];
  if (!limits.some(({ action }) => action.kind === 'hold')) return;
  const { reserve, store } = world.invoke(random.pick(hosts));
  releaseWhereRoom({ ...reserve, held: store.held }).catch(() => undefined);
}

/** A withdrawal that nothing stands against. */
const PROBE: Unit = {
  number: 1_000,
  withdrawalId: 'probe',
  transaction: '0xprobe',
  feeWei: 0n,
  place: 'top',
  transfer: {
    account: Build.HOT_3,
    asset: Build.USDC,
    destination: `eip155:1:0x${'e'.repeat(40)}`,
    actor: 'probe',
    amount: 1n,
  },
};

/** Where nothing is paused and every limit has room, a withdrawal is allowed: a store that refuses everything is no proof. */
function probe(world: World): void {
  const { witness, scheduler } = world;
  const { books } = witness;
  const host = world.hosts[0];
  const isStopped = (scope: string) => isPaused(books, scope) || books.steps.has(scope);
  // Where somebody has tightened anything, a limit may have less room than it says.
  if (!host || books.tightened.size > 0 || stoppedBy(PROBE).some(isStopped)) return;
  const keys = keysOf(PROBE);
  const nowMs = scheduler.nowMs();
  const limits = witness.policies.get(books.policyVersion)?.limits ?? [];
  const hasRoom = limits.every(({ scope, metric, windowMs, allowed }) => {
    if (metric === 'single') return true;
    const fromMs = nowMs - windowMs - WIDEN_MS - slotMsOf(windowMs) - 10_000;
    const charged = books.charged.get(keys[scope] ?? '') ?? [];
    return sumOf(charged, { metric, fromMs, toMs: Number.MAX_VALUE }) + 1n <= allowed;
  });
  if (!hasRoom) return;
  const { withdrawalId, transfer } = PROBE;
  const withdrawal = { kind: 'withdrawal' as const, withdrawalId, transfer };
  const asks = [{ withdrawal, bodyHash: Build.incoming(withdrawal).bodyHash }];
  void reserveWithdrawals(world.invoke(host).reserve, { asks, audience: 'signer' }).then(
    ([answer]) => {
      if (answer?.kind === 'allow') return;
      blame(
        witness,
        'P4',
        `nothing stands in the way, and the answer is ${JSON.stringify(answer?.kind)} ${answer && 'text' in answer ? answer.text : ''}`,
      );
    },
  );
}
