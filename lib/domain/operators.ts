/** Who may do what: the policy's operators, by the key that they sign with and by who their caller is. */

import * as Pattern from './pattern.ts';
import type * as Policy from './policy.ts';

type Named = Pick<Policy.Policy, 'operators'>;

/** Actor of what an operator signed: `operator:<name>`. No transport gives out such a name. */
export function actorOf(operator: Pick<Policy.Operator, 'name'>): string {
  return `operator:${operator.name}`;
}

/** The operator with this address. */
export function byAddress({ operators }: Named, address: string): Policy.Operator | undefined {
  return operators.find((operator) => operator.address === address.toLowerCase());
}

/** The operator that an actor is, as far as the policy tells: by what they signed, or by their caller's identity. */
export function byActor({ operators }: Named, actor: string): Policy.Operator | undefined {
  return operators.find(
    (operator) =>
      actorOf(operator) === actor ||
      (operator.iam !== undefined && Pattern.matches(operator.iam, actor)),
  );
}

/** Whether an operator has a right. */
export function may(operator: Policy.Operator, role: Policy.Role): boolean {
  return operator.roles.includes(role);
}
