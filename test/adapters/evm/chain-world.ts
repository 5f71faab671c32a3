/** A real chain with wallets and contracts, and the same node behind a proxy that lies on demand. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type Address,
  createWalletClient,
  type Hex,
  http,
  type LocalAccount,
  publicActions,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { mainnet } from 'viem/chains';
import type { AccountId, AssetId } from '../../../lib/domain/caip.ts';
import type * as Policy from '../../../lib/domain/policy.ts';
import {
  type Anvil,
  type AnvilParameters,
  startAnvil,
  WELL_KNOWN_KEYS,
} from '../../../lib/local/chain-node.ts';
import { policy } from '../../support/builders.ts';
import { type Contract, type Contracts, loadContracts } from '../../support/contracts.ts';

export const NATIVE: AssetId = 'eip155:1/slip44:60';

/** One account with its key that everybody knows, and a client that signs with it. */
export function signer(anvil: { readonly url: string }, position: number) {
  const account = privateKeyToAccount(WELL_KNOWN_KEYS[position] as Hex);
  return createWalletClient({
    account,
    chain: mainnet,
    transport: http(anvil.url, { retryCount: 0 }),
    pollingInterval: 10,
  }).extend(publicActions);
}

export type Signer = ReturnType<typeof signer>;

export function idOf(address: Address): AccountId {
  return `eip155:1:${address.toLowerCase() as Address}`;
}

export function erc20(address: Address): AssetId {
  return `eip155:1/erc20:${address.toLowerCase()}`;
}

export async function deploy(
  by: Signer,
  contract: Contract,
  parameters: { readonly args?: readonly unknown[]; readonly value?: bigint } = {},
): Promise<Address> {
  const { args = [], value = 0n } = parameters;
  const hash = await by.deployContract({ ...contract, args, value } as never);
  const { contractAddress } = await by.waitForTransactionReceipt({ hash });
  return contractAddress as Address;
}

/** Calls a contract; resolves with the hash, before or after it is mined, as the node mines. */
export function call(
  by: Signer,
  contract: { readonly at: Address; readonly is: Contract; readonly value?: bigint },
  [functionName, ...args]: readonly [string, ...unknown[]],
): Promise<Hex> {
  const { at: address, is, ...options } = contract;
  return by.writeContract({ address, abi: is.abi, functionName, args, ...options } as never);
}

/** The wallet `hot` with its key, a thief, a stranger; a token that the policy lists, and one of each contract. */
export type World = {
  readonly anvil: Anvil;
  readonly contracts: Contracts;
  readonly hot: Signer & { readonly account: LocalAccount };
  readonly stranger: Signer;
  readonly customer: Address;
  readonly token: Address;
  readonly policy: Policy.Policy;
  readonly mine: (blocks?: number) => Promise<void>;
};

export async function startWorld(parameters: AnvilParameters = {}): Promise<World> {
  const contracts = await loadContracts();
  const anvil = await startAnvil(parameters);
  const hot = signer(anvil, 0);
  const stranger = signer(anvil, 1);
  const token = await deploy(stranger, contracts.Token);
  await call(stranger, { at: token, is: contracts.Token }, [
    'mint',
    hot.account.address,
    1_000_000_000n,
  ]);
  return {
    anvil,
    contracts,
    hot,
    stranger,
    customer: `0x${'c'.repeat(40)}`,
    token,
    policy: policyOf({ token, accounts: [idOf(hot.account.address)] }),
    mine: async (blocks = 1) => {
      await anvil.rpc('anvil_mine', `0x${blocks.toString(16)}`);
    },
  };
}

/** A policy of one wallet `hot`, the native coin and one listed token. */
export function policyOf(known: {
  readonly token: Address;
  readonly accounts: readonly AccountId[];
}): Policy.Policy {
  return policy({
    assets: [
      { pattern: NATIVE, symbol: 'ETH', decimals: 18, floorPricePicoUsd: 1_500n * 10n ** 12n },
      { pattern: erc20(known.token), symbol: 'USDT', decimals: 6, floorPricePicoUsd: 10n ** 12n },
      { pattern: 'eip155:1/erc20:*', symbol: 'any', decimals: 18 },
    ],
    wallets: [{ name: 'hot', keyDomain: 'vault', addresses: known.accounts }],
  });
}

/** One call as it goes through the proxy. */
export type Call = { readonly method: string; readonly params: readonly unknown[] };

/** What the proxy answers in place of the node: an error, a result, or `pass`. */
export type Lie = (
  call: Call,
) =>
  | 'pass'
  | { readonly error: string }
  | { readonly result: unknown }
  | { readonly after: (result: unknown) => unknown };

/** A proxy in front of a node. Set `lie` to change what it says. */
export type LyingNode = {
  readonly url: string;
  lie: Lie;
  /** Methods that were asked, in order. */
  readonly asked: string[];
  readonly stop: () => Promise<void>;
};

export async function startProxy(anvil: { readonly url: string }): Promise<LyingNode> {
  const proxy: { lie: Lie; asked: string[] } = { lie: () => 'pass', asked: [] };
  const answer = async (one: Call & { readonly id: number }) => {
    proxy.asked.push(one.method);
    const lie = proxy.lie(one);
    const envelope = { jsonrpc: '2.0', id: one.id };
    if (lie !== 'pass' && 'error' in lie) {
      return { ...envelope, error: { code: -32_005, message: lie.error } };
    }
    if (lie !== 'pass' && 'result' in lie) return { ...envelope, result: lie.result };
    const response = await fetch(anvil.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(one),
    });
    const real = (await response.json()) as { result: unknown };
    return lie === 'pass' || real.result === undefined
      ? real
      : { ...real, result: lie.after(real.result) };
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const reply = Array.isArray(body) ? await Promise.all(body.map(answer)) : await answer(body);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(reply));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(proxy, {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}
