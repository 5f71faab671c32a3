/** Reads an EVM chain through all its endpoints at once: see `ChainReader` in `ports.ts`. */

import type * as Block from '../../domain/block.ts';
import type { AccountId, AssetId } from '../../domain/caip.ts';
import type { ChainReader } from '../../ports.ts';
import { mergeBlocks, type Shown } from './merge.ts';
import { headerOf, readBlock } from './read-block.ts';
import { SPAN_FIRST, type Span, toHex } from './read-logs.ts';
import { readPending } from './read-pending.ts';
import { readRange } from './read-range.ts';
import {
  createRpc,
  type Endpoint,
  InconsistentError,
  onChain,
  type Rpc,
  type RpcLimits,
} from './rpc.ts';
import { type Watch, watch } from './watch.ts';
import { readRawHeader } from './wire.ts';

/** One chain: its fee asset, the watched accounts, and where its nodes answer. */
export type ChainScope = {
  readonly native: AssetId;
  readonly accounts: readonly AccountId[];
  readonly endpoints: readonly Endpoint[];
};

/** How an endpoint is asked, and how far it may be behind the best one before it is doubted. */
export type ReaderLimits = Partial<RpcLimits> & { readonly lagBlocks?: number };

const LAG_BLOCKS = 3;
/** A reorg between two answers is read over again this often. */
const ATTEMPTS_MAX = 3;

type Asked<T> = {
  readonly answers: readonly { readonly endpoint: string; readonly value: T }[];
  readonly doubts: readonly Block.Doubt[];
};

/**
 * A reader over all endpoints. One that fails is a doubt; when all fail, it throws.
 *
 * @throws {Caip.InvalidIdError} an account of another chain.
 * @throws {UnavailableError} without endpoints.
 */
export function createChainReader(scope: ChainScope, limits: ReaderLimits = {}): ChainReader {
  const watched = watch(scope);
  const nodes = scope.endpoints.map((endpoint) => ({
    rpc: onChain(createRpc(endpoint, limits), watched.chainId),
    span: { blocks: SPAN_FIRST },
  }));
  if (nodes.length === 0) throw new UnavailableError({ reasons: ['no endpoint is named'] });
  const rpcs = nodes.map(({ rpc }) => rpc);
  return {
    head: () => readHead(rpcs, limits.lagBlocks ?? LAG_BLOCKS),
    header: async (number) => {
      const { answers } = await askAll(rpcs, (rpc) => readHeader(rpc, toHex(number)));
      const shown = answers.flatMap(({ endpoint, value }) =>
        value ? [{ endpoint, block: { header: value, transactions: [], unexplained: [] } }] : [],
      );
      return isSome(shown) ? mergeBlocks(shown).block.header : undefined;
    },
    block: (number) => readOne(rpcs, watched, number),
    blocks: (range) => readMany(nodes, watched, range),
    pending: async () => {
      const { answers, doubts } = await askAll(rpcs, (rpc) => readPending(rpc, watched));
      const all = answers.flatMap(({ value }) => value ?? []);
      return { pending: [...new Map(all.map((one) => [one.hash, one])).values()], doubts };
    },
  };
}

async function readHead(
  rpcs: readonly Rpc[],
  lagBlocks: number,
): Promise<{ readonly head: Block.Header; readonly doubts: readonly Block.Doubt[] }> {
  const { answers, doubts } = await askAll(rpcs, async (rpc) => {
    const header = await readHeader(rpc, 'latest');
    if (!header) throw new InconsistentError({ name: rpc.name, why: 'it has no newest block' });
    return header;
  });
  const heads = answers.map(({ value }) => value);
  const head = heads.reduce((best, one) => (one.number > best.number ? one : best));
  const lags = answers.flatMap(({ endpoint, value }): readonly Block.Doubt[] => {
    const behind = head.number - value.number;
    const text = `${endpoint} is ${behind} blocks behind block ${head.number}`;
    return behind > lagBlocks ? [{ kind: 'lag', endpoint, text }] : [];
  });
  return { head, doubts: [...doubts, ...lags] };
}

async function readHeader(rpc: Rpc, place: string): Promise<Block.Header | undefined> {
  const value = await rpc.call('eth_getBlockByNumber', place, false);
  const raw = readRawHeader(value, { name: rpc.name, what: `header ${place}` });
  return raw && headerOf(raw);
}

async function readOne(rpcs: readonly Rpc[], scope: Watch, number: number) {
  const { answers, doubts } = await askAll(rpcs, (rpc) => readBlock(rpc, scope, number));
  const shown = answers.flatMap(({ endpoint, value }) =>
    value ? [{ endpoint, block: value.block }] : [],
  );
  const own = answers.flatMap(({ value }) => value?.doubts ?? []);
  if (!isSome(shown)) return { block: undefined, doubts };
  const merged = mergeBlocks(shown);
  const late = answers.filter(({ value }) => !value);
  return {
    block: merged.block,
    doubts: distinct([
      ...doubts,
      ...own,
      ...merged.doubts,
      ...late.map(({ endpoint }) => lateDoubt(endpoint, number)),
    ]),
  };
}

async function readMany(
  nodes: readonly { readonly rpc: Rpc; readonly span: Span }[],
  scope: Watch,
  range: { readonly from: number; readonly to: number },
) {
  const spans = new Map(nodes.map(({ rpc, span }) => [rpc, span]));
  const { answers, doubts } = await askAll([...spans.keys()], (rpc) =>
    readRange(rpc, scope, { ...range, span: spans.get(rpc) ?? { blocks: SPAN_FIRST } }),
  );
  const found = [...doubts, ...answers.flatMap(({ value }) => value.doubts)];
  const blocks: Block.Block[] = [];
  for (let at = 0; at <= range.to - range.from; at++) {
    const shown = answers.flatMap(({ endpoint, value }) => {
      const block = value.blocks[at];
      return block ? [{ endpoint, block }] : [];
    });
    if (!isSome(shown)) break;
    const merged = mergeBlocks(shown);
    found.push(...merged.doubts);
    blocks.push(merged.block);
  }
  const late = answers.filter(({ value }) => value.blocks.length < blocks.length);
  found.push(
    ...late.map(({ endpoint, value }) => lateDoubt(endpoint, range.from + value.blocks.length)),
  );
  return { blocks, doubts: distinct(found) };
}

/** What only others showed may be less than all: whoever reads the block again, later, sees the union. */
function lateDoubt(endpoint: string, number: number): Block.Doubt {
  return { kind: 'lag', endpoint, text: `${endpoint} does not have block ${number} yet` };
}

/** Asks every endpoint at once. @throws {UnavailableError} none of them answered. */
async function askAll<T>(rpcs: readonly Rpc[], ask: (rpc: Rpc) => Promise<T>): Promise<Asked<T>> {
  const settled = await Promise.allSettled(rpcs.map((rpc) => persist(() => ask(rpc))));
  const answers: { endpoint: string; value: T }[] = [];
  const doubts: Block.Doubt[] = [];
  for (const [at, result] of settled.entries()) {
    const endpoint = rpcs[at]?.name ?? '';
    if (result.status === 'fulfilled') answers.push({ endpoint, value: result.value });
    else doubts.push({ kind: 'down', endpoint, text: wordsOf(result.reason) });
  }
  if (answers.length === 0) throw new UnavailableError({ reasons: doubts.map(({ text }) => text) });
  return { answers, doubts };
}

async function persist<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof InconsistentError) || attempt >= ATTEMPTS_MAX) throw error;
    }
  }
}

/** Errors of `rpc.ts` name the endpoint and repeat no URL; any other one is a mistake of ours. */
function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function distinct(doubts: readonly Block.Doubt[]): readonly Block.Doubt[] {
  return [...new Map(doubts.map((one) => [`${one.kind}|${one.text}`, one])).values()];
}

function isSome(shown: readonly Shown[]): shown is readonly [Shown, ...Shown[]] {
  return shown.length > 0;
}

/** No endpoint of a chain gave an answer that could be used. */
export class UnavailableError extends Error {
  override readonly name = 'ChainReader.UnavailableError';
  constructor(details: { readonly reasons: readonly string[] }) {
    super(`no endpoint of the chain can be read: ${details.reasons.join('; ')}`);
  }
}
