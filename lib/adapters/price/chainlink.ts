/**
 * Prices of Chainlink feeds, through every endpoint of the feed's chain: `latestRoundData()` and
 * `decimals()` of AggregatorV3Interface
 * (https://docs.chain.link/data-feeds/api-reference#aggregatorv3interface).
 */

import type { ChainId } from '../../domain/caip.ts';
import type * as Price from '../../domain/price.ts';
import type { PriceReader } from '../../ports.ts';
import { createRpc, onChain, type Rpc, type RpcLimits } from '../evm/rpc.ts';
import type { RpcSettings } from '../evm/rpc-settings.ts';
import { readHex } from '../evm/wire.ts';
import { toPicoUsd } from './pico-usd.ts';

type ChainlinkFeed = Extract<Price.Feed, { kind: 'chainlink' }>;

/** First four bytes of the Keccak-256 of `decimals()` and `latestRoundData()`. */
const DECIMALS = '0x313ce567';
const LATEST_ROUND_DATA = '0xfeaf968c';
const WORD_DIGITS = 64;
const ROUND_WORDS = 5;
/** No feed has more; the usual ones have 8 or 18. */
const DECIMALS_MAX = 36n;
const SECOND_MS = 1_000;
/** A later time is none. */
const TIME_MAX_S = 10n ** 11n;

/** A reader of Chainlink feeds. Each feed is read on its own, so that one that reverts spoils no other. */
export function createChainlinkReader(
  settings: () => Promise<RpcSettings>,
  limits: Partial<RpcLimits> = {},
): PriceReader {
  const rpcs = new Map<string, Rpc>();
  const rpcOf = (chain: ChainId, endpoint: { readonly name: string; readonly url: string }) => {
    const key = `${chain} ${endpoint.url}`;
    const rpc = rpcs.get(key) ?? onChain(createRpc(endpoint, limits), idOf(chain));
    rpcs.set(key, rpc);
    return rpc;
  };
  return {
    read: async (feeds) => {
      const ours = feeds.filter((feed) => feed.kind === 'chainlink');
      if (ours.length === 0) return [];
      const nodes = await settings().catch(() => new Map() as RpcSettings);
      const readings = ours.map((feed) => {
        const endpoints = nodes.get(feed.chain)?.endpoints ?? [];
        return endpoints.map((endpoint) => readFeed(rpcOf(feed.chain, endpoint), feed));
      });
      const read = await Promise.all(readings.map((some) => Promise.all(some)));
      return read.flatMap((some, position) => {
        const feed = ours[position];
        if (some.length > 0 || !feed) return some;
        return [{ kind: 'failed', feed, why: `no node of ${feed.chain} is set up` } as const];
      });
    },
  };
}

async function readFeed(rpc: Rpc, feed: ChainlinkFeed): Promise<Price.Reading> {
  const call = async (data: string) =>
    readHex(await rpc.call('eth_call', { to: feed.address, data }, 'latest'), {
      name: rpc.name,
      what: 'price',
    });
  try {
    const [decimals, round] = await Promise.all([call(DECIMALS), call(LATEST_ROUND_DATA)]);
    return quoteOf(feed, { name: rpc.name, decimals: wordsOf(decimals), round: wordsOf(round) });
  } catch (error) {
    const why = error instanceof Error ? error.message : 'no answer';
    return { kind: 'failed', feed, why };
  }
}

/** Fail direction: closed, a round that is not complete, or was carried over, is no price. */
function quoteOf(
  feed: ChainlinkFeed,
  said: {
    readonly name: string;
    readonly decimals: readonly bigint[];
    readonly round: readonly bigint[];
  },
): Price.Reading {
  const failed = (what: string): Price.Reading => {
    return { kind: 'failed', feed, why: `${said.name} ${what}` };
  };
  const [decimals, ...beyond] = said.decimals;
  const [roundId = 0n, answer = 0n, , updatedAt = 0n, answeredInRound = 0n] = said.round;
  if (decimals === undefined || beyond.length > 0 || said.round.length !== ROUND_WORDS) {
    return failed('shows no price feed at this address');
  }
  if (decimals > DECIMALS_MAX) return failed(`says that the feed has ${decimals} decimals`);
  if (updatedAt === 0n) return failed('shows a round that is not complete');
  if (answeredInRound < roundId) return failed('shows an answer of an earlier round');
  const price = BigInt.asIntN(256, answer);
  if (updatedAt > TIME_MAX_S) return failed('shows a time that is none');
  const pricePicoUsd = price <= 0n ? price : toPicoUsd(price, Number(decimals));
  return { kind: 'quote', feed, pricePicoUsd, atMs: Number(updatedAt) * SECOND_MS };
}

function wordsOf(data: string): readonly bigint[] {
  const digits = data.slice(2);
  if (digits === '' || digits.length % WORD_DIGITS !== 0) return [];
  return Array.from({ length: digits.length / WORD_DIGITS }, (_, position) =>
    BigInt(`0x${digits.slice(position * WORD_DIGITS, (position + 1) * WORD_DIGITS)}`),
  );
}

function idOf(chain: ChainId): bigint {
  return BigInt(chain.slice('eip155:'.length));
}
