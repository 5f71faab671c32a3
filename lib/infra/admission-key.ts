import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { ENV } from '../runtime/environment.ts';
import { allow } from './allow.ts';
import type { BreakwaterFunction } from './breakwater-function.ts';

/**
 * The key that signs admissions: P-256, made in KMS, kept when the stack goes.
 *
 * Whoever can sign with it can have money sent. So one function may, and its policy denies it to
 * everyone else of this account, administrators with `kms:*` included, until the policy is changed.
 */
export class AdmissionKey extends Construct {
  readonly key: Key;
  readonly #audience: string;

  constructor(scope: Construct, id: string, props: { readonly audience: string }) {
    super(scope, id);
    this.#audience = props.audience;
    this.key = new Key(this, 'Key', {
      description: 'Breakwater: signs admissions of withdrawals',
      alias: `${Stack.of(this).stackName}-admission`,
      keySpec: KeySpec.ECC_NIST_P256,
      keyUsage: KeyUsage.SIGN_VERIFY,
      removalPolicy: RemovalPolicy.RETAIN,
      pendingWindow: Duration.days(30),
    });
  }

  /** Lets `fn` sign, and nobody else; to be given once. */
  grantSign(fn: BreakwaterFunction): void {
    allow(fn, { actions: ['kms:GetPublicKey', 'kms:Sign'], resources: [this.key.keyArn] });
    this.key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'OnlyReservationsSign',
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['kms:Sign'],
        resources: ['*'],
        conditions: { ArnNotEquals: { 'aws:PrincipalArn': fn.role.roleArn } },
      }),
    );
    const { account, region, stackName } = Stack.of(this);
    fn.setEnvironment(ENV.admissionKeyId, this.key.keyArn);
    fn.setEnvironment(ENV.admissionIssuer, `breakwater:${account}:${region}:${stackName}`);
    fn.setEnvironment(ENV.admissionAudience, this.#audience);
  }
}
