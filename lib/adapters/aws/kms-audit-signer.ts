/** Signs heads of the audit chain with a key of its own that never leaves KMS. */

import type { KMSClient } from '@aws-sdk/client-kms';
import type { AuditSigner } from '../../ports.ts';
import { signingInput } from '../audit-jws.ts';
import { pinnedOnce, signInput } from './kms-signer.ts';

/**
 * A signer over an asymmetric key of KMS (`ECC_NIST_P256`, `SIGN_VERIFY`).
 * Fail direction: what KMS does not sign stays unsigned, and is signed with the next head.
 *
 * @param key.keyId id or ARN of the key.
 * @param key.issuer the `iss` of every signed head: which Breakwater it is.
 */
export function createKmsAuditSigner(
  client: KMSClient,
  key: { readonly keyId: string; readonly issuer: string },
): AuditSigner {
  const { issuer } = key;
  const signing = pinnedOnce(client, key.keyId);
  return {
    issuer,
    seal: async (head, atMs) => {
      const pinned = await signing();
      const claims = { ...head, iss: issuer, iat: Math.floor(atMs / 1_000) };
      const input = signingInput(pinned.jwk.kid, claims);
      return { ...head, jwk: pinned.jwk, jws: await signInput(client, pinned, input) };
    },
  };
}
