/** What an EVM transaction does, if it is a plain transfer: everything else is refused. */

import {
  type Address,
  decodeFunctionData,
  encodeFunctionData,
  erc20Abi,
  type Hex,
  isAddress,
} from 'viem';

/** The part of a transaction that says what it moves. */
export type Movement = {
  readonly chainId: number;
  readonly to: Address;
  /** Of the chain's own coin, base units. */
  readonly value: bigint;
  readonly data: Hex;
};

/** A transfer in CAIP-10 and CAIP-19, amount in base units. */
export type Transfer = {
  readonly wallet: string;
  readonly asset: string;
  readonly destination: string;
  readonly amount: bigint;
};

/** Or why it is none. */
export type Reading = { readonly transfer: Transfer } | { readonly problem: string };

/**
 * Reads a transfer of the chain's coin (no calldata) or of an ERC-20 token (`transfer(address,uint256)`
 * and nothing after it). `approve`, `transferFrom`, a batch or a deployment can move money as well, and
 * no admission could say how much.
 * Fail direction: closed, what is not certainly a plain transfer is a problem.
 *
 * @param from.nativeAsset CAIP-19 of the chain's coin: its SLIP-44 number differs from chain to chain.
 */
export function readTransfer(
  movement: Movement,
  from: { readonly wallet: Address; readonly nativeAsset: string },
): Reading {
  const { chainId, to, value, data } = movement;
  const chain = `eip155:${chainId}`;
  if (!from.nativeAsset.startsWith(`${chain}/`)) return { problem: `${chain} is not served` };
  if (!isAddress(to, { strict: false })) return { problem: 'it has no recipient' };
  const wallet = `${chain}:${from.wallet}`;
  if (data === '0x') {
    const { nativeAsset: asset } = from;
    return { transfer: { wallet, asset, destination: `${chain}:${to}`, amount: value } };
  }
  const paid = readErc20(data);
  if (!paid) return { problem: 'its calldata is no ERC-20 transfer' };
  if (value !== 0n) return { problem: 'it moves a token and the coin at once' };
  const { recipient, amount } = paid;
  const asset = `${chain}/erc20:${to}`;
  return { transfer: { wallet, asset, destination: `${chain}:${recipient}`, amount } };
}

function readErc20(
  data: Hex,
): { readonly recipient: Address; readonly amount: bigint } | undefined {
  try {
    const { functionName, args } = decodeFunctionData({ abi: erc20Abi, data });
    if (functionName !== 'transfer') return undefined;
    const [recipient, amount] = args;
    // Bytes that decoding ignores are still signed: only the one spelling is taken.
    const again = encodeFunctionData({ abi: erc20Abi, functionName, args: [recipient, amount] });
    return again === data.toLowerCase() ? { recipient, amount } : undefined;
  } catch {
    return undefined;
  }
}
