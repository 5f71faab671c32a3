/** Lets held withdrawals go: where there is room again, or because a person says so. */

import * as Audit from '../domain/audit.ts';
import { type ChainId, chainOf } from '../domain/caip.ts';
import type * as Ledger from '../domain/ledger.ts';
import * as Queue from '../domain/queue.ts';
import * as Reservation from '../domain/reservation.ts';
import type { Verdict } from '../domain/verdict.ts';
import * as Withdrawal from '../domain/withdrawal.ts';
import type { HeldStore } from '../ports.ts';
import {
  type Backoff,
  ContendedError,
  commitDecision,
  type Deps as DecisionDeps,
} from './commit-decision.ts';
import type { LeasesInForce } from './leases-in-force.ts';
import { createHeads } from './list-heads.ts';

/** What releasing needs beyond a decision. */
export type Deps = DecisionDeps & { readonly held: HeldStore; readonly leases: LeasesInForce };

/**
 * Withdrawals of one transaction: each changes eleven items, and one more for each further queue
 * that it stands in. Where that is too much for one, each is tried alone.
 */
const CHUNK_MAX = 5;
/** Withdrawals in a row that could not be decided on: then it is the store, and not a withdrawal. */
const FAILED_IN_A_ROW_MAX = 3 * CHUNK_MAX;
/** After this time a round begins nothing any more; the next one goes on from there. */
const ROUND_MAX_MS = 3_000;
/** Nobody waits for the answer, and the next round tries again. */
const ROOM_BACKOFF: Backoff = { firstMs: 10, maxMs: 250, withinMs: 500 };

/** What became of one: released (it may be asked for), or why not. */
export type Released =
  | { readonly kind: 'released'; readonly withdrawalId: string }
  | { readonly kind: 'refused'; readonly withdrawalId: string; readonly why: string };

/** What a round came to. `last`, if it ended early: the last one that it tried. */
type Tried = {
  readonly released: readonly string[];
  readonly errors: readonly unknown[];
  readonly last?: Queue.Held;
};

/**
 * One round, see {@link createRounds}.
 *
 * @returns the withdrawals that were let go.
 * @throws {RoundError} some could not be decided on.
 */
export function releaseWhereRoom(deps: Deps): Promise<readonly string[]> {
  return createRounds(deps)();
}

/**
 * Makes the function that runs a round: it tries the oldest of each queue again, by age, each decided
 * on like a new one. What fits is charged; its admission is given when it is asked for next. What
 * waits for a person is left alone. Those that something else than room stops are tried too, and
 * hide nobody, see {@link createHeads}. A round that ends early, since its time is over or the store
 * fails, is gone on with by the next one, so that no queue is always the last. Where there are more
 * queues than one round looks at, each round begins at another. For one round at a time.
 *
 * @returns a function that gives the withdrawals that were let go, and throws {@link RoundError}
 *   where some could not be decided on.
 */
export function createRounds(deps: Deps): () => Promise<readonly string[]> {
  let last: Queue.Held | undefined;
  const listHeads = createHeads(deps.held);
  return async () => {
    const startedMs = deps.clock.nowMs();
    const listed = inTurn(await listHeads(deps.digest.hash(`${startedMs}`)), last);
    const tried = await tryAll(deps, listed, startedMs);
    last = tried.last;
    const { released, errors } = tried;
    if (errors.length === 0) return released;
    const counts = { failed: errors.length, released: released.length, listed: listed.length };
    throw new RoundError({ ...counts, cause: errors[0] });
  };
}

/** Each once, by age, beginning behind the one that was tried last. */
function inTurn(heads: readonly Queue.Held[], last: Queue.Held | undefined): readonly Queue.Held[] {
  const queued = heads.filter(({ place }) => place !== undefined).sort(Queue.byAge);
  const listed = [...new Map(queued.map((one) => [one.rowId, one])).values()];
  const start = last ? listed.findIndex((one) => Queue.byAge(one, last) > 0) : 0;
  return start > 0 ? [...listed.slice(start), ...listed.slice(0, start)] : listed;
}

/**
 * Decides on some together, and on each alone where that fails: one misfit never stops the others.
 * Those that lost to other writers would lose alone, too. At least one is tried, however late it is.
 */
async function tryAll(
  deps: Deps,
  listed: readonly Queue.Held[],
  startedMs: number,
): Promise<Tried> {
  const chunks = chunksOf(listed);
  const released: string[] = [];
  const errors: unknown[] = [];
  let last: Queue.Held | undefined;
  let inARow = 0;
  for (let chunk = chunks.shift(); chunk; chunk = chunks.shift()) {
    const isLate = deps.clock.nowMs() - startedMs >= ROUND_MAX_MS;
    if (last && (isLate || inARow >= FAILED_IN_A_ROW_MAX)) return { released, errors, last };
    try {
      const rowIds = chunk.map(({ rowId }) => rowId);
      const verdicts = await decideAgain(deps, rowIds, { kind: 'room' });
      released.push(...verdicts.flatMap((one) => (one.kind === 'allow' ? one.withdrawalId : [])));
      inARow = 0;
    } catch (error) {
      if (chunk.length > 1 && !(error instanceof ContendedError)) {
        chunks.unshift(...chunk.map((one) => [one]));
        continue;
      }
      errors.push(...chunk.map(() => error));
      inARow += chunk.length;
    }
    last = chunk.at(-1);
  }
  return { released, errors };
}

function chunksOf(listed: readonly Queue.Held[]): (readonly Queue.Held[])[] {
  const chunks: (readonly Queue.Held[])[] = [];
  for (let at = 0; at < listed.length; at += CHUNK_MAX) {
    chunks.push(listed.slice(at, at + CHUNK_MAX));
  }
  return chunks;
}

/**
 * Lets one go on a person's word. Limits that hold ask nobody else then; everything that blocks
 * still does, and then it is refused and keeps its place.
 */
export async function releaseWithdrawal(
  deps: Deps,
  parameters: { readonly withdrawalId: string; readonly actor: string; readonly reason?: string },
): Promise<Released> {
  const { withdrawalId, actor, reason = '' } = parameters;
  const rowId = Withdrawal.withdrawalRowId(withdrawalId);
  const [verdict] = await decideAgain(deps, [rowId], { kind: 'operator', actor, reason });
  if (!verdict) return { kind: 'refused', withdrawalId, why: 'no such withdrawal is held' };
  if (verdict.kind === 'allow') return { kind: 'released', withdrawalId };
  return { kind: 'refused', withdrawalId, why: verdict.text };
}

/** The rows tell what is asked; they are read once more with everything else, and judged as they are then. */
async function decideAgain(
  deps: Deps,
  rowIds: readonly string[],
  by: Reservation.By & { readonly reason?: string },
): Promise<readonly Verdict[]> {
  const { rows } = await deps.decisions.load({ rows: rowIds, items: [] });
  const asks = rowIds.flatMap((rowId) => askOf(rows.get(rowId)) ?? []);
  if (asks.length === 0) return [];
  const leases = await deps.leases.of(chainsOf(asks));
  return commitDecision(deps, {
    ...(by.kind === 'room' ? { backoff: ROOM_BACKOFF } : {}),
    keys: (policy) => Reservation.keys(policy, asks),
    decide: (context, loaded) => {
      const { verdicts, changes } = Reservation.decide({ ...context, leases, by }, loaded, asks);
      const entries = told(by, verdicts, context.nowMs);
      return { result: verdicts, changes: changes && { ...changes, ...entries } };
    },
  });
}

/** What the audit chain is told of a withdrawal that a person let go. */
function told(
  by: Reservation.By & { readonly reason?: string },
  verdicts: readonly Verdict[],
  atMs: number,
): Pick<Ledger.Changes, 'entries'> {
  if (by.kind !== 'operator') return {};
  const released = verdicts.filter(({ kind }) => kind === 'allow');
  if (released.length === 0) return {};
  const entries = released.map(({ withdrawalId }) =>
    Audit.entry({
      entryId: `withdrawal:released:${withdrawalId}:${atMs}`,
      atMs,
      who: by.actor,
      what: 'withdrawal.released',
      before: `withdrawal ${withdrawalId} held`,
      after: `withdrawal ${withdrawalId} let go`,
      reason: by.reason ?? '',
    }),
  );
  return { entries };
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
