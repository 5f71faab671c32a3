import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';

/** One permission: these verbs on these resources, under this condition. */
export type Allowance = {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

/** Adds one permission to a function's role, or to a policy to hand out. */
export function allow(grantee: IGrantable, allowance: Allowance): void {
  grantee.grantPrincipal.addToPrincipalPolicy(statementOf(allowance));
}

/** A permission as a statement, for policies of resources. */
export function statementOf(allowance: Allowance): PolicyStatement {
  return new PolicyStatement({
    actions: [...allowance.actions],
    resources: [...allowance.resources],
    ...(allowance.conditions === undefined ? {} : { conditions: allowance.conditions }),
  });
}
