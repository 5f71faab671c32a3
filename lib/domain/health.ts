/** What proves that outflow is being counted, and what the proof is worth. */

import { chainOf } from './caip.ts';
import * as Flag from './flag.ts';
import type { Heartbeat } from './ledger.ts';
import type { Message } from './page.ts';
import type { Policy } from './policy.ts';

/** Oldest that a waiting event may be while the flag stays in force, ms. */
export const WAITING_MAX_MS = 30_000;

/** How long an event that fails again and again is remembered: longer than it takes to come back, ms. */
export const STUCK_MS = 150_000;

/** Whether a heartbeat proves health, and until when each chain's flag is in force then. */
export type Proof =
  | { readonly kind: 'healthy'; readonly leases: Flag.Leases }
  | { readonly kind: 'unproven'; readonly why: string };

/** Chains that the policy's wallets live on: those that get a lease. */
export function chainsOf(policy: Policy): readonly string[] {
  return [...new Set(policy.wallets.flatMap((wallet) => wallet.addresses.map(chainOf)))];
}

/**
 * Judges the last heartbeat. A lease is counted from when the heartbeat was sent, not from now: it
 * is worth as much as its proof is young. A sender that claims a later time gains nothing by it. A
 * heartbeat that comes twice, after a younger one, does not shorten what the younger one has proven.
 * Fail direction: closed, no heartbeat, a backlog, an event that is stuck or
 * an uncounted dead letter prove nothing.
 */
export function prove(evidence: {
  readonly chains: readonly string[];
  readonly leaseMs: number;
  readonly heartbeat: Heartbeat | undefined;
  /** The leases that are given already. */
  readonly given?: Flag.Leases;
  readonly deadLetters: number;
  /** When an event that had waited too long failed last. */
  readonly stuckAtMs?: number | undefined;
  readonly nowMs: number;
}): Proof {
  const { chains, leaseMs, heartbeat, given = {}, deadLetters, stuckAtMs, nowMs } = evidence;
  const unproven = (why: string): Proof => ({ kind: 'unproven', why });
  if (!heartbeat) return unproven('no heartbeat has come through the ingress yet');
  if (deadLetters > 0)
    return unproven(`${deadLetters} events lie uncounted in a dead-letter queue`);
  if (stuckAtMs !== undefined && nowMs - stuckAtMs < STUCK_MS) {
    return unproven('an event that has waited too long fails again and again, uncounted');
  }
  if (heartbeat.oldestWaitingMs > WAITING_MAX_MS) {
    return unproven(
      `the oldest waiting event is ${Math.round(heartbeat.oldestWaitingMs / 1_000)} s old`,
    );
  }
  const untilMs = Math.min(heartbeat.sentAtMs, heartbeat.receivedAtMs) + leaseMs;
  if (untilMs <= nowMs) {
    const agoS = Math.round((nowMs - heartbeat.sentAtMs) / 1_000);
    return unproven(`the last heartbeat that came through was sent ${agoS} s ago`);
  }
  const kept = (chain: string) => Math.min(Flag.leaseOf(given, chain) ?? 0, nowMs + leaseMs);
  const leases = chains.map((chain) => [chain, Math.max(untilMs, kept(chain))]);
  return { kind: 'healthy', leases: Object.fromEntries(leases) };
}

/** The page for a flag that is no longer in force. */
export function lapsedPage(why: string, untilMs: number): Message {
  return {
    subject:
      `NOT ENABLED: no proof of health since ${new Date(untilMs).toISOString()}; run: breakwater status`.slice(
        0,
        140,
      ),
    body: `Withdrawals are not enabled because the lease ran out: ${why}.\nNothing was tripped. They are enabled again by themselves once a heartbeat comes through.\nFirst command: breakwater status`,
    severity: 'page',
  };
}
