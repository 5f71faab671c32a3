/** The public keys that admissions are verified with, by `kid`. */

import {
  base64url,
  type CryptoKey,
  createLocalJWKSet,
  type JSONWebKeySet,
  type LocalJWKSet,
} from 'jose';
import type { Clock } from '../ports.ts';
import { type Fetch, requestJson, trustedUrl } from './http.ts';
import { type Timers, within } from './time.ts';

/** The answer for one `kid`. `unavailable`: no set of keys is at hand that is young enough. */
export type KeyAnswer =
  | { readonly kind: 'key'; readonly key: CryptoKey }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unavailable'; readonly text: string };

/** Finds keys. Never throws. Fail direction: closed, no key without a set in which exactly one has this `kid`. */
export type KeySource = { readonly find: (kid: string) => Promise<KeyAnswer> };

/** Reads a set of keys. Throws when it cannot be read whole. */
export type ReadKeys = (signal: AbortSignal) => Promise<JSONWebKeySet>;

/** How a published set is read, and for how long it is believed. */
export type PublishedKeys = {
  readonly read: ReadKeys;
  readonly clock: Clock;
  readonly timers: Timers;
  /** A set older than this is not used: a key taken out of the published set is gone after it. */
  readonly maxAgeMs: number;
  /** Time between two reads, at least: tokens with invented `kid`s cannot make more of them. */
  readonly cooldownMs: number;
  readonly timeoutMs: number;
};

/** Keys that never change. @throws {JWKSInvalid} not a set of keys. */
export function createFixedKeys(jwks: JSONWebKeySet): KeySource {
  const set = createLocalJWKSet(jwks);
  return { find: (kid) => findIn(set, kid) };
}

/** Reads the set from a URL. @throws {Http.InsecureUrlError} at once, not when it reads. */
export function keysAt(text: string, fetch: Fetch): ReadKeys {
  const url = trustedUrl(text).href;
  return async (signal) => {
    const headers = { accept: 'application/json' };
    const { status, value } = await requestJson(fetch, url, { signal, headers });
    if (status !== 200) throw new UnreadableKeysError({ why: `HTTP ${status}` });
    // Checked by what it is handed to: it throws unless this is a set of keys.
    return value as JSONWebKeySet;
  };
}

/**
 * Makes the set of public keys as a key service gives them, P-256 in DER (SPKI, RFC 5480). Their
 * `kid`s are thumbprints (RFC 7638), as those of published keys.
 */
export function keysFrom(
  readPublicKeys: () => Promise<readonly (Uint8Array | undefined)[]>,
): ReadKeys {
  return async () => ({ keys: await Promise.all((await readPublicKeys()).map(toJwk)) });
}

async function toJwk(spki: Uint8Array | undefined) {
  if (!spki) throw new UnreadableKeysError({ why: 'one of them is missing' });
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const key = await crypto.subtle
    .importKey('spki', Uint8Array.from(spki), algorithm, true, ['verify'])
    .catch((cause: unknown) => {
      throw new UnreadableKeysError({ why: 'one of them is no key of P-256', cause });
    });
  const { x = '', y = '' } = await crypto.subtle.exportKey('jwk', key);
  // The members of a thumbprint, in its order.
  const point = { crv: 'P-256', kty: 'EC', x, y };
  const hash = await crypto.subtle.digest(
    'SHA-256',
    new TextEncoder().encode(JSON.stringify(point)),
  );
  return { ...point, kid: base64url.encode(new Uint8Array(hash)), alg: 'ES256', use: 'sig' };
}

/**
 * Keys that are read, kept, and read again when half their age is over or a `kid` is not among
 * them: whoever rotates publishes the new key before signing with it.
 */
export function createPublishedKeys(options: PublishedKeys): KeySource {
  const { clock, cooldownMs, maxAgeMs } = options;
  let kept: { readonly set: LocalJWKSet; readonly readAtMs: number } | undefined;
  let reading: { readonly startedAtMs: number; readonly done: Promise<void> } | undefined;
  let failure = 'the keys were not read yet';

  const isYoung = (sinceMs: number | undefined, limitMs: number) => {
    // A clock that went backwards makes everything old, never young.
    const ageMs = sinceMs === undefined ? Number.NaN : clock.nowMs() - sinceMs;
    return ageMs >= 0 && ageMs < limitMs;
  };
  const read = async (startedAtMs: number) => {
    try {
      kept = { set: createLocalJWKSet(await within(options, options.read)), readAtMs: startedAtMs };
    } catch (error) {
      failure = error instanceof Error ? error.message : 'unknown error';
    }
  };
  const refresh = (): Promise<void> => {
    if (!isYoung(reading?.startedAtMs, cooldownMs)) {
      const startedAtMs = clock.nowMs();
      reading = { startedAtMs, done: read(startedAtMs) };
    }
    return reading?.done ?? Promise.resolve();
  };
  const look = async (kid: string): Promise<KeyAnswer> => {
    if (kept && isYoung(kept.readAtMs, maxAgeMs)) return findIn(kept.set, kid);
    return { kind: 'unavailable', text: failure };
  };
  return {
    find: async (kid) => {
      if (!isYoung(kept?.readAtMs, maxAgeMs / 2)) await refresh();
      const answer = await look(kid);
      if (answer.kind !== 'unknown') return answer;
      await refresh();
      return look(kid);
    },
  };
}

/** Two keys of one `kid`, a private key, one of another kind or one that is no point are as good as none. */
async function findIn(set: LocalJWKSet, kid: string): Promise<KeyAnswer> {
  try {
    return { kind: 'key', key: await set({ alg: 'ES256', kid }) };
  } catch {
    return { kind: 'unknown' };
  }
}

/** The published keys cannot be read. */
export class UnreadableKeysError extends Error {
  override readonly name = 'Jwks.UnreadableKeysError';
  constructor(details: { readonly why: string; readonly cause?: unknown }) {
    super(`the published keys cannot be read: ${details.why}`, { cause: details.cause });
  }
}
