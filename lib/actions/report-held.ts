/** The withdrawals that are held, for people: which, since when, for how much, and what they wait for. */

import * as Explain from '../domain/explain.ts';
import * as Policy from '../domain/policy.ts';
import * as Queue from '../domain/queue.ts';
import { withdrawalIdOf } from '../domain/withdrawal.ts';
import type { Clock, DecisionStore, HeldStore } from '../ports.ts';
import type { PolicyInForce } from './policy-in-force.ts';

/** What reporting needs. */
export type Deps = {
  readonly held: HeldStore;
  readonly decisions: DecisionStore;
  readonly policy: PolicyInForce;
  readonly clock: Clock;
};

/** One held withdrawal. */
export type Line = {
  readonly withdrawalId: string;
  readonly heldAtMs: number;
  /** Its amount with its symbol. */
  readonly amountText: string;
  readonly wallet: string;
  readonly destination: string;
  readonly actor?: string;
  /** Of the queues that it stands in the one with most before it. Absent: a person has to let it go. */
  readonly waitsFor?: {
    readonly limitId: string;
    readonly scope: string;
    readonly position: number;
  };
};

/** All of it, oldest first. `truncated`: there are more than are named. */
export type Report = {
  readonly atMs: number;
  readonly held: readonly Line[];
  readonly truncated: boolean;
};

/** Held withdrawals in one report. */
const LINES_MAX = 500;
/** Entries of queues that are looked at; a withdrawal has one in each of its queues. */
const ENTRIES_MAX = 2_000;

/** Reads the report. One that leaves its queues while it is read is left out. */
export async function reportHeld(deps: Deps): Promise<Report> {
  const listed = await deps.held.list(ENTRIES_MAX);
  const { policy } = await deps.policy.current();
  const waiting = lastOf(listed).toSorted((left, right) => Queue.byAge(left.held, right.held));
  const named = waiting.slice(0, LINES_MAX);
  const rowIds = named.map(({ held: { rowId } }) => rowId);
  const { rows } = await deps.decisions.load({ rows: rowIds, items: [] });
  const held = named.flatMap(({ held: { rowId, heldAtMs, place }, position }): readonly Line[] => {
    const row = rows.get(rowId);
    if (row?.state !== 'held' || !row.money) return [];
    const { transfer } = row.money;
    const { account, destination, actor } = transfer;
    return [
      {
        withdrawalId: withdrawalIdOf(rowId),
        heldAtMs,
        amountText: Explain.amount(policy, transfer),
        wallet: Policy.walletOf(policy, account)?.name ?? account,
        destination,
        ...(actor === undefined ? {} : { actor }),
        ...(place && { waitsFor: { limitId: place.limitId, scope: place.scope, position } }),
      },
    ];
  });
  const truncated = waiting.length > LINES_MAX || listed.length >= ENTRIES_MAX;
  return { atMs: deps.clock.nowMs(), held, truncated };
}

/** Each withdrawal once, where most stand before it. */
function lastOf(
  listed: readonly Queue.Held[],
): readonly { readonly held: Queue.Held; readonly position: number }[] {
  const lengths = new Map<Queue.Key, number>();
  const last = new Map<string, { readonly held: Queue.Held; readonly position: number }>();
  for (const held of listed) {
    const position = (lengths.get(Queue.keyOf(held)) ?? 0) + 1;
    lengths.set(Queue.keyOf(held), position);
    const other = last.get(held.rowId);
    if (!other || other.position < position) last.set(held.rowId, { held, position });
  }
  return [...last.values()];
}
