/** Records what became of withdrawals after they were approved, and gives back what evidence allows. */

import * as Audit from '../domain/audit.ts';
import * as Ledger from '../domain/ledger.ts';
import * as Outcome from '../domain/outcome.ts';
import type { AlertStore } from '../ports.ts';
import { commitDecision, type Deps as DecisionDeps } from './commit-decision.ts';

/** What closing needs beyond a decision. */
export type Deps = DecisionDeps & { readonly alerts: AlertStore };

/** What became of one outcome: decided (also: refused), or not (nothing of it was written; ask again). */
export type Closed =
  | { readonly kind: 'closed'; readonly result: Outcome.Result }
  | { readonly kind: 'failed'; readonly error: unknown };

/**
 * Outcomes of one transaction, which holds 100 items: of a withdrawal that was charged each changes
 * twelve at most, `global` not counted. One that is held leaves up to `Queue.PLACES_MAX` queues besides:
 * what is too much together is halved.
 */
const CHUNK_MAX = 8;

/**
 * Records one outcome. The withdrawal tells which scopes were charged, so that it takes two reads;
 * whatever changes in between loses its condition and is decided on again.
 * Fail direction: closed, what is thrown has given back nothing.
 *
 * @throws {UndecidableError}, {ContendedError} and the store's errors.
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
 * What the rules cannot judge, or fits no transaction, fails alone.
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
    if (!(error instanceof UndecidableError) || outcomes.length < 2) {
      return outcomes.map(() => ({ kind: 'failed', error }));
    }
    const middle = Math.ceil(outcomes.length / 2);
    const first = await closeChunk(deps, outcomes.slice(0, middle));
    return [...first, ...(await closeChunk(deps, outcomes.slice(middle)))];
  }
}

async function closeTogether(
  deps: Deps,
  outcomes: readonly Outcome.Outcome[],
): Promise<readonly Outcome.Result[]> {
  const { results, alerts } = await commitDecision(deps, {
    keys: () => Outcome.keys(outcomes),
    further: (_, rows) => Outcome.further(rows, outcomes),
    decide: (context, loaded) => {
      const { results, alerts, changes } = decideWhole(context, loaded, outcomes);
      return { result: { results, alerts: changes ? [] : alerts }, changes };
    },
  });
  await Promise.all(alerts.map((alert) => deps.alerts.raise(alert)));
  return results;
}

function decideWhole(...[context, loaded, outcomes]: Parameters<typeof Outcome.decide>) {
  const judged = orUndecidable(() => Outcome.decide(context, loaded, outcomes));
  const entries = outcomes.flatMap((one, at) => told(one, judged.results[at], context.nowMs) ?? []);
  const changes = judged.changes && { ...judged.changes, ...(entries.length > 0 && { entries }) };
  const decided = { ...judged, changes };
  const size = changes ? Ledger.size(changes) : 0;
  if (size > Ledger.CHANGES_MAX) {
    throw new UndecidableError({ reason: `they change ${size} items, over ${Ledger.CHANGES_MAX}` });
  }
  return decided;
}

/** What the audit chain is told of a person's word; evidence that services send is in the ledger. */
function told(
  outcome: Outcome.Outcome,
  result: Outcome.Result | undefined,
  atMs: number,
): Audit.Entry | undefined {
  if (outcome.kind === 'settled' || outcome.evidence.kind !== 'operator') return undefined;
  if (result?.kind !== 'recorded') return undefined;
  const { kind, withdrawalId, evidence } = outcome;
  return Audit.entry({
    entryId: `withdrawal:${kind}:${withdrawalId}:${atMs}`,
    atMs,
    who: evidence.reference,
    what: 'withdrawal.closed',
    before: `withdrawal ${withdrawalId} approved`,
    after: `withdrawal ${withdrawalId} ${kind}, ${result.givenBack} micro-USD given back`,
    reason: evidence.reason,
  });
}

function orUndecidable<T>(judge: () => T): T {
  try {
    return judge();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unknown';
    throw new UndecidableError({ reason, cause });
  }
}

/** The rules could not judge these outcomes, or their changes fit no transaction. Nothing was written. */
export class UndecidableError extends Error {
  override readonly name = 'CloseWithdrawal.UndecidableError';
  constructor(details: { readonly reason: string; readonly cause?: unknown }) {
    super(details.reason, { cause: details.cause });
  }
}
