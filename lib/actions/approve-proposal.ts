/** One operator signs a proposal, or objects to it. */

import * as Breaker from '../domain/breaker.ts';
import * as CarryOut from '../domain/carry-out.ts';
import * as Ceremony from '../domain/ceremony.ts';
import * as CeremonyDoubt from '../domain/ceremony-doubt.ts';
import * as Draft from '../domain/draft.ts';
import type * as Ledger from '../domain/ledger.ts';
import * as Proposal from '../domain/proposal.ts';
import type * as Scope from '../domain/scope.ts';
import * as TypedData from '../domain/typed-data.ts';
import { ContendedError, commitDecision } from './commit-decision.ts';
import { type Deps, type Looked, lookAtProposal, pausersOf } from './look-at-proposal.ts';

/** How often it is read who paused, while causes come. */
const LOOKS_MAX = 5;

/** A signature as it comes in; `signed`: what the sender says it is over, so that a mistake can be named. */
export type Signed = {
  readonly proposalId: string;
  readonly signature: string;
  readonly signed?: TypedData.TypedData | undefined;
};

/**
 * Adds an operator's signature. The one that completes the quorum carries the proposal out, in the same
 * transaction. Who sends it does not matter: the signature says who approves.
 * Fail direction: closed, whatever is refused or throws has changed nothing.
 */
export async function approveProposal(deps: Deps, parameters: Signed): Promise<Ceremony.Result> {
  const looked = await lookAtProposal(deps, parameters.proposalId);
  if (!looked) return CeremonyDoubt.unknown(parameters.proposalId);
  const asked = TypedData.ofProposal(looked.proposal, knownOf(deps, looked));
  const signed = await signerOf(deps, asked, parameters);
  if ('kind' in signed) return signed;
  return decide(deps, looked, (draft, known) =>
    Ceremony.approve(draft, looked.proposal.proposalId, { signed, known }),
  );
}

/** Adds an operator's objection; it is signed, too. */
export async function vetoProposal(
  deps: Deps,
  parameters: Signed & { readonly reason: string },
): Promise<Ceremony.Result> {
  const looked = await lookAtProposal(deps, parameters.proposalId);
  if (!looked) return CeremonyDoubt.unknown(parameters.proposalId);
  const { reason } = parameters;
  const asked = TypedData.ofVeto(looked.proposal, { reason }, knownOf(deps, looked));
  const signed = await signerOf(deps, asked, parameters);
  if ('kind' in signed) return signed;
  return decide(deps, looked, (draft) =>
    Ceremony.veto(draft, looked.proposal.proposalId, { signed, reason }),
  );
}

function knownOf(deps: Deps, { stackId }: Looked) {
  return { stackId, hash: deps.digest.hash };
}

/** How many causes the incident has that holds each breaker. */
function causesIn({ items }: Ledger.Loaded, keys: readonly Scope.Key[]): string {
  const all = keys.map((key) => {
    const { breaker } = items.get(key) ?? { breaker: Breaker.CLOSED };
    return breaker.state === 'closed' ? '' : `${breaker.incidentId} ${breaker.causes}`;
  });
  return all.join('|');
}

async function signerOf(
  deps: Deps,
  asked: TypedData.TypedData,
  { signature, signed }: Signed,
): Promise<Ceremony.Signature | CeremonyDoubt.Refused> {
  const differs = signed && CeremonyDoubt.whyOther(asked, signed);
  if (differs) return differs;
  const recovered = await deps.signatures.recover(asked, signature);
  if (recovered.kind === 'signer') return { signature, address: recovered.address };
  return { kind: 'refused', code: recovered.kind, why: `signature: ${recovered.why}` };
}

type Judge = (draft: Draft.Draft, known: Ceremony.Known) => ReturnType<typeof Ceremony.approve>;

/** @throws {ContendedError} where more causes come each time that who paused has been read. */
async function decide(deps: Deps, looked: Looked, judge: Judge): Promise<Ceremony.Result> {
  for (let look = 1; look <= LOOKS_MAX; look += 1) {
    const result = await decideOnce(deps, looked, judge);
    if (result) return result;
  }
  throw new ContendedError({ attempts: LOOKS_MAX });
}

/** Nothing where a cause came after it was read who paused: whoever paused meanwhile may be among those who sign. */
async function decideOnce(
  deps: Deps,
  looked: Looked,
  judge: Judge,
): Promise<Ceremony.Result | undefined> {
  const { proposal, means } = looked;
  const { proposalId, round, action } = proposal;
  const items = [...Ceremony.keys(proposal), ...CarryOut.keys(action)];
  const before = await deps.decisions.load({ rows: [], items });
  const pausers = await pausersOf(deps, looked);
  return commitDecision(deps, {
    keys: () => ({ rows: [Proposal.rowIdOf(proposalId)], items }),
    decide: (context, loaded) => {
      if (causesIn(loaded, items) !== causesIn(before, items)) return { result: undefined };
      const draft = Draft.start(context, loaded);
      const now = Draft.row(draft, Proposal.rowIdOf(proposalId))?.proposal;
      // Another round asks for another text: what was recovered says nothing about it.
      if (now && now.round !== round) return { result: CeremonyDoubt.roundOver(proposalId) };
      const { policyHash } = context;
      const carryOut: Ceremony.Known['carryOut'] = (on, one) => CarryOut.carryOut(on, one, means);
      return judge(draft, { policyHash, pausers, carryOut });
    },
  });
}
