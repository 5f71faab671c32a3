/** The ledger: one row per unit of value, and the item that each scope keeps. */

import type * as Approval from './approval.ts';
import type * as Audit from './audit.ts';
import type { Breaker, Cause, Incident } from './breaker.ts';
import { CLOSED } from './breaker.ts';
import type { Direction } from './change.ts';
import type { Facts } from './facts.ts';
import * as Meter from './meter.ts';
import type { Leg, Retired } from './policy.ts';
import * as Proposal from './proposal.ts';
import type * as Queue from './queue.ts';
import type * as Scope from './scope.ts';
import type { Sent, Transfer } from './withdrawal.ts';

/**
 * `reported`: an approved withdrawal, its outflow not seen yet.
 * `reserved`: a withdrawal that was admitted before it was signed, its outflow not seen yet.
 * `held`: a withdrawal that may not be signed for yet and keeps its place in a queue; nothing is charged.
 * `failed`, `cancelled`: a withdrawal that will not leave; what it was charged was given back.
 * `claimed`: an outflow named this withdrawal before anybody reported it.
 * `matched`: withdrawal and outflow have met; each consumes the other, once.
 * `unmatched`: an outflow that nobody approved.
 * `moved`: an outflow that operators declared.
 * `kept`: an outflow to an address of the exchange's own, or one that moved nothing: only its fee has left.
 * `replaced`: an outflow that will not stay on chain: another transaction took its place. Its fee was given back.
 * `removed`: an outflow that a reorg took off the chain. What it was charged was given back.
 * `noted`: kept only so that its event acts once (a command, a conflict, a parked record).
 */
export type RowState =
  | 'reported'
  | 'reserved'
  | 'held'
  | 'claimed'
  | 'matched'
  | 'unmatched'
  | 'moved'
  | 'kept'
  | 'replaced'
  | 'removed'
  | 'failed'
  | 'cancelled'
  | 'noted';

/** One row. What was charged, where, when and at which price stays with it: meters can be recomputed from rows. */
export type Row = {
  readonly rowId: string;
  readonly version: number;
  readonly state: RowState;
  /** The decision that wrote it last: tells a lost answer from somebody else's write. */
  readonly decisionId: string;
  readonly bodyHash: string;
  readonly atMs: number;
  readonly policyVersion: number;
  /** Absent on `noted` rows. */
  readonly money?: Money;
  /** On withdrawals that were reserved: until when the newest admission that was given for it lives. */
  readonly admittedUntilMs?: number;
  /** On withdrawals that were said to have left for good: when. */
  readonly settledAtMs?: number;
  /** On `held` withdrawals: the limits in whose queues they stand. None: a person has to let them go. */
  readonly places?: readonly Queue.Place[];
  /** On `held` withdrawals: when all their windows have room. Absent: something else stops them. */
  readonly goesAtMs?: number;
  /** On withdrawals that a person let go: who, and when. Limits that hold ask nobody else for a while. */
  readonly released?: { readonly by: string; readonly atMs: number };
  /** On admitted withdrawals: who may accept the newest admission. */
  readonly audience?: string;
  /** The row it was matched with or claimed by. */
  readonly link?: string;
  /** On outflows that paid a batch: the further withdrawals that they were matched with. */
  readonly links?: readonly string[];
  /** On withdrawals that a batch pays: the row of the ends between which the batch waits. */
  readonly payout?: string;
  /** On `moved` outflows: the declared movement that they used. */
  readonly movementId?: string;
  /** On outflows: the observer's count of the newest thing that it told of it. */
  readonly sequence?: number;
  /** On unmatched outflows: until when their report may still come before people are told. */
  readonly graceUntilMs?: number;
  /** On withdrawals: their chain is watched, so that their outflow has to show. */
  readonly isAwaited?: true;
  /** On withdrawals: an outflow was taken for theirs that stands no more. They are signed for. */
  readonly wasSeen?: true;
  /** On withdrawals: what the service said of the transaction. */
  readonly sent?: Sent;
  /** On rows of proposals: what operators sign together. */
  readonly proposal?: Proposal.Proposal;
  /** On rows of two ends: what waits between them. */
  readonly ends?: Approval.Ends;
  /** Why, on `noted`, `failed`, `cancelled` and `replaced` rows. */
  readonly note?: string;
};

/**
 * What moved, the scopes it lies in, and what of it was charged (empty when the other row was).
 * What a matched outflow was charged is a fee: it added its size, and no withdrawal to any count.
 */
export type Money = {
  readonly transfer: Transfer;
  readonly subject: Scope.Subject;
  readonly charged: readonly Leg[];
  readonly chargedAtMs: number;
};

/** The item of one scope: its meter with its gate. `version` changes with every write. */
export type Item = {
  readonly version: number;
  readonly meter: Meter.Meter;
  readonly breaker: Breaker;
  /** On `global` only: the policy in force. */
  readonly policyVersion?: number;
  /** On `global` only: what tells this stack from every other, 64 hex digits; made with its first policy. */
  readonly stackId?: string;
  /** On actors: reservations whose outcome is open. Absent: none. */
  readonly outstanding?: number;
  /** Held withdrawals that wait for room in this scope, by limit. Absent: none. */
  readonly waiting?: readonly { readonly limitId: string; readonly count: number }[];
  /** Limits that count from a mark on, because a resume named them. Absent: none. */
  readonly bases?: readonly Base[];
  /** Every limit of the scope allows only a share of itself, until people lift it. */
  readonly overlay?: Overlay;
  /** Limits of the scope that allow more of themselves for a while. Absent: none. */
  readonly allowances?: readonly Allowance[];
};

/** Limits whose windows begin at a mark. */
export type Base = { readonly limitIds: readonly string[]; readonly mark: Meter.Mark };

/** A tightening of a scope. Its incident is closed, and the overlay lifted, by a resume. */
export type Overlay = {
  /** 0 to 10 000. */
  readonly shareBps: number;
  readonly incidentId: string;
  readonly by: string;
  readonly atMs: number;
  /** Causes of its incident so far, the first one included. */
  readonly causes: number;
};

/** A limit allows this much more of itself until a time. */
export type Allowance = {
  readonly limitId: string;
  readonly extraBps: number;
  readonly untilMs: number;
};

/** Something that people are told and that stops nothing. */
export type Alert = {
  /** The same fact has the same id: it is told once. */
  readonly alertId: string;
  readonly kind:
    | 'warn'
    | 'breach'
    | 'would-trip'
    | 'unknown'
    | 'refused'
    | 'held'
    | 'overdue'
    | 'risk'
    | 'unseen'
    | 'watch'
    | 'price'
    | 'balance'
    | 'panic'
    | 'step'
    | 'drill';
  readonly atMs: number;
  readonly scope: string;
  readonly rowId: string;
  readonly text: string;
};

/** Proof that events arrive and are decided on. */
export type Heartbeat = {
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
  /** Age of the oldest event in the batch that carried it. */
  readonly oldestWaitingMs: number;
};

/** What one read gave: absent keys are absent in the table. */
export type Loaded = {
  readonly rows: ReadonlyMap<string, Row>;
  readonly items: ReadonlyMap<Scope.Key, Item>;
  /** The queues that were asked for and in which somebody waits, read after the items. */
  readonly queues?: Queue.Queues;
  /** What was asked for of the world beside the ledger. */
  readonly facts?: Facts;
};

/** A row to put if absent, or to replace if its version is still the expected one. */
export type RowWrite = { readonly row: Row; readonly expected: number | 'absent' };
/** An item to put if absent, or to replace if its version is still the expected one. */
export type ItemWrite = {
  readonly key: Scope.Key;
  readonly item: Item;
  readonly expected: number | 'absent';
};
/** An incident to put if absent, or to replace while it is open. */
export type IncidentWrite = { readonly incident: Incident; readonly expected: 'absent' | 'open' };
/** A withdrawal that comes into one of its queues or leaves it. Whoever changes one changes its row, too. */
export type HeldWrite = { readonly held: Queue.Held; readonly change: 'put' | 'delete' };
/** An outflow whose grace begins or ends. Whoever changes one changes its row, too. */
export type GraceWrite = {
  readonly grace: { readonly rowId: string; readonly untilMs: number };
  readonly change: 'put' | 'delete';
};
/** A further cause of an incident. */
export type CauseWrite = {
  readonly incidentId: string;
  readonly number: number;
  readonly cause: Cause;
};

/** Everything that one decision changes: written whole or not at all. */
export type Changes = {
  readonly decisionId: string;
  readonly atMs: number;
  readonly rows: readonly RowWrite[];
  readonly items: readonly ItemWrite[];
  readonly incidents: readonly IncidentWrite[];
  readonly causes: readonly CauseWrite[];
  readonly alerts: readonly Alert[];
  readonly held?: readonly HeldWrite[];
  readonly graces?: readonly GraceWrite[];
  readonly heartbeat?: Heartbeat;
  /** A policy to put if its version is absent. */
  readonly policy?: StoredPolicy;
  /** Proposals as they are now, for those who look. Whoever changes one changes its row, too. */
  readonly proposals?: readonly ProposalWrite[];
  /** The text of a policy that is proposed; one that is there stays. */
  readonly draftPolicy?: DraftPolicy;
  /** What nothing else of this tells the audit chain. The same id is put once. */
  readonly entries?: readonly Audit.Entry[];
};

/** A proposal as it is now, and as it was before this decision; absent where it is new. */
export type ProposalWrite = {
  readonly proposal: Proposal.Proposal;
  readonly before?: Proposal.Proposal | undefined;
};

/** The text of a policy that is proposed, by its hash, with its compiled form. */
export type DraftPolicy = {
  readonly hash: string;
  readonly source: string;
  readonly compiled: string;
};

/** A policy as it is stored: the text that people wrote, and the one that decisions are made by. */
export type StoredPolicy = {
  readonly version: number;
  readonly hash: string;
  /** As it was applied; `hash` is its hash. */
  readonly source: string;
  /** What `source` says, ready to be read. Absent where an older version stored it: nothing is decided by it. */
  readonly compiled?: string;
  readonly appliedAtMs: number;
  readonly actor: string;
  /** Why, as whoever applied it said. */
  readonly reason?: string;
  /** Hash of the policy that it replaced. Absent: there was none. */
  readonly beforeHash?: string;
  /**
   * How many operators have to sign for a looser policy in place of this one; 0 in a trial, where one
   * alone may. It stands beside the text, so that it is known where the text cannot be read. Absent: an
   * older version stored it, and nobody alone may replace it unread.
   */
  readonly quorum?: number;
  /** How many changes of each direction it brought. */
  readonly judged?: Readonly<Record<Direction, number>>;
  /** What earlier versions said of addresses and assets, see `retired.ts`. Absent: nothing is remembered. */
  readonly retired?: readonly Retired[];
};

/** Items of one transaction, at most (DynamoDB's limit). */
export const CHANGES_MAX = 100;

/** Number of items in the transaction that writes these changes. */
export function size(changes: Changes): number {
  const { rows, items, held = [], graces = [], incidents, causes, alerts } = changes;
  const { heartbeat, policy, proposals = [], draftPolicy, entries = [] } = changes;
  const lists = [rows, items, held, graces, incidents, causes, alerts, entries];
  const signed = proposals.reduce((sum, write) => sum + 1 + Proposal.dueChanges(write).length, 0);
  const single = (heartbeat ? 1 : 0) + (policy ? 1 : 0) + (draftPolicy ? 1 : 0);
  // Beside each incident that closes a row says so.
  const closings = incidents.filter(({ incident }) => incident.state === 'closed').length;
  return lists.reduce((sum, list) => sum + list.length, single + signed + closings);
}

/** The item of a scope that nothing has touched. Its version starts at the clock, so that one that expired and came back is not taken for the old one. */
export function newItem(nowMs: number): Item {
  return { version: nowMs, meter: Meter.EMPTY, breaker: CLOSED };
}
