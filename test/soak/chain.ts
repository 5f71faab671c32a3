/**
 * A real chain that is killed now and then. What its node had not written to its file is gone then, and
 * the chain goes on from an earlier block, as after a reorg: payments are sent until they are in it.
 */

import { copyFile, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPublicClient, type Hex, http, keccak256 } from 'viem';
import { startAnvil } from '../../lib/local/chain-node.ts';
import { freePort } from '../../lib/local/free-port.ts';
import { revive } from './revived.ts';
import { HOT, type payoutOf } from './world.ts';

/** Seconds between blocks, and between two writings of the state. */
const EVERY_S = 2;
const SEND_EVERY_MS = 500;
const SENT_AT_ONCE = 40;
const GAS = 21_000n;
const FEE = { maxFeePerGas: 100_000_000_000n, maxPriorityFeePerGas: 1n };
/** A state that was half written when its node was killed is none: an earlier one is kept beside it. */
const KEEP_EVERY_MS = 5_000;

/** The chain, and who pays on it. */
export type Chain = {
  readonly url: string;
  readonly kill: (downMs: number) => Promise<void>;
  /** Signs a payment; it is sent again and again until the chain has it. Gives its hash. */
  readonly pay: (payout: ReturnType<typeof payoutOf>) => Promise<Hex>;
  /** Resolves with how many are in the chain: all of them, or as many as in this time. */
  readonly settled: (withinMs: number) => Promise<number>;
  readonly stop: () => Promise<void>;
};

/** Starts the chain with its state in this folder. */
export async function startChain(folder: string): Promise<Chain> {
  const port = await freePort();
  const stateFile = join(folder, 'chain.json');
  const kept = `${stateFile}.kept`;
  const node = await revive(async () => {
    if (!(await isWhole(stateFile))) await copyFile(kept, stateFile).catch(() => undefined);
    return startAnvil({ port, stateFile, stateEveryS: EVERY_S, blockTimeS: EVERY_S });
  });
  const url = `http://127.0.0.1:${port}`;
  const client = createPublicClient({ transport: http(url, { retryCount: 0, timeout: 5_000 }) });
  const signed: Hex[] = [];
  const state = { isOver: false, included: 0 };
  const send = async () => {
    state.included = await client.getTransactionCount({ address: HOT.address });
    const next = signed.slice(state.included, state.included + SENT_AT_ONCE);
    for (const serializedTransaction of next) {
      await client.sendRawTransaction({ serializedTransaction }).catch(() => undefined);
    }
  };
  const sending = every(SEND_EVERY_MS, state, send);
  const keeping = every(KEEP_EVERY_MS, state, async () => {
    await copyFile(stateFile, `${kept}.new`);
    if (await isWhole(`${kept}.new`)) await rename(`${kept}.new`, kept);
  });
  return {
    url,
    kill: node.kill,
    pay: async ({ destination, amount }) => {
      const nonce = signed.length;
      const to = `0x${destination.slice(-40)}` as const;
      const payment = { chainId: 1, nonce, to, value: BigInt(amount), gas: GAS, ...FEE } as const;
      // The place is taken before anything is waited for: two payments never share a nonce.
      signed.push('0x');
      const transaction = await HOT.signTransaction(payment);
      signed[nonce] = transaction;
      return keccak256(transaction);
    },
    settled: async (withinMs) => {
      const endsAtMs = performance.now() + withinMs;
      while (state.included < signed.length && performance.now() < endsAtMs) await sleep(200);
      return state.included;
    },
    stop: async () => {
      state.isOver = true;
      await Promise.all([sending, keeping]);
      await node.stop();
    },
  };
}

async function every(
  everyMs: number,
  state: { readonly isOver: boolean },
  act: () => Promise<void>,
): Promise<void> {
  while (!state.isOver) {
    await act().catch(() => undefined);
    await sleep(everyMs);
  }
}

/** Also where there is none yet. */
async function isWhole(path: string): Promise<boolean> {
  try {
    JSON.parse(await readFile(path, 'utf8'));
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
