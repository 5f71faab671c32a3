/** Hashes of texts, by node:crypto. */

import { createHash } from 'node:crypto';
import type { Digest } from '../ports.ts';

/** SHA-256 over UTF-8, as `sha256sum` gives it; `shortHash` is its first 32 bits. */
export const nodeDigest: Digest = {
  hash: (text) => sha256(text).toString('hex'),
  shortHash: (text) => sha256(text).readUInt32BE(0),
};

function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
