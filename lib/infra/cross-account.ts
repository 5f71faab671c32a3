import { CfnPermission, type FunctionUrl } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { Breakwater } from './breakwater.ts';
import type { BreakwaterProps } from './breakwater-props.ts';
import { openKey } from './table-access.ts';

type Opened = Pick<
  BreakwaterProps,
  'reserverAccountIds' | 'signerAccountIds' | 'operatorAccountIds'
>;

/**
 * Opens to other accounts what each is named for, by the policies of the resources: the least verb
 * each. An account that is let in decides with its own IAM which of its principals may. (Producers are
 * let in by the ingress.)
 */
export function openToAccounts(breakwater: Breakwater, props: Opened): void {
  const { reserverAccountIds = [], signerAccountIds = [], operatorAccountIds = [] } = props;
  openUrl(breakwater.reserveUrl, { who: 'Reserver', accountIds: reserverAccountIds });
  openUrl(breakwater.operateUrl, { who: 'Operator', accountIds: operatorAccountIds });
  if (signerAccountIds.length === 0) return;
  breakwater.ledger.openFlagTo(signerAccountIds);
  breakwater.control.openPolicyTo(signerAccountIds);
  openKey(breakwater.tableKey, signerAccountIds);
  breakwater.admission.openTo(signerAccountIds);
}

/** By the URL and never past it: the URL is what vouches for the caller. */
function openUrl(
  url: FunctionUrl,
  to: { readonly who: string; readonly accountIds: readonly string[] },
): void {
  for (const principal of to.accountIds) {
    const scope = new Construct(url, `${to.who}${principal}`);
    const shared = { functionName: url.functionArn, principal };
    new CfnPermission(scope, 'Url', {
      ...shared,
      action: 'lambda:InvokeFunctionUrl',
      functionUrlAuthType: 'AWS_IAM',
    });
    new CfnPermission(scope, 'Invoke', {
      ...shared,
      action: 'lambda:InvokeFunction',
      invokedViaFunctionUrl: true,
    });
  }
}
