/**
 * Fireblocks' signature of webhooks v2: a detached JWS (RFC 7515, appendix F) with RS512 over the raw
 * body in `Fireblocks-Webhook-Signature`, by a key of the environment's published set
 * (https://developers.fireblocks.com/reference/validating-webhooks). The keys are those of Fireblocks,
 * the same for all its customers: that a delivery is about our workspace is checked apart.
 */

import {
  compactVerify,
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from 'jose';
import type { Delivery } from './delivery.ts';
import { LaterError } from './refusals.ts';

/** Where Fireblocks publishes its keys, by environment. */
const JWKS_URL = {
  us: 'https://keys.fireblocks.io/.well-known/jwks.json',
  eu: 'https://eu-keys.fireblocks.io/.well-known/jwks.json',
  eu2: 'https://eu2-keys.fireblocks.io/.well-known/jwks.json',
  sandbox: 'https://sandbox-keys.fireblocks.io/.well-known/jwks.json',
} as const;

/** An environment of Fireblocks. */
export type Environment = keyof typeof JWKS_URL;

/** The keys of an environment. */
export type FireblocksKeys = (environment: Environment) => JWTVerifyGetKey;

/** `header..signature`, each part base64url. */
const DETACHED = /^([\w-]{1,4096})\.\.([\w-]{1,2048})$/;

/** Fireblocks lets its set be kept for an hour; a key that it takes back is gone here after that. */
const MAX_AGE_MS = 3_600_000;
/** Unknown `kid`s read the set again, but not more often than this: anybody can invent one. */
const COOLDOWN_MS = 30_000;
const TIMEOUT_MS = 3_000;

/** The published keys, read when they are first needed. */
export function publishedKeys(fetch: typeof globalThis.fetch): FireblocksKeys {
  const sets = new Map<Environment, JWTVerifyGetKey>();
  return (environment) => {
    const known = sets.get(environment);
    if (known) return known;
    const set = createRemoteJWKSet(new URL(JWKS_URL[environment]), {
      cacheMaxAge: MAX_AGE_MS,
      cooldownDuration: COOLDOWN_MS,
      timeoutDuration: TIMEOUT_MS,
      [customFetch]: fetch,
    });
    sets.set(environment, set);
    return set;
  };
}

/** Keys that never change, whatever the environment. */
export function fixedKeys(jwks: JSONWebKeySet): FireblocksKeys {
  const set = createLocalJWKSet(jwks);
  return () => set;
}

/**
 * Whether Fireblocks signed the body.
 * Fail direction: closed, any other algorithm, header or key is `false`.
 *
 * @throws {LaterError} the keys cannot be read.
 */
export async function isFromFireblocks(delivery: Delivery, key: JWTVerifyGetKey): Promise<boolean> {
  const detached = delivery.headers['fireblocks-webhook-signature'];
  const [, header, signature] = DETACHED.exec(detached ?? '') ?? [];
  if (header === undefined || signature === undefined) return false;
  const payload = Buffer.from(delivery.body).toString('base64url');
  try {
    await compactVerify(`${header}.${payload}.${signature}`, key, { algorithms: ['RS512'] });
    return true;
  } catch (cause) {
    if (isForged(cause)) return false;
    throw new LaterError({ why: 'the keys of Fireblocks cannot be read', cause });
  }
}

/** What is wrong with the token, apart from what is wrong with reading the keys. */
function isForged(error: unknown): boolean {
  return (
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JOSEAlgNotAllowed ||
    error instanceof errors.JOSENotSupported ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof TypeError
  );
}
