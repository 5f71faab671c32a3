/** The bloom filter of a block's logs (Ethereum yellow paper, section 4.3.1). */

import { keccak256 } from 'viem/utils';
import type { Hex } from './wire.ts';

const BITS = 2_048;
const BLOOM_LENGTH = 2 + BITS / 4;

/**
 * Whether a block may hold a log with this address or topic. `false` is certain; `true` may be by
 * chance. A filter of another length says nothing: `false`.
 */
export function mayHold(bloom: Hex, value: Hex): boolean {
  if (bloom.length !== BLOOM_LENGTH) return false;
  const digest = keccak256(value);
  return [0, 1, 2].every((pair) => {
    const bit = Number.parseInt(digest.slice(2 + pair * 4, 6 + pair * 4), 16) % BITS;
    const digit = Number.parseInt(bloom.at(-1 - Math.floor(bit / 4)) ?? '0', 16);
    return ((digit >> (bit % 4)) & 1) === 1;
  });
}
