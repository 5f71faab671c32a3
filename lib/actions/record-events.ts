/** Counts what left, and trips what it has to trip: the action behind every report and observation. */

import * as Approval from '../domain/approval.ts';
import * as Charge from '../domain/charge.ts';
import * as Decision from '../domain/decision.ts';
import * as FirstSight from '../domain/first-sight.ts';
import * as Ledger from '../domain/ledger.ts';
import * as Policy from '../domain/policy.ts';
import * as Withdrawal from '../domain/withdrawal.ts';
import { commitDecision, type Deps } from './commit-decision.ts';

/** What became of one event: decided, or not (nothing of it was written; ask again). */
export type Recorded =
  | { readonly kind: 'decided'; readonly outcome: Decision.Outcome }
  | { readonly kind: 'failed'; readonly error: unknown };

/** Items that one transaction is planned for; the rest of its hundred is for incidents, causes and alerts. */
const PLANNED_ITEMS_MAX = 60;
/** A report changes its own row and what waits between its ends; an outflow that of its withdrawal too. */
const ROWS_PER_REPORT = 2;
const ROWS_PER_OUTFLOW = 3;

/**
 * Records events in transactions of at most a hundred items, each final: what was approved first,
 * then what was seen, so that a batch that holds both in the wrong order trips nothing. One event
 * that cannot be decided on is parked and trips; the others go on.
 * Fail direction: closed, an event whose transaction failed comes back as `failed` and is unchanged.
 */
export async function recordEvents(
  deps: Deps,
  events: readonly Decision.Incoming[],
): Promise<readonly Recorded[]> {
  if (events.length === 0) return [];
  let policy: Policy.Policy;
  try {
    ({ policy } = await deps.policy.current());
  } catch (error) {
    return events.map(() => ({ kind: 'failed', error }));
  }
  const positions = reportsFirst(events);
  const ordered = positions.flatMap((position) => events[position] ?? []);
  const results: Recorded[] = [];
  for (const chunk of plan(policy, ordered)) {
    results.push(...(await recordReady(deps, chunk, unreported(ordered, results))));
  }
  return events.map((_, position) => {
    const error = new UndecidableError({ reason: 'it was not planned' });
    return results[positions.indexOf(position)] ?? { kind: 'failed', error };
  });
}

/** Positions of the events: what was approved, then the batches that pay it, then outflows; otherwise in their order. */
function reportsFirst(events: readonly Decision.Incoming[]): readonly number[] {
  const rank = (event: Decision.Incoming | undefined) => {
    if (event?.kind === 'batch') return 1;
    return event && isOutflow(event) ? 2 : 0;
  };
  return [...events.keys()].sort((left, right) => rank(events[left]) - rank(events[right]));
}

function isOutflow(incoming: Decision.Incoming): boolean {
  return incoming.kind === 'transfer' && incoming.event.kind === 'outflow';
}

/** Withdrawals whose report failed in this call, and the ends between which they wait, as ledger ids. */
function unreported(
  ordered: readonly Decision.Incoming[],
  results: readonly Recorded[],
): ReadonlySet<string> {
  const failed = ordered.filter((_, position) => results[position]?.kind === 'failed');
  return new Set(
    failed.flatMap((incoming) =>
      incoming.kind === 'transfer' && incoming.event.kind === 'withdrawal'
        ? [Withdrawal.rowId(incoming.event), Approval.endsId(incoming.event.transfer)]
        : [],
    ),
  );
}

/** An outflow whose report has just failed waits with it: decided on alone it would trip. */
async function recordReady(
  deps: Deps,
  chunk: readonly Decision.Incoming[],
  waitedFor: ReadonlySet<string>,
): Promise<readonly Recorded[]> {
  const waits = (incoming: Decision.Incoming) =>
    incoming.kind === 'transfer' &&
    incoming.event.kind === 'outflow' &&
    waitedFor.has(awaitedBy(incoming.event));
  const decided = [
    ...(await recordChunk(
      deps,
      chunk.filter((event) => !waits(event)),
    )),
  ];
  const error = new UnreportedError();
  return chunk.map((event) => {
    const undecided: Recorded = { kind: 'failed', error };
    return waits(event) ? undecided : (decided.shift() ?? undecided);
  });
}

/** The withdrawal that an outflow names; where it names none, the ends between which it would be found. */
function awaitedBy({ withdrawalId, transfer }: Withdrawal.Outflow): string {
  return withdrawalId === undefined
    ? Approval.endsId(transfer)
    : Withdrawal.withdrawalRowId(withdrawalId);
}

/**
 * Groups events, in order, so that each group's rows and items fit one transaction. An event that
 * the rules cannot even place stands alone, so that it takes no other with it.
 */
export function plan(
  policy: Policy.Policy,
  events: readonly Decision.Incoming[],
): readonly (readonly Decision.Incoming[])[] {
  const chunks: Decision.Incoming[][] = [];
  let rows = 0;
  let items = new Set<string>();
  for (const event of events) {
    const keys = itemKeys(policy, event);
    if (!keys) {
      chunks.push([event]);
      rows = PLANNED_ITEMS_MAX;
      continue;
    }
    const together = new Set([...items, ...keys]);
    const last = chunks.at(-1);
    const added = isOutflow(event) ? ROWS_PER_OUTFLOW : ROWS_PER_REPORT;
    if (last && rows + added + together.size <= PLANNED_ITEMS_MAX) {
      last.push(event);
      rows += added;
      items = together;
    } else {
      chunks.push([event]);
      rows = added;
      items = new Set(keys);
    }
  }
  return chunks;
}

async function recordChunk(
  deps: Deps,
  chunk: readonly Decision.Incoming[],
): Promise<readonly Recorded[]> {
  if (chunk.length === 0) return [];
  try {
    const outcomes = await commitDecision(deps, {
      keys: (policy) => orUndecidable(() => Decision.keys(policy, chunk)),
      further: (policy, rows) => Decision.further(policy, rows, chunk),
      decide: (context, loaded) => decideWhole(context, loaded, chunk),
    });
    return outcomes.map((outcome) => ({ kind: 'decided', outcome }));
  } catch (error) {
    const [only] = chunk;
    const undecidable = error instanceof UndecidableError;
    if (undecidable && chunk.length > 1) return recordHalves(deps, chunk);
    if (undecidable && only?.kind === 'transfer') return recordChunk(deps, [parked(only, error)]);
    return chunk.map(() => ({ kind: 'failed', error }));
  }
}

async function recordHalves(
  deps: Deps,
  chunk: readonly Decision.Incoming[],
): Promise<readonly Recorded[]> {
  const middle = Math.ceil(chunk.length / 2);
  const first = await recordChunk(deps, chunk.slice(0, middle));
  return [...first, ...(await recordChunk(deps, chunk.slice(middle)))];
}

function decideWhole(...[context, loaded, chunk]: Parameters<typeof Decision.decide>): {
  readonly result: readonly Decision.Outcome[];
  readonly changes?: Ledger.Changes;
} {
  const decision = orUndecidable(() => Decision.decide(context, loaded, chunk));
  const size = Ledger.size(decision.changes);
  if (size > Ledger.CHANGES_MAX) {
    throw new UndecidableError({ reason: `it changes ${size} items, over ${Ledger.CHANGES_MAX}` });
  }
  const { outcomes, changes } = decision;
  return isRepeat(decision) ? { result: outcomes } : { result: outcomes, changes };
}

function orUndecidable<T>(judge: () => T): T {
  try {
    return judge();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unknown';
    throw new UndecidableError({ reason, cause });
  }
}

/** Nothing but repeats that say nothing new: a strong read has shown that each is in the ledger. */
function isRepeat({ outcomes, changes }: Decision.Decision): boolean {
  const changeNothing = outcomes.every(
    ({ result }) => result === 'duplicate' || result === 'expected',
  );
  return changes.rows.length === 0 && changeNothing;
}

/** Parking asks for the scopes only. The amount may be what cannot be judged, so it stays behind. */
function parked(
  { event }: Extract<Decision.Incoming, { kind: 'transfer' }>,
  error: UndecidableError,
): Decision.Incoming {
  const transfer = { ...event.transfer, amount: 0n, fee: undefined };
  return { kind: 'parked', event: { ...event, transfer }, reason: error.message.slice(0, 200) };
}

/** The items that an event touches; `undefined` where that cannot be told. */
function itemKeys(policy: Policy.Policy, event: Decision.Incoming): readonly string[] | undefined {
  if (event.kind === 'heartbeat') return [];
  // What these touch only the rows tell: they stand alone.
  if (event.kind === 'removed' || event.kind === 'risk' || event.kind === 'batch') return undefined;
  try {
    if (event.kind === 'sighted') return FirstSight.keys(policy, event);
    return Charge.keys(Policy.resolve(policy, event.event.transfer));
  } catch {
    return undefined;
  }
}

/** The rules could not judge these events, or their changes fit no transaction. Nothing was written. */
export class UndecidableError extends Error {
  override readonly name = 'RecordEvents.UndecidableError';
  constructor(details: { readonly reason: string; readonly cause?: unknown }) {
    super(details.reason, { cause: details.cause });
  }
}

/** The report of this outflow failed in the same call; both come again. Nothing was written. */
export class UnreportedError extends Error {
  override readonly name = 'RecordEvents.UnreportedError';
  constructor() {
    super('the report of its withdrawal could not be committed; it comes again with it');
  }
}
