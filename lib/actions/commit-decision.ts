/** Load, decide, commit: the one way in which anything on the money's path changes. */

import type * as Draft from '../domain/draft.ts';
import * as Facts from '../domain/facts.ts';
import type * as Ledger from '../domain/ledger.ts';
import * as Policy from '../domain/policy.ts';
import * as Scope from '../domain/scope.ts';
import type { Clock, DecisionStore, Digest, Ids, Keys } from '../ports.ts';
import type { PolicyInForce } from './policy-in-force.ts';

/** Attempts for one decision, the first included; what outlasts them is a failure of the call. */
export const ATTEMPTS_MAX = 12;

/**
 * How long a decision that lost to other writers waits before it reads again: a random part of
 * `firstMs`, of twice that after the next loss and so on, up to `maxMs`. Where an attempt takes
 * longer than a quarter of `firstMs`, four times as long as it took stands in its place: the slower
 * the store, the more others are at work at the same time.
 */
export type Backoff = {
  readonly firstMs: number;
  readonly maxMs: number;
  /** After this time no attempt begins any more; the number of attempts alone decides unless given. */
  readonly withinMs?: number;
};

/** For whatever may stop money: it does not stand back for those who want to move some. */
const SOON: Backoff = { firstMs: 10, maxMs: 250 };

/** How far rows lead to others: from a withdrawal to its batch, to those it pays, and to where these wait. */
const DEPTH_MAX = 3;

/** What a decision needs from the world. */
export type Deps = {
  readonly decisions: DecisionStore;
  readonly policy: PolicyInForce;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly digest: Digest;
  /** Waits; resolves after about `ms`. */
  readonly sleep: (ms: number) => Promise<void>;
  /** A number in [0, 1), for jitter only. */
  readonly random: () => number;
};

/** How one kind of decision is made. Both functions are pure. */
export type Recipe<T> = {
  /** Short waits unless given. */
  readonly backoff?: Backoff;
  readonly keys: (policy: Policy.Policy) => Keys;
  /** Rows to read besides, as the rows that were read tell; they are read after the items. */
  readonly further?: (policy: Policy.Policy, rows: Ledger.Loaded['rows']) => readonly string[];
  /** `changes` absent: there is nothing to write and the result stands as it is. */
  readonly decide: (
    context: Draft.Context,
    loaded: Ledger.Loaded,
  ) => { readonly result: T; readonly changes?: Ledger.Changes | undefined };
};

/**
 * Reads everything the decision judges by, decides, and writes it whole; all of it again on a
 * conflict, when another policy has come into force, or when a row shows that an item has to change
 * which nobody could know of before (what it was charged under another policy, or its actor).
 *
 * Its time is that of the clock before it read, for which the answers vouch. They do not where the clock
 * went back meanwhile: then it may have been ahead, and all is done again. Nor is it fresh where reading
 * took longer than a commit may, because the process stood still or the clock was set. That is done
 * again once in a decision: the second time it is the store that is slow, and who wants to stop money is
 * not kept waiting.
 *
 * Fail direction: closed, whatever is thrown has committed nothing that the caller may rely on.
 *
 * @throws {ContendedError} after {@link ATTEMPTS_MAX} attempts, or when the recipe's time is over.
 */
export async function commitDecision<T>(deps: Deps, recipe: Recipe<T>): Promise<T> {
  const startedMs = deps.clock.nowMs();
  let inForce = await deps.policy.current();
  const further = { items: new Set<string>(), rows: new Set<string>() };
  let wasSlow = false;
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const nowMs = deps.clock.nowMs();
    const { policy } = inForce;
    const keys = withFacts(policy, withFurther(recipe.keys(policy), further));
    const first = await deps.decisions.load(keys);
    const version = first.items.get(Scope.GLOBAL_KEY)?.policyVersion ?? 0;
    if (version !== inForce.version) {
      inForce = await deps.policy.adopt(version);
      continue;
    }
    const { loaded, rows } = await withLinked(deps, recipe, {
      first,
      keys,
      policy: Policy.at(policy, first.facts, nowMs),
    });
    const tookMs = deps.clock.nowMs() - nowMs;
    if (tookMs < 0) continue;
    if (tookMs > policy.timing.commitDelayMs && !wasSlow) {
      wasSlow = true;
      continue;
    }
    const context: Draft.Context = {
      policy,
      policyVersion: version,
      policyHash: inForce.hash,
      decisionId: deps.ids.decisionId(),
      nowMs,
      newIncidentId: () => deps.ids.incidentId(nowMs),
      newStackId: deps.ids.stackId,
      shortHash: deps.digest.shortHash,
    };
    const { result, changes } = recipe.decide(context, loaded);
    if (changes && noteUnread(changes, { keys, rows, further })) continue;
    if (!changes || (await deps.decisions.commit(changes)) === 'committed') return result;
    if (attempt < ATTEMPTS_MAX) await standBack(deps, recipe, { attempt, startedMs, nowMs });
  }
  throw new ContendedError({ attempts: ATTEMPTS_MAX });
}

/** @throws {ContendedError} when the next attempt would begin too late. */
async function standBack(
  deps: Deps,
  { backoff = SOON }: Pick<Recipe<unknown>, 'backoff'>,
  lost: { readonly attempt: number; readonly startedMs: number; readonly nowMs: number },
): Promise<void> {
  const { firstMs, maxMs, withinMs } = backoff;
  const { attempt, startedMs, nowMs } = lost;
  const endedMs = deps.clock.nowMs();
  const baseMs = Math.max(firstMs, 4 * (endedMs - nowMs));
  const waitMs = deps.random() * Math.min(maxMs, baseMs * 2 ** (attempt - 1));
  if (withinMs !== undefined && endedMs + waitMs - startedMs > withinMs) {
    throw new ContendedError({ attempts: attempt });
  }
  await deps.sleep(waitMs);
}

type Further = { readonly items: Set<string>; readonly rows: Set<string> };

function withFurther(keys: Keys, further: Further): Keys {
  const items = new Set([...keys.items, Scope.GLOBAL_KEY, ...further.items]);
  return { ...keys, items: [...items], rows: [...new Set([...keys.rows, ...further.rows])] };
}

function withFacts(policy: Policy.Policy, keys: Keys): Keys {
  const facts = Facts.keys(policy, keys.items);
  return facts ? { ...keys, facts } : keys;
}

/**
 * Reads the rows that the first ones lead to, and those that these lead to, also where they were among
 * the first: what changes one of them has changed an item that is written, and that was read before.
 */
async function withLinked(
  { decisions }: Pick<Deps, 'decisions'>,
  recipe: Pick<Recipe<unknown>, 'further'>,
  read: { readonly first: Ledger.Loaded; readonly keys: Keys; readonly policy: Policy.Policy },
): Promise<{ readonly loaded: Ledger.Loaded; readonly rows: ReadonlySet<string> }> {
  const { first, keys, policy } = read;
  const further = new Set<string>();
  let loaded = first;
  for (let depth = 1; depth <= DEPTH_MAX; depth += 1) {
    const wanted = recipe.further?.(policy, loaded.rows) ?? [];
    const linked = [...new Set(wanted)].filter((rowId) => !further.has(rowId));
    if (linked.length === 0) break;
    const { rows } = await decisions.load({ rows: linked, items: [] });
    loaded = { ...loaded, rows: new Map([...loaded.rows, ...rows]) };
    for (const rowId of linked) further.add(rowId);
  }
  return { loaded, rows: new Set([...keys.rows, ...further]) };
}

/** Notes what a decision would write without having read it; whether there is any. */
function noteUnread(
  changes: Ledger.Changes,
  read: { readonly keys: Keys; readonly rows: ReadonlySet<string>; readonly further: Further },
): boolean {
  const { keys, rows, further } = read;
  const items = changes.items.filter(({ key }) => !keys.items.includes(key));
  const written = changes.rows.filter(({ row }) => !rows.has(row.rowId));
  for (const { key } of items) further.items.add(key);
  for (const { row } of written) further.rows.add(row.rowId);
  return items.length > 0 || written.length > 0;
}

/** Other writers won every attempt. Nothing was written. */
export class ContendedError extends Error {
  override readonly name = 'CommitDecision.ContendedError';
  constructor(details: { readonly attempts: number }) {
    super(`lost ${details.attempts} attempts to other writers; nothing was written, ask again`);
  }
}
