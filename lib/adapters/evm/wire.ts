/**
 * The answers of an EVM node, as the Ethereum JSON-RPC specification has them
 * (https://ethereum.github.io/execution-apis/), read once into narrow shapes. Hex is lower-cased here.
 */

import * as z from 'zod/mini';
import { read } from '../wire/read.ts';
import { InconsistentError } from './rpc.ts';

/** Lower-case hex with `0x`. */
export type Hex = `0x${string}`;

const hex = z.pipe(
  z.string().check(z.regex(/^0x[0-9a-fA-F]*$/)),
  z.transform((text: string) => text.toLowerCase() as Hex),
);
const fixed = (bytes: number) => hex.check(z.refine((text: Hex) => text.length === 2 + 2 * bytes));
const address = fixed(20);
const hash = fixed(32);
const quantity = z.pipe(
  z.string().check(z.regex(/^0x[0-9a-fA-F]{1,64}$/)),
  z.transform((text: string) => BigInt(text)),
);
/** Beyond what a double holds exactly two blocks would have one number. */
const count = z.pipe(
  quantity.check(
    z.refine((value: bigint) => value <= BigInt(Number.MAX_SAFE_INTEGER), 'is above 2^53 − 1'),
  ),
  z.transform((value: bigint) => Number(value)),
);

const authorization = z.object({
  chainId: quantity,
  address,
  nonce: quantity,
  yParity: z.optional(count),
  v: z.optional(count),
  r: quantity,
  s: quantity,
});

const transaction = z.object({
  hash,
  from: address,
  to: z.nullish(address),
  // Deposits of a rollup carry none.
  nonce: z._default(count, 0),
  value: quantity,
  input: hex,
  type: z._default(hex, '0x0'),
  transactionIndex: z.nullish(count),
  authorizationList: z.nullish(z.array(authorization)),
});

const headerShape = {
  number: count,
  hash,
  parentHash: hash,
  timestamp: count,
};

const block = z.object({
  ...headerShape,
  miner: z.nullish(address),
  logsBloom: z.nullish(hex),
  withdrawals: z.nullish(z.array(z.object({ address, amount: quantity }))),
  transactions: z.array(transaction),
});

const log = z.object({
  address,
  topics: z.array(hash),
  data: hex,
  logIndex: count,
  blockHash: hash,
  blockNumber: count,
  transactionHash: hash,
});

const receipt = z.object({
  transactionHash: hash,
  blockHash: hash,
  status: z.nullish(count),
  gasUsed: quantity,
  effectiveGasPrice: z._default(quantity, 0n),
  /** OP stack: what the sender paid for the data on the layer below. */
  l1Fee: z.nullish(quantity),
  blobGasUsed: z.nullish(quantity),
  blobGasPrice: z.nullish(quantity),
  contractAddress: z.nullish(address),
  logs: z.array(log),
});

export type RawTransaction = z.output<typeof transaction>;
export type RawAuthorization = z.output<typeof authorization>;
export type RawBlock = z.output<typeof block>;
export type RawHeader = z.output<typeof header>;
export type RawLog = z.output<typeof log>;
export type RawReceipt = z.output<typeof receipt>;

const header = z.object(headerShape);

/** Who answered what: named in errors. */
type Asked = { readonly name: string; readonly what: string };

/** A block with its transactions; absent if the node does not have it. @throws {InconsistentError} */
export function readRawBlock(value: unknown, asked: Asked): RawBlock | undefined {
  return value === null ? undefined : readAs(block, value, asked);
}

/** A block without its transactions; absent if the node does not have it. @throws {InconsistentError} */
export function readRawHeader(value: unknown, asked: Asked): RawHeader | undefined {
  return value === null ? undefined : readAs(header, value, asked);
}

/** Logs. @throws {InconsistentError} */
export function readRawLogs(value: unknown, asked: Asked): readonly RawLog[] {
  return readAs(z.array(log), value, asked);
}

/** A receipt. @throws {InconsistentError} also where the node has none. */
export function readRawReceipt(value: unknown, asked: Asked): RawReceipt {
  return readAs(receipt, value, asked);
}

/** All receipts of a block. @throws {InconsistentError} */
export function readRawReceipts(value: unknown, asked: Asked): readonly RawReceipt[] {
  return readAs(z.array(receipt), value, asked);
}

/** Transactions that wait. @throws {InconsistentError} */
export function readRawPending(value: unknown, asked: Asked): readonly RawTransaction[] {
  return readAs(z.object({ transactions: z.array(transaction) }), value, asked).transactions;
}

/** Transactions in a node's pool, by sender and nonce. @throws {InconsistentError} */
export function readRawPool(value: unknown, asked: Asked): readonly RawTransaction[] {
  const bySender = z.record(z.string(), z.record(z.string(), transaction));
  const pool = readAs(z.object({ pending: bySender, queued: bySender }), value, asked);
  const senders = [...Object.values(pool.pending), ...Object.values(pool.queued)];
  return senders.flatMap((byNonce) => Object.values(byNonce));
}

/** A quantity: a balance, a nonce. @throws {InconsistentError} */
export function readQuantity(value: unknown, asked: Asked): bigint {
  return readAs(quantity, value, asked);
}

/** Bytes: code. @throws {InconsistentError} */
export function readHex(value: unknown, asked: Asked): Hex {
  return readAs(hex, value, asked);
}

/** Reads an answer through a shape. @throws {InconsistentError} */
export function readAs<T extends z.ZodMiniType>(
  shape: T,
  value: unknown,
  asked: Asked,
): z.output<T> {
  const reading = read(shape, value, { under: '', whole: asked.what });
  if ('value' in reading) return reading.value;
  throw new InconsistentError({ name: asked.name, why: `${asked.what}: ${reading.problems[0]}` });
}

/** Shapes that other readers build on. */
export const SHAPES = { address, hash, quantity, hex };
