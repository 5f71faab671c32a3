/** Everything that the functions need, composed once per process. The embedded runtime composes its own. */

import type { Deps as CarryOutDeps } from '../actions/carry-out-due.ts';
import type { Deps as DecisionDeps } from '../actions/commit-decision.ts';
import { createLeasesInForce } from '../actions/leases-in-force.ts';
import type { Deps as CeremonyDeps } from '../actions/look-at-proposal.ts';
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
  Signatures,
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
  /** To carry out what operators have signed, when it is due. */
  readonly carryOut: CarryOutDeps;
};

/** The world of the one function that people command: it alone reads policies as written, and signatures. */
export type OperatorWorld = World & {
  readonly compilePolicy: PolicyCompiler;
  readonly ceremony: CeremonyDeps;
};

/** Composes a world. */
export function createWorld(parts: Parts): World {
  const { store, clock, ids, digest, sleep, random, signer, metrics = UNMEASURED } = parts;
  const { decisions, policies, health, alerts } = store;
  const policy = createPolicyInForce({ decisions, policies, parse: fromCompiled });
  const decision = { decisions, policy, clock, ids, digest, sleep, random };
  const leases = createLeasesInForce({ health, clock });
  const { incidents, proposals } = store;
  return {
    ...parts,
    metrics,
    decision,
    reserve: { ...decision, leases, alerts, signer },
    carryOut: { ...decision, incidents, proposals, parsePolicy: fromCompiled },
  };
}

/** Lets a world be commanded by people. */
export function operatedBy(
  world: World,
  means: { readonly compilePolicy: PolicyCompiler; readonly signatures: Signatures },
): OperatorWorld {
  const { compilePolicy, signatures } = means;
  return { ...world, compilePolicy, ceremony: { ...world.carryOut, signatures } };
}
