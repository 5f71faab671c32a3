/**
 * Stand-ins for what no source states: addresses and transaction hashes. They are derived from a
 * label alone, so that a replay is the same every time, and nobody holds a key to them.
 */

import { createHash } from 'node:crypto';
import { type AccountId, type ChainId, parseAccount } from '../../domain/caip.ts';

/**
 * An address that stands for `label` on a chain. EVM chains demand 20 bytes of hex, so there it looks
 * like any other; elsewhere it begins with `synthetic-`.
 */
export function address(chain: ChainId, label: string): AccountId {
  const hex = digest(`address ${chain} ${label}`).slice(0, 40);
  return parseAccount(`${chain}:${chain.startsWith('eip155:') ? `0x${hex}` : `synthetic-${hex}`}`);
}

/** A transaction hash that stands for `label` on a chain: 32 bytes of hex, with `0x` on EVM chains. */
export function transaction(chain: ChainId, label: string): string {
  return `${chain.startsWith('eip155:') ? '0x' : ''}${digest(`transaction ${chain} ${label}`)}`;
}

function digest(label: string): string {
  return createHash('sha256').update(`breakwater synthetic ${label}`).digest('hex');
}
