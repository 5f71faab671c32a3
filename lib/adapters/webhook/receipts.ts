/**
 * Receipts of EVM transactions over JSON-RPC (`eth_getTransactionReceipt` and `eth_getTransactionByHash`,
 * https://ethereum.org/en/developers/docs/apis/json-rpc/#eth_gettransactionreceipt): who signed, whether
 * it succeeded, whom it called, and which logs it has, in order.
 */

import * as z from 'zod/mini';
import { type Fetch, requestJson, trustedUrl } from '../../client/http.ts';
import { type Timers, within } from '../../client/time.ts';
import { LaterError } from './refusals.ts';

/** What is read of a receipt. Addresses and hashes in lower case. */
export type Receipt = {
  readonly from: string;
  readonly succeeded: boolean;
  readonly blockHash: string;
  /** The contract that the transaction made, if it made one. */
  readonly created?: string | undefined;
  /** The contract that the signer called; absent where he merely paid, which is no call. */
  readonly called?: string | undefined;
  /** By position in the transaction. `index` is the node's, within the block. */
  readonly logs: readonly { readonly index: number; readonly address: string }[];
};

/** Finds receipts. @throws {LaterError} the node does not know the transaction, or does not answer. */
export type Receipts = {
  readonly find: (at: { readonly rpcUrl: string; readonly hash: string }) => Promise<Receipt>;
};

const hex = z.string().check(z.regex(/^0x[0-9a-fA-F]*$/));
const answerShape = z.object({
  result: z.nullable(
    z.object({
      from: hex,
      status: hex,
      blockHash: hex,
      contractAddress: z.optional(z.nullable(hex)),
      logs: z.array(z.object({ logIndex: hex, address: hex })),
    }),
  ),
});

const transactionShape = z.object({
  result: z.nullable(z.object({ to: z.optional(z.nullable(hex)), input: hex })),
});

/** With fewer digits there is no selector: a mere payment. */
const INPUT_LENGTH_MIN = 2 + 8;

/** Receipts from whichever node the URL names: over TLS, or on this machine. */
export function createRpcReceipts(options: {
  readonly fetch: Fetch;
  readonly timers: Timers;
  readonly timeoutMs: number;
}): Receipts {
  return {
    find: async ({ rpcUrl, hash }) => {
      const url = trustedUrl(rpcUrl).href;
      const [receipt, transaction] = await Promise.all([
        ask(options, { url, method: 'eth_getTransactionReceipt', hash }),
        ask(options, { url, method: 'eth_getTransactionByHash', hash }),
      ]);
      const answer = z.safeParse(answerShape, receipt);
      const signed = z.safeParse(transactionShape, transaction);
      if (!answer.success || !signed.success)
        throw new LaterError({ why: 'the node gave no receipt that can be read' });
      const { result } = answer.data;
      const { result: said } = signed.data;
      if (!result || !said)
        throw new LaterError({ why: `the node does not know transaction ${hash} yet` });
      const isCall = said.input.length >= INPUT_LENGTH_MIN;
      return {
        from: result.from.toLowerCase(),
        succeeded: Number(result.status) === 1,
        blockHash: result.blockHash.toLowerCase(),
        created: result.contractAddress?.toLowerCase(),
        called: isCall ? said.to?.toLowerCase() : undefined,
        logs: result.logs
          .map(({ logIndex, address }) => ({
            index: Number(logIndex),
            address: address.toLowerCase(),
          }))
          .toSorted((a, b) => a.index - b.index),
      };
    },
  };
}

/** The URL holds the node's key: no error repeats it. */
async function ask(
  options: Parameters<typeof createRpcReceipts>[0],
  question: { readonly url: string; readonly method: string; readonly hash: string },
): Promise<unknown> {
  const call = { jsonrpc: '2.0', id: 1, method: question.method };
  const body = JSON.stringify({ ...call, params: [question.hash] });
  try {
    const { value } = await within(options, (signal) =>
      requestJson(options.fetch, question.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal,
      }),
    );
    return value;
  } catch (cause) {
    throw new LaterError({ why: 'the node did not answer', cause });
  }
}

/**
 * The position of a log within its transaction: the place that does not change when the transaction
 * is included again in another block, and the one that a watcher of the chain would name (H66).
 *
 * @throws {LaterError} the node is on another block than the provider, or has no such log.
 */
export function placeOfLog(
  receipt: Receipt,
  log: {
    readonly index: number;
    readonly blockHash?: string | undefined;
    readonly address?: string | undefined;
  },
): string {
  if (log.blockHash !== undefined && log.blockHash.toLowerCase() !== receipt.blockHash) {
    throw new LaterError({ why: 'the node and the provider name different blocks' });
  }
  const position = receipt.logs.findIndex(({ index }) => index === log.index);
  const found = receipt.logs[position];
  const isSame = log.address === undefined || log.address.toLowerCase() === found?.address;
  if (!found || !isSame) throw new LaterError({ why: 'the node does not have the log' });
  return `log:${position}`;
}
