/** What proves that outflow is being counted, and what the proof is worth. */

import { type ChainId, chainOf } from './caip.ts';
import * as Cursor from './cursor.ts';
import * as Flag from './flag.ts';
import type { Heartbeat } from './ledger.ts';
import type { Message } from './page.ts';
import type { Policy } from './policy.ts';
import * as Policies from './policy.ts';

/** Oldest that a waiting event may be while the flag stays in force, ms. */
export const WAITING_MAX_MS = 30_000;

/** How long an event that fails again and again is remembered: longer than it takes to come back, ms. */
export const STUCK_MS = 150_000;

/**
 * How far ahead of our clock a block may be stamped, beside the tolerance of the policy, ms: the drift
 * that Ethereum's clients allow each other (EIP-1482).
 */
export const AHEAD_MAX_MS = 15_000;

/** Whether a heartbeat proves health, and until when each chain's flag is in force then. */
export type Proof =
  | {
      readonly kind: 'healthy';
      readonly leases: Flag.Leases;
      /** Chains that got none, because nobody sees them. Absent: every chain got one. */
      readonly blind?: readonly Blind[];
    }
  | { readonly kind: 'unproven'; readonly why: string };

/** What a chain's watcher saw last, ms: when a block came that was newer than all before, and that block's own time. */
export type Sight = {
  readonly seenAtMs: number;
  readonly timestampMs: number;
  /** Why it looks no more; a person starts it again. */
  readonly stopped?: string;
};

/** Sights by chain; a chain without one was never seen. */
export type Sights = ReadonlyMap<ChainId, Sight>;

/** A chain whose watcher is blind: why, and since when it is so, where it ever saw anything. */
export type Blind = {
  readonly chain: ChainId;
  readonly why: string;
  readonly sinceMs?: number;
};

/** Chains that the policy's wallets live on and that it wants to be watched. */
export function watchedOf(policy: Policy): readonly ChainId[] {
  return chainsOf(policy).filter((chain) => Policies.watchOf(policy, chain) !== undefined);
}

/**
 * Chains that the policy wants to be watched and whose watcher sees nothing now.
 * Fail direction: closed, one that never saw a block is blind, and so is one whose newest block is
 * stamped with a time that has not come.
 */
export function blindOf(policy: Policy, sights: Sights, nowMs: number): readonly Blind[] {
  return watchedOf(policy).flatMap((chain): readonly Blind[] => {
    const sight = sights.get(chain);
    const blindAfterMs = Policies.watchOf(policy, chain)?.blindAfterMs ?? 0;
    if (!sight) return [{ chain, why: `no watcher has seen a block of ${chain} yet` }];
    if (sight.stopped !== undefined) {
      return [{ chain, why: sight.stopped, sinceMs: sight.seenAtMs }];
    }
    const { seenAtMs, timestampMs } = sight;
    const cursor = { chain, recent: [], seenAtMs, timestampMs };
    const aheadMaxMs = policy.timing.clockToleranceMs + AHEAD_MAX_MS;
    const bound = { nowMs, blockTimeMs: blindAfterMs, blocksMax: 1, aheadMaxMs };
    const seen = Cursor.sight(cursor, bound);
    if (seen.kind === 'seeing') return [];
    return [{ chain, why: seen.why, sinceMs: Math.min(seenAtMs, timestampMs) }];
  });
}

/** Chains that the policy's wallets live on: those that get a lease. */
export function chainsOf(policy: Policy): readonly ChainId[] {
  return [...new Set(policy.wallets.flatMap((wallet) => wallet.addresses.map(chainOf)))];
}

/**
 * Judges the last heartbeat. A lease is counted from when the heartbeat was sent, not from now: it
 * is worth as much as its proof is young. A chain whose watcher is blind keeps what it was given and
 * gets no more. A sender that claims a later time gains nothing by it. A
 * heartbeat that comes twice, after a younger one, does not shorten what the younger one has proven.
 * Fail direction: closed, no heartbeat, a backlog, an event that is stuck or
 * an uncounted dead letter prove nothing.
 */
export function prove(evidence: {
  readonly chains: readonly ChainId[];
  /** Those of them whose watcher sees nothing. */
  readonly blind?: readonly Blind[];
  readonly leaseMs: number;
  readonly heartbeat: Heartbeat | undefined;
  /** The leases that are given already. */
  readonly given?: Flag.Leases;
  readonly deadLetters: number;
  /** When an event that had waited too long failed last. */
  readonly stuckAtMs?: number | undefined;
  readonly nowMs: number;
}): Proof {
  const { chains, blind = [], leaseMs, heartbeat, given = {} } = evidence;
  const { deadLetters, stuckAtMs, nowMs } = evidence;
  const unproven = (why: string): Proof => ({ kind: 'unproven', why });
  if (!heartbeat) return unproven('no heartbeat has come through the ingress yet');
  if (deadLetters > 0)
    return unproven(`${deadLetters} events lie uncounted in a dead-letter queue`);
  // What is dated further ahead than it would be remembered comes from a host that knew no time.
  if (stuckAtMs !== undefined && Math.abs(nowMs - stuckAtMs) < STUCK_MS) {
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
  const isBlind = new Set(blind.map(({ chain }) => chain));
  const leases = chains.flatMap((chain) => {
    if (!isBlind.has(chain)) return [[chain, Math.max(untilMs, kept(chain))]];
    return Flag.leaseOf(given, chain) === undefined ? [] : [[chain, kept(chain)]];
  });
  const unseen = blind.length > 0 ? { blind } : {};
  return { kind: 'healthy', leases: Object.fromEntries(leases), ...unseen };
}

/** The page for a chain that nobody sees any more: it alone is not enabled. */
export function blindPage({ chain, why }: Blind, untilMs: number): Message {
  return {
    subject:
      `NOT ENABLED on ${chain}: its watcher is blind since ${new Date(untilMs).toISOString()}; run: breakwater status`.slice(
        0,
        140,
      ),
    body: `Withdrawals on ${chain} are not enabled because its lease ran out: ${why}.\nNothing was tripped, and other chains go on. They are enabled again by themselves once the watcher sees new blocks: see whether watch-chain runs and whether its RPC endpoints answer.\nFirst command: breakwater status`,
    severity: 'page',
  };
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
