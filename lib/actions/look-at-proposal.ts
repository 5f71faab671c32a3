/** A proposal with everything that judging a signature over it needs. */

import type { Incident } from '../domain/breaker.ts';
import * as CarryOut from '../domain/carry-out.ts';
import * as Proposal from '../domain/proposal.ts';
import * as Scope from '../domain/scope.ts';
import type { IncidentStore, PolicyParser, ProposalStore, Signatures } from '../ports.ts';
import type { Deps as DecisionDeps } from './commit-decision.ts';

/** What the ceremony needs beyond a decision. */
export type Deps = DecisionDeps & {
  readonly incidents: IncidentStore;
  readonly proposals: ProposalStore;
  readonly signatures: Signatures;
  readonly parsePolicy: PolicyParser;
};

/** A proposal as it is now, and what it needs to be carried out. */
export type Looked = {
  readonly proposal: Proposal.Proposal;
  readonly stackId: string;
  readonly means: CarryOut.Means;
};

/**
 * Reads a proposal, strongly. What it says never changes, but for its signatures, its round and its
 * state: those the decision reads again. Nothing where there is no such proposal.
 */
export async function lookAtProposal(
  deps: Pick<Deps, 'decisions' | 'incidents' | 'proposals' | 'parsePolicy'>,
  proposalId: string,
): Promise<Looked | undefined> {
  const rowId = Proposal.rowIdOf(proposalId);
  const { rows, items } = await deps.decisions.load({ rows: [rowId], items: [Scope.GLOBAL_KEY] });
  const proposal = rows.get(rowId)?.proposal;
  const stackId = items.get(Scope.GLOBAL_KEY)?.stackId;
  if (!proposal || stackId === undefined) return undefined;
  const { action } = proposal;
  const ids = CarryOut.incidentIds(action);
  const found = await Promise.all(ids.map((id) => deps.incidents.get(id)));
  const known = found.flatMap((one): [string, Incident][] => (one ? [[one.incidentId, one]] : []));
  const text = action.kind === 'policy' ? await deps.proposals.draft(action.hash) : undefined;
  const next = text && { ...text, policy: deps.parsePolicy(text.compiled) };
  return { proposal, stackId, means: { incidents: new Map(known), ...(next ? { next } : {}) } };
}

/** Everybody who alone paused one of the incidents by hand, as far as their causes are kept. */
export async function pausersOf(
  deps: Pick<Deps, 'incidents'>,
  { means }: Looked,
): Promise<readonly string[]> {
  const incidents = [...means.incidents.values()];
  const further = await Promise.all(incidents.map((one) => deps.incidents.causes(one.incidentId)));
  const all = [...incidents.map((one) => one.first), ...further.flat()];
  return all.flatMap(({ kind, actor, planned }) =>
    kind === 'operator' && actor !== undefined && !planned ? [actor] : [],
  );
}
