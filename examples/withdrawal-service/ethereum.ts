/** The chain that is paid out on, and how its accounts and its coin are written for Breakwater (CAIP). */

import { type Address, createPublicClient, http, parseGwei } from 'viem';
import { foundry } from 'viem/chains';

/** A transfer of the chain's coin, before it is signed; `value` in wei. */
export type Transfer = { readonly to: Address; readonly value: bigint; readonly nonce: number };

/** A connection to a node. */
export type Node = ReturnType<typeof connectNode>;

/** CAIP-19 of the chain's coin. */
export const ETH = `eip155:${foundry.id}/slip44:60`;

/** What every transfer is signed with. A service in production asks the network for the price. */
export const FEES = {
  gas: 21_000n,
  maxFeePerGas: parseGwei('50'),
  maxPriorityFeePerGas: parseGwei('1'),
} as const;

/** Most that one transfer burns, wei. */
export const FEE_MAX_WEI = FEES.gas * FEES.maxFeePerGas;

/** CAIP-10 of an address. */
export function accountId(address: Address): string {
  return `eip155:${foundry.id}:${address}`;
}

/** Speaks to the node at this URL. */
export function connectNode(rpcUrl: string) {
  return createPublicClient({ chain: foundry, transport: http(rpcUrl), pollingInterval: 200 });
}
