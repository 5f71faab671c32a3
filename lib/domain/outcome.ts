/**
 * What becomes of a withdrawal after it was approved. Budget is given back only against evidence
 * that the money cannot leave any more, exactly once, and out of exactly the slots it was charged to.
 */

import * as Approval from './approval.ts';
import * as Batch from './batch.ts';
import * as Draft from './draft.ts';
import * as Hold from './hold.ts';
import type * as Ledger from './ledger.ts';
import * as Matching from './matching.ts';
import * as Reorg from './reorg.ts';
import * as Scope from './scope.ts';
import * as Withdrawal from './withdrawal.ts';

/**
 * Why a withdrawal cannot leave any more.
 * `nonce-spent`: another transaction took its place on chain; `reference` is that transaction.
 * `never-signed`: the signer's own record that it did not sign; `reference` is that record.
 * `operator`: a person's word; `reference` is who, as the transport proved it.
 */
export type Evidence =
  | { readonly kind: 'nonce-spent' | 'never-signed'; readonly reference: string }
  | { readonly kind: 'operator'; readonly reference: string; readonly reason: string };

/**
 * What is said of a withdrawal.
 * `settled`: it left for good. `failed`, `cancelled`: it will not leave.
 * `replaced`: another transaction takes the place of the one that carried it, and will carry it.
 */
export type Outcome =
  | { readonly kind: 'settled'; readonly withdrawalId: string }
  | {
      readonly kind: 'failed' | 'cancelled';
      readonly withdrawalId: string;
      readonly evidence: Evidence;
    }
  | {
      readonly kind: 'replaced';
      readonly withdrawalId: string;
      /** The transaction that is replaced. */
      readonly transaction: string;
      readonly evidence: { readonly kind: 'nonce-spent'; readonly reference: string };
    };

/** What came of it. `refused` carries the reason as people read it; nothing has changed then. */
export type Result =
  | {
      readonly kind: 'recorded';
      readonly withdrawalId: string;
      readonly outcome: Outcome['kind'];
      /** micro-USD at the price of the charge; from slots that have left the ladder nothing returns. */
      readonly givenBack: bigint;
    }
  | { readonly kind: 'duplicate'; readonly withdrawalId: string }
  | { readonly kind: 'refused'; readonly withdrawalId: string; readonly why: string };

/** One result per outcome in order, and what they change; absent when nothing is to be written. */
export type Decided = {
  readonly results: readonly Result[];
  readonly changes?: Ledger.Changes;
  /** Told even where nothing is written: what was refused. */
  readonly alerts: readonly Ledger.Alert[];
};

type Closing = Extract<Outcome, { kind: 'failed' | 'cancelled' }>;
type Replacing = Extract<Outcome, { kind: 'replaced' }>;
/** A withdrawal that somebody approved. */
type Approved = Ledger.Row & { readonly money: Ledger.Money };
/** Why an outcome is refused; `about` groups what people are told. */
type Refusal = {
  readonly about: 'unknown' | 'seen' | 'contradiction' | 'admitted';
  readonly why: string;
};

/** The same kind of refusal in the same scope is told once in this time. */
const TOLD_EVERY_MS = 3_600_000;

/**
 * What must be loaded before these can be decided on. Which scopes were charged only the rows tell:
 * the decision is made again when it turns out to change an item that was not loaded.
 */
export function keys(outcomes: readonly Outcome[]): {
  readonly rows: readonly string[];
  readonly items: readonly Scope.Key[];
} {
  const rows = outcomes.flatMap((outcome) => [
    Withdrawal.withdrawalRowId(outcome.withdrawalId),
    ...(outcome.kind === 'replaced' ? [noteId(outcome)] : []),
  ]);
  return { rows: [...new Set(rows)], items: [Scope.GLOBAL_KEY] };
}

/** Rows that must be loaded besides, as the loaded ones tell: what waits between a withdrawal's ends, its batch, and outflows that will have been replaced. */
export function further(
  rows: Ledger.Loaded['rows'],
  outcomes: readonly Outcome[],
): readonly string[] {
  const linked = outcomes.flatMap((outcome) => {
    const row = rows.get(Withdrawal.withdrawalRowId(outcome.withdrawalId));
    if (!isApproved(row)) return [];
    const ends = Approval.endsId(row.money.transfer);
    if (outcome.kind === 'replaced') return [ends, linkTo(row, outcome) ?? ends];
    return [ends, ...Batch.together(rows, row)];
  });
  return [...new Set(linked)];
}

/**
 * Decides in order. One that is refused changes nothing and does not touch the others; people are
 * told of it, except where a person asked and reads the answer.
 * Fail direction: closed, what is not proven stays charged.
 */
export function decide(
  context: Draft.Context,
  loaded: Ledger.Loaded,
  outcomes: readonly Outcome[],
): Decided {
  const draft = Draft.start(context, loaded);
  const results = outcomes.map((outcome) => decideOne(draft, outcome));
  const alerts = [...draft.alerts.values()];
  const isWritten = draft.rows.size > 0;
  return isWritten ? { results, alerts, changes: Draft.changes(draft) } : { results, alerts };
}

function decideOne(draft: Draft.Draft, outcome: Outcome): Result {
  const row = Draft.row(draft, Withdrawal.withdrawalRowId(outcome.withdrawalId));
  if (row?.state === 'held') return leave(draft, outcome, row);
  if (!isApproved(row)) {
    return refuse(draft, outcome, { about: 'unknown', why: 'nobody approved such a withdrawal' });
  }
  switch (outcome.kind) {
    case 'settled':
      return settle(draft, outcome, row);
    case 'failed':
    case 'cancelled':
      return close(draft, outcome, row);
    case 'replaced':
      return replace(draft, outcome, row);
    default:
      return outcome satisfies never;
  }
}

/**
 * It left for good: its charge stays, and its outflow may still come. A reservation becomes
 * `reported`: no longer open, and never admitted again.
 */
function settle(draft: Draft.Draft, outcome: Outcome, row: Approved): Result {
  const { withdrawalId } = outcome;
  if (isClosed(row)) return refuse(draft, outcome, contradiction(row));
  if (row.settledAtMs !== undefined) return { kind: 'duplicate', withdrawalId };
  if (row.state === 'reserved') Draft.countOutstanding(draft, row.money.subject, -1);
  const state = row.state === 'reserved' ? 'reported' : row.state;
  Draft.putRow(draft, { ...row, state, settledAtMs: draft.atMs });
  return { kind: 'recorded', withdrawalId, outcome: 'settled', givenBack: 0n };
}

function close(draft: Draft.Draft, outcome: Closing, row: Approved): Result {
  const { kind, withdrawalId, evidence } = outcome;
  if (row.state === kind) return { kind: 'duplicate', withdrawalId };
  const against = standsAgainst(draft, outcome, row);
  if (against) return refuse(draft, outcome, against);
  if (row.state === 'reserved') Draft.countOutstanding(draft, row.money.subject, -1);
  Draft.giveBack(draft, row.money);
  Approval.consume(draft, row.money.transfer, row.rowId);
  Batch.leave(draft, row);
  Draft.putRow(draft, { ...row, state: kind, note: noteOf(evidence) });
  return { kind: 'recorded', withdrawalId, outcome: kind, givenBack: sizeOf(row.money) };
}

/** What is held was neither admitted nor charged: it leaves its queue on anybody's word. */
function leave(draft: Draft.Draft, outcome: Outcome, row: Ledger.Row): Result {
  const { withdrawalId, kind } = outcome;
  if (kind !== 'failed' && kind !== 'cancelled') {
    const why = 'it is held, and nobody was admitted to sign for it';
    return refuse(draft, outcome, { about: 'contradiction', why });
  }
  Hold.leave(draft, row);
  const { places: _, ...rest } = row;
  Draft.putRow(draft, { ...rest, state: kind, note: noteOf(outcome.evidence) });
  return { kind: 'recorded', withdrawalId, outcome: kind, givenBack: 0n };
}

function standsAgainst(draft: Draft.Draft, closing: Closing, row: Approved): Refusal | undefined {
  if (isClosed(row)) return contradiction(row);
  if (row.state === 'matched') {
    return { about: 'seen', why: `its outflow was seen on chain (${row.link ?? 'unknown'})` };
  }
  if (row.settledAtMs !== undefined && closing.evidence.kind !== 'operator') {
    return {
      about: 'contradiction',
      why: 'it was settled before; only an operator can take it back',
    };
  }
  if (row.wasSeen && closing.evidence.kind === 'never-signed') {
    const why = 'its outflow was seen on chain before it was taken off, so that it was signed';
    return { about: 'contradiction', why };
  }
  return stillAdmitted(draft, closing, row);
}

/**
 * While its admission lives, what nobody has signed can still be signed, and what is signed in its
 * last second can be broadcast later. A spent nonce proves more: the admission, which is good for
 * one signature, was used. Judged by the worker's own clock, with room for that of the signer.
 */
function stillAdmitted(
  draft: Draft.Draft,
  { evidence }: Closing,
  row: Approved,
): Refusal | undefined {
  const { nowMs, policy } = draft.context;
  const { admittedUntilMs = 0 } = row;
  const isOver = admittedUntilMs + 2 * policy.timing.clockToleranceMs <= nowMs;
  if (isOver || evidence.kind === 'nonce-spent') return undefined;
  const until = new Date(admittedUntilMs).toISOString();
  const why = `its admission lives until ${until}, so that it can still be signed; say it again some seconds after that`;
  return { about: 'admitted', why };
}

/**
 * Another transaction carries it now. What was seen of the first one counts no more and its fee is
 * given back; the withdrawal keeps its charge and waits for its outflow again, as `reported`: it is
 * signed for already, and not admitted again. Said before anything was seen, it is noted. What the
 * watcher saw on chain only a reorg undoes, whatever is said: else each payout could be said to
 * replace the one before it, and none but the first would count.
 */
function replace(draft: Draft.Draft, outcome: Replacing, row: Approved): Result {
  const { withdrawalId, kind } = outcome;
  if (isClosed(row)) return refuse(draft, outcome, contradiction(row));
  const link = linkTo(row, outcome);
  if (link !== undefined && Draft.row(draft, link)?.sequence !== undefined) {
    const why = `its outflow is on chain (${link}); only a reorg takes it away, and a speed-up is matched by its nonce`;
    return refuse(draft, outcome, { about: 'seen', why });
  }
  const note = { rowId: noteId(outcome), bodyHash: '', note: noteOf(outcome.evidence) };
  if (link === undefined && Draft.row(draft, note.rowId))
    return { kind: 'duplicate', withdrawalId };
  Draft.putNote(draft, note);
  const givenBack = link === undefined ? 0n : unlink(draft, { row, link, note: note.note });
  return { kind: 'recorded', withdrawalId, outcome: kind, givenBack };
}

/** Undoes a match, and says what of its fee was given back; nothing where the outflow carried the charge of both, which stays. */
function unlink(
  draft: Draft.Draft,
  matched: { readonly row: Approved; readonly link: string; readonly note: string },
): bigint {
  const { row, note } = matched;
  const { rowId, sent, money } = row;
  const seen = Draft.row(draft, matched.link);
  if (seen?.state !== 'matched' || !seen.money) return 0n;
  Reorg.reopen(draft, row, seen);
  Approval.expect(draft, money.transfer, Matching.approvalOf(rowId, money.transfer, sent));
  if (Reorg.isCarriedBy(row, seen)) {
    const spent = { ...seen.money, charged: [] };
    Draft.putRow(draft, { ...seen, state: 'replaced', note, money: spent });
    return 0n;
  }
  Draft.giveBack(draft, seen.money, 0);
  Draft.putRow(draft, { ...seen, state: 'replaced', note });
  return sizeOf(seen.money);
}

/**
 * Refuses, and tells people where nobody waits for the answer. An event that is refused does not
 * come again: what it says will not become true by waiting, and in a dead-letter queue it would stop
 * the renewal of the flag's lease, so that one wrong id could stop an exchange.
 */
function refuse(draft: Draft.Draft, outcome: Outcome, refusal: Refusal): Result {
  const { withdrawalId, kind } = outcome;
  const { about, why } = refusal;
  const byOperator = kind !== 'settled' && outcome.evidence.kind === 'operator';
  if (!byOperator) {
    const rowId = Withdrawal.withdrawalRowId(withdrawalId);
    const subject = Draft.row(draft, rowId)?.money?.subject;
    const scope = subject ? Scope.key(Scope.of('wallet', subject)) : Scope.GLOBAL_KEY;
    const { atMs } = draft;
    const alertId = `outcome|${about}|${scope}|${Math.floor(atMs / TOLD_EVERY_MS)}`;
    const text = `withdrawal ${withdrawalId} was said to be ${kind}: ${why}; nothing was changed`;
    Draft.alert(draft, { alertId, kind: 'refused', atMs, scope, rowId, text });
  }
  return { kind: 'refused', withdrawalId, why };
}

function contradiction(row: Approved): Refusal {
  return { about: 'contradiction', why: `it is ${row.state} already` };
}

/** What an outflow named before anybody approved it is no approved withdrawal yet. */
function isApproved(row: Ledger.Row | undefined): row is Approved {
  return row?.money !== undefined && row.state !== 'claimed';
}

function isClosed(row: Approved): boolean {
  return row.state === 'failed' || row.state === 'cancelled';
}

function sizeOf({ charged }: Ledger.Money): bigint {
  return charged.reduce((sum, leg) => sum + leg.notional, 0n);
}

function noteOf(evidence: Evidence): string {
  const said = `${evidence.kind} ${evidence.reference}`;
  return evidence.kind === 'operator' ? `${said}: ${evidence.reason}` : said;
}

function noteId({ withdrawalId, transaction }: Replacing): string {
  return `replaced:${withdrawalId}:${transaction}`;
}

/** The outflow's row that the withdrawal is matched with, if it belongs to the replaced transaction. */
function linkTo(row: Approved, outcome: Replacing): string | undefined {
  const { transfer } = row.money;
  // The event does not say its chain; where hex means the same in either case, rows are in lower case.
  const isEvm = transfer.account.startsWith('eip155:');
  const transaction = isEvm ? outcome.transaction.toLowerCase() : outcome.transaction;
  const prefix = { kind: 'outflow', transaction, place: '', transfer } as const;
  return row.link?.startsWith(Withdrawal.outflowRowId(prefix)) ? row.link : undefined;
}
