/** Native coins that contracts move: known only from traces, which not every node offers. */

import * as z from 'zod/mini';
import { toHex } from './read-logs.ts';
import { RefusedError, type Rpc } from './rpc.ts';
import { type Hex, readAs, SHAPES } from './wire.ts';

/** One call within a transaction that moved native coins, or that a wallet made. */
export type Call = {
  readonly transaction: Hex;
  /** Place in the tree of calls, `0.2.1`; empty for the transaction itself. */
  readonly path: string;
  readonly from: Hex;
  readonly to: Hex;
  readonly value: bigint;
};

type Frame = {
  readonly type: string;
  readonly from: Hex;
  readonly to?: Hex | null | undefined;
  readonly value?: bigint | null | undefined;
  readonly error?: string | null | undefined;
  readonly calls?: readonly Frame[] | null | undefined;
};

/** Kinds of call that move what they name. A delegate call repeats its caller's value and moves nothing. */
const MOVING = new Set(['CALL', 'CREATE', 'CREATE2', 'SELFDESTRUCT', 'SUICIDE']);
/** Deepest call that is followed: the EVM's own limit. */
const DEPTH_MAX = 1_024;

const frame: z.ZodMiniType<Frame> = z.lazy(() =>
  z.object({
    type: z.string(),
    from: SHAPES.address,
    to: z.nullish(SHAPES.address),
    value: z.nullish(SHAPES.quantity),
    error: z.nullish(z.string()),
    calls: z.nullish(z.array(frame)),
  }),
);
// Where a node cannot trace one transaction, there is an error in place of its result.
const framesOfBlock = z.array(z.object({ txHash: SHAPES.hash, result: z.nullish(frame) }));

const step = z.object({
  type: z.string(),
  error: z.nullish(z.string()),
  traceAddress: z.array(z.number()),
  transactionHash: z.nullish(SHAPES.hash),
  action: z.object({
    callType: z.nullish(z.string()),
    from: z.nullish(SHAPES.address),
    to: z.nullish(SHAPES.address),
    value: z.nullish(SHAPES.quantity),
    address: z.nullish(SHAPES.address),
    refundAddress: z.nullish(SHAPES.address),
    balance: z.nullish(SHAPES.quantity),
  }),
  result: z.nullish(z.object({ address: z.nullish(SHAPES.address) })),
});

/**
 * Every call of a block that was not undone: by `debug_traceBlockByHash` (Geth's callTracer), else by
 * `trace_block` (OpenEthereum's shape). Absent where the node offers neither.
 *
 * @throws {UnreachableError} @throws {InconsistentError}
 */
export async function readCalls(
  rpc: Rpc,
  block: { readonly number: number; readonly hash: string },
): Promise<readonly Call[] | undefined> {
  const asked = { name: rpc.name, what: 'trace' };
  const tracer = { tracer: 'callTracer' };
  const framed = await offered(rpc.call('debug_traceBlockByHash', block.hash, tracer));
  const frames = framed === undefined ? undefined : readAs(framesOfBlock, framed, asked);
  if (frames?.every(({ result }) => result)) {
    return frames.flatMap(({ txHash, result }) => (result ? callsIn(txHash, result, []) : []));
  }
  const flat = await offered(rpc.call('trace_block', toHex(block.number)));
  return flat === undefined ? undefined : stepsOf(readAs(z.array(step), flat, asked));
}

async function offered(answer: Promise<unknown>): Promise<unknown> {
  try {
    return (await answer) ?? undefined;
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}

/** What a failed call did is undone, with everything below it. */
function callsIn(transaction: Hex, { calls, ...own }: Frame, path: readonly number[]): Call[] {
  if (own.error || path.length > DEPTH_MAX) return [];
  const below = (calls ?? []).flatMap((call, at) => callsIn(transaction, call, [...path, at]));
  if (!MOVING.has(own.type) || !own.to) return below;
  const call = { transaction, path: path.join('.'), from: own.from, to: own.to };
  return [{ ...call, value: own.value ?? 0n }, ...below];
}

function stepsOf(steps: readonly z.output<typeof step>[]): readonly Call[] {
  const key = (transaction: string, path: readonly number[]) => `${transaction}:${path.join('.')}`;
  const undone = new Set(
    steps.filter((one) => one.error).map((one) => key(one.transactionHash ?? '', one.traceAddress)),
  );
  return steps.flatMap((one) => {
    const { action, traceAddress, transactionHash } = one;
    const isUndone = [...traceAddress, 0].some((_, length) =>
      undone.has(key(transactionHash ?? '', traceAddress.slice(0, length))),
    );
    const isMoving = one.type !== 'call' || (action.callType ?? 'call') === 'call';
    const from = action.from ?? action.address;
    const to = action.to ?? action.refundAddress ?? one.result?.address;
    if (!transactionHash || isUndone || !isMoving || !from || !to) return [];
    const value = action.value ?? action.balance ?? 0n;
    return [{ transaction: transactionHash, path: traceAddress.join('.'), from, to, value }];
  });
}
