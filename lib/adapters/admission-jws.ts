/** What every admission has in common, whoever signs it: the header, and how its key is published. */

import { calculateJwkThumbprint } from 'jose';

/** A public P-256 key as it is published (RFC 7517); `kid` is its thumbprint (RFC 7638). */
export type PublicJwk = {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
  readonly kid: string;
  readonly alg: 'ES256';
  readonly use: 'sig';
};

/** The protected header of an admission that the key of this `kid` signs. */
export function admissionHeader(kid: string) {
  return { alg: 'ES256', kid, typ: 'breakwater-admission+jwt' } as const;
}

/** A set of public keys (RFC 7517, section 5). */
export type PublicJwks = { readonly keys: readonly PublicJwk[] };

/** Keys as a set: each once, since verifiers take no key of a `kid` that stands there twice. */
export function toJwks(keys: readonly PublicJwk[]): PublicJwks {
  return { keys: [...new Map(keys.map((key) => [key.kid, key])).values()] };
}

/**
 * The published form of a point on P-256. Nothing else of the key is taken over, so that no private
 * part can slip through.
 *
 * @param point coordinates in base64url, 32 bytes each.
 */
export async function toPublicJwk(point: {
  readonly x: string;
  readonly y: string;
}): Promise<PublicJwk> {
  const key = { kty: 'EC', crv: 'P-256', x: point.x, y: point.y } as const;
  return { ...key, kid: await calculateJwkThumbprint(key, 'sha256'), alg: 'ES256', use: 'sig' };
}
