/** Carries out one command of a person. */

import type { Incident } from '../domain/breaker.ts';
import * as Command from '../domain/command.ts';
import * as Scope from '../domain/scope.ts';
import type { IncidentStore, PolicyCompiler } from '../ports.ts';
import { commitDecision, type Deps as DecisionDeps } from './commit-decision.ts';
import { orRecompiled, orUnread, type PolicyInForce } from './policy-in-force.ts';

/** What operating needs beyond a decision. */
export type Deps = DecisionDeps & {
  readonly incidents: IncidentStore;
  readonly compilePolicy: PolicyCompiler;
};

/**
 * Pauses, resumes or puts a policy in force, once per `commandId`.
 * Fail direction: closed, a command that fails has opened or closed nothing that it reports.
 *
 * @param parameters.actor the caller's identity as the transport proved it.
 * @throws {InvalidScopeError} and the policy compiler's error, before anything is read.
 */
export async function operateBreaker(
  deps: Deps,
  parameters: { readonly command: Command.Command; readonly actor: string },
): Promise<Command.Result> {
  const { command, actor } = parameters;
  if (command.kind === 'pause') Scope.parseKey(command.scope);
  const next = command.kind === 'apply-policy' ? deps.compilePolicy(command.source) : undefined;
  const incidents = await incidentsOf(deps, command);
  const scopes = [...incidents.values()].map(({ scope }) => scope);
  const items = command.kind === 'pause' ? [command.scope] : scopes;
  const bodyHash = deps.digest.hash(Command.canonicalBody(command));
  return commitDecision(
    { ...deps, policy: policyFor(deps, command) },
    {
      keys: () => ({ rows: [Command.commandRowId(command.commandId)], items }),
      decide: (context, loaded) =>
        Command.decide(context, loaded, { command, by: { actor, bodyHash, incidents, next } }),
    },
  );
}

async function incidentsOf(
  deps: Deps,
  command: Command.Command,
): Promise<ReadonlyMap<string, Incident>> {
  if (command.kind !== 'resume') return new Map();
  const ids = [command.incidentId, ...(command.also ?? [])];
  const found = await Promise.all(ids.map((id) => deps.incidents.get(id)));
  return new Map(found.flatMap((one) => (one ? [[one.incidentId, one] as const] : [])));
}

/** Who may resume, the policy says; pausing does not depend on it, and replacing it as little as can be. */
function policyFor(deps: Deps, command: Command.Command): PolicyInForce {
  switch (command.kind) {
    case 'resume':
      return deps.policy;
    case 'pause':
      return orUnread(deps.policy);
    case 'apply-policy':
      return orRecompiled(deps);
    default:
      return command satisfies never;
  }
}
