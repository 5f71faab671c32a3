import { CfnOutput, Stack } from 'aws-cdk-lib';
import { type IGrantable, ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Breakwater } from './breakwater.ts';

/** A policy to attach to roles, with the output that names it. */
type HandOut = {
  readonly id: string;
  readonly output: string;
  readonly description: string;
  readonly grant: (grantee: IGrantable) => void;
  readonly attach: string;
};

/** Makes the policies to hand out, and tells the CLI and people what they need to know. */
export function handOut(breakwater: Breakwater): void {
  for (const { id, output, description, grant, attach } of policiesOf(breakwater)) {
    const policy = new ManagedPolicy(breakwater, id, { description: `Breakwater: ${description}` });
    grant(policy);
    tell(breakwater, output, [policy.managedPolicyArn, attach]);
  }
  const { admission, alerts, audit, control, ingress, ledger } = breakwater;
  const { closeUrl, operateUrl, reserveUrl, webhookUrl } = breakwater;
  const arns = admission.published.map(({ keyArn }) => keyArn).join(',');
  const { stackName, region } = Stack.of(breakwater);
  const outputs: Readonly<Record<string, readonly [string, string]>> = {
    ReserveUrl: [reserveUrl.url, 'Takes reservations signed with IAM'],
    CloseUrl: [closeUrl.url, 'Takes outcomes of withdrawals signed with IAM'],
    AdmissionKeyArn: [admission.signing.keyArn, 'Signs admissions'],
    AdmissionKeyArns: [arns, 'Admissions are verified with these'],
    AuditKeyArn: [audit.key.keyArn, 'Signs the audit chain'],
    AuditBucketName: [audit.bucket.bucketName, 'Locked copies of the audit chain'],
    OperateUrl: [operateUrl.url, 'Takes commands signed with IAM'],
    ...(webhookUrl !== undefined && { WebhookUrl: [webhookUrl, 'Takes deliveries of providers'] }),
    LedgerTableName: [ledger.table.tableName, 'Ledger rows, meters, leases'],
    ControlTableName: [control.table.tableName, 'Incidents, policies, flags'],
    EventBusName: [ingress.bus.eventBusName, 'Report withdrawals and outflows here'],
    AlertTopicArn: [alerts.alertTopic.topicArn, 'Subscribe whoever is on call'],
    NoticeTopicArn: [alerts.noticeTopic.topicArn, 'Alarms that can wait for the morning'],
    ControlTopicArn: [alerts.controlTopic.topicArn, 'Takes commands as JSON'],
    CliHint: [
      `breakwater status --stack ${stackName} --region ${region}`,
      'The first command to try',
    ],
  };
  for (const [id, said] of Object.entries(outputs)) tell(breakwater, id, said);
}

function policiesOf(breakwater: Breakwater): readonly HandOut[] {
  return [
    {
      id: 'Operators',
      output: 'OperatorPolicyArn',
      description: 'give commands. Attach to the role of the operators on call.',
      grant: (grantee) => breakwater.grantOperate(grantee),
      attach: 'Attach to roles of operators',
    },
    {
      id: 'Producers',
      output: 'ProducerPolicyArn',
      description: 'report withdrawals. Attach to the role of the withdrawal service.',
      grant: (grantee) => breakwater.grantReport(grantee),
      attach: 'Attach to withdrawal services',
    },
    {
      id: 'Closers',
      output: 'CloserPolicyArn',
      description: 'say how withdrawals ended. Never for what asks for them.',
      grant: (grantee) => breakwater.grantClose(grantee),
      attach: 'Attach to what sees the outcome',
    },
    {
      id: 'Reservers',
      output: 'ReserverPolicyArn',
      description: 'reserve before signing. Attach to the role of withdrawal services.',
      grant: (grantee) => breakwater.grantReserve(grantee),
      attach: 'Attach to who reserves',
    },
    {
      id: 'Verifiers',
      output: 'VerifierPolicyArn',
      description: 'read the public keys of admissions. Attach to the role of signers.',
      grant: (grantee) => breakwater.grantVerify(grantee),
      attach: 'Attach to who verifies',
    },
    {
      id: 'FlagReaders',
      output: 'FlagReaderPolicyArn',
      description: 'read the flag. Attach to the role of whatever signs or sends.',
      grant: (grantee) => breakwater.grantReadFlag(grantee),
      attach: 'Attach to whatever signs',
    },
  ];
}

/** At the stack, so that the CLI finds it by a plain name; a second Breakwater of one stack has its id in front. */
function tell(
  breakwater: Construct,
  id: string,
  [value, description]: readonly [string, string],
): void {
  const stack = Stack.of(breakwater);
  const isTaken = stack.node.tryFindChild(id) !== undefined;
  new CfnOutput(stack, isTaken ? `${breakwater.node.id}${id}` : id, { value, description });
}
