/** Lets held withdrawals go: where there is room again, or because a person says so. */

import { type ChainId, chainOf } from '../domain/caip.ts';
import type * as Ledger from '../domain/ledger.ts';
import * as Queue from '../domain/queue.ts';
import * as Reservation from '../domain/reservation.ts';
import type { Verdict } from '../domain/verdict.ts';
import * as Withdrawal from '../domain/withdrawal.ts';
import type { HeldStore } from '../ports.ts';
import { commitDecision, type Deps as DecisionDeps } from './commit-decision.ts';
import type { LeasesInForce } from './leases-in-force.ts';

/** What releasing needs beyond a decision. */
export type Deps = DecisionDeps & { readonly held: HeldStore; readonly leases: LeasesInForce };

/** Queues that one round looks at, and withdrawals that it tries in each. */
const QUEUES_MAX = 200;
const TRIED_PER_QUEUE_MAX = 10;
/**
 * Withdrawals of one transaction: each changes eleven items, and one more for each further queue
 * that it stands in. Where that is too much for one, each is tried alone.
 */
const CHUNK_MAX = 5;
/** Chunks in a row of which nothing could be decided: then it is the store, and not a withdrawal. */
const FAILED_IN_A_ROW_MAX = 3;

/** What became of one: released (it may be asked for), or why not. */
export type Released =
  | { readonly kind: 'released'; readonly withdrawalId: string }
  | { readonly kind: 'refused'; readonly withdrawalId: string; readonly why: string };

/**
 * Tries the oldest of each queue again, by age, each decided on like a new one. What fits is charged;
 * its admission is given when it is asked for next. What waits for a person is left alone. Where
 * there are more queues than one round looks at, each round begins at another.
 *
 * @returns the withdrawals that were let go.
 * @throws {RoundError} some could not be decided on; all others were.
 */
export async function releaseWhereRoom(deps: Deps): Promise<readonly string[]> {
  const from = deps.digest.hash(`${deps.clock.nowMs()}`);
  const heads = await deps.held.heads(TRIED_PER_QUEUE_MAX, QUEUES_MAX, from);
  const queued = heads.filter(({ place }) => place !== undefined).sort(Queue.byAge);
  const rowIds = [...new Set(queued.map(({ rowId }) => rowId))];
  const released: string[] = [];
  const errors: unknown[] = [];
  let inARow = 0;
  for (let at = 0; at < rowIds.length && inARow < FAILED_IN_A_ROW_MAX; at += CHUNK_MAX) {
    const chunk = rowIds.slice(at, at + CHUNK_MAX);
    const tried = await tryChunk(deps, chunk);
    released.push(...tried.released);
    errors.push(...tried.errors);
    inARow = tried.errors.length === chunk.length ? inARow + 1 : 0;
  }
  if (errors.length === 0) return released;
  const counts = { failed: errors.length, released: released.length, listed: rowIds.length };
  throw new RoundError({ ...counts, cause: errors[0] });
}

/** Decides on some together, and on each alone where that fails: one misfit never stops the others. */
async function tryChunk(
  deps: Deps,
  rowIds: readonly string[],
): Promise<{ readonly released: readonly string[]; readonly errors: readonly unknown[] }> {
  try {
    const verdicts = await decideAgain(deps, rowIds, { kind: 'room' });
    const allowed = verdicts.filter(({ kind }) => kind === 'allow');
    return { released: allowed.map(({ withdrawalId }) => withdrawalId), errors: [] };
  } catch (error) {
    if (rowIds.length < 2) return { released: [], errors: [error] };
    const released: string[] = [];
    const errors: unknown[] = [];
    for (const rowId of rowIds) {
      const alone = await tryChunk(deps, [rowId]);
      released.push(...alone.released);
      errors.push(...alone.errors);
    }
    return { released, errors };
  }
}

/**
 * Lets one go on a person's word. Limits that hold ask nobody else then; everything that blocks
 * still does, and then it is refused and keeps its place.
 */
export async function releaseWithdrawal(
  deps: Deps,
  parameters: { readonly withdrawalId: string; readonly actor: string },
): Promise<Released> {
  const { withdrawalId, actor } = parameters;
  const rowId = Withdrawal.withdrawalRowId(withdrawalId);
  const [verdict] = await decideAgain(deps, [rowId], { kind: 'operator', actor });
  if (!verdict) return { kind: 'refused', withdrawalId, why: 'no such withdrawal is held' };
  if (verdict.kind === 'allow') return { kind: 'released', withdrawalId };
  return { kind: 'refused', withdrawalId, why: verdict.text };
}

/** The rows tell what is asked; they are read once more with everything else, and judged as they are then. */
async function decideAgain(
  deps: Deps,
  rowIds: readonly string[],
  by: Reservation.By,
): Promise<readonly Verdict[]> {
  const { rows } = await deps.decisions.load({ rows: rowIds, items: [] });
  const asks = rowIds.flatMap((rowId) => askOf(rows.get(rowId)) ?? []);
  if (asks.length === 0) return [];
  const leases = await deps.leases.of(chainsOf(asks));
  return commitDecision(deps, {
    keys: (policy) => Reservation.keys(policy, asks),
    decide: (context, loaded) => {
      const { verdicts, changes } = Reservation.decide({ ...context, leases, by }, loaded, asks);
      return { result: verdicts, changes };
    },
  });
}

function askOf(row: Ledger.Row | undefined): Reservation.Ask | undefined {
  if (row?.state !== 'held' || !row.money) return undefined;
  const { rowId, bodyHash, money } = row;
  const withdrawalId = Withdrawal.withdrawalIdOf(rowId);
  return { withdrawal: { kind: 'withdrawal', withdrawalId, transfer: money.transfer }, bodyHash };
}

function chainsOf(asks: readonly Reservation.Ask[]): readonly ChainId[] {
  return [...new Set(asks.map(({ withdrawal }) => chainOf(withdrawal.transfer.account)))];
}

/** Held withdrawals that could not be decided on. They keep their places. */
export class RoundError extends Error {
  override readonly name = 'ReleaseHeld.RoundError';
  readonly failed: number;
  constructor(details: {
    readonly failed: number;
    readonly released: number;
    readonly listed: number;
    readonly cause: unknown;
  }) {
    const { failed, released, listed, cause } = details;
    const why = cause instanceof Error ? cause.message : 'unknown';
    super(`${failed} of ${listed} failed, ${released} were let go; the first: ${why}`, { cause });
    this.failed = failed;
  }
}
