/** Prices and balances, read once a minute: what decisions know of the world beside the ledger. */

import { refreshPrices } from '../actions/refresh-prices.ts';
import { snapshotBalances } from '../actions/snapshot-balances.ts';
import { createBalanceReader } from '../adapters/evm/balance-reader.ts';
import type { RpcLimits } from '../adapters/evm/rpc.ts';
import type { RpcSettings } from '../adapters/evm/rpc-settings.ts';
import { createChainlinkReader } from '../adapters/price/chainlink.ts';
import { createHttpPriceReader, type HttpPrices } from '../adapters/price/http.ts';
import { joinPriceReaders } from '../adapters/price/reader.ts';
import { hostTimers } from '../client/time.ts';
import type { World } from './world.ts';

/** What observing takes of a world. */
export type ObserveWorld = Pick<World, 'decision' | 'clock' | 'log' | 'sleep'> & {
  readonly store: Pick<World['store'], 'prices' | 'balances' | 'alerts'>;
};

/** Where prices and balances are read. */
export type Options = {
  /** The nodes as they are set up now. */
  readonly settings: () => Promise<RpcSettings>;
  /** The HTTP provider of prices as it is set up now. */
  readonly provider: () => Promise<HttpPrices>;
  readonly limits?: Partial<RpcLimits> | undefined;
};

/** Least time between two readings, and how long a provider may take, ms. A schedule of a minute may be early. */
const EVERY_MS = 50_000;
const ANSWER_MAX_MS = 3_000;

/**
 * Reads prices and balances when it is called and nearly a minute has gone by. Neither waits for the other
 * or fails with it; what fails is logged, and the actions tell people. Never throws.
 */
export function createObserver(world: ObserveWorld, options: Options): () => Promise<void> {
  const { settings, provider, limits = {} } = options;
  const { prices, balances, alerts } = world.store;
  const { decision, clock, sleep } = world;
  const { policy } = decision;
  const bounded = { timeoutMs: ANSWER_MAX_MS, ...limits };
  const http = { fetch, timers: hostTimers, timeoutMs: ANSWER_MAX_MS, provider };
  const priceReader = joinPriceReaders([
    createChainlinkReader(settings, bounded),
    createHttpPriceReader(http),
  ]);
  const reader = createBalanceReader(settings, bounded);
  let dueAtMs = Number.NEGATIVE_INFINITY;
  return async () => {
    const nowMs = clock.nowMs();
    if (nowMs < dueAtMs) return;
    dueAtMs = nowMs + EVERY_MS;
    await Promise.all([
      guarded(world, 'prices not read', async () => {
        const deps = { prices, reader: priceReader, alerts, policy, clock, sleep };
        const doubts = await refreshPrices(deps);
        if (doubts.length > 0) world.log.error('prices in doubt', { doubts });
      }),
      guarded(world, 'balances not read', async () => {
        const chains = new Set<string>((await settings()).keys());
        const deps = { balances, reader, chains, alerts, policy, clock, sleep };
        const unread = await snapshotBalances(deps);
        const told = unread.map(({ holding, why }) => ({ scope: holding.scope, why }));
        if (told.length > 0) world.log.error('balances not read', { unread: told });
      }),
    ]);
  };
}

async function guarded(
  { log }: Pick<World, 'log'>,
  failure: string,
  run: () => Promise<void>,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    log.error(failure, { reason: error instanceof Error ? error.message : 'unknown' });
  }
}
