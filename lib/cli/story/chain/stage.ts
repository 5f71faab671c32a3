/** A chain of this machine with two hot wallets on it, and a Breakwater that watches it. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Address, createWalletClient, defineChain, type Hex, http, publicActions } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { type Anvil, startAnvil, WELL_KNOWN_KEYS } from '../../../local/chain-node.ts';
import { type Runtime, startRuntime } from '../../../local/runtime.ts';
import { TOKEN } from './token.ts';

/** Tokens of the chain; the coin is ETH. All of them have 18 decimals, as on Ethereum. */
const SUPPLIES = { DAI: 1_000_000n, GRT: 5_000_000n, UNI: 50_000n } as const;

/** What is paid with here. */
export type Coin = 'ETH' | keyof typeof SUPPLIES;

/** The name of a hot wallet of the policy. */
export type HotWallet = 'hot-1' | 'hot-2';

/** A transfer in whole units; its destination is an address of this chain. */
export type Payment = {
  readonly symbol: Coin;
  readonly whole: bigint;
  readonly to: Address;
};

/** The chain and its Breakwater, running. */
export type ChainStage = {
  readonly runtime: Runtime;
  /** Whoever holds the keys, as all do here: signs with one and sends; gives the hash. */
  readonly signAndSend: (from: HotWallet, payment: Payment) => Promise<Hex>;
  /** The block that holds a transaction, as soon as the node has one. */
  readonly blockOf: (hash: Hex) => Promise<bigint | undefined>;
  readonly head: () => Promise<bigint>;
  /** CAIP-10 of an account here, and CAIP-19 of an asset. */
  readonly accountId: (address: Address) => string;
  readonly assetId: (symbol: Coin) => string;
  readonly wallet: (name: HotWallet) => Address;
  /** Results of the decisions about outflows so far, in order. */
  readonly decided: () => readonly string[];
};

/** How the chain is made. */
export const CHAIN = { id: 31_337, blockTimeS: 1, watchEveryMs: 100 } as const;

/** What differs from {@link CHAIN}. */
export type ChainParameters = { readonly blockTimeS?: number | undefined };

const TICK_EVERY_MS = 1_000;
const UNIT = 10n ** 18n;
const HOT: Readonly<Record<HotWallet, number>> = { 'hot-1': 0, 'hot-2': 1 };
const DEPLOYER = 4;

type Tokens = Readonly<Record<keyof typeof SUPPLIES, Address>>;

/**
 * Starts the chain and its Breakwater, and ends both after the work; their files are removed.
 *
 * @throws {ChainNode.NotStartedError} there is no node for this platform.
 */
export async function withChain<T>(
  work: (stage: ChainStage) => Promise<T>,
  { blockTimeS = CHAIN.blockTimeS }: ChainParameters = {},
): Promise<T> {
  const anvil = await startAnvil({ chainId: CHAIN.id });
  try {
    const tokens = await deployTokens(anvil);
    // Blocks in their time from here on, as on a public chain.
    await anvil.rpc('evm_setAutomine', false);
    await anvil.rpc('evm_setIntervalMining', blockTimeS);
    return await withWatcher(anvil, tokens, work);
  } finally {
    await anvil.stop();
  }
}

async function withWatcher<T>(
  anvil: Anvil,
  tokens: Tokens,
  work: (stage: ChainStage) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-chain-'));
  try {
    const rpc = join(folder, 'rpc.json');
    const endpoints = [{ name: 'anvil', url: anvil.url }];
    const nodes = { [`eip155:${CHAIN.id}`]: { native: assetId(tokens, 'ETH'), endpoints } };
    await writeFile(rpc, JSON.stringify(nodes));
    const decided: string[] = [];
    const runtime = await startRuntime({
      folder: join(folder, 'state'),
      port: 0,
      policySource: policySource(tokens),
      rpc,
      watchEveryMs: CHAIN.watchEveryMs,
      tickEveryMs: TICK_EVERY_MS,
      log: {
        info: (message, fields) => {
          if (message === 'event decided') decided.push(String(fields.result));
        },
        error: () => undefined,
      },
    });
    try {
      return await work(stageOf(anvil, { runtime, tokens, decided }));
    } finally {
      await runtime.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function stageOf(
  anvil: Anvil,
  made: { readonly runtime: Runtime; readonly tokens: Tokens; readonly decided: string[] },
): ChainStage {
  const { runtime, tokens, decided } = made;
  const signers = { 'hot-1': signer(anvil, HOT['hot-1']), 'hot-2': signer(anvil, HOT['hot-2']) };
  return {
    runtime,
    signAndSend: (from, { symbol, whole, to }) => {
      const value = whole * UNIT;
      if (symbol === 'ETH') return signers[from].sendTransaction({ to, value });
      const { abi } = TOKEN;
      const call = { address: tokens[symbol], abi, functionName: 'transfer', args: [to, value] };
      return signers[from].writeContract(call);
    },
    blockOf: async (hash) => {
      const receipt = await anvil.rpc('eth_getTransactionReceipt', hash);
      const mined = receipt as { readonly blockNumber: Hex } | null;
      return mined === null ? undefined : BigInt(mined.blockNumber);
    },
    head: async () => BigInt((await anvil.rpc('eth_blockNumber')) as Hex),
    accountId,
    assetId: (symbol) => assetId(tokens, symbol),
    wallet: (name) => signers[name].account.address,
    decided: () => decided,
  };
}

async function deployTokens(anvil: Anvil): Promise<Tokens> {
  const deployer = signer(anvil, DEPLOYER);
  const holder = signer(anvil, HOT['hot-1']).account.address;
  const deploy = async (supply: bigint): Promise<Address> => {
    const hash = await deployer.deployContract({ ...TOKEN, args: [holder, supply * UNIT] });
    const { contractAddress } = await deployer.waitForTransactionReceipt({ hash });
    return contractAddress as Address;
  };
  return {
    DAI: await deploy(SUPPLIES.DAI),
    GRT: await deploy(SUPPLIES.GRT),
    UNI: await deploy(SUPPLIES.UNI),
  };
}

function signer(anvil: Anvil, position: number) {
  const chain = defineChain({
    id: CHAIN.id,
    name: 'anvil',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [anvil.url] } },
  });
  return createWalletClient({
    account: privateKeyToAccount(WELL_KNOWN_KEYS[position] as Hex),
    chain,
    transport: http(anvil.url, { retryCount: 0 }),
    pollingInterval: 10,
  }).extend(publicActions);
}

function accountId(address: Address): string {
  return `eip155:${CHAIN.id}:${address.toLowerCase()}`;
}

function assetId(tokens: Tokens, symbol: Coin): string {
  if (symbol === 'ETH') return `eip155:${CHAIN.id}/slip44:60`;
  return `eip155:${CHAIN.id}/erc20:${tokens[symbol].toLowerCase()}`;
}

/** Limits that the whole theft stays under: what trips is that nobody approved it. */
function policySource(tokens: Tokens): string {
  const address = (name: HotWallet) =>
    accountId(privateKeyToAccount(WELL_KNOWN_KEYS[HOT[name]] as Hex).address);
  const asset = (symbol: Coin, price: string) =>
    `  - { id: "${assetId(tokens, symbol)}", symbol: ${symbol}, decimals: 18, floorPriceUsd: "${price}" }`;
  return `
version: 1
name: chain-theft
mode: enforce
resume: trial
chains:
  - { id: "eip155:${CHAIN.id}", name: anvil, watch: { confirmations: 0, blindAfter: 30s } }
assets:
${asset('ETH', '1597')}
${asset('DAI', '1')}
${asset('GRT', '0.09')}
${asset('UNI', '4.4')}
wallets:
  - { name: hot-1, keyDomain: coinex-hot, addresses: ["${address('hot-1')}"] }
  - { name: hot-2, keyDomain: coinex-hot, addresses: ["${address('hot-2')}"] }
limits:
  - { id: wallet-hour, scope: wallet, metric: notional, window: 1h, limit: "20000000", action: pause }
unmatched: { scope: key-domain }
conflict: { scope: wallet }
timing: { lease: 15s }
`;
}
