import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  AccountPrincipal,
  AnyPrincipal,
  Effect,
  type IGrantable,
  PolicyStatement,
} from 'aws-cdk-lib/aws-iam';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { ENV } from '../runtime/environment.ts';
import { allow } from './allow.ts';
import type { BreakwaterFunction } from './breakwater-function.ts';
import { cellOf } from './cell.ts';

/** How admissions are signed. */
export type AdmissionKeysProps = {
  /** Who may accept admissions that were asked for nobody in particular. */
  readonly audience: string;
  /** Names of the keys: the first signs, all are published. */
  readonly names: readonly string[];
};

/** Name of the key that a new stack has. */
export const FIRST_KEY = 'first';

const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;

/**
 * The keys that sign admissions: P-256, made in KMS, kept when the stack goes or names them no more.
 *
 * Whoever can sign with one can have money sent. So one function may, with the first of them, and
 * the policy of each denies it to everyone else of this account, administrators with `kms:*`
 * included, until that policy is changed (`docs/decisions/0008-admission-keys.md`).
 */
export class AdmissionKeys extends Construct {
  /** The key that signs. */
  readonly signing: Key;
  /** All of them, the signing one first. */
  readonly published: readonly Key[];
  readonly #audience: string;

  /** @throws {KeyNamesError} */
  constructor(scope: Construct, id: string, props: AdmissionKeysProps) {
    super(scope, id);
    const { audience, names } = props;
    const [signing, ...others] = names;
    if (signing === undefined || new Set(names).size < names.length || !names.every(isName)) {
      throw new KeyNamesError({ names });
    }
    this.#audience = audience;
    this.signing = this.#makeKey(signing);
    this.published = [this.signing, ...others.map((name) => this.#makeKey(name))];
  }

  /** Lets `fn` sign with the first key and publish all, and lets nobody else sign; to be given once. */
  grantSign(fn: BreakwaterFunction): void {
    allow(fn, { actions: ['kms:GetPublicKey', 'kms:Sign'], resources: [this.signing.keyArn] });
    const others = this.published.slice(1).map(({ keyArn }) => keyArn);
    if (others.length > 0) allow(fn, { actions: ['kms:GetPublicKey'], resources: others });
    for (const key of this.published) {
      key.addToResourcePolicy(
        new PolicyStatement({
          sid: 'OnlyReservationsSign',
          effect: Effect.DENY,
          principals: [new AnyPrincipal()],
          actions: ['kms:Sign'],
          resources: ['*'],
          conditions: { ArnNotEquals: { 'aws:PrincipalArn': fn.role.roleArn } },
        }),
      );
    }
    this.#name(fn);
    fn.setEnvironment(ENV.admissionAudience, this.#audience);
  }

  /** Lets a verifier of this account read the public keys from KMS, and nothing else. */
  grantVerify(grantee: IGrantable): void {
    const resources = this.published.map(({ keyArn }) => keyArn);
    allow(grantee, { actions: ['kms:GetPublicKey'], resources });
  }

  /** Lets `fn` see whether the keys answer, and not sign: for `breakwater doctor`. */
  grantInspect(fn: BreakwaterFunction): void {
    this.grantVerify(fn);
    this.#name(fn);
  }

  /** Opens the public keys to other accounts. */
  openTo(accountIds: readonly string[]): void {
    for (const key of this.published) {
      key.addToResourcePolicy(
        new PolicyStatement({
          sid: 'SignerAccountsVerify',
          principals: accountIds.map((id) => new AccountPrincipal(id)),
          actions: ['kms:GetPublicKey'],
          resources: ['*'],
        }),
      );
    }
  }

  #name(fn: BreakwaterFunction): void {
    const { account, region } = Stack.of(this);
    const others = this.published.slice(1).map(({ keyArn }) => keyArn);
    if (others.length > 0) fn.setEnvironment(ENV.admissionPublishedKeyIds, others.join(','));
    fn.setEnvironment(ENV.admissionKeyId, this.signing.keyArn);
    fn.setEnvironment(ENV.admissionIssuer, `breakwater:${account}:${region}:${cellOf(this)}`);
  }

  /** A key's place in the tree follows from its name alone: no step of a rotation replaces one. */
  #makeKey(name: string): Key {
    const suffix = name === FIRST_KEY ? '' : `-${name}`;
    return new Key(this, `Key${suffix}`, {
      description: 'Breakwater: signs admissions of withdrawals',
      alias: `${cellOf(this)}-admission${suffix}`,
      keySpec: KeySpec.ECC_NIST_P256,
      keyUsage: KeyUsage.SIGN_VERIFY,
      removalPolicy: RemovalPolicy.RETAIN,
      pendingWindow: Duration.days(30),
    });
  }
}

function isName(text: string): boolean {
  return NAME.test(text);
}

/** Keys cannot be named so. */
export class KeyNamesError extends Error {
  override readonly name = 'AdmissionKeys.KeyNamesError';
  constructor(details: { readonly names: readonly string[] }) {
    super(
      `admissionKeys ${JSON.stringify(details.names)}: at least one, each once, of 1 to 32 lower-case letters, digits and "-"`,
    );
  }
}
