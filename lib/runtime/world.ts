/** Everything that the functions need, composed once per process. The embedded runtime composes its own. */

import type { Deps as DecisionDeps } from '../actions/commit-decision.ts';
import { createLeasesInForce } from '../actions/leases-in-force.ts';
import { createPolicyInForce } from '../actions/policy-in-force.ts';
import type { Deps as ReserveDeps } from '../actions/reserve-withdrawals.ts';
import { fromCompiled } from '../adapters/compiled-policy.ts';
import type {
  AdmissionSigner,
  Clock,
  DeadLetters,
  Digest,
  EventSender,
  Ids,
  Notifier,
  PolicyCompiler,
  QueueDepths,
  Redelivery,
  RejectQueue,
  Store,
} from '../ports.ts';
import { type Metrics, UNMEASURED } from './metrics.ts';

/** The parts that a world is made of. */
export type Parts = {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly digest: Digest;
  readonly notifier: Notifier;
  readonly events: EventSender;
  readonly rejects: RejectQueue;
  readonly deadLetters: DeadLetters;
  readonly redelivery: Redelivery;
  readonly signer: AdmissionSigner;
  readonly log: Log;
  readonly sleep: (ms: number) => Promise<void>;
  readonly random: () => number;
  /** Absent: nothing is measured. */
  readonly metrics?: Metrics;
  /** For a diagnosis. Absent: it says that it cannot see them. */
  readonly queues?: QueueDepths;
};

/** Structured logging: one line per decision, amounts as strings, no secrets. */
export type Log = {
  readonly info: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly error: (message: string, fields: Readonly<Record<string, unknown>>) => void;
};

/** Parts, and what actions take from them. */
export type World = Parts & {
  readonly metrics: Metrics;
  readonly decision: DecisionDeps;
  readonly reserve: ReserveDeps;
};

/** The world of the one function that puts policies in force: it alone reads what people write. */
export type OperatorWorld = World & { readonly compilePolicy: PolicyCompiler };

/** Composes a world. */
export function createWorld(parts: Parts): World {
  const { store, clock, ids, digest, sleep, random, signer, metrics = UNMEASURED } = parts;
  const { decisions, policies, health, alerts } = store;
  const policy = createPolicyInForce({ decisions, policies, parse: fromCompiled });
  const decision = { decisions, policy, clock, ids, digest, sleep, random };
  const leases = createLeasesInForce({ health, clock });
  return { ...parts, metrics, decision, reserve: { ...decision, leases, alerts, signer } };
}
