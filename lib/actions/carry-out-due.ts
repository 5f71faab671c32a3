/** Carries out what operators have approved and whose time has come. */

import * as CarryOut from '../domain/carry-out.ts';
import * as Ceremony from '../domain/ceremony.ts';
import * as Draft from '../domain/draft.ts';
import * as Proposal from '../domain/proposal.ts';
import { commitDecision } from './commit-decision.ts';
import { type Deps as CeremonyDeps, lookAtProposal } from './look-at-proposal.ts';

/** What carrying out needs. */
export type Deps = Omit<CeremonyDeps, 'signatures'>;

/** Proposals that are carried out in one round. */
const DUE_MAX = 50;

/**
 * Carries out every approved proposal that is due, each in a decision of its own; one that is not
 * possible any more becomes void, and one that fails holds up no other.
 *
 * @returns what became of those that were due.
 */
export async function carryOutDue(deps: Deps): Promise<{
  readonly results: readonly Ceremony.Result[];
  readonly failed: readonly { readonly proposalId: string; readonly reason: string }[];
}> {
  const due = await deps.proposals.due(deps.clock.nowMs(), DUE_MAX);
  const results: Ceremony.Result[] = [];
  const failed: { proposalId: string; reason: string }[] = [];
  for (const proposalId of due) {
    try {
      const result = await carryOutOne(deps, proposalId);
      if (result) results.push(result);
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown';
      failed.push({ proposalId, reason });
    }
  }
  return { results, failed };
}

async function carryOutOne(deps: Deps, proposalId: string): Promise<Ceremony.Result | undefined> {
  const looked = await lookAtProposal(deps, proposalId);
  if (!looked) return undefined;
  const { proposal, means } = looked;
  return commitDecision(deps, {
    keys: () => ({
      rows: [Proposal.rowIdOf(proposalId)],
      items: [...Ceremony.keys(proposal), ...CarryOut.keys(proposal.action)],
    }),
    decide: (context, loaded) => {
      const known: Ceremony.Known = {
        policyHash: context.policyHash,
        pausers: [],
        carryOut: (draft, one) => CarryOut.carryOut(draft, one, means),
      };
      const decided = Ceremony.carryOutDue(Draft.start(context, loaded), proposalId, known);
      return decided ?? { result: undefined };
    },
  });
}
