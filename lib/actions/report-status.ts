/** What is the case, for people: why, since when, until when, who can lift it. */

import * as Breaker from '../domain/breaker.ts';
import type { Leases } from '../domain/flag.ts';
import * as Health from '../domain/health.ts';
import type { Heartbeat } from '../domain/ledger.ts';
import * as Operators from '../domain/operators.ts';
import type { Mode, Policy, Resume } from '../domain/policy.ts';
import type * as Scope from '../domain/scope.ts';
import { scopesNamed } from '../domain/scope-doubt.ts';
import * as Step from '../domain/step.ts';
import type {
  Clock,
  DeadLetters,
  DecisionStore,
  HealthStore,
  HeldStore,
  IncidentStore,
} from '../ports.ts';
import type { PolicyInForce } from './policy-in-force.ts';

/** What reporting needs. */
export type Deps = {
  readonly decisions: DecisionStore;
  readonly incidents: IncidentStore;
  readonly health: HealthStore;
  readonly held: HeldStore;
  readonly deadLetters: DeadLetters;
  readonly policy: PolicyInForce;
  readonly clock: Clock;
};

/** An open incident. `alsoUnmatched`: unmatched outflows after its first cause, where there are any. */
export type OpenIncident = Breaker.Incident & {
  readonly alsoUnmatched?: number;
  /** Present while its breaker resumes in steps. */
  readonly step?: StepNow;
};

/** Where a resume in steps stands. */
export type StepNow = {
  /** From 1. */
  readonly number: number;
  readonly of: number;
  readonly shareBps: number;
  readonly sinceMs: number;
  /** When the next one begins, or the breaker closes. */
  readonly untilMs: number;
  readonly next: 'step' | 'closed';
  readonly chains?: readonly string[];
  readonly assets?: readonly string[];
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
    /** Of a quorum: how many have to sign. */
    readonly quorum?: number;
    /** Names of those whose signatures count. */
    readonly resumers?: readonly string[];
  };
  /** Newest first. */
  readonly open: readonly OpenIncident[];
  /** There are more open incidents than are named here. */
  readonly truncated?: true;
  /** Per chain with wallets: until when its flag is in force; absent: no proof of health yet. */
  readonly chains: readonly {
    readonly chain: string;
    readonly inForce: boolean;
    readonly untilMs?: number;
    /** Whether a watcher looks at the chain itself and sees it; without it only reported outflow is seen. */
    readonly watched: boolean;
    /** Why its watcher sees nothing, and since when; absent where it sees, or where the policy wants none. */
    readonly blind?: { readonly why: string; readonly sinceMs?: number };
  }[];
  readonly heartbeat?: Heartbeat;
  /** Withdrawals that are held; absent where none is. */
  readonly held?: Held;
  /** Why leases are not renewed now; absent while they are. */
  readonly unproven?: string;
  /** The one-line answer. `resuming`: nothing is open, and something lets through what its step allows. */
  readonly summary: 'enabled' | 'resuming' | 'paused' | 'lapsed' | 'no-policy';
};

/** Withdrawals that are held: how many, how many of them for a person, and since when. Of at most 5,000 entries of queues. */
export type Held = {
  readonly count: number;
  readonly forPeople: number;
  readonly oldestAtMs: number;
};

/** Entries of queues that are looked at; a withdrawal has one in each of its queues. */
const HELD_ENTRIES_MAX = 5_000;
/** Open incidents that are named. */
const OPEN_MAX = 1_000;
/** Gates of one read; a store takes no more than 2,000 keys. */
const GATES_MAX = 1_000;

/**
 * Reads the status. A dead-letter queue that cannot be read is named as such and fails nothing.
 * Fail direction: closed, what is open is told by the list of incidents and, for every scope that
 * the policy names, by its gate itself: `paused` if either says so.
 */
export async function reportStatus(deps: Deps): Promise<Status> {
  const { policy, version, hash } = await deps.policy.refresh();
  const [{ open, isPaused, isResuming, isWhole }, leases, heartbeat, deadLetters, held] =
    await Promise.all([
      openOf(deps, policy),
      deps.health.leases(),
      deps.health.heartbeat(),
      deps.deadLetters.count().catch(() => undefined),
      heldOf(deps),
    ]);
  const atMs = deps.clock.nowMs();
  const sights = await deps.health.sights(Health.watchedOf(policy));
  const chains = chainsOf(policy, { leases, sights, atMs });
  const unproven = whyUnproven(policy, { heartbeat, deadLetters, nowMs: atMs });
  const lapsed = chains.some((chain) => !chain.inForce);
  const flows = isResuming ? 'resuming' : 'enabled';
  const blocked = isPaused ? 'paused' : lapsed ? 'lapsed' : flows;
  return {
    atMs,
    policy: { name: policy.name, version, hash, mode: policy.mode, ...whoResumes(policy) },
    open,
    ...(isWhole ? {} : { truncated: true }),
    chains,
    ...(heartbeat ? { heartbeat } : {}),
    ...(held ? { held } : {}),
    ...(unproven === undefined ? {} : { unproven }),
    summary: version === 0 ? 'no-policy' : blocked,
  };
}

function whoResumes(policy: Policy): Pick<Status['policy'], 'resume' | 'quorum' | 'resumers'> {
  const { resume, operators } = policy;
  if (resume.kind === 'trial') return { resume: resume.kind };
  const resumers = operators.filter((one) => Operators.may(one, 'resume')).map(({ name }) => name);
  return { resume: resume.kind, quorum: resume.quorum, resumers };
}

async function heldOf(deps: Deps): Promise<Held | undefined> {
  const listed = await deps.held.list(HELD_ENTRIES_MAX);
  if (listed.length === 0) return undefined;
  const count = new Set(listed.map(({ rowId }) => rowId)).size;
  const forPeople = listed.filter(({ place }) => place === undefined).length;
  const oldestAtMs = Math.min(...listed.map(({ heldAtMs }) => heldAtMs));
  return { count, forPeople, oldestAtMs };
}

/** The list is read before the gates: an incident that opens between them shows at its gate. */
async function openOf(
  deps: Deps,
  policy: Policy,
): Promise<{
  readonly open: readonly OpenIncident[];
  readonly isPaused: boolean;
  readonly isResuming: boolean;
  readonly isWhole: boolean;
}> {
  const listed = await deps.incidents.listOpen(OPEN_MAX + 1);
  const gates = await gatesOf(deps, [...scopesNamed(policy), ...listed.map(({ scope }) => scope)]);
  const known = new Set(listed.map(({ incidentId }) => incidentId));
  const unlisted = [...gates.keys()].filter((incidentId) => !known.has(incidentId));
  const found = await Promise.all(unlisted.map((incidentId) => deps.incidents.get(incidentId)));
  const open = [
    ...found.flatMap((incident) => (incident?.state === 'open' ? [incident] : [])),
    ...listed.slice(0, OPEN_MAX),
  ].sort((left, right) => (left.incidentId < right.incidentId ? 1 : -1));
  const isHalfOpen = ({ incidentId }: Breaker.Incident) =>
    gates.get(incidentId)?.state === 'half-open';
  const stopping = open.filter((one) => one.overlay === undefined && !isHalfOpen(one));
  return {
    open: open.map((one) => withGate(one, gates.get(one.incidentId) ?? Breaker.CLOSED)),
    // An incident closed since the gate was read holds it no more; one that is not stored does.
    isPaused: stopping.length > 0 || found.some((incident) => incident === undefined),
    isResuming: open.some(isHalfOpen),
    isWhole: listed.length <= OPEN_MAX,
  };
}

function withGate(incident: Breaker.Incident, breaker: Breaker.Breaker): OpenIncident {
  const alsoUnmatched = Breaker.alsoUnmatched(breaker);
  return {
    ...incident,
    ...(alsoUnmatched > 0 ? { alsoUnmatched } : {}),
    ...(breaker.state === 'half-open' ? { step: stepNow(breaker) } : {}),
  };
}

function stepNow(breaker: Breaker.HalfOpen): StepNow {
  const { steps, step, stepSinceMs: sinceMs } = breaker;
  const { forMs: _, ...named } = Step.current(breaker);
  const next = step + 1 < steps.length ? 'step' : 'closed';
  const untilMs = Breaker.stepEndsAtMs(breaker);
  return { number: step + 1, of: steps.length, sinceMs, untilMs, next, ...named };
}

/** The breakers of these scopes that are not closed, by incident. */
async function gatesOf(
  deps: Deps,
  scopes: readonly Scope.Key[],
): Promise<ReadonlyMap<string, Breaker.Breaker>> {
  const keys = [...new Set(scopes)];
  const open = new Map<string, Breaker.Breaker>();
  for (let at = 0; at < keys.length; at += GATES_MAX) {
    const { items } = await deps.decisions.load({
      rows: [],
      items: keys.slice(at, at + GATES_MAX),
    });
    for (const { breaker } of items.values()) {
      if (breaker.state !== 'closed') open.set(breaker.incidentId, breaker);
    }
  }
  return open;
}

function chainsOf(
  policy: Policy,
  known: { readonly leases: Leases; readonly sights: Health.Sights; readonly atMs: number },
): Status['chains'] {
  const { leases, sights, atMs } = known;
  const wanted = new Set(Health.watchedOf(policy));
  const blindOf = new Map(Health.blindOf(policy, sights, atMs).map((one) => [one.chain, one]));
  return Health.chainsOf(policy).map((chain) => {
    const { chain: _, ...blind } = blindOf.get(chain) ?? { chain, why: undefined };
    const watched = wanted.has(chain) && !blindOf.has(chain);
    const untilMs = Object.hasOwn(leases, chain) ? leases[chain] : undefined;
    const inForce = untilMs !== undefined && untilMs > atMs;
    return {
      chain,
      inForce,
      watched,
      ...(blind.why === undefined ? {} : { blind: { ...blind, why: blind.why } }),
      ...(untilMs === undefined ? {} : { untilMs }),
    };
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
