/** Records what became of withdrawals after they were approved, and gives back what evidence allows. */

import * as Outcome from '../domain/outcome.ts';
import type { AlertStore, DecisionStore } from '../ports.ts';
import { commitDecision, type Deps as DecisionDeps } from './commit-decision.ts';

/** What closing needs beyond a decision. */
export type Deps = DecisionDeps & { readonly alerts: AlertStore };

/** What became of one outcome: decided (also: refused), or not (nothing of it was written; ask again). */
export type Closed =
  | { readonly kind: 'closed'; readonly result: Outcome.Result }
  | { readonly kind: 'failed'; readonly error: unknown };

/** Outcomes of one transaction: each changes ten items at most, `global` not counted, and a transaction holds 100. */
const CHUNK_MAX = 9;

/**
 * Records one outcome. The withdrawal tells which scopes were charged, so that it takes two reads;
 * whatever changes in between loses its condition and is decided on again.
 * Fail direction: closed, what is thrown has given back nothing.
 *
 * @throws {ContendedError} and the store's errors.
 */
export async function closeWithdrawal(
  deps: Deps,
  outcome: Outcome.Outcome,
): Promise<Outcome.Result> {
  const [result] = await closeTogether(deps, [outcome]);
  const { withdrawalId } = outcome;
  return result ?? { kind: 'refused', withdrawalId, why: 'it was not decided' };
}

/**
 * Records outcomes in order, some in one transaction; each transaction is final.
 * Fail direction: closed, an outcome whose transaction failed comes back as `failed`, unchanged.
 */
export async function closeWithdrawals(
  deps: Deps,
  outcomes: readonly Outcome.Outcome[],
): Promise<readonly Closed[]> {
  const closed: Closed[] = [];
  for (let at = 0; at < outcomes.length; at += CHUNK_MAX) {
    closed.push(...(await closeChunk(deps, outcomes.slice(at, at + CHUNK_MAX))));
  }
  return closed;
}

async function closeChunk(
  deps: Deps,
  outcomes: readonly Outcome.Outcome[],
): Promise<readonly Closed[]> {
  try {
    const results = await closeTogether(deps, outcomes);
    return results.map((result) => ({ kind: 'closed', result }));
  } catch (error) {
    return outcomes.map(() => ({ kind: 'failed', error }));
  }
}

async function closeTogether(
  deps: Deps,
  outcomes: readonly Outcome.Outcome[],
): Promise<readonly Outcome.Result[]> {
  const decisions = following(deps.decisions, outcomes);
  const { results, alerts } = await commitDecision(
    { ...deps, decisions },
    {
      keys: () => Outcome.keys(outcomes),
      decide: (context, loaded) => {
        const { results, alerts, changes } = Outcome.decide(context, loaded, outcomes);
        return { result: { results, alerts: changes ? [] : alerts }, changes };
      },
    },
  );
  await Promise.all(alerts.map((alert) => deps.alerts.raise(alert)));
  return results;
}

/**
 * Reads what a withdrawal was matched with besides the withdrawal, each time anew. Whatever changes
 * between the two reads loses the condition on the withdrawal's row.
 */
function following(
  { load, commit }: DecisionStore,
  outcomes: readonly Outcome.Outcome[],
): DecisionStore {
  return {
    commit,
    load: async (keys) => {
      const first = await load(keys);
      const rows = Outcome.further(first.rows, outcomes);
      if (rows.length === 0) return first;
      const second = await load({ rows, items: [] });
      return { rows: new Map([...first.rows, ...second.rows]), items: first.items };
    },
  };
}
