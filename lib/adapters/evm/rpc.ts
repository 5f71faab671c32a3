/** One JSON-RPC endpoint of an EVM node. What it answers is unknown until it has been parsed. */

import { createClient, http } from 'viem';

/** Where a node answers. The URL may hold a key: only the name is ever shown. */
export type Endpoint = { readonly name: string; readonly url: string };

/** One endpoint, ready to be asked. */
export type Rpc = {
  readonly name: string;
  /** @throws {RefusedError} @throws {UnreachableError} */
  readonly call: (method: string, ...params: readonly unknown[]) => Promise<unknown>;
};

/** How long a call may take, and how many calls travel in one request. */
export type RpcLimits = { readonly timeoutMs: number; readonly batchMax: number };

const DEFAULT_LIMITS: RpcLimits = { timeoutMs: 10_000, batchMax: 50 };
/** Calls are asked again once: more than that is for the caller's next round. */
const RETRIES_MAX = 1;
const RETRY_DELAY_MS = 100;
/** Length of a node's own words that is kept, characters. */
const WORDS_LENGTH_MAX = 200;

/** Calls that are made in the same turn travel together. No answer within the time-out is an error. */
export function createRpc(endpoint: Endpoint, limits: Partial<RpcLimits> = {}): Rpc {
  const { timeoutMs, batchMax } = { ...DEFAULT_LIMITS, ...limits };
  const client = createClient({
    transport: http(endpoint.url, {
      timeout: timeoutMs,
      retryCount: RETRIES_MAX,
      retryDelay: RETRY_DELAY_MS,
      batch: batchMax > 1 && { batchSize: batchMax },
    }),
  });
  // The types of viem cast what a node says; here every answer is parsed by its reader.
  const request = client.request as (call: {
    readonly method: string;
    readonly params: readonly unknown[];
  }) => Promise<unknown>;
  const { name } = endpoint;
  return {
    name,
    call: async (method, ...params) => {
      try {
        return await request({ method, params });
      } catch (error) {
        throw wordsOf(error, { name, method });
      }
    },
  };
}

/**
 * The same endpoint, which is asked first which chain it serves: a node of another chain shows
 * nothing of the wallets, and would be believed. Asked once; again after a failure.
 */
export function onChain(rpc: Rpc, chainId: bigint): Rpc {
  let checking: Promise<void> | undefined;
  const check = async () => {
    const served = await rpc.call('eth_chainId');
    if (typeof served === 'string' && /^0x[0-9a-f]+$/i.test(served) && BigInt(served) === chainId) {
      return;
    }
    const why = `it serves chain ${String(served).slice(0, WORDS_LENGTH_MAX)}, not ${chainId}`;
    throw new InconsistentError({ name: rpc.name, why });
  };
  return {
    name: rpc.name,
    call: async (method, ...params) => {
      checking ??= check().catch((error: unknown) => {
        checking = undefined;
        throw error;
      });
      await checking;
      return rpc.call(method, ...params);
    },
  };
}

/** viem's messages repeat URL and body, and either may hold a key: only the node's own words are kept. */
function wordsOf(
  error: unknown,
  place: { readonly name: string; readonly method: string },
): RefusedError | UnreachableError {
  const chain = causesOf(error);
  const refusal = chain.find((one) => one.name === 'RpcRequestError');
  if (refusal) {
    const said = 'details' in refusal ? String(refusal.details) : 'no reason given';
    return new RefusedError({ ...place, why: said.slice(0, WORDS_LENGTH_MAX) });
  }
  const http = chain.find((one) => one.name === 'HttpRequestError');
  const status = http && 'status' in http && http.status ? Number(http.status) : undefined;
  // Some nodes say with the status of HTTP that they do not take a request of this size.
  if (status === 400 || status === 413) {
    return new RefusedError({ ...place, why: `HTTP status ${status}` });
  }
  const isSlow = chain.some((one) => one.name === 'TimeoutError');
  const why = status !== undefined ? `HTTP status ${status}` : isSlow ? 'too slow' : 'no answer';
  return new UnreachableError({ ...place, why, isSlow });
}

const CAUSES_MAX = 8;

function causesOf(error: unknown): readonly Error[] {
  const chain: Error[] = [];
  let next = error;
  while (next instanceof Error && chain.length < CAUSES_MAX) {
    chain.push(next);
    next = next.cause;
  }
  return chain;
}

/** The node answered that it will not: a method that it does not have, a range that is too long. */
export class RefusedError extends Error {
  override readonly name = 'Rpc.RefusedError';
  constructor(details: { readonly name: string; readonly method: string; readonly why: string }) {
    super(`${details.name} refuses ${details.method}: ${details.why}`);
  }
}

/** No answer came, or none in time, or one of something else than the node. */
export class UnreachableError extends Error {
  override readonly name = 'Rpc.UnreachableError';
  readonly isSlow: boolean;
  constructor(details: {
    readonly name: string;
    readonly method: string;
    readonly why: string;
    readonly isSlow: boolean;
  }) {
    super(`${details.name} does not answer ${details.method}: ${details.why}`);
    this.isSlow = details.isSlow;
  }
}

/** A node's answers do not fit each other or the standard: a reorg in between, or a broken node. */
export class InconsistentError extends Error {
  override readonly name = 'Rpc.InconsistentError';
  constructor(details: { readonly name: string; readonly why: string }) {
    super(`${details.name} contradicts itself: ${details.why}`);
  }
}
