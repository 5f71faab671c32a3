/** The chains that incident files name, with their native assets. */

import { type AccountId, type AssetId, type ChainId, parseAccount } from '../../domain/caip.ts';

/** A chain as incident files call it. */
export type Chain = {
  readonly name: string;
  readonly chain: ChainId;
  readonly native: { readonly symbol: string; readonly asset: AssetId; readonly decimals: number };
};

/**
 * CAIP-2 ids and SLIP-44 numbers. `kadena` and `xdag` have no profile at
 * https://github.com/ChainAgnostic/namespaces; their ids are this project's own.
 */
const CHAINS: readonly Chain[] = [
  chain({ name: 'ethereum', id: 'eip155:1', symbol: 'ETH', slip44: 60, decimals: 18 }),
  chain({ name: 'bsc', id: 'eip155:56', symbol: 'BNB', slip44: 714, decimals: 18 }),
  chain({ name: 'polygon', id: 'eip155:137', symbol: 'MATIC', slip44: 966, decimals: 18 }),
  chain({ name: 'arbitrum', id: 'eip155:42161', symbol: 'ETH', slip44: 60, decimals: 18 }),
  chain({ name: 'optimism', id: 'eip155:10', symbol: 'ETH', slip44: 60, decimals: 18 }),
  chain({ name: 'tron', id: 'tron:0x2b6653dc', symbol: 'TRX', slip44: 195, decimals: 6 }),
  chain({
    name: 'bitcoin',
    id: 'bip122:000000000019d6689c085ae165831e93',
    symbol: 'BTC',
    slip44: 0,
    decimals: 8,
  }),
  chain({
    name: 'bitcoin-cash',
    id: 'bip122:000000000000000000651ef99cb9fcbe',
    symbol: 'BCH',
    slip44: 145,
    decimals: 8,
  }),
  chain({
    name: 'dogecoin',
    id: 'bip122:1a91e3dace36e2be3bf030a65679fe82',
    symbol: 'DOGE',
    slip44: 3,
    decimals: 8,
  }),
  chain({
    name: 'solana',
    id: 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp',
    symbol: 'SOL',
    slip44: 501,
    decimals: 9,
  }),
  chain({ name: 'xrpl', id: 'xrpl:0', symbol: 'XRP', slip44: 144, decimals: 6 }),
  chain({ name: 'stellar', id: 'stellar:pubnet', symbol: 'XLM', slip44: 148, decimals: 7 }),
  chain({ name: 'kadena', id: 'kadena:mainnet01', symbol: 'KDA', slip44: 626, decimals: 12 }),
  chain({ name: 'xdag', id: 'xdag:mainnet', symbol: 'XDAG', slip44: 586, decimals: 9 }),
];

/** The chain of that name, or nothing. */
export function byName(name: string): Chain | undefined {
  return CHAINS.find((known) => known.name === name);
}

/** The names that {@link byName} knows. */
export function names(): readonly string[] {
  return CHAINS.map((known) => known.name);
}

/**
 * The CAIP-10 account of an address as people write it. A colon within an address (`k:…` on Kadena)
 * is percent-encoded, as CAIP-10 does not allow it.
 *
 * @throws {InvalidIdError} an address that its chain cannot have.
 */
export function account(chainId: ChainId, address: string): AccountId {
  return parseAccount(`${chainId}:${address.replaceAll(':', '%3A')}`);
}

function chain(parameters: {
  readonly name: string;
  readonly id: ChainId;
  readonly symbol: string;
  readonly slip44: number;
  readonly decimals: number;
}): Chain {
  const { name, id, symbol, slip44, decimals } = parameters;
  return { name, chain: id, native: { symbol, asset: `${id}/slip44:${slip44}`, decimals } };
}
