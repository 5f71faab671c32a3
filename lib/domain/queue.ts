/**
 * The queues of held withdrawals, by age: one for each limit and scope that holds, and one for those
 * that only a person can let go. A withdrawal stands in the queue of every limit that it is subject
 * to, with one age in all: it would lose its room in one while it waits for another.
 */

import type * as Ledger from './ledger.ts';
import * as Policy from './policy.ts';
import * as Scope from './scope.ts';

/** A limit that a withdrawal is subject to, and the scope in whose window it needs room. */
export type Place = {
  readonly limitId: string;
  readonly scope: Scope.Key;
  /** What it needs of the window, in the limit's unit. */
  readonly need: bigint;
};

/**
 * A withdrawal that waits, as it stands in one of its queues. Without a place it waits for a person:
 * time alone brings it no room.
 */
export type Held = {
  readonly rowId: string;
  /** When it was held first: it keeps its place, whatever holds it later. */
  readonly heldAtMs: number;
  /**
   * When all its windows have room for it, as far as was known when it was tried last. Absent:
   * something else stops it, a breaker or a limit that blocks, and nobody waits for it meanwhile.
   */
  readonly goesAtMs?: number;
  readonly place?: Place;
};

/** A queue: its limit and its scope, or {@link PEOPLE}. */
export type Key = string;

/** The queue of those that wait for a person. */
export const PEOPLE: Key = 'people';
/** Withdrawals of one queue that a decision looks at; who stands behind them is told no position. */
export const LOOKED_AT_MAX = 200;
/**
 * Queues that one withdrawal stands in: with the deletes of as many that an edit of the policy took
 * away it still fits one transaction. Of limits beyond, others may take the room.
 */
export const PLACES_MAX = 20;

/**
 * Withdrawals behind those that are looked at, to find the first among them that others wait for:
 * where something stops all of the first ones, they must not hide it.
 */
export const SEARCHED_MAX = 2_000;

/** The first of each queue, oldest first, see {@link lookedAt}. */
export type Queues = ReadonlyMap<Key, readonly Held[]>;

/** The queue of a limit in a scope. Injective: a limit's id has no `@`. */
export function key(place: Pick<Place, 'limitId' | 'scope'>): Key {
  return `${place.limitId}@${place.scope}`;
}

/** The queue that a held withdrawal stands in. */
export function keyOf({ place }: Pick<Held, 'place'>): Key {
  return place ? key(place) : PEOPLE;
}

/** Negative where `left` stands before `right`. */
export function byAge(left: Held, right: Held): number {
  if (left.heldAtMs !== right.heldAtMs) return left.heldAtMs - right.heldAtMs;
  if (left.rowId === right.rowId) return 0;
  return left.rowId < right.rowId ? -1 : 1;
}

/** Whether something else than room stops a held withdrawal, so that nobody waits for it. */
export function isStopped({ goesAtMs }: Pick<Held, 'goesAtMs'>): boolean {
  return goesAtMs === undefined;
}

/**
 * Those of a queue that a decision looks at: the first {@link LOOKED_AT_MAX}, and where all of them
 * are stopped the first behind them that is not.
 *
 * @param queue oldest first; of it no more than {@link SEARCHED_MAX} further ones matter.
 */
export function lookedAt(queue: readonly Held[]): readonly Held[] {
  const first = queue.slice(0, LOOKED_AT_MAX);
  if (!first.every(isStopped)) return first;
  const behind = queue.slice(LOOKED_AT_MAX, LOOKED_AT_MAX + SEARCHED_MAX);
  const next = behind.find((held) => !isStopped(held));
  return next ? [...first, next] : first;
}

/** A limit that makes money wait, and the scope in which it speaks about it. */
export type Gate = { readonly limit: Policy.Standing; readonly scope: Scope.Scope };

/** The limits over windows that hold what does not fit, in each scope of some money. */
export function gates(policy: Policy.Policy, resolved: Policy.Resolved): readonly Gate[] {
  return holds(policy, resolved).filter(({ limit }) => limit.metric !== 'single');
}

/** The limits that hold what does not fit, those about a single withdrawal too, in each scope of some money. */
export function holds(policy: Policy.Policy, resolved: Policy.Resolved): readonly Gate[] {
  const found = new Map<Key, Gate>();
  for (const { asset } of resolved.legs) {
    const subject = { ...resolved.subject, asset };
    for (const scope of Scope.all(subject)) {
      for (const limit of Policy.limitsOn(policy, scope.kind, subject).filter(isHold)) {
        const { limitId } = limit;
        found.set(key({ limitId, scope: Scope.key(scope) }), { limit, scope });
      }
    }
  }
  return [...found.values()];
}

/** How many wait for a limit in a scope, as its item says. */
export function waiting(item: Ledger.Item | undefined, limitId: string): number {
  return item?.waiting?.find((each) => each.limitId === limitId)?.count ?? 0;
}

/** The withdrawal of a row as it stands in each of its queues; nothing where the row is not held. */
export function heldOf(row: Ledger.Row | undefined): readonly Held[] {
  if (row?.state !== 'held') return [];
  const { rowId, atMs: heldAtMs, goesAtMs, places = [] } = row;
  const known = goesAtMs === undefined ? {} : { goesAtMs };
  return entries({ rowId, heldAtMs, ...known }, places);
}

/** A withdrawal in the queues of these places, and without any in that of people. */
export function entries(one: Omit<Held, 'place'>, places: readonly Place[]): readonly Held[] {
  return places.length === 0 ? [one] : places.map((place) => ({ ...one, place }));
}

function isHold({ action, mode }: Policy.Standing): boolean {
  return action.kind === 'hold' && mode === 'enforce';
}
