import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { Breakwater, type BreakwaterProps } from './breakwater.ts';

/** A stack's own properties and those of the Breakwater in it. */
export type BreakwaterStackProps = StackProps & BreakwaterProps;

/**
 * One Breakwater, the policies to hand out, and what the CLI and people need to know of it.
 *
 * The stack cannot be deleted by accident, and its tables and keys outlive it.
 */
export class BreakwaterStack extends Stack {
  readonly breakwater: Breakwater;

  constructor(scope: Construct, id: string, props: BreakwaterStackProps = {}) {
    super(scope, id, { terminationProtection: true, ...props });
    this.breakwater = new Breakwater(this, 'Breakwater', props);
    this.#handOutPolicies();
    this.#tellAll();
  }

  #handOutPolicies(): void {
    const operators = new ManagedPolicy(this, 'Operators', {
      description: 'Breakwater: give commands. Attach to the role of the operators on call.',
    });
    this.breakwater.grantOperate(operators);
    const producers = new ManagedPolicy(this, 'Producers', {
      description: 'Breakwater: report withdrawals. Attach to the role of the withdrawal service.',
    });
    this.breakwater.grantReport(producers);
    const closers = new ManagedPolicy(this, 'Closers', {
      description: 'Breakwater: say how withdrawals ended. Never for what asks for them.',
    });
    this.breakwater.grantClose(closers);
    this.#tell('CloserPolicyArn', closers.managedPolicyArn, 'Attach to what sees the outcome');
    const reservers = new ManagedPolicy(this, 'Reservers', {
      description: 'Breakwater: reserve before signing. Attach to the role of withdrawal services.',
    });
    this.breakwater.grantReserve(reservers);
    const verifiers = new ManagedPolicy(this, 'Verifiers', {
      description: 'Breakwater: read the public keys of admissions. Attach to the role of signers.',
    });
    this.breakwater.grantVerify(verifiers);
    this.#tell('VerifierPolicyArn', verifiers.managedPolicyArn, 'Attach to who verifies');
    const readers = new ManagedPolicy(this, 'FlagReaders', {
      description: 'Breakwater: read the flag. Attach to the role of whatever signs or sends.',
    });
    this.breakwater.grantReadFlag(readers);
    this.#tell('FlagReaderPolicyArn', readers.managedPolicyArn, 'Attach to whatever signs');
    this.#tell('OperatorPolicyArn', operators.managedPolicyArn, 'Attach to roles of operators');
    this.#tell('ProducerPolicyArn', producers.managedPolicyArn, 'Attach to withdrawal services');
    this.#tell('ReserverPolicyArn', reservers.managedPolicyArn, 'Attach to who reserves');
  }

  #tellAll(): void {
    const { admission, alerts, audit, control, ingress, ledger } = this.breakwater;
    const { closeUrl, operateUrl, reserveUrl } = this.breakwater;
    this.#tell('ReserveUrl', reserveUrl.url, 'Takes reservations signed with IAM');
    this.#tell('CloseUrl', closeUrl.url, 'Takes outcomes of withdrawals signed with IAM');
    this.#tell('AdmissionKeyArn', admission.signing.keyArn, 'Signs admissions');
    const publishedArns = admission.published.map(({ keyArn }) => keyArn).join(',');
    this.#tell('AdmissionKeyArns', publishedArns, 'Admissions are verified with these');
    this.#tell('AuditKeyArn', audit.key.keyArn, 'Signs the audit chain');
    this.#tell('AuditBucketName', audit.bucket.bucketName, 'Locked copies of the audit chain');
    this.#tell('OperateUrl', operateUrl.url, 'Takes commands signed with IAM');
    const { webhookUrl } = this.breakwater;
    if (webhookUrl) this.#tell('WebhookUrl', webhookUrl.url, 'Takes deliveries of providers');
    this.#tell('LedgerTableName', ledger.table.tableName, 'Ledger rows, meters, leases');
    this.#tell('ControlTableName', control.table.tableName, 'Incidents, policies, flags');
    this.#tell('EventBusName', ingress.bus.eventBusName, 'Report withdrawals and outflows here');
    this.#tell('AlertTopicArn', alerts.alertTopic.topicArn, 'Subscribe whoever is on call');
    this.#tell('ControlTopicArn', alerts.controlTopic.topicArn, 'Takes commands as JSON');
    this.#tell(
      'CliHint',
      `breakwater status --stack ${this.stackName} --region ${this.region}`,
      'The first command to try',
    );
  }

  #tell(id: string, value: string, description: string): void {
    new CfnOutput(this, id, { value, description });
  }
}
