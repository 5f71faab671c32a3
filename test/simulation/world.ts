/** The world of one schedule: hosts whose processes run the real actions, over one store, one queue and one chain. */

import type { Deps as DecisionDeps } from '../../lib/actions/commit-decision.ts';
import { createLeasesInForce } from '../../lib/actions/leases-in-force.ts';
import { createPolicyInForce, type PolicyInForce } from '../../lib/actions/policy-in-force.ts';
import type { Entry } from '../../lib/actions/record-batch.ts';
import type { Deps as ReserveDeps } from '../../lib/actions/reserve-withdrawals.ts';
import { createMemoryStore } from '../../lib/adapters/memory/store.ts';
import { nodeDigest } from '../../lib/adapters/node-digest.ts';
import type {
  AdmissionSigner,
  ControlRecord,
  DecisionStore,
  Digest,
  Ids,
  Store,
  WatchStore,
} from '../../lib/ports.ts';
import { CHAIN, DAY_MS } from '../support/builders.ts';
import { NO_FAULTS, type Rates } from './faults.ts';
import { createFaultyStore } from './faulty-store.ts';
import { createHost, type Host, type Process } from './host.ts';
import type { Plan } from './plan.ts';
import { LEASE_MS, readPolicy } from './policies.ts';
import { createRandom, mixSeeds, type Random } from './random.ts';
import { asReadBy, type Written } from './releases.ts';
import { createScheduler, type Scheduler } from './scheduler.ts';
import { createThroughput, type Throughput } from './throughput.ts';
import { see, type Witness } from './witness.ts';

/** Everything that one schedule runs in. */
export type World = {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** The store itself, without a network before it. */
  readonly store: Store;
  readonly witness: Witness;
  readonly hosts: readonly Host[];
  readonly ids: Ids;
  readonly rates: () => Rates;
  readonly throughput: Throughput;
  readonly written: Written;
  /** From now on everything goes wrong as planned, or nothing any more. */
  readonly fail: () => void;
  readonly heal: () => void;
  readonly invoke: (host: Host) => Invocation;
  /** Told of every change of the control rows, in order. */
  readonly onControl: (listener: (record: ControlRecord) => void) => void;
};

/** What one invocation works with. */
export type Invocation = {
  readonly process: Process;
  readonly store: Store;
  readonly deps: DecisionDeps;
  readonly reserve: ReserveDeps;
  /** When it read last, true time. */
  readonly lastRead: () => { readonly fromMs: number; readonly toMs: number };
};

/** What is known of the world beside events: kinds of entries that a queue may hold. */
export type Body = {
  readonly entry: (waited: Waited) => Entry;
  readonly unit?: number;
  /** Whoever reads it dies. */
  readonly kills?: true;
};

/** How long a message and the oldest of its batch have waited, by the clock of whoever reads them. */
export type Waited = { readonly lagMs: number; readonly oldestMs: number; readonly nowMs: number };

/** Time in which the first policy comes into force, before anything else. */
const LEAD_MS = 60_000;

const hashes = new Map<string, number>();

/** The real hashes; short ones, which every charge asks for again, are remembered. */
const DIGEST: Digest = {
  hash: nodeDigest.hash,
  shortHash: (text) => {
    const known = hashes.get(text) ?? nodeDigest.shortHash(text);
    hashes.set(text, known);
    return known;
  },
};

/** A signer whose admissions can be read, and which nobody would believe elsewhere. */
const SIGNER: AdmissionSigner = {
  sign: async (claims) => JSON.stringify(claims),
  jwks: async () => ({ keys: [] }),
  issuer: 'simulation',
};

/** A world at the start of its schedule: no policy, leases for a day. */
export function createSimulated(plan: Plan, witness: Witness): World {
  const random = createRandom(mixSeeds(plan.seed, 2));
  const scheduler = createScheduler(plan.startMs - LEAD_MS, createRandom(mixSeeds(plan.seed, 3)));
  let rates = NO_FAULTS;
  let listener: (record: ControlRecord) => void = () => undefined;
  const memory = createMemoryStore({ onControlChange: (record) => listener(record) });
  const decisions = witnessed(memory.decisions, { witness, scheduler });
  const watches: WatchStore = {
    ...memory.watches,
    save: async (state) => {
      const saved = await memory.watches.save(state);
      if (saved === 'saved') witness.sightMs = Math.max(witness.sightMs, state.cursor.timestampMs);
      return saved;
    },
  };
  const store = { ...memory, decisions, watches };
  const world: World = {
    plan,
    scheduler,
    random,
    store,
    witness,
    hosts: plan.skewsMs.map((skewMs) => createHost(scheduler, skewMs)),
    ids: createIds(plan),
    rates: () => rates,
    throughput: createThroughput(scheduler.nowMs, () =>
      rates === NO_FAULTS ? Number.MAX_VALUE : plan.itemUnits,
    ),
    written: new Set(),
    fail: () => {
      rates = plan.rates;
    },
    heal: () => {
      rates = NO_FAULTS;
      for (const host of world.hosts) {
        host.setClock(0);
        if (plan.isDeployed) host.deploy('newer');
      }
    },
    invoke: (host) => invoke(world, policies, host),
    onControl: (next) => {
      listener = next;
    },
  };
  const policies = new WeakMap<Process, PolicyInForce>();
  const untilMs = plan.startMs + (plan.isLeased ? LEASE_MS : DAY_MS);
  void memory.health.renew({ [CHAIN]: untilMs }, plan.startMs);
  return world;
}

/** The store with somebody who sees each commit when it takes place, once. */
function witnessed(
  decisions: DecisionStore,
  { witness, scheduler }: Pick<World, 'witness' | 'scheduler'>,
): DecisionStore {
  const seen = new Set<string>();
  return {
    load: decisions.load,
    commit: async (changes) => {
      const result = await decisions.commit(changes);
      if (result === 'committed' && !seen.has(changes.decisionId)) {
        seen.add(changes.decisionId);
        see(witness, changes, scheduler.nowMs());
      }
      return result;
    },
  };
}

function invoke(world: World, policies: WeakMap<Process, PolicyInForce>, host: Host): Invocation {
  const { scheduler, random } = world;
  const process = host.process();
  let last = { fromMs: scheduler.nowMs(), toMs: scheduler.nowMs() };
  const { rates, throughput } = world;
  const network = { scheduler, process, random, rates, throughput };
  const read = asReadBy(world.store, process.release, world.written);
  const store = createFaultyStore(read, {
    ...network,
    onLoad: (span) => {
      last = span;
    },
  });
  const clock = { nowMs: process.nowMs };
  // A process knows its policy for as long as it lives; what it reads for it is no read of this invocation.
  const own = createFaultyStore(read, { ...network, onLoad: () => undefined });
  const policy = policies.get(process) ?? createPolicyInForce({ ...own, parse: readPolicy });
  policies.set(process, policy);
  const deps: DecisionDeps = {
    decisions: store.decisions,
    policy,
    clock,
    ids: world.ids,
    digest: DIGEST,
    sleep: process.wait,
    random: random.next,
  };
  const leases = createLeasesInForce({ health: store.health, clock });
  const reserve = { ...deps, leases, alerts: store.alerts, signer: SIGNER };
  return { process, store, deps, reserve, lastRead: () => last };
}

/** Ids that are counted: the same in every run of a seed. */
function createIds(plan: Plan): Ids {
  let count = 0;
  const next = () => {
    count += 1;
    return `${plan.seed}-${count.toString(36).padStart(6, '0')}`;
  };
  return {
    decisionId: next,
    stackId: next,
    incidentId: (nowMs) => `${nowMs.toString(36).padStart(9, '0')}-${next()}`,
  };
}
