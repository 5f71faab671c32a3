/** Sends a heartbeat through the ingress and keeps the flag in force while heartbeats arrive. */

import { type Leases, leaseOf } from '../domain/flag.ts';
import * as Health from '../domain/health.ts';
import type {
  Clock,
  DeadLetters,
  EventSender,
  HealthStore,
  Notifier,
  ProjectionStore,
} from '../ports.ts';
import type { PolicyInForce } from './policy-in-force.ts';

/** What a tick needs. */
export type Deps = {
  readonly health: HealthStore;
  readonly projections: ProjectionStore;
  readonly policy: PolicyInForce;
  readonly events: EventSender;
  readonly deadLetters: DeadLetters;
  readonly notifier: Notifier;
  readonly clock: Clock;
};

/**
 * One tick: renews the leases that the last heartbeat proves, then sends the next heartbeat.
 *
 * @param parameters.leaseMaxMs a lease is worth no more than this, whatever the policy says.
 *
 * Fail direction: closed, whatever cannot be read or proven renews nothing and the leases run out.
 *
 * @throws what the store, the event bus or the notifier throws; none keeps the others from their turn.
 */
export async function renewLeases(
  deps: Deps,
  parameters: { readonly leaseMaxMs?: number } = {},
): Promise<Health.Proof> {
  const { policy } = await deps.policy.refresh();
  const [heartbeat, stuckAtMs, deadLetters, leases, sights] = await Promise.all([
    deps.health.heartbeat(),
    deps.health.stuckAtMs(),
    deps.deadLetters.count().catch(() => undefined),
    deps.health.leases(),
    deps.health.sights(Health.watchedOf(policy)),
  ]);
  const nowMs = deps.clock.nowMs();
  const chains = Health.chainsOf(policy);
  const blind = Health.blindOf(policy, sights, nowMs);
  const evidence = { chains, blind, heartbeat, given: leases, stuckAtMs, nowMs };
  const leaseMs = Math.min(policy.timing.leaseMs, parameters.leaseMaxMs ?? policy.timing.leaseMs);
  const proof: Health.Proof =
    deadLetters === undefined
      ? { kind: 'unproven', why: 'the dead-letter queue could not be counted' }
      : Health.prove({ ...evidence, leaseMs, deadLetters });
  const sentAt = new Date(nowMs).toISOString();
  const effects = await Promise.allSettled([
    proof.kind === 'healthy'
      ? renewAndTell(deps, proof, { leases, nowMs })
      : tellLapsed(deps, { leases, why: proof.why, nowMs }),
    deps.events.send({ detailType: 'heartbeat', detail: { sentAt } }),
  ]);
  for (const effect of effects) if (effect.status === 'rejected') throw effect.reason;
  return proof;
}

/** Renews, and tells people once per lapse which chains nobody sees any more. */
async function renewAndTell(
  deps: Deps,
  proof: Extract<Health.Proof, { kind: 'healthy' }>,
  before: { readonly leases: Leases; readonly nowMs: number },
): Promise<void> {
  const { leases, nowMs } = before;
  await deps.health.renew(proof.leases, nowMs);
  for (const blind of proof.blind ?? []) {
    const untilMs = leaseOf(leases, blind.chain);
    if (untilMs === undefined || untilMs > nowMs) continue;
    const pageId = `blind:${blind.chain}:${untilMs}`;
    if (await deps.projections.isPaged(pageId)) continue;
    await deps.notifier.send(Health.blindPage(blind, untilMs));
    await deps.projections.markPaged(pageId, nowMs);
  }
}

/** Tells people once per lapse that the flag is no longer in force. */
async function tellLapsed(
  deps: Deps,
  lapse: {
    readonly leases: Leases;
    readonly why: string;
    readonly nowMs: number;
  },
): Promise<void> {
  const untilMs = Math.max(0, ...Object.values(lapse.leases));
  if (untilMs === 0 || untilMs > lapse.nowMs) return;
  const pageId = `lapsed:${untilMs}`;
  if (await deps.projections.isPaged(pageId)) return;
  await deps.notifier.send(Health.lapsedPage(lapse.why, untilMs));
  await deps.projections.markPaged(pageId, lapse.nowMs);
}
