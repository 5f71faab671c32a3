/** Proposals for people: what each does, who has signed it, who may, and what to sign. */

import * as Ceremony from '../domain/ceremony.ts';
import * as CeremonyDoubt from '../domain/ceremony-doubt.ts';
import * as Operators from '../domain/operators.ts';
import * as Proposal from '../domain/proposal.ts';
import * as TypedData from '../domain/typed-data.ts';
import type { Clock } from '../ports.ts';
import { type Deps as CeremonyDeps, lookAtProposal, pausersOf } from './look-at-proposal.ts';

/** What showing needs. */
export type Deps = Pick<
  CeremonyDeps,
  'decisions' | 'incidents' | 'proposals' | 'policy' | 'digest' | 'parsePolicy'
> & {
  readonly clock: Clock;
};

/** A proposal as people see it. */
export type Shown = {
  readonly proposal: Proposal.Proposal;
  /** Names that have signed the present round. */
  readonly signed: readonly string[];
  readonly quorum: number;
  /** Names that may sign it still. */
  readonly may: readonly string[];
  /** What to sign to approve it now. */
  readonly typedData: TypedData.TypedData;
  /** Why it can be signed no more; absent while it can. */
  readonly over?: string;
};

/** Shows one proposal; nothing where there is none with this id. */
export async function showProposal(deps: Deps, proposalId: string): Promise<Shown | undefined> {
  const looked = await lookAtProposal(deps, proposalId);
  if (!looked) return undefined;
  const { proposal, stackId } = looked;
  const pausers = await pausersOf(deps, looked);
  const { policy, hash: policyHash } = await deps.policy.refresh();
  const signed = Proposal.standing(proposal).map(({ operator }) => operator);
  const why = (operator: (typeof policy.operators)[number]) =>
    CeremonyDoubt.whyNotThem(policy, proposal, { operator, pausers });
  const over = CeremonyDoubt.overText(proposal, { policyHash, nowMs: deps.clock.nowMs() });
  return {
    proposal,
    signed,
    quorum: Ceremony.quorumOf(policy),
    may: policy.operators
      .filter((operator) => Operators.may(operator, 'resume') && why(operator) === undefined)
      .map(({ name }) => name),
    typedData: TypedData.ofProposal(proposal, { stackId, hash: deps.digest.hash }),
    ...(over === undefined ? {} : { over }),
  };
}

/** One proposal in a list. */
export type Listed = {
  readonly proposal: Proposal.Proposal;
  readonly signed: readonly string[];
  readonly over?: string;
};

/** Proposals in one list. */
const LISTED_MAX = 100;

/** The newest proposals, newest first, and how many operators each takes under the policy in force. */
export async function listProposals(
  deps: Pick<Deps, 'proposals' | 'policy' | 'clock'>,
): Promise<{ readonly quorum: number; readonly proposals: readonly Listed[] }> {
  const { policy, hash: policyHash } = await deps.policy.refresh();
  const nowMs = deps.clock.nowMs();
  const listed = await deps.proposals.list(LISTED_MAX);
  const proposals = listed.map((proposal): Listed => {
    const over = CeremonyDoubt.overText(proposal, { policyHash, nowMs });
    const signed = Proposal.standing(proposal).map(({ operator }) => operator);
    return { proposal, signed, ...(over === undefined ? {} : { over }) };
  });
  return { quorum: Ceremony.quorumOf(policy), proposals };
}
