/** Carries out what operators have signed together, on the draft of the decision that completes it. */

import * as Allowance from './allowance.ts';
import type { Incident } from './breaker.ts';
import type { CarriedOut } from './ceremony.ts';
import * as Draft from './draft.ts';
import type * as Ledger from './ledger.ts';
import * as Operators from './operators.ts';
import type { Compiled } from './policy.ts';
import * as PolicyChange from './policy-change.ts';
import * as Proposal from './proposal.ts';
import * as Resume from './resume.ts';
import type * as Scope from './scope.ts';

/** What carrying out needs besides: the incidents of a resume, the text of a policy with its compiled form. */
export type Means = {
  readonly incidents: ReadonlyMap<string, Incident>;
  readonly next?: (Compiled & Ledger.DraftPolicy) | undefined;
};

/** Items that carrying out reads and writes. */
export function keys(action: Proposal.Action): readonly Scope.Key[] {
  switch (action.kind) {
    case 'resume':
      return Resume.keys(action.order);
    case 'policy':
      return [];
    case 'allowance':
    case 'maintenance':
      return [action.scope];
    default:
      return action satisfies never;
  }
}

/** Incidents that carrying out closes. */
export function incidentIds(action: Proposal.Action): readonly string[] {
  if (action.kind !== 'resume') return [];
  const { incidentId, also } = action.order;
  return [incidentId, ...also.map((one) => one.incidentId)];
}

/** Carries a proposal out, or says why it is not possible; then the draft must not be written. */
export function carryOut(
  draft: Draft.Draft,
  proposal: Proposal.Proposal,
  { incidents, next }: Means,
): CarriedOut {
  const { action, reason } = proposal;
  const actors = Proposal.standing(proposal).map(({ operator }) =>
    Operators.actorOf({ name: operator }),
  );
  switch (action.kind) {
    case 'resume': {
      const resumed = Resume.carryOut(draft, action.order, { actors, reason, incidents });
      return resumed.kind === 'refused' ? resumed : { kind: 'done', incidents: resumed.incidents };
    }
    case 'policy': {
      if (!next) return refuse('the text of the policy cannot be read');
      const why = PolicyChange.obstacle(draft, next.policy);
      if (why !== undefined) return refuse(why);
      const { source, hash } = next;
      const made = { hash, source, compiled: next, actor: actors.join(', '), reason };
      return { kind: 'done', policy: PolicyChange.putInForce(draft, made) };
    }
    case 'allowance': {
      const { limitId, scope, extraBps, untilMs } = action;
      const granted = Allowance.grant(draft, { limitId, scope, extraBps, untilMs });
      return granted.kind === 'refused' ? granted : { kind: 'done' };
    }
    case 'maintenance':
      return maintain(draft, proposal, { actors, scope: action.scope });
    default:
      return action satisfies never;
  }
}

function maintain(
  draft: Draft.Draft,
  { proposalId, reason }: Proposal.Proposal,
  about: { readonly actors: readonly string[]; readonly scope: Scope.Key },
): CarriedOut {
  const actor = about.actors.join(', ');
  Draft.tripKey(draft, about.scope, {
    kind: 'operator',
    atMs: draft.atMs,
    rowId: Proposal.rowIdOf(proposalId),
    text: `planned maintenance by ${actor}: ${reason}`,
    notional: 0n,
    actor,
    planned: true,
  });
  return { kind: 'done' };
}

function refuse(why: string): CarriedOut {
  return { kind: 'refused', why };
}
