/** Makes a proposal that operators can sign. */

import type { Incident } from '../domain/breaker.ts';
import { commandRowId } from '../domain/command.ts';
import * as Proposal from '../domain/proposal.ts';
import * as Propose from '../domain/propose.ts';
import type { PolicyCompiler } from '../ports.ts';
import { commitDecision, type Deps as DecisionDeps } from './commit-decision.ts';
import type { Deps as CeremonyDeps } from './look-at-proposal.ts';

/** What proposing needs beyond a decision. */
export type Deps = DecisionDeps &
  Pick<CeremonyDeps, 'incidents'> & { readonly compilePolicy: PolicyCompiler };

/**
 * Makes a proposal, once per `commandId`. Nothing but the proposal has changed afterwards.
 * Fail direction: closed, one that fails cannot be signed.
 *
 * @param parameters.actor the caller's identity as the transport proved it.
 * @throws the policy compiler's error, with line and field, before anything is read.
 */
export async function propose(
  deps: Deps,
  parameters: { readonly request: Propose.Request; readonly actor: string },
): Promise<Propose.Result> {
  const { request, actor } = parameters;
  const { wish } = request;
  const next = wish.kind === 'policy' ? deps.compilePolicy(wish.source) : undefined;
  const ids = wish.kind === 'resume' ? [wish.incidentId, ...wish.also] : [];
  const found = await Promise.all(ids.map((id) => deps.incidents.get(id)));
  const incidents = new Map(
    found.flatMap((one): [string, Incident][] => (one ? [[one.incidentId, one]] : [])),
  );
  const bodyHash = deps.digest.hash(Propose.canonicalBody(request));
  const proposalId = deps.ids.incidentId(deps.clock.nowMs());
  const by = { proposalId, actor, bodyHash, incidents, next };
  return commitDecision(deps, {
    keys: () => ({
      rows: [commandRowId(request.commandId), Proposal.rowIdOf(proposalId)],
      items: Propose.keys(wish, incidents),
    }),
    decide: (context, loaded) => Propose.decide(context, loaded, { request, by }),
  });
}
