/** Sends a heartbeat through the ingress and keeps the flag in force while heartbeats arrive. */

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
  const [heartbeat, stuckAtMs, deadLetters, leases] = await Promise.all([
    deps.health.heartbeat(),
    deps.health.stuckAtMs(),
    deps.deadLetters.count().catch(() => undefined),
    deps.health.leases(),
  ]);
  const nowMs = deps.clock.nowMs();
  const chains = Health.chainsOf(policy);
  const leaseMs = Math.min(policy.timing.leaseMs, parameters.leaseMaxMs ?? policy.timing.leaseMs);
  const proof: Health.Proof =
    deadLetters === undefined
      ? { kind: 'unproven', why: 'the dead-letter queue could not be counted' }
      : Health.prove({ chains, leaseMs, heartbeat, given: leases, deadLetters, stuckAtMs, nowMs });
  const sentAt = new Date(nowMs).toISOString();
  const effects = await Promise.allSettled([
    proof.kind === 'healthy'
      ? deps.health.renew(proof.leases, nowMs)
      : tellLapsed(deps, { leases, why: proof.why, nowMs }),
    deps.events.send({ detailType: 'heartbeat', detail: { sentAt } }),
  ]);
  for (const effect of effects) if (effect.status === 'rejected') throw effect.reason;
  return proof;
}

/** Tells people once per lapse that the flag is no longer in force. */
async function tellLapsed(
  deps: Deps,
  lapse: {
    readonly leases: Readonly<Record<string, number>>;
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
