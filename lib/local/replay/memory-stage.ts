/** A Breakwater without engine, queue or functions: the same actions over the in-memory store, on one clock. */

import { operateBreaker } from '../../actions/operate-breaker.ts';
import { createPolicyInForce } from '../../actions/policy-in-force.ts';
import { readFlag } from '../../actions/read-flag.ts';
import { recordEvents } from '../../actions/record-events.ts';
import { createMemoryStore } from '../../adapters/memory/store.ts';
import { nodeDigest } from '../../adapters/node-digest.ts';
import { nodeIds } from '../../adapters/node-ids.ts';
import { parsePolicy } from '../../adapters/policy-file/parse.ts';
import { fromEnvelope } from '../../adapters/wire/event.ts';
import { chainsOf } from '../../domain/health.ts';
import { canonicalBody } from '../../domain/withdrawal.ts';
import { questionOf } from './question.ts';
import type { Sent, Stage } from './run.ts';

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
  const store = createMemoryStore();
  let nowMs = parameters.startMs;
  const { decisions, policies, incidents, health } = store;
  const policy = createPolicyInForce({ decisions, policies, parse: parsePolicy });
  const clock = { nowMs: () => nowMs };
  const deps = {
    decisions,
    policy,
    clock,
    incidents,
    parsePolicy,
    ids: nodeIds,
    digest: nodeDigest,
    sleep: async () => undefined,
    random: () => 0,
  };
  const { policySource: source } = parameters;
  const apply = { kind: 'apply-policy', commandId: 'replay', source, hash: nodeDigest.hash(source) } as const;
  await operateBreaker(deps, { command: apply, actor: 'replay' });
  const inForce = await policy.refresh();
  const chains = chainsOf(inForce.policy);
  return {
    policy: inForce.policy,
    advanceTo: async (atMs) => {
      nowMs = Math.max(nowMs, atMs);
      const untilMs = nowMs + inForce.policy.timing.leaseMs;
      await health.renew(Object.fromEntries(chains.map((chain) => [chain, untilMs])), nowMs);
    },
    flag: (item) => readFlag({ decisions, health, policy, clock }, questionOf(item)),
    incident: (incidentId) => incidents.get(incidentId),
    send: async (item): Promise<Sent> => {
      const event = fromEnvelope({ 'detail-type': item.detailType, detail: item.detail });
      if (event.kind === 'heartbeat') return { opened: [] };
      const bodyHash = nodeDigest.hash(canonicalBody(event.transfer));
      const [recorded] = await recordEvents(deps, [{ kind: 'transfer', event, bodyHash, lagMs: 0 }]);
      if (recorded?.kind !== 'decided') throw recorded?.error ?? new Error('nothing was recorded');
      return { opened: recorded.outcome.trips.filter((trip) => trip.opened) };
    },
    resumeAll: async () => {
      for (const incident of await incidents.list(100)) {
        if (incident.state !== 'open') continue;
        const { incidentId } = incident;
        const command = { kind: 'resume', commandId: `resume-${incidentId}`, incidentId, reason: 'false pause' } as const;
        await operateBreaker(deps, { command, actor: 'replay' });
      }
    },
  };
}
