/** Signs heads of the audit chain with a key in a file: the embedded runtime's stand-in for KMS. */

import { type KeyObject, sign } from 'node:crypto';
import { join } from 'node:path';
import { signingInput } from '../adapters/audit-jws.ts';
import type { AuditSigner } from '../ports.ts';
import { loadKeys, publicJwkOf } from './file-signer.ts';

const FILE = 'audit-key.pem';

/**
 * A signer over the key of a folder; where there is no file, it is made with one key.
 * Fail direction: closed, a file that others can read signs nothing.
 *
 * @throws {UnfitKeyFileError}
 */
export async function createFileAuditSigner(parameters: {
  readonly folder: string;
  readonly issuer: string;
}): Promise<AuditSigner> {
  const [privateKey] = await loadKeys(join(parameters.folder, FILE));
  return createKeyAuditSigner({ privateKey, issuer: parameters.issuer });
}

/** A signer over a private P-256 key in memory. */
export function createKeyAuditSigner(parameters: {
  readonly privateKey: KeyObject;
  readonly issuer: string;
}): AuditSigner {
  const { privateKey, issuer } = parameters;
  const published = publicJwkOf(privateKey);
  return {
    issuer,
    seal: async (head, atMs) => {
      const jwk = await published;
      const claims = { ...head, iss: issuer, iat: Math.floor(atMs / 1_000) };
      const input = signingInput(jwk.kid, claims);
      const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
      const signature = sign('sha256', Buffer.from(input), key);
      return { ...head, jwk, jws: `${input}.${signature.toString('base64url')}` };
    },
  };
}
