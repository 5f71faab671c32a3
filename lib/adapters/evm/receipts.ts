/** Receipts of one block: what a transaction cost, and the logs in it. */

import type * as Block from '../../domain/block.ts';
import { mayHold } from './bloom.ts';
import { decodeLog } from './decode-log.ts';
import { toHex } from './read-logs.ts';
import { InconsistentError, RefusedError, type Rpc } from './rpc.ts';
import { topicOf, type Watch } from './watch.ts';
import * as Wire from './wire.ts';

/** Everything that was read of a block, while it is put together. */
export type Draft = {
  readonly rpc: Rpc;
  readonly scope: Watch;
  readonly raw: Wire.RawBlock;
  readonly delegations: ReadonlyMap<Wire.Hex, readonly Block.Delegation[]>;
  readonly receipts: Map<Wire.Hex, Wire.RawReceipt>;
  readonly doubts: Block.Doubt[];
};

/** Reads the receipts of these transactions, once each. @throws {InconsistentError} one of another block. */
export async function readReceipts(draft: Draft, hashes: readonly Wire.Hex[]): Promise<void> {
  const { rpc, raw, receipts } = draft;
  const wanted = new Set(hashes.filter((hash) => !receipts.has(hash)));
  await Promise.all(
    [...wanted].map(async (hash) => {
      const asked = { name: rpc.name, what: `receipt of ${hash}` };
      const value = await rpc.call('eth_getTransactionReceipt', hash);
      const receipt = Wire.readRawReceipt(value, asked);
      if (receipt.blockHash !== raw.hash) {
        throw new InconsistentError({ name: rpc.name, why: `${asked.what} is of another block` });
      }
      receipts.set(hash, receipt);
    }),
  );
}

/** Whether the filter in a block's header says that a log of it may name a watched wallet. */
export function mayName(scope: Watch, { logsBloom: bloom }: Wire.RawBlock): boolean {
  if (!bloom) return false;
  return [...scope.addresses].some(
    (address) => mayHold(bloom, topicOf(address)) || mayHold(bloom, address),
  );
}

/**
 * An answer to a question for logs that leaves some out is how a node fails silently. The filter in
 * the header may say otherwise; then all receipts of the block are looked through. A node that gives
 * none of them leaves a doubt.
 */
export async function searchByBloom(draft: Draft): Promise<void> {
  const { rpc, scope, raw, receipts } = draft;
  if (!mayName(scope, raw)) return;
  const all = await readAllReceipts(rpc, raw);
  if (!all) {
    const text = `${rpc.name} gives no receipts of a whole block: that its logs are complete is not proven`;
    draft.doubts.push({ kind: 'unverified', endpoint: rpc.name, text });
    return;
  }
  const known = new Set(receipts.keys());
  for (const receipt of all.filter(({ transactionHash }) => !known.has(transactionHash))) {
    if (eventsOf(scope, receipt).length === 0) continue;
    receipts.set(receipt.transactionHash, receipt);
    const text = `${rpc.name} left logs of block ${raw.number} out that its receipts have`;
    draft.doubts.push({ kind: 'missing', endpoint: rpc.name, text });
  }
}

async function readAllReceipts(
  rpc: Rpc,
  raw: Wire.RawBlock,
): Promise<readonly Wire.RawReceipt[] | undefined> {
  try {
    const value = await rpc.call('eth_getBlockReceipts', toHex(raw.number));
    const all = Wire.readRawReceipts(value ?? [], { name: rpc.name, what: 'receipts' });
    return all.filter((receipt) => receipt.blockHash === raw.hash);
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}

/** Gas, data on the layer below (OP stack) and blobs (EIP-4844). */
export function feeOf(receipt: Wire.RawReceipt): bigint {
  const { gasUsed, effectiveGasPrice, l1Fee, blobGasUsed, blobGasPrice } = receipt;
  return gasUsed * effectiveGasPrice + (l1Fee ?? 0n) + (blobGasUsed ?? 0n) * (blobGasPrice ?? 0n);
}

/** What the logs say of watched wallets. A log's place is counted from the first one of its transaction: it stays when a reorg moves the whole. */
export function eventsOf(scope: Watch, receipt: Wire.RawReceipt): readonly Block.Event[] {
  const first = Math.min(...receipt.logs.map((log) => log.logIndex));
  return receipt.logs
    .map((log) => decodeLog(scope, log, log.logIndex - first))
    .filter((event) => event !== undefined);
}
