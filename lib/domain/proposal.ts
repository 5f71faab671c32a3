/** What operators sign together: a change that no one person may make alone. */

import type * as Resume from './resume.ts';
import type * as Scope from './scope.ts';

/** What a proposal does once enough operators have signed it. */
export type Action =
  | { readonly kind: 'resume'; readonly order: Resume.Order }
  | {
      readonly kind: 'policy';
      /** Of the text that comes into force; the text lies beside the proposal. */
      readonly hash: string;
      /** It only takes keys or operators away: it needs no delay. */
      readonly revokes: boolean;
      /** What it changes, for whoever signs: one line for each change. */
      readonly changes: readonly string[];
      /** How long it waits after the last signature, ms. */
      readonly delayMs: number;
    }
  | {
      /** One limit allows more in one scope for a while. */
      readonly kind: 'allowance';
      readonly limitId: string;
      readonly scope: Scope.Key;
      readonly extraBps: number;
      readonly untilMs: number;
    }
  | {
      /** Opens a scope for planned work, without a page. */
      readonly kind: 'maintenance';
      readonly scope: Scope.Key;
    };

/** One operator's signature. */
export type Approval = {
  readonly operator: string;
  readonly address: string;
  readonly signature: string;
  readonly atMs: number;
  readonly round: number;
};

/** One operator's objection: it ends a round, and the signatures of that round count no more. */
export type Veto = {
  readonly operator: string;
  readonly address: string;
  readonly signature: string;
  readonly reason: string;
  readonly atMs: number;
  readonly round: number;
};

/**
 * A proposal. `open`: it collects signatures. `approved`: enough have signed, it waits for its time.
 * `done`: carried out, once. `void`: it never will be, and `ended` says why.
 */
export type Proposal = {
  readonly proposalId: string;
  readonly action: Action;
  /** Of the policy that was in force when it was made: its operators decide, and no others. */
  readonly policyHash: string;
  readonly notBeforeMs: number;
  /** Until when it can be signed. */
  readonly expiresAtMs: number;
  readonly reason: string;
  readonly proposedBy: string;
  readonly proposedAtMs: number;
  /** From 1; each veto begins the next. */
  readonly round: number;
  readonly approvals: readonly Approval[];
  readonly vetoes: readonly Veto[];
  readonly state: 'open' | 'approved' | 'done' | 'void';
  /** Of one that is approved: when it is carried out. */
  readonly dueAtMs?: number;
  readonly ended?: { readonly atMs: number; readonly why: string };
};

/** Signatures and vetoes that one proposal keeps, at most. */
export const SIGNATURES_MAX = 50;
/** Longest time that a proposal can be signed, ms. */
export const LIFE_MAX_MS = 7 * 86_400_000;
/** Longest time that one may wait to be carried out after it is due, ms; then it is too old to be what people meant. */
export const LATE_MAX_MS = 86_400_000;

/** Row that keeps a proposal and decides. */
export function rowIdOf(proposalId: string): string {
  return `proposal:${proposalId}`;
}

/** When an approved proposal is carried out; nothing for any other. */
export function dueOf({ state, dueAtMs }: Proposal): number | undefined {
  return state === 'approved' ? dueAtMs : undefined;
}

/** What changes in the list of proposals that wait for their time. */
export function dueChanges(write: {
  readonly proposal: Proposal;
  readonly before?: Proposal | undefined;
}): readonly { readonly change: 'put' | 'delete'; readonly dueAtMs: number }[] {
  const was = write.before && dueOf(write.before);
  const is = dueOf(write.proposal);
  if (was === is) return [];
  return [
    ...(was === undefined ? [] : [{ change: 'delete' as const, dueAtMs: was }]),
    ...(is === undefined ? [] : [{ change: 'put' as const, dueAtMs: is }]),
  ];
}

/** Signatures of the round that runs, one for each operator. */
export function standing({ approvals, round }: Proposal): readonly Approval[] {
  return approvals.filter((approval) => approval.round === round);
}

/**
 * What a proposal does, as one canonical text: the same for the same action, another for another one.
 * Its hash is part of what is signed, so that no wording for people can hide a difference.
 */
export function canonicalAction(action: Action): string {
  return JSON.stringify(inOrder(action));
}

/** Keys in order, bigints as decimal strings. */
function inOrder(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  const sorted = entries.sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, field]) => [name, inOrder(field)]));
}
