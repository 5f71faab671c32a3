/** A Breakwater without engine, queue or functions: the same actions over the in-memory store, on one clock. */

import { type Deps, operateBreaker } from '../../actions/operate-breaker.ts';
import { createPolicyInForce } from '../../actions/policy-in-force.ts';
import { readFlag } from '../../actions/read-flag.ts';
import { recordEvents } from '../../actions/record-events.ts';
import { fromCompiled } from '../../adapters/compiled-policy.ts';
import { createMemoryStore } from '../../adapters/memory/store.ts';
import { nodeDigest } from '../../adapters/node-digest.ts';
import { nodeIds } from '../../adapters/node-ids.ts';
import { compilePolicy } from '../../adapters/policy-file/compile.ts';
import { fromEnvelope } from '../../adapters/wire/event.ts';
import { chainsOf } from '../../domain/health.ts';
import { canonicalBody } from '../../domain/withdrawal.ts';
import type { Clock, HealthStore } from '../../ports.ts';
import { questionOf } from './question.ts';
import type { Sent, Stage } from './run.ts';
import type { TimelineItem } from './timeline.ts';

/** Incidents looked through for open ones. */
const INCIDENTS_MAX = 100;

/** A stage, and the means of an operator on it. */
export type MemoryStage = Stage & {
  /** Closes every breaker that is open: an operator who finds nothing wrong. */
  readonly resumeAll: () => Promise<void>;
};

/** Builds a stage with a policy in force at `startMs`. Events are decided one by one, as they come. */
export async function createMemoryStage(parameters: {
  readonly policySource: string;
  readonly startMs: number;
}): Promise<MemoryStage> {
  const { policySource: source, startMs } = parameters;
  let nowMs = startMs;
  const clock = { nowMs: () => nowMs };
  const { deps, health } = createDeps(clock);
  const hash = nodeDigest.hash(source);
  const apply = { kind: 'apply-policy', commandId: 'replay', source, hash } as const;
  await operateBreaker(deps, { command: apply, actor: 'replay' });
  const { policy } = await deps.policy.refresh();
  const chains = chainsOf(policy);
  const { decisions, incidents } = deps;
  return {
    policy,
    advanceTo: async (atMs) => {
      nowMs = Math.max(nowMs, atMs);
      const untilMs = nowMs + policy.timing.leaseMs;
      await health.renew(Object.fromEntries(chains.map((chain) => [chain, untilMs])), nowMs);
    },
    flag: (item) => readFlag({ decisions, health, policy: deps.policy, clock }, questionOf(item)),
    incident: (incidentId) => incidents.get(incidentId),
    send: (item) => send(deps, item),
    resumeAll: () => resumeAll(deps),
  };
}

function createDeps(clock: Clock): { readonly deps: Deps; readonly health: HealthStore } {
  const { decisions, policies, incidents, health } = createMemoryStore();
  const policy = createPolicyInForce({ decisions, policies, parse: fromCompiled });
  const deps = {
    decisions,
    policy,
    clock,
    incidents,
    compilePolicy,
    ids: nodeIds,
    digest: nodeDigest,
    sleep: async () => undefined,
    random: () => 0,
  };
  return { deps, health };
}

async function send(deps: Deps, item: TimelineItem): Promise<Sent> {
  const event = fromEnvelope({ 'detail-type': item.detailType, detail: item.detail });
  if (event.kind !== 'withdrawal' && event.kind !== 'outflow') return { opened: [] };
  const bodyHash = nodeDigest.hash(canonicalBody(event.transfer));
  const [recorded] = await recordEvents(deps, [{ kind: 'transfer', event, bodyHash, lagMs: 0 }]);
  if (recorded?.kind !== 'decided') throw recorded?.error ?? new Error('nothing was recorded');
  return { opened: recorded.outcome.trips.filter((trip) => trip.opened) };
}

async function resumeAll(deps: Deps): Promise<void> {
  for (const { incidentId, state } of await deps.incidents.list(INCIDENTS_MAX)) {
    if (state !== 'open') continue;
    const commandId = `resume-${incidentId}`;
    const command = { kind: 'resume', commandId, incidentId, reason: 'false pause' } as const;
    await operateBreaker(deps, { command, actor: 'replay' });
  }
}
