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

/**
 * Lets `grantee` call a function URL that demands IAM. The function cannot be invoked past its URL
 * with this: the URL is what vouches for the caller.
 */
export function allowUrl(grantee: IGrantable, functionArn: string): void {
  const resources = [functionArn];
  for (const [action, conditions] of [
    ['lambda:InvokeFunctionUrl', { StringEquals: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' } }],
    ['lambda:InvokeFunction', { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } }],
  ] as const) {
    allow(grantee, { actions: [action], resources, conditions });
  }
}

/** A permission as a statement, for policies of resources. */
export function statementOf(allowance: Allowance): PolicyStatement {
  return new PolicyStatement({
    actions: [...allowance.actions],
    resources: [...allowance.resources],
    ...(allowance.conditions === undefined ? {} : { conditions: allowance.conditions }),
  });
}
