/**
 * Alchemy's names of EVM networks. Names from the enumeration of its Notify API
 * (github.com/alchemyplatform/docs, `src/openapi/notify/notify.yaml`) and its webhook pages, chain ids
 * from https://chainlist.org. A name that is missing here is refused, never guessed.
 */

import type { ChainId } from '../../domain/caip.ts';

const CHAIN_OF: Readonly<Record<string, number>> = {
  ETH_MAINNET: 1,
  ETH_SEPOLIA: 11_155_111,
  ETH_HOLESKY: 17_000,
  OPT_MAINNET: 10,
  BNB_MAINNET: 56,
  GNOSIS_MAINNET: 100,
  MATIC_MAINNET: 137,
  SONIC_MAINNET: 146,
  FANTOM_MAINNET: 250,
  ZKSYNC_MAINNET: 324,
  WORLDCHAIN_MAINNET: 480,
  METIS_MAINNET: 1_088,
  SONEIUM_MAINNET: 1_868,
  BASE_MAINNET: 8_453,
  BASE_SEPOLIA: 84_532,
  APECHAIN_MAINNET: 33_139,
  ARB_MAINNET: 42_161,
  ARBNOVA_MAINNET: 42_170,
  AVAX_MAINNET: 43_114,
  INK_MAINNET: 57_073,
  LINEA_MAINNET: 59_144,
  BLAST_MAINNET: 81_457,
  SCROLL_MAINNET: 534_352,
};

/** The CAIP-2 chain of a network's name, `undefined` if it is not known. */
export function chainOfNetwork(network: string): ChainId | undefined {
  const id = Object.hasOwn(CHAIN_OF, network) ? CHAIN_OF[network] : undefined;
  return id === undefined ? undefined : `eip155:${id}`;
}
