/** Carries out what one operator, or a partner with a panic key, has signed alone. */

import { commandRowId } from '../domain/command.ts';
import * as Panic from '../domain/panic.ts';
import * as Scope from '../domain/scope.ts';
import * as TypedData from '../domain/typed-data.ts';
import type { Signatures } from '../ports.ts';
import { commitDecision, type Deps as DecisionDeps } from './commit-decision.ts';

/** What it needs beyond a decision. */
export type Deps = DecisionDeps & { readonly signatures: Signatures };

/**
 * Pauses a scope, or tightens its limits, once per `commandId`. Who sends it does not matter.
 * Fail direction: closed for the key, open for nobody: a signature that does not hold changes nothing,
 * and a pause by other ways needs none.
 *
 * @throws {InvalidScopeError} before anything is read.
 */
export async function soundPanic(
  deps: Deps,
  parameters: { readonly panic: TypedData.Panic; readonly signature: string },
): Promise<Panic.Result> {
  const { panic, signature } = parameters;
  Scope.parseKey(panic.scope);
  const { items } = await deps.decisions.load({ rows: [], items: [Scope.GLOBAL_KEY] });
  const stackId = items.get(Scope.GLOBAL_KEY)?.stackId;
  if (stackId === undefined)
    return { kind: 'refused', why: 'no policy is in force, so no key is known' };
  const recovered = await deps.signatures.recover(TypedData.ofPanic(panic, { stackId }), signature);
  if (recovered.kind !== 'signer') return { kind: 'refused', why: `signature: ${recovered.why}` };
  const bodyHash = deps.digest.hash(Panic.canonicalBody(panic));
  const by = { address: recovered.address, bodyHash };
  return commitDecision(deps, {
    keys: () => ({ rows: [commandRowId(panic.commandId)], items: [panic.scope] }),
    decide: (context, loaded) => Panic.decide(context, loaded, { panic, by }),
  });
}
