/** Load, decide, commit: the one way in which anything on the money's path changes. */

import type * as Draft from '../domain/draft.ts';
import type * as Ledger from '../domain/ledger.ts';
import type { Policy } from '../domain/policy.ts';
import * as Scope from '../domain/scope.ts';
import type { Clock, DecisionStore, Digest, Ids, Keys } from '../ports.ts';
import type { PolicyInForce } from './policy-in-force.ts';

/** Attempts for one decision, the first included; what outlasts them is a failure of the call. */
export const ATTEMPTS_MAX = 12;
/** Longest wait between two attempts, ms. */
const BACKOFF_MAX_MS = 250;

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
  readonly keys: (policy: Policy) => Keys;
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
 * Fail direction: closed, whatever is thrown has committed nothing that the caller may rely on.
 *
 * @throws {ContendedError} after {@link ATTEMPTS_MAX} conflicts.
 */
export async function commitDecision<T>(deps: Deps, recipe: Recipe<T>): Promise<T> {
  let inForce = await deps.policy.current();
  const further = new Set<string>();
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const nowMs = deps.clock.nowMs();
    const keys = withItems(recipe.keys(inForce.policy), further);
    const loaded = await deps.decisions.load(keys);
    const version = loaded.items.get(Scope.GLOBAL_KEY)?.policyVersion ?? 0;
    if (version !== inForce.version) {
      inForce = await deps.policy.adopt(version);
      continue;
    }
    const context: Draft.Context = {
      policy: inForce.policy,
      policyVersion: version,
      decisionId: deps.ids.decisionId(),
      nowMs,
      newIncidentId: () => deps.ids.incidentId(nowMs),
      shortHash: deps.digest.shortHash,
    };
    const { result, changes } = recipe.decide(context, loaded);
    const unread = changes?.items.filter(({ key }) => !keys.items.includes(key)) ?? [];
    for (const { key } of unread) further.add(key);
    if (unread.length > 0) continue;
    if (!changes || (await deps.decisions.commit(changes)) === 'committed') return result;
    await deps.sleep(deps.random() * Math.min(BACKOFF_MAX_MS, 5 * 2 ** attempt));
  }
  throw new ContendedError({ attempts: ATTEMPTS_MAX });
}

function withItems(keys: Keys, further: ReadonlySet<string>): Keys {
  return { rows: keys.rows, items: [...new Set([...keys.items, Scope.GLOBAL_KEY, ...further])] };
}

/** Other writers won every attempt. Nothing was written. */
export class ContendedError extends Error {
  override readonly name = 'CommitDecision.ContendedError';
  constructor(details: { readonly attempts: number }) {
    super(`lost ${details.attempts} attempts to other writers; nothing was written, ask again`);
  }
}
