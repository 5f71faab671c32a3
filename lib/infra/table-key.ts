import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { BillingMode, TableEncryption, type TableProps } from 'aws-cdk-lib/aws-dynamodb';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

/**
 * The customer-managed key of both tables and of the audit chain's copy, rotated yearly and kept when the stack goes.
 *
 * No service principal is in its policy: only roles of this account, through DynamoDB and S3.
 */
export function tableKey(scope: Construct, rotation?: Duration): Key {
  return new Key(scope, 'TableKey', {
    description: 'Breakwater: ledger and control tables',
    ...rotated(rotation),
    removalPolicy: RemovalPolicy.RETAIN,
    // A key deleted by mistake is every meter lost; thirty days is the longest that KMS waits.
    pendingWindow: Duration.days(30),
  });
}

/** Rotation of a symmetric key: what is encrypted stays readable, nobody has to do anything. */
export function rotated(rotationPeriod = Duration.days(365)) {
  return { enableKeyRotation: true, rotationPeriod };
}

/** What both tables have in common: paid by use, encrypted with our key, recoverable, never deleted. */
export function keptTable(encryptionKey: IKey) {
  return {
    billingMode: BillingMode.PAY_PER_REQUEST,
    encryption: TableEncryption.CUSTOMER_MANAGED,
    encryptionKey,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
  } satisfies Partial<TableProps>;
}
