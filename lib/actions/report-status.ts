/** What is the case, for people: why, since when, until when, who can lift it. */

import type { Incident } from '../domain/breaker.ts';
import type { Leases } from '../domain/flag.ts';
import * as Health from '../domain/health.ts';
import type { Heartbeat } from '../domain/ledger.ts';
import type { Mode, Policy, Resume } from '../domain/policy.ts';
import type { Clock, DeadLetters, HealthStore, IncidentStore } from '../ports.ts';
import type { PolicyInForce } from './policy-in-force.ts';

/** What reporting needs. */
export type Deps = {
  readonly incidents: IncidentStore;
  readonly health: HealthStore;
  readonly deadLetters: DeadLetters;
  readonly policy: PolicyInForce;
  readonly clock: Clock;
};

/** The state of the whole stack. */
export type Status = {
  readonly atMs: number;
  readonly policy: {
    readonly name: string;
    readonly version: number;
    readonly hash: string;
    readonly mode: Mode;
    /** `trial`: one operator alone may resume. */
    readonly resume: Resume['kind'];
  };
  readonly open: readonly Incident[];
  /** Per chain with wallets: until when its flag is in force; absent: no proof of health yet. */
  readonly chains: readonly {
    readonly chain: string;
    readonly inForce: boolean;
    readonly untilMs?: number;
    /** Whether anything looks at the chain itself; without it only reported outflow is seen. */
    readonly watched: boolean;
  }[];
  readonly heartbeat?: Heartbeat;
  /** Why leases are not renewed now; absent while they are. */
  readonly unproven?: string;
  /** The one-line answer: `enabled`, `paused`, `lapsed`, `no-policy`. */
  readonly summary: 'enabled' | 'paused' | 'lapsed' | 'no-policy';
};

/** Incidents looked through for open ones. */
const INCIDENTS_MAX = 1_000;

/** Reads the status. A dead-letter queue that cannot be read is named as such and fails nothing. */
export async function reportStatus(deps: Deps): Promise<Status> {
  const { policy, version, hash } = await deps.policy.refresh();
  const [incidents, leases, heartbeat, deadLetters] = await Promise.all([
    deps.incidents.list(INCIDENTS_MAX),
    deps.health.leases(),
    deps.health.heartbeat(),
    deps.deadLetters.count().catch(() => undefined),
  ]);
  const atMs = deps.clock.nowMs();
  const open = incidents.filter((incident) => incident.state === 'open');
  const chains = chainsOf(policy, leases, atMs);
  const unproven = whyUnproven(policy, { heartbeat, deadLetters, nowMs: atMs });
  const lapsed = chains.some((chain) => !chain.inForce);
  const blocked = open.length > 0 ? 'paused' : lapsed ? 'lapsed' : 'enabled';
  return {
    atMs,
    policy: { name: policy.name, version, hash, mode: policy.mode, resume: policy.resume.kind },
    open,
    chains,
    ...(heartbeat ? { heartbeat } : {}),
    ...(unproven === undefined ? {} : { unproven }),
    summary: version === 0 ? 'no-policy' : blocked,
  };
}

function chainsOf(policy: Policy, leases: Leases, atMs: number): Status['chains'] {
  return Health.chainsOf(policy).map((chain) => {
    const untilMs = Object.hasOwn(leases, chain) ? leases[chain] : undefined;
    const inForce = untilMs !== undefined && untilMs > atMs;
    return { chain, inForce, watched: false, ...(untilMs === undefined ? {} : { untilMs }) };
  });
}

function whyUnproven(
  policy: Policy,
  seen: {
    readonly heartbeat: Heartbeat | undefined;
    readonly deadLetters: number | undefined;
    readonly nowMs: number;
  },
): string | undefined {
  const { heartbeat, deadLetters, nowMs } = seen;
  if (deadLetters === undefined) return 'the dead-letter queue could not be read';
  const { leaseMs } = policy.timing;
  const proof = Health.prove({ chains: [], leaseMs, heartbeat, deadLetters, nowMs });
  return proof.kind === 'unproven' ? proof.why : undefined;
}
