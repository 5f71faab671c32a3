/**
 * The ceremony: k of n operators sign one proposal, each on their own, and the signature that completes
 * them carries it out in the same decision. Fail direction: closed. Whatever does not certainly hold
 * (another policy, another opening of the breaker, a key that is gone, a time that is over) refuses the
 * signature, and nothing has changed.
 */

import * as Doubt from './ceremony-doubt.ts';
import * as Draft from './draft.ts';
import type * as Ledger from './ledger.ts';
import * as Operators from './operators.ts';
import type * as Policy from './policy.ts';
import * as Proposal from './proposal.ts';
import type * as Scope from './scope.ts';

/** What became of a signature or of a veto. */
export type Result =
  | {
      readonly kind: 'approved';
      readonly proposal: Proposal.Proposal;
      /** Operators that have signed this round, and how many it takes. */
      readonly signed: number;
      readonly quorum: number;
    }
  | { readonly kind: 'carried-out'; readonly proposal: Proposal.Proposal }
  | { readonly kind: 'vetoed'; readonly proposal: Proposal.Proposal }
  | Doubt.Refused;

/** A signature, and the address that it recovers to over what this very proposal asks to sign. */
export type Signature = { readonly signature: string; readonly address: string };

/** What carrying out gave. */
export type CarriedOut =
  | {
      readonly kind: 'done';
      readonly incidents?: readonly Ledger.IncidentWrite[];
      readonly policy?: Ledger.StoredPolicy;
    }
  | { readonly kind: 'refused'; readonly why: string };

/** What a signature is judged with besides. */
export type Known = {
  /** Of the policy in force. */
  readonly policyHash: string;
  /** Who opened the breaker by hand that a resume closes. */
  readonly pausers: readonly string[];
  /** Carries the proposal out on the draft. */
  readonly carryOut: (draft: Draft.Draft, proposal: Proposal.Proposal) => CarriedOut;
};

type Decided = { readonly result: Result; readonly changes?: Ledger.Changes };

/** How many operators it takes. A policy in trial mode lets one alone do it, and says so everywhere. */
export function quorumOf(policy: Pick<Policy.Policy, 'resume'>): number {
  return policy.resume.kind === 'quorum' ? policy.resume.quorum : 1;
}

/** Items that say whether a proposal is still about what is the case. */
export function keys({ action }: Pick<Proposal.Proposal, 'action'>): readonly Scope.Key[] {
  return action.kind === 'resume' ? [action.order.scope] : [];
}

/**
 * One operator approves. The signature that completes the quorum carries the proposal out in this very
 * decision, or lets it wait for its time; there it uses up all signatures of the round.
 */
export function approve(
  draft: Draft.Draft,
  proposalId: string,
  parameters: { readonly signed: Signature; readonly known: Known },
): Decided {
  const { signed, known } = parameters;
  const { policy } = draft.context;
  const proposal = of(draft, proposalId);
  if (!proposal) return { result: Doubt.unknown(proposalId) };
  const operator = Operators.byAddress(policy, signed.address);
  const refused =
    Doubt.whyEnded(draft.atMs, proposal) ??
    Doubt.whyStale(draft, proposal, known) ??
    (operator
      ? Doubt.whyNotThem(policy, proposal, { operator, pausers: known.pausers })
      : Doubt.stranger(signed.address));
  if (refused || !operator) return { result: refused ?? Doubt.stranger(signed.address) };
  const { round, approvals } = proposal;
  const { address, signature } = signed;
  const approval = { operator: operator.name, address, signature, atMs: draft.atMs, round };
  const next = { ...proposal, approvals: [...approvals, approval] };
  const count = Proposal.standing(next).length;
  const quorum = quorumOf(policy);
  if (count < quorum)
    return put(draft, next, { kind: 'approved', proposal: next, signed: count, quorum });
  const dueAtMs = dueOf(next, draft.atMs);
  const approved = { ...next, state: 'approved' as const, dueAtMs };
  if (dueAtMs > draft.atMs) {
    return put(draft, approved, { kind: 'approved', proposal: approved, signed: count, quorum });
  }
  return finish(draft, approved, known);
}

/**
 * One operator objects: the round is over, its signatures count no more, and who objected has no
 * further say in this proposal. A quorum of others can sign it again in the next round. What only takes
 * keys away cannot be stopped so, or the one whose key is taken would.
 */
export function veto(
  draft: Draft.Draft,
  proposalId: string,
  parameters: { readonly signed: Signature; readonly reason: string },
): Decided {
  const { signed, reason } = parameters;
  const proposal = of(draft, proposalId);
  if (!proposal) return { result: Doubt.unknown(proposalId) };
  const operator = Operators.byAddress(draft.context.policy, signed.address);
  if (!operator) return { result: Doubt.stranger(signed.address) };
  const refused = Doubt.whyEnded(draft.atMs, proposal) ?? Doubt.whyNoVeto(proposal, operator);
  if (refused) return { result: refused };
  const { dueAtMs: _, ...rest } = proposal;
  const { round, vetoes } = proposal;
  const { address, signature } = signed;
  const one = { operator: operator.name, address, signature, reason, atMs: draft.atMs, round };
  const next = { ...rest, state: 'open' as const, round: round + 1, vetoes: [...vetoes, one] };
  return put(draft, next, { kind: 'vetoed', proposal: next });
}

/**
 * Carries out a proposal that was approved and whose time has come. One that cannot be carried out any
 * more is void, with the reason. Nothing where there is nothing to do.
 */
export function carryOutDue(
  draft: Draft.Draft,
  proposalId: string,
  known: Known,
): Decided | undefined {
  const proposal = of(draft, proposalId);
  if (proposal?.state !== 'approved') return undefined;
  const { dueAtMs = Number.POSITIVE_INFINITY } = proposal;
  if (dueAtMs > draft.atMs) return undefined;
  const isLate = draft.atMs > dueAtMs + Proposal.LATE_MAX_MS;
  const why = isLate
    ? `it was due at ${new Date(dueAtMs).toISOString()}, more than a day ago`
    : Doubt.whyStale(draft, proposal, known)?.why;
  if (why !== undefined) return end(draft, proposal, why);
  const finished = finish(draft, proposal, known);
  return finished.result.kind === 'refused' ? end(draft, proposal, finished.result.why) : finished;
}

function of(draft: Draft.Draft, proposalId: string): Proposal.Proposal | undefined {
  return Draft.row(draft, Proposal.rowIdOf(proposalId))?.proposal;
}

/** A change of policy waits its delay from the last signature; nothing is carried out before its time. */
function dueOf({ action, notBeforeMs }: Proposal.Proposal, atMs: number): number {
  const delayMs = action.kind === 'policy' ? action.delayMs : 0;
  return Math.max(notBeforeMs, atMs + delayMs);
}

function finish(draft: Draft.Draft, proposal: Proposal.Proposal, known: Known): Decided {
  const carried = known.carryOut(draft, proposal);
  if (carried.kind === 'refused') return { result: Doubt.refuse('not-possible', carried.why) };
  const ended = { atMs: draft.atMs, why: 'carried out' };
  const done = { ...proposal, state: 'done' as const, ended };
  const written = put(draft, done, { kind: 'carried-out', proposal: done });
  const { incidents = [], policy } = carried;
  const { changes } = written;
  return {
    ...written,
    changes: {
      ...changes,
      incidents: [...changes.incidents, ...incidents],
      ...(policy ? { policy } : {}),
    },
  };
}

function end(draft: Draft.Draft, proposal: Proposal.Proposal, why: string): Decided {
  const gone = { ...proposal, state: 'void' as const, ended: { atMs: draft.atMs, why } };
  return put(draft, gone, Doubt.refuse('void', why));
}

/** Puts the proposal where it decides and where people look, in one decision. */
function put(
  draft: Draft.Draft,
  proposal: Proposal.Proposal,
  result: Result,
): { readonly result: Result; readonly changes: Ledger.Changes } {
  const before = of(draft, proposal.proposalId);
  putProposal(draft, proposal);
  return { result, changes: { ...Draft.changes(draft), proposals: [{ proposal, before }] } };
}

/** Puts a proposal's row. */
export function putProposal(draft: Draft.Draft, proposal: Proposal.Proposal): void {
  const rowId = Proposal.rowIdOf(proposal.proposalId);
  const note = `${proposal.action.kind}: ${proposal.state}`;
  Draft.putRow(draft, { rowId, bodyHash: '', state: 'noted', atMs: draft.atMs, note, proposal });
}
