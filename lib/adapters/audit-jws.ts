/** Signed heads of the audit chain: what is signed, and how it is checked. */

import { createHash, createPublicKey, verify } from 'node:crypto';
import type * as Audit from '../domain/audit.ts';
import type { Tools } from '../domain/audit-export.ts';
import * as Export from '../domain/audit-export.ts';
import * as Canonical from '../domain/canonical.ts';
import { nodeDigest } from './node-digest.ts';

/** A signature of ES256: r and s side by side, 32 bytes each (RFC 7518, section 3.4). */
const SIGNATURE_BYTES = 64;

/** What is signed of a head, as it stands in the JWS before its signature (RFC 7515, section 5.1). */
export function signingInput(kid: string, claims: Audit.Claims): string {
  return `${encode(Export.header(kid))}.${encode(Canonical.text({ ...claims }))}`;
}

/** What verifying an export needs, by node:crypto. */
export const nodeTools: Tools = {
  hash: nodeDigest.hash,
  thumbprint: ({ crv, kty, x, y }) =>
    createHash('sha256').update(Canonical.text({ crv, kty, x, y })).digest('base64url'),
  decode: (base64url) => Buffer.from(base64url, 'base64url').toString('utf8'),
  isSigned: (jws, { kty, crv, x, y }) => {
    const parts = jws.split('.');
    const [header = '', payload = '', signature = ''] = parts;
    const bytes = Buffer.from(signature, 'base64url');
    // base64url has several texts for the same bytes; here one only is the signature.
    const isOneForm = parts.length === 3 && parts.every(isCanonical);
    if (!isOneForm || bytes.length !== SIGNATURE_BYTES) return false;
    try {
      const key = createPublicKey({ key: { kty, crv, x, y }, format: 'jwk' });
      const signed = Buffer.from(`${header}.${payload}`);
      return verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, bytes);
    } catch {
      return false;
    }
  },
};

function isCanonical(base64url: string): boolean {
  return Buffer.from(base64url, 'base64url').toString('base64url') === base64url;
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url');
}
