/** Why a signature is not taken: each reason has a code of its own, and says what to do. */

import * as Draft from './draft.ts';
import * as Operators from './operators.ts';
import type * as Policy from './policy.ts';
import * as Proposal from './proposal.ts';
import type * as Scope from './scope.ts';
import type * as TypedData from './typed-data.ts';

/** Why a signature was refused; each reason has a code of its own. */
export type Code =
  | 'unknown-proposal'
  | 'malformed'
  | 'malleable'
  | 'wrong-stack'
  | 'wrong-message'
  | 'not-an-operator'
  | 'no-right'
  | 'duplicate'
  | 'replayed'
  | 'void'
  | 'expired'
  | 'wrong-policy'
  | 'wrong-epoch'
  | 'wrong-incident'
  | 'paused-it'
  | 'vetoed-it'
  | 'not-possible';

/** A signature that was not taken; nothing has changed. */
export type Refused = { readonly kind: 'refused'; readonly code: Code; readonly why: string };

/** Another round has begun since the proposal was read: what was signed for the one before says nothing. */
export function roundOver(proposalId: string): Refused {
  return refuse(
    'wrong-message',
    `proposal ${proposalId} is in another round now; look at it and sign again`,
  );
}

/** Fields of the message whose difference has a code of its own. */
const DIFFERENCES: Readonly<Record<string, Code>> = {
  incident: 'wrong-incident',
  epoch: 'wrong-epoch',
  policyHash: 'wrong-policy',
};

/**
 * How what somebody says they signed differs from what a proposal asks to sign; nothing where it does
 * not. The signature itself is always checked over what the proposal asks.
 */
export function whyOther(
  asked: TypedData.TypedData,
  signed: TypedData.TypedData,
): Refused | undefined {
  if (signed.domain.salt !== asked.domain.salt) {
    return refuse('wrong-stack', 'it was signed for another stack');
  }
  if (signed.primaryType !== asked.primaryType) {
    return refuse(
      'wrong-message',
      `it was signed as ${signed.primaryType}, not as ${asked.primaryType}`,
    );
  }
  const names = new Set([...Object.keys(asked.message), ...Object.keys(signed.message)]);
  const name = [...names].find((each) => `${signed.message[each]}` !== `${asked.message[each]}`);
  if (name === undefined) return undefined;
  const why = `${name}: "${signed.message[name]}" was signed, and the proposal says "${asked.message[name]}"`;
  return refuse(DIFFERENCES[name] ?? 'wrong-message', why);
}

/** Why a proposal can be signed no more, for people; nothing while it can. */
export function overText(
  proposal: Proposal.Proposal,
  now: { readonly policyHash: string; readonly nowMs: number },
): string | undefined {
  const ended = whyEnded(now.nowMs, proposal);
  if (ended) return ended.why;
  if (proposal.policyHash !== now.policyHash) return 'another policy is in force now';
  return undefined;
}

/** Why a proposal takes no signatures any more. */
export function whyEnded(atMs: number, proposal: Proposal.Proposal): Refused | undefined {
  const { state, ended, expiresAtMs, approvals, vetoes, proposalId } = proposal;
  if (state === 'done') {
    const at = ended ? ` at ${time(ended.atMs)}` : '';
    return refuse('replayed', `proposal ${proposalId} was carried out${at}, and acts once`);
  }
  if (state === 'void') return refuse('void', `proposal ${proposalId} is void: ${ended?.why}`);
  if (state === 'open' && expiresAtMs <= atMs) {
    return refuse('expired', `proposal ${proposalId} could be signed until ${time(expiresAtMs)}`);
  }
  if (approvals.length + vetoes.length >= Proposal.SIGNATURES_MAX) {
    return refuse(
      'void',
      `proposal ${proposalId} has ${Proposal.SIGNATURES_MAX} signatures; make a new one`,
    );
  }
  return undefined;
}

/** What a proposal was made about has to be the case still: the same policy, the same opening of the breaker. */
export function whyStale(
  draft: Draft.Draft,
  { action, policyHash }: Proposal.Proposal,
  known: { readonly policyHash: string },
): Refused | undefined {
  if (policyHash !== known.policyHash) {
    return refuse(
      'wrong-policy',
      `it was made under policy ${policyHash.slice(0, 12)}, and ${known.policyHash.slice(0, 12)} is in force now; make a new one`,
    );
  }
  return action.kind === 'resume' ? whyOtherBreaker(draft, action.order) : undefined;
}

function whyOtherBreaker(
  draft: Draft.Draft,
  { incidentId, scope, epoch }: { incidentId: string; scope: Scope.Key; epoch: number },
): Refused | undefined {
  const { breaker, overlay } = Draft.item(draft, scope);
  if (overlay?.incidentId === incidentId) return undefined;
  if (breaker.state === 'closed' || breaker.incidentId !== incidentId) {
    return refuse(
      'wrong-incident',
      `the breaker of ${scope} is not held by incident ${incidentId}`,
    );
  }
  if (breaker.epoch === epoch) return undefined;
  return refuse(
    'wrong-epoch',
    `it is about opening ${epoch} of ${scope}, which has opened again since (${breaker.epoch}); make a new one`,
  );
}

/** Why this operator cannot approve this proposal; nothing where they can. */
export function whyNotThem(
  policy: Pick<Policy.Policy, 'operators' | 'resume'>,
  proposal: Proposal.Proposal,
  about: { readonly operator: Policy.Operator; readonly pausers: readonly string[] },
): Refused | undefined {
  const { operator, pausers } = about;
  const { name } = operator;
  if (!Operators.may(operator, 'resume')) {
    return refuse('no-right', `${name} may ${operator.roles.join(' and ')}, and not resume`);
  }
  if (proposal.vetoes.some((one) => one.operator === name)) {
    return refuse('vetoed-it', `${name} objected to this proposal; others have to sign it`);
  }
  const opened = pausers.some((actor) => Operators.byActor(policy, actor)?.name === name);
  const counts = policy.resume.kind !== 'quorum' || policy.resume.pauserCounts;
  if (proposal.action.kind === 'resume' && opened && !counts) {
    return refuse('paused-it', `${name} paused it by hand, and does not count towards its resume`);
  }
  if (Proposal.standing(proposal).some((one) => one.operator === name)) {
    return refuse('duplicate', `${name} has signed this proposal already`);
  }
  return proposal.state === 'approved'
    ? refuse('duplicate', `it has enough signatures and waits until ${time(proposal.dueAtMs ?? 0)}`)
    : undefined;
}

/** Why this operator cannot object to this proposal; nothing where they can. */
export function whyNoVeto(
  { action, vetoes }: Proposal.Proposal,
  operator: Policy.Operator,
): Refused | undefined {
  const { name, roles } = operator;
  if (roles.every((role) => role === 'panic')) {
    return refuse('no-right', `${name} has a panic key, which can only stop and tighten`);
  }
  if (action.kind === 'policy' && action.revokes) {
    return refuse('not-possible', 'what only takes keys away cannot be objected to');
  }
  return vetoes.some((one) => one.operator === name)
    ? refuse('duplicate', `${name} has objected to this proposal already`)
    : undefined;
}

/** A refusal. */
export function refuse(code: Code, why: string): Refused {
  return { kind: 'refused', code, why };
}

/** No operator has the key that a signature recovers to. */
export function stranger(address: string): Refused {
  return refuse(
    'not-an-operator',
    `${address} is no operator of the policy in force; or something else was signed than this proposal asks for in its present round`,
  );
}

/** There is none with this id. */
export function unknown(proposalId: string): Refused {
  return refuse('unknown-proposal', `there is no proposal ${proposalId}`);
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
