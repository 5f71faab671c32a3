/** What a proposal is in the audit chain: its making, each signature and objection, and its end. */

import type { Entry } from './audit.ts';
import * as Operators from './operators.ts';
import * as Proposal from './proposal.ts';

/** Every fact that a proposal, as it is now, tells. Facts that it told before are told again, the same. */
export function entriesOf(proposal: Proposal.Proposal): readonly Entry[] {
  const { approvals, vetoes, reason } = proposal;
  return [
    made(proposal),
    ...approvals.map((approval) => signed(proposal, { ...approval, reason }, 'approved')),
    ...vetoes.map((veto) => signed(proposal, veto, 'vetoed')),
    ...end(proposal),
  ];
}

function made(proposal: Proposal.Proposal): Entry {
  const { proposalId, action, proposedAtMs, proposedBy, policyHash, reason } = proposal;
  return {
    entryId: `proposal:${proposalId}:proposed`,
    atMs: proposedAtMs,
    who: proposedBy,
    what: `${action.kind}.proposed`,
    ...scopeOf(action),
    before: `policy ${policyHash}`,
    after: Proposal.canonicalAction(action),
    reason,
  };
}

function signed(
  { proposalId, action }: Proposal.Proposal,
  by: Proposal.Veto,
  what: 'approved' | 'vetoed',
): Entry {
  const { operator, address, signature, atMs, round, reason } = by;
  return {
    entryId: `proposal:${proposalId}:${round}:${what}:${operator}`,
    atMs,
    who: Operators.actorOf({ name: operator }),
    what: `proposal.${what}`,
    ...scopeOf(action),
    before: `proposal ${proposalId}, round ${round}`,
    after: `${what}, signed by ${address}: ${signature}`,
    reason,
  };
}

function end(proposal: Proposal.Proposal): readonly Entry[] {
  const { proposalId, action, state, ended, reason } = proposal;
  if (!ended) return [];
  const isDone = state === 'done';
  return [
    {
      entryId: `proposal:${proposalId}:${state}`,
      atMs: ended.atMs,
      who: isDone ? signersOf(proposal) : 'breakwater',
      what: isDone ? `${action.kind}.carried-out` : 'proposal.void',
      ...scopeOf(action),
      before: `proposal ${proposalId}`,
      after: isDone ? 'carried out' : 'nothing changed',
      reason: isDone ? reason : ended.why,
    },
  ];
}

function signersOf(proposal: Proposal.Proposal): string {
  const names = Proposal.standing(proposal).map(({ operator }) => operator);
  return names.map((name) => Operators.actorOf({ name })).join(', ');
}

function scopeOf(action: Proposal.Action): { readonly scope?: string } {
  if (action.kind === 'resume') return { scope: action.order.scope };
  return action.kind === 'policy' ? {} : { scope: action.scope };
}
