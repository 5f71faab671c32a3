/** The policy in force as it is stored, for people: also one that nothing can be decided by. */

import type * as Ledger from '../domain/ledger.ts';
import * as Scope from '../domain/scope.ts';
import type { DecisionStore, PolicyStore } from '../ports.ts';
import { MissingPolicyError } from './policy-in-force.ts';

/** The answer. Version 0: none was ever applied. */
export type Shown =
  | (Ledger.StoredPolicy & {
      /** What signatures for this stack are bound to; whoever signs elsewhere has to know it. */
      readonly stackId?: string;
    })
  | { readonly version: 0 };

/**
 * Reads the version in force strongly, and its text as it is, without reading what it says.
 *
 * @throws {PolicyInForce.MissingPolicyError} it is not stored.
 */
export async function showPolicy(deps: {
  readonly decisions: Pick<DecisionStore, 'load'>;
  readonly policies: PolicyStore;
}): Promise<Shown> {
  const { items } = await deps.decisions.load({ rows: [], items: [Scope.GLOBAL_KEY] });
  const { policyVersion: version, stackId } = items.get(Scope.GLOBAL_KEY) ?? {};
  if (version === undefined) return { version: 0 };
  const stored = await deps.policies.load(version);
  if (!stored) throw new MissingPolicyError({ version });
  return { ...stored, ...(stackId === undefined ? {} : { stackId }) };
}
