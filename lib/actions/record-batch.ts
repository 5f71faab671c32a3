/** Records a batch as the queue gave it: what left, and what became of withdrawals, in the order that trips nothing needlessly. */

import type * as Decision from '../domain/decision.ts';
import type * as Outcome from '../domain/outcome.ts';
import { type Closed, closeWithdrawals, type Deps } from './close-withdrawal.ts';
import { type Recorded as RecordedEvent, recordEvents } from './record-events.ts';

/** One event of a batch. */
export type Entry =
  | Decision.Incoming
  | { readonly kind: 'outcome'; readonly outcome: Outcome.Outcome };

/** What became of one event. */
export type Recorded = RecordedEvent | Closed;

/**
 * Records what was approved and seen, then what became of it: a report and its outcome may come in
 * one batch in any order. A replacement is recorded before the outflow of the new transaction and
 * after that of the old one. What names a withdrawal of which something failed in this call waits
 * with it: decided on alone it would be refused, or trip.
 * Fail direction: closed, an event that was not committed comes back as `failed` and is unchanged.
 */
export async function recordBatch(
  deps: Deps,
  entries: readonly Entry[],
): Promise<readonly Recorded[]> {
  const recorded = new Map<Entry, Recorded>();
  const waitedFor = new Set<string>();
  const steps = stepsOf(entries);
  for (const { step, record } of [
    { step: steps.seen, record: (some: readonly Entry[]) => recordTransfers(deps, some) },
    { step: steps.replaced, record: (some: readonly Entry[]) => recordOutcomes(deps, some) },
    { step: steps.replacing, record: (some: readonly Entry[]) => recordTransfers(deps, some) },
    { step: steps.closed, record: (some: readonly Entry[]) => recordOutcomes(deps, some) },
  ]) {
    const ready = step.filter((entry) => !waitedFor.has(withdrawalIdOf(entry) ?? ''));
    const results = await record(ready);
    for (const [position, entry] of ready.entries()) {
      const result = results[position];
      if (result) recorded.set(entry, result);
    }
    for (const entry of step) {
      const withdrawalId = withdrawalIdOf(entry);
      const isDone = (recorded.get(entry)?.kind ?? 'failed') !== 'failed';
      if (withdrawalId !== undefined && !isDone) waitedFor.add(withdrawalId);
    }
  }
  const error = new WaitingError();
  return entries.map((entry) => recorded.get(entry) ?? { kind: 'failed', error });
}

/** The order of a batch; without replacements in it, everything that was seen is one step. */
function stepsOf(entries: readonly Entry[]) {
  const outcomes = entries.filter((entry) => entry.kind === 'outcome');
  const replaced = outcomes.filter(({ outcome }) => outcome.kind === 'replaced');
  const transfers = entries.filter((entry) => entry.kind !== 'outcome');
  const isReplacing = (entry: Entry) =>
    replaced.some(({ outcome }) => outcome.kind === 'replaced' && isOther(entry, outcome));
  return {
    seen: transfers.filter((entry) => !isReplacing(entry)),
    replaced,
    replacing: transfers.filter(isReplacing),
    closed: outcomes.filter(({ outcome }) => outcome.kind !== 'replaced'),
  };
}

/** Whether an entry is an outflow of the withdrawal in another transaction than the replaced one. */
function isOther(
  entry: Entry,
  replaced: { readonly withdrawalId: string; readonly transaction: string },
): boolean {
  if (entry.kind !== 'transfer' || entry.event.kind !== 'outflow') return false;
  const { withdrawalId, transaction } = entry.event;
  const isSame = transaction.toLowerCase() === replaced.transaction.toLowerCase();
  return withdrawalId === replaced.withdrawalId && !isSame;
}

function recordTransfers(deps: Deps, entries: readonly Entry[]): Promise<readonly RecordedEvent[]> {
  return recordEvents(
    deps,
    entries.filter((entry) => entry.kind !== 'outcome'),
  );
}

function recordOutcomes(deps: Deps, entries: readonly Entry[]): Promise<readonly Closed[]> {
  const outcomes = entries.filter((entry) => entry.kind === 'outcome');
  return closeWithdrawals(
    deps,
    outcomes.map(({ outcome }) => outcome),
  );
}

function withdrawalIdOf(entry: Entry): string | undefined {
  if (entry.kind === 'outcome') return entry.outcome.withdrawalId;
  return entry.kind === 'transfer' ? entry.event.withdrawalId : undefined;
}

/** Another event of the same withdrawal could not be committed in the same call; both come again. Nothing was written. */
export class WaitingError extends Error {
  override readonly name = 'RecordBatch.WaitingError';
  constructor() {
    super('another event of its withdrawal could not be committed; it comes again with it');
  }
}
