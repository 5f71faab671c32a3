/** Notes what wallets hold: what shares of it are judged by, and whether it is under its floor. */

import * as Balance from '../domain/balance.ts';
import type { AccountId, AssetId } from '../domain/caip.ts';
import * as Holdings from '../domain/holdings.ts';
import type { Policy } from '../domain/policy.ts';
import type { AlertStore, BalanceReader, BalanceStore, Clock } from '../ports.ts';
import type { PolicyInForce } from './policy-in-force.ts';

/** What noting a balance needs. */
export type NoteDeps = {
  readonly balances: BalanceStore;
  readonly alerts: AlertStore;
  readonly policy: PolicyInForce;
  readonly clock: Clock;
};

/** What reading them needs besides. */
export type Deps = NoteDeps & {
  readonly reader: BalanceReader;
  /** Chains that are read here; of others the wallets' custodians report. */
  readonly chains: ReadonlySet<string>;
  /** Waits; resolves after about `ms`. */
  readonly sleep: (ms: number) => Promise<void>;
};

/** A balance as its custodian reports it: of the whole wallet that the account belongs to. */
export type Reported = {
  readonly account: AccountId;
  readonly asset: AssetId;
  readonly amount: bigint;
  readonly atMs: number;
};

/** A balance that could not be read. */
export type Unread = { readonly holding: Holdings.Holding; readonly why: string };

/** Attempts to put one, while others put too. */
const ATTEMPTS_MAX = 4;
/** What has not come by then is read the next time, ms. */
const READ_MAX_MS = 4_000;
/** How far a report may be dated ahead of this host's clock. */
const AHEAD_MAX_MS = 300_000;

/**
 * Reads every balance that the policy needs and that lies wholly on chains which are read here. One
 * that fails spoils no other; it is missing then, and people are told once an hour.
 * Fail direction: closed, a share of a balance that nobody knows is nothing. A part that fails
 * leaves the whole unknown, never smaller or larger than it is.
 *
 * @throws what the store throws; balances that were put before stay.
 */
export async function snapshotBalances(deps: Deps): Promise<readonly Unread[]> {
  const { policy } = await deps.policy.current();
  const holdings = Holdings.wanted(policy).filter(({ parts }) =>
    parts.every(({ asset }) => deps.chains.has(asset.split('/')[0] ?? '')),
  );
  if (holdings.length === 0) return [];
  const parts = holdings.flatMap((holding) => holding.parts);
  const late = parts.map(() => new Error('no answer in time'));
  const amounts = await Promise.race([
    deps.reader.read(parts),
    deps.sleep(READ_MAX_MS).then(() => late),
  ]);
  const atMs = deps.clock.nowMs();
  const unread: Unread[] = [];
  let at = 0;
  for (const holding of holdings) {
    const own = amounts.slice(at, at + holding.parts.length);
    at += holding.parts.length;
    const known = own.filter((amount) => typeof amount === 'bigint');
    const failed = own.find((amount) => amount instanceof Error);
    if (known.length === holding.parts.length) {
      await note(deps, policy, { holding, seen: { amount: Holdings.sum(holding, known), atMs } });
    } else unread.push({ holding, why: failed?.message ?? 'no answer' });
  }
  const alert = Holdings.unreadAlert(unread, atMs);
  if (alert) await deps.alerts.raise(alert);
  return unread;
}

/**
 * Notes a balance that was reported. `unknown`: the policy knows no such wallet or asset, or the
 * report is dated in the future; nothing was noted.
 *
 * @throws what the store throws; ask again.
 */
export async function reportBalance(
  deps: NoteDeps,
  reported: Reported,
): Promise<'noted' | 'unknown'> {
  const { policy } = await deps.policy.current();
  const { amount, atMs } = reported;
  const nowMs = deps.clock.nowMs();
  const holding = Holdings.of(policy, reported);
  if (!holding || atMs > nowMs + AHEAD_MAX_MS) return 'unknown';
  await note(deps, policy, { holding, seen: { amount, atMs: Math.min(atMs, nowMs) } });
  return 'noted';
}

async function note(
  deps: NoteDeps,
  policy: Policy,
  about: { readonly holding: Holdings.Holding; readonly seen: Balance.Seen },
): Promise<void> {
  const { holding, seen } = about;
  const alert = Holdings.floorAlert(policy, holding, seen);
  if (alert) await deps.alerts.raise(alert);
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const { version, value: before } = await deps.balances.load(holding.scope);
    const value = Balance.note(before, seen);
    if (value === before) return;
    if ((await deps.balances.put(holding.scope, { version, value })) === 'put') return;
  }
  throw new ContendedError({ scope: holding.scope });
}

/** Others put a balance at every attempt. */
export class ContendedError extends Error {
  override readonly name = 'SnapshotBalances.ContendedError';
  constructor(details: { readonly scope: string }) {
    super(`the balance of ${details.scope} was put by others ${ATTEMPTS_MAX} times; ask again`);
  }
}
