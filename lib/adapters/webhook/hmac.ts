/** Signatures with a shared key: HMAC-SHA256 (RFC 2104) over bytes, in hex. */

import { createHmac, timingSafeEqual } from 'node:crypto';

const HEX_SHA256 = /^[0-9a-f]{64}$/i;

/** What was sent, and the keys one of which must have signed it. */
export type Signed = {
  readonly keys: readonly string[];
  /** The message, in parts. */
  readonly parts: readonly (string | Uint8Array)[];
  /** As it came in the header. */
  readonly signature: string | undefined;
};

/**
 * Whether one of the keys made the signature. Every key is tried, and each comparison takes the same
 * time wherever the first difference is.
 * Fail direction: closed, without a key, or with a signature that is not 32 bytes of hex, `false`.
 */
export function isSigned({ keys, parts, signature }: Signed): boolean {
  if (signature === undefined || !HEX_SHA256.test(signature)) return false;
  const given = Buffer.from(signature, 'hex');
  const fits = keys.map((key) => {
    const hmac = createHmac('sha256', key);
    for (const part of parts) hmac.update(part);
    return timingSafeEqual(hmac.digest(), given);
  });
  return fits.includes(true);
}
