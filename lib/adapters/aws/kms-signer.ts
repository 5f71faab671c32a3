/** Signs admissions with a key that never leaves KMS. */

import { createHash, createPublicKey } from 'node:crypto';
import { GetPublicKeyCommand, type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import type { AdmissionClaims, AdmissionSigner } from '../../ports.ts';
import { admissionHeader, type PublicJwk, toPublicJwk } from '../admission-jws.ts';
import { toRawSignature } from './ecdsa-signature.ts';

const ALGORITHM = 'ECDSA_SHA_256';

/** The key as KMS describes it, pinned: an alias that is moved meanwhile changes nothing. */
type PinnedKey = { readonly arn: string; readonly jwk: PublicJwk };

/**
 * A signer over an asymmetric key of KMS (`ECC_NIST_P256`, `SIGN_VERIFY`). The public key is read
 * once, at first use; a read that fails is tried again at the next one.
 * Fail direction: closed, what KMS does not sign is not admitted.
 *
 * @param key.keyId id, ARN or alias.
 * @param key.issuer the `iss` of every admission.
 */
export function createKmsSigner(
  client: KMSClient,
  key: { readonly keyId: string; readonly issuer: string },
): AdmissionSigner {
  let reading: Promise<PinnedKey> | undefined;
  const pinned = (): Promise<PinnedKey> => {
    reading ??= pin(client, key.keyId).catch((error: unknown) => {
      reading = undefined;
      throw error;
    });
    return reading;
  };
  return {
    issuer: key.issuer,
    sign: async (claims) => sign(client, await pinned(), claims),
    jwks: async () => ({ keys: [(await pinned()).jwk] }),
  };
}

async function sign(client: KMSClient, key: PinnedKey, claims: AdmissionClaims): Promise<string> {
  const input = `${encode(admissionHeader(key.jwk.kid))}.${encode(claims)}`;
  const { Signature: der } = await client
    .send(
      new SignCommand({
        KeyId: key.arn,
        Message: createHash('sha256').update(input).digest(),
        MessageType: 'DIGEST',
        SigningAlgorithm: ALGORITHM,
      }),
    )
    .catch((cause: unknown) => {
      throw new UnavailableError({ cause });
    });
  if (!der) throw new UnavailableError({ cause: 'no signature in the answer' });
  return `${input}.${toRawSignature(der).toString('base64url')}`;
}

async function pin(client: KMSClient, keyId: string): Promise<PinnedKey> {
  const described = await client
    .send(new GetPublicKeyCommand({ KeyId: keyId }))
    .catch((cause: unknown) => {
      throw new UnavailableError({ cause });
    });
  const { KeyId: arn, PublicKey: spki, KeySpec: spec, KeyUsage: usage } = described;
  if (!arn || !spki || spec !== 'ECC_NIST_P256' || usage !== 'SIGN_VERIFY') {
    throw new UnfitKeyError({ keyId, spec, usage });
  }
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  const { crv, x, y } = key.export({ format: 'jwk' });
  if (crv !== 'P-256' || !x || !y) throw new UnfitKeyError({ keyId, spec: crv, usage });
  return { arn, jwk: await toPublicJwk({ x, y }) };
}

function encode(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

/** KMS did not answer, or refused. */
export class UnavailableError extends Error {
  override readonly name = 'KmsSigner.UnavailableError';
  constructor(details: { readonly cause: unknown }) {
    const { cause } = details;
    super(`KMS does not sign: ${cause instanceof Error ? cause.name : String(cause)}`, { cause });
  }
}

/** The key cannot sign ES256. */
export class UnfitKeyError extends Error {
  override readonly name = 'KmsSigner.UnfitKeyError';
  constructor(details: {
    readonly keyId: string;
    readonly spec: string | undefined;
    readonly usage: string | undefined;
  }) {
    super(
      `${details.keyId} is a key ${details.spec} for ${details.usage}; admissions need ECC_NIST_P256 for SIGN_VERIFY`,
    );
  }
}
