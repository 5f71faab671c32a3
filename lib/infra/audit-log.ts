import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  ObjectLockRetention,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { ENV } from '../runtime/environment.ts';
import { allow } from './allow.ts';
import type { BreakwaterFunction } from './breakwater-function.ts';
import { cellOf } from './cell.ts';

/** How long nobody can delete a copy of the audit chain. */
export type AuditRetention = {
  /**
   * `compliance`: nobody at all, the account's root user included, before its time is over.
   * `governance`: only who holds `s3:BypassGovernanceRetention`.
   */
  readonly mode: 'compliance' | 'governance';
  readonly for: Duration;
};

/**
 * Where the audit chain is signed and copied to: a key that signs nothing else, and a bucket with
 * Object Lock. Both outlive the stack. Only `project-state` signs and puts, and it can neither read,
 * delete nor unlock what it has put.
 */
export class AuditLog extends Construct {
  readonly key: Key;
  readonly bucket: Bucket;
  readonly #encryptionKey: IKey;

  constructor(
    scope: Construct,
    id: string,
    props: { readonly retention: AuditRetention; readonly encryptionKey: IKey },
  ) {
    super(scope, id);
    const { retention, encryptionKey } = props;
    this.#encryptionKey = encryptionKey;
    this.key = new Key(this, 'Key', {
      description: 'Breakwater: signs the audit chain',
      alias: `${cellOf(this)}-audit`,
      keySpec: KeySpec.ECC_NIST_P256,
      keyUsage: KeyUsage.SIGN_VERIFY,
      removalPolicy: RemovalPolicy.RETAIN,
      pendingWindow: Duration.days(30),
    });
    this.bucket = new Bucket(this, 'Bucket', {
      versioned: true,
      objectLockEnabled: true,
      objectLockDefaultRetention: lockOf(retention),
      encryption: BucketEncryption.KMS,
      encryptionKey,
      bucketKeyEnabled: true,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'One function of this stack writes and none reads; its writes are in its own log. A second bucket of access logs would have no lock.',
    });
  }

  /** Lets `fn` sign heads and put copies, and lets nobody else sign; to be given once, to `project-state`. */
  grantAppend(fn: BreakwaterFunction): void {
    allow(fn, { actions: ['kms:GetPublicKey', 'kms:Sign'], resources: [this.key.keyArn] });
    this.key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'OnlyProjectStateSigns',
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['kms:Sign'],
        resources: ['*'],
        conditions: { ArnNotEquals: { 'aws:PrincipalArn': fn.role.roleArn } },
      }),
    );
    this.#grantPut(fn);
    const { account, region, urlSuffix } = Stack.of(this);
    allow(fn, {
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: [this.#encryptionKey.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `s3.${region}.${urlSuffix}` } },
    });
    fn.setEnvironment(ENV.auditKeyId, this.key.keyArn);
    fn.setEnvironment(ENV.auditIssuer, `breakwater:${account}:${region}:${cellOf(this)}`);
    fn.setEnvironment(ENV.auditBucket, this.bucket.bucketName);
  }

  // In a policy of its own, so that what explains this wildcard explains no other.
  #grantPut(fn: BreakwaterFunction): void {
    const resources = [this.bucket.arnForObjects(COPIES)];
    const put = new Policy(this, 'Put', {
      roles: [fn.role],
      statements: [new PolicyStatement({ actions: ['s3:PutObject'], resources })],
    });
    const bucketId = Stack.of(this).getLogicalId(this.bucket.node.defaultChild as CfnBucket);
    Validations.of(put).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${bucketId}.Arn>/${COPIES}]`,
      reason:
        'Each copy has a name of its own under this prefix; the verb neither reads nor deletes.',
    });
    fn.fn.node.addDependency(put);
  }
}

/** Where copies lie in the bucket, as `lib/adapters/aws/s3-audit-copy.ts` puts them. */
const COPIES = 'audit/*';

function lockOf(retention: AuditRetention): ObjectLockRetention {
  return retention.mode === 'compliance'
    ? ObjectLockRetention.compliance(retention.for)
    : ObjectLockRetention.governance(retention.for);
}
