/** What people are told about proposals: who has to sign, what comes into force when, who objected. */

import { type Message, SUBJECT_MAX } from './page.ts';
import * as Proposal from './proposal.ts';

/**
 * The message for a proposal as it has become. Somebody has to act on one that is new, that was
 * objected to or that failed, and on a loosening that waits and can still be stopped: these are pages.
 */
export function proposed(proposal: Proposal.Proposal): Message {
  const { proposalId, reason, expiresAtMs, proposedBy, approvals, vetoes, state } = proposal;
  const signed = Proposal.standing(proposal).map(({ operator }) => operator);
  const what = whatOf(proposal.action);
  const [head, next] = wordsOf(proposal, signed.length);
  const subject = `${head} ${what}; ${next}`.slice(0, SUBJECT_MAX);
  const isNews =
    state === 'open' ? approvals.length === 0 || endsInVeto(proposal) : state !== 'done';
  return {
    subject,
    severity: isNews ? 'page' : 'notice',
    body: [
      `${head} ${what}`,
      `Reason: ${reason}`,
      `Proposed by ${proposedBy}, can be signed until ${time(expiresAtMs)}`,
      `Signed by: ${signed.length === 0 ? 'nobody yet' : signed.join(', ')}`,
      ...vetoes.map((one) => `Objected: ${one.operator} at ${time(one.atMs)}: ${one.reason}`),
      ...detailsOf(proposal.action),
      `Look:   breakwater resume status ${proposalId}`,
      ...(state === 'open' ? [`Sign:   breakwater resume sign ${proposalId}`] : []),
      ...(state === 'approved' ? [`Object: breakwater proposal veto ${proposalId}`] : []),
    ].join('\n'),
  };
}

/** The id under which a proposal's message is told once. */
export function pageIdOf({ proposalId, round, state, approvals }: Proposal.Proposal): string {
  return `proposal:${proposalId}:${round}:${state}:${approvals.length}`;
}

function endsInVeto({ approvals, vetoes, round }: Proposal.Proposal): boolean {
  return (
    vetoes.some((one) => one.round === round - 1) && !approvals.some((one) => one.round === round)
  );
}

function wordsOf(proposal: Proposal.Proposal, signed: number): [string, string] {
  const { proposalId, state, dueAtMs = 0, ended } = proposal;
  switch (state) {
    case 'open':
      if (endsInVeto(proposal))
        return ['OBJECTED TO', `look: breakwater resume status ${proposalId}`];
      return signed === 0
        ? ['TO SIGN', `run: breakwater resume sign ${proposalId}`]
        : [`SIGNED BY ${signed}`, `more: breakwater resume sign ${proposalId}`];
    case 'approved':
      return ['APPROVED', `comes into force at ${time(dueAtMs)}`];
    case 'done':
      return ['CARRIED OUT', 'by those who signed it'];
    case 'void':
      return ['VOID', ended?.why ?? 'unknown'];
    default:
      return state satisfies never;
  }
}

function whatOf(action: Proposal.Action): string {
  switch (action.kind) {
    case 'resume':
      return `resume of ${action.order.scope}, incident ${action.order.incidentId}`;
    case 'policy':
      return action.revokes ? 'keys taken away by policy' : 'policy that loosens';
    case 'allowance':
      return `allowance for limit ${action.limitId} on ${action.scope}`;
    case 'maintenance':
      return `maintenance of ${action.scope}`;
    default:
      return action satisfies never;
  }
}

function detailsOf(action: Proposal.Action): readonly string[] {
  if (action.kind === 'policy') return action.changes.map((line) => `Change: ${line}`);
  if (action.kind !== 'resume') return [];
  const { rebase, also } = action.order;
  return [
    ...rebase.map((one) => `Counts from now: limit ${one.limitId} on ${one.scope}`),
    ...also.map((one) => `Also resumes: ${one.scope}, incident ${one.incidentId}`),
  ];
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
