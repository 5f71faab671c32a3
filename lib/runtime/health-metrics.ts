/** What a tick measures: how fresh the proof is, what each limit has used. */

import { reportLimits } from '../actions/report-limits.ts';
import * as Health from '../domain/health.ts';
import { UNMEASURED } from './metrics.ts';
import type { World } from './world.ts';

type Seen = Pick<World, 'store' | 'decision' | 'clock' | 'metrics'>;

/** A measurement of limits is worth one read a minute. */
const LIMITS_EVERY_MS = 60_000;
/** Limits that are measured, the fullest first: each is a metric that is paid for. */
const LIMITS_MAX = 20;

/**
 * Measures what the last renewal was made of. A heartbeat that never came is no value, so that its
 * alarm sees missing data, which counts as a breach.
 *
 * @throws what the store throws; the caller's round has renewed already.
 */
export async function measureHealth(world: Seen, proof: Health.Proof): Promise<void> {
  const { store, clock, metrics } = world;
  // What nobody is told of costs no reads.
  if (metrics === UNMEASURED) return;
  const [heartbeat, leases, { policy }] = await Promise.all([
    store.health.heartbeat(),
    store.health.leases(),
    world.decision.policy.current(),
  ]);
  const nowMs = clock.nowMs();
  const chains = Health.chainsOf(policy);
  const blind = proof.kind === 'healthy' ? (proof.blind ?? []).length : 0;
  const leftMs = chains.map((chain) => Math.max(0, (leases[chain] ?? 0) - nowMs));
  metrics.measure({
    LeaseUnproven: proof.kind === 'unproven' ? 1 : 0,
    BlindChains: blind,
    ...(chains.length > 0 && { LeaseLeftMs: Math.min(...leftMs) }),
    ...(heartbeat && { HeartbeatAgeMs: Math.max(0, nowMs - heartbeat.sentAtMs) }),
  });
}

/** Measures the use of the fullest limits, at most once a minute. Gives a function that never measures twice at once if its caller does not. */
export function createLimitsMeasure(world: Seen): () => Promise<void> {
  let dueAtMs = Number.NEGATIVE_INFINITY;
  return async () => {
    const { store, decision, clock, metrics } = world;
    const nowMs = clock.nowMs();
    if (metrics === UNMEASURED || nowMs < dueAtMs) return;
    dueAtMs = nowMs + LIMITS_EVERY_MS;
    const { decisions } = store;
    const { lines } = await reportLimits({ decisions, policy: decision.policy, clock }, {});
    const fullest = new Map<string, number>();
    for (const { limitId, usedBps } of lines) {
      fullest.set(limitId, Math.max(usedBps, fullest.get(limitId) ?? 0));
    }
    const sorted = [...fullest].sort(([, left], [, right]) => right - left);
    for (const [limit, usedBps] of sorted.slice(0, LIMITS_MAX)) {
      metrics.measure({ LimitUsedPercent: usedBps / 100 }, { limit });
    }
  };
}
