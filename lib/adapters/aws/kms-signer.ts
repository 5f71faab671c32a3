/** Signs admissions with a key that never leaves KMS. */

import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { GetPublicKeyCommand, type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import type { AdmissionSigner } from '../../ports.ts';
import { admissionHeader, type PublicJwk, toJwks, toPublicJwk } from '../admission-jws.ts';
import { toRawSignature } from './ecdsa-signature.ts';

const ALGORITHM = 'ECDSA_SHA_256';

/** The key as KMS describes it, pinned: an alias that is moved meanwhile changes nothing. */
export type PinnedKey = {
  readonly arn: string;
  readonly jwk: PublicJwk;
  readonly publicKey: KeyObject;
};

/**
 * A signer over an asymmetric key of KMS (`ECC_NIST_P256`, `SIGN_VERIFY`). It signs with one key and
 * publishes others beside it: the next one before it signs, the last one until its admissions have
 * expired. Each public key is read once, at first use; a read that fails is tried again at the next.
 * Fail direction: closed, what KMS does not sign is not admitted, and a set of keys that cannot be
 * read whole is not published. Signing does not need the others.
 *
 * @param keys.keyId id, ARN or alias of the key that signs.
 * @param keys.alsoPublished ids, ARNs or aliases of the others.
 * @param keys.issuer the `iss` of every admission.
 */
export function createKmsSigner(
  client: KMSClient,
  keys: {
    readonly keyId: string;
    readonly alsoPublished: readonly string[];
    readonly issuer: string;
  },
): AdmissionSigner {
  const signing = pinnedOnce(client, keys.keyId);
  const published = [signing, ...keys.alsoPublished.map((keyId) => pinnedOnce(client, keyId))];
  return {
    issuer: keys.issuer,
    sign: async (claims) => {
      const key = await signing();
      return signInput(client, key, `${encode(admissionHeader(key.jwk.kid))}.${encode(claims)}`);
    },
    jwks: async () => {
      const pinned = await Promise.all(published.map((key) => key()));
      return toJwks(pinned.map(({ jwk }) => jwk));
    },
  };
}

/** Reads a key of KMS once, at first use; a read that fails is tried again at the next. */
export function pinnedOnce(client: KMSClient, keyId: string): () => Promise<PinnedKey> {
  let reading: Promise<PinnedKey> | undefined;
  return () => {
    reading ??= pin(client, keyId).catch((error: unknown) => {
      reading = undefined;
      throw error;
    });
    return reading;
  };
}

/**
 * The compact JWS of what comes before its signature. Checked with the published key before anybody
 * gets it: a withdrawal whose admission no signer accepts would be charged for nothing.
 * Fail direction: closed, a signature that does not hold is none.
 *
 * @throws {UnavailableError}
 */
export async function signInput(client: KMSClient, key: PinnedKey, input: string): Promise<string> {
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
  const signature = toRawSignature(der);
  if (!verify('sha256', Buffer.from(input), key.publicKey, der)) {
    throw new UnavailableError({ cause: 'the signature is not one of the published key' });
  }
  return `${input}.${signature.toString('base64url')}`;
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
  const publicKey = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  const { crv, x, y } = publicKey.export({ format: 'jwk' });
  if (crv !== 'P-256' || !x || !y) throw new UnfitKeyError({ keyId, spec: crv, usage });
  return { arn, jwk: await toPublicJwk({ x, y }), publicKey };
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
