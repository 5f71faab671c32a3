/**
 * Ordinary withdrawals, made from a seed: the background of a replay, and the traffic on which a
 * policy's false pauses are counted. A pure function of its parameters.
 */

import type { AccountId, AssetId, ChainId } from '../../domain/caip.ts';
import * as Random from './random.ts';
import * as Synthetic from './synthetic.ts';
import * as Calibration from './traffic-calibration.ts';

const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;
const MICRO = 1_000_000;

/** A wallet that pays ordinary withdrawals. */
export type TrafficWallet = { readonly account: AccountId; readonly chain: ChainId };

/** An asset in which they are paid. */
export type TrafficAsset = {
  readonly asset: AssetId;
  readonly chain: ChainId;
  readonly decimals: number;
  readonly pricePicoUsd: bigint;
  /** Share relative to the other assets. */
  readonly weight: number;
};

/** The body of a `withdrawal.reported` event. `amount`: base units as a decimal integer. */
export type WithdrawalReported = {
  readonly withdrawalId: string;
  readonly wallet: AccountId;
  readonly asset: AssetId;
  readonly destination: AccountId;
  readonly actor?: string;
  readonly amount: string;
};

/** One withdrawal and the time at which the exchange reports it. */
export type TrafficEvent = {
  readonly atMs: number;
  readonly detailType: 'withdrawal.reported';
  readonly detail: WithdrawalReported;
};

/** What traffic is made from. */
export type Parameters = {
  readonly seed: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly wallets: readonly TrafficWallet[];
  readonly assets: readonly TrafficAsset[];
  /** Mean withdrawals a day; {@link Calibration.RATE_PER_DAY} is the calibrated one. */
  readonly ratePerDay: number;
  /** Sizes by quantile, ascending; {@link Calibration.SIZES} by default. */
  readonly sizes?: readonly Calibration.Quantile[] | undefined;
};

/**
 * Withdrawals in order of time, one hour in memory at a time. Every hour has its own random sequence,
 * so any span of time gives the same withdrawals, with the same ids, whatever span it is cut from.
 *
 * @throws {NoWalletError} an asset with weight is on a chain without a wallet, or no asset has weight.
 */
export function* generateTraffic(parameters: Parameters): Generator<TrafficEvent> {
  const { startMs, durationMs } = parameters;
  const endMs = startMs + durationMs;
  const routes = routesOf(parameters);
  for (let hour = Math.floor(startMs / HOUR_MS); hour * HOUR_MS < endMs; hour += 1) {
    const random = Random.create(`${parameters.seed} hour ${hour}`);
    const times = arrivals({ parameters, hour, random });
    for (const [index, atMs] of times.entries()) {
      const withdrawalId = `w-${parameters.seed}-${hour}-${index}`;
      const detail = withdraw({ parameters, routes, withdrawalId });
      if (atMs >= startMs && atMs < endMs)
        yield { atMs, detailType: 'withdrawal.reported', detail };
    }
  }
}

/** The size in USD that belongs to a standard normal deviate; below the first and above the last point: clamped tail. */
export function sizeUsd(sizes: readonly Calibration.Quantile[], deviate: number): number {
  const last = sizes.at(-1);
  const [first, second] = sizes;
  if (!first || !second || !last) throw new RangeError('sizes need at least two quantiles');
  if (deviate >= last.deviate) return last.usd;
  const index = Math.max(
    1,
    sizes.findIndex((point) => point.deviate > deviate),
  );
  const low = sizes[index - 1] ?? first;
  const high = sizes[index] ?? second;
  const share = (deviate - low.deviate) / (high.deviate - low.deviate);
  const log = Math.log(low.usd) + share * (Math.log(high.usd) - Math.log(low.usd));
  return Math.max(Calibration.USD_MIN, Math.exp(log));
}

type Route = { readonly asset: TrafficAsset; readonly wallets: readonly TrafficWallet[] };

function routesOf(parameters: Parameters): readonly Route[] {
  const routes = parameters.assets
    .filter((asset) => asset.weight > 0)
    .map((asset) => ({
      asset,
      wallets: parameters.wallets.filter(({ chain }) => chain === asset.chain),
    }));
  const lost = routes.find((route) => route.wallets.length === 0);
  if (lost) throw new NoWalletError({ asset: lost.asset.asset });
  if (routes.length === 0) throw new NoWalletError({ asset: undefined });
  return routes;
}

/** Times of one hour's withdrawals, ascending: gamma-Poisson arrivals, and now and then a burst. */
function arrivals(parameters: {
  readonly parameters: Parameters;
  readonly hour: number;
  readonly random: Random.Random;
}): readonly number[] {
  const { hour, random } = parameters;
  const { seed, ratePerDay } = parameters.parameters;
  const scale = ratePerDay / Calibration.RATE_PER_DAY;
  const { BURST_COUNT_MIN: least, BURST_COUNT_MAX: most, BURST_EVERY_HOURS: every } = Calibration;
  // Bursts are part of the mean, so the steady stream is thinner by what they bring.
  const burstPerHour = (scale * (least + most)) / 2 / every;
  const steady = (ratePerDay / DAY_HOURS - burstPerHour) * profile(hour) * dayFactor(seed, hour);
  const count = Random.poisson(random, steady * Random.gamma(random, Calibration.HOUR_SHAPE));
  const startMs = hour * HOUR_MS;
  const times = Array.from({ length: count }, () => startMs + Random.integer(random, HOUR_MS));
  if (random() < 1 / every) {
    const burstMs = startMs + Random.integer(random, HOUR_MS - Calibration.BURST_MS);
    const burst = Math.round(scale * (least + Random.integer(random, most - least + 1)));
    for (let index = 0; index < burst; index += 1) {
      times.push(burstMs + Random.integer(random, Calibration.BURST_MS));
    }
  }
  return times.sort((a, b) => a - b);
}

/** The hour's share of its day, 1 on average. */
function profile(hour: number): number {
  const all = Calibration.HOUR_OF_DAY;
  const sum = all.reduce((total, count) => total + count, 0);
  return ((all[hour % DAY_HOURS] ?? 0) * DAY_HOURS) / sum;
}

/** The day's level, 1 on average, correlated with the days before. */
function dayFactor(seed: string, hour: number): number {
  const day = Math.floor(hour / DAY_HOURS);
  let sum = 0;
  for (let back = 0; back < Calibration.DAY_MEMORY_DAYS; back += 1) {
    sum += Random.gamma(Random.create(`${seed} day ${day - back}`), Calibration.DAY_SHAPE);
  }
  return sum / Calibration.DAY_MEMORY_DAYS;
}

/** One withdrawal from a sequence of its own: its content does not depend on its neighbours. */
function withdraw(parameters: {
  readonly parameters: Parameters;
  readonly routes: readonly Route[];
  readonly withdrawalId: string;
}): WithdrawalReported {
  const { routes, withdrawalId } = parameters;
  const { seed, sizes = Calibration.SIZES } = parameters.parameters;
  const random = Random.create(withdrawalId);
  const route =
    routes[
      Random.pick(
        random,
        routes.map(({ asset }) => asset.weight),
      )
    ];
  const wallet = route?.wallets[Random.integer(random, route.wallets.length)];
  if (!route || !wallet) throw new NoWalletError({ asset: route?.asset.asset });
  const rank = Math.floor(Calibration.ACTORS * random() ** Calibration.ACTOR_SKEW);
  const actor = `customer-${rank}`;
  const isFresh = random() < Calibration.FRESH_DESTINATION_SHARE;
  const label = isFresh ? `destination of ${withdrawalId}` : `destination of ${seed} ${actor}`;
  const usd = sizeUsd(sizes, Random.normal(random));
  return {
    withdrawalId,
    wallet: wallet.account,
    asset: route.asset.asset,
    destination: Synthetic.address(route.asset.chain, label),
    actor,
    amount: amountFor(route.asset, usd).toString(),
  };
}

/** Base units for a size, cut to the fraction digits that exchanges pay out, and at least one such unit. */
function amountFor(asset: TrafficAsset, usd: number): bigint {
  // The one step from a random float to money; everything after it is exact.
  const microUsd = BigInt(Math.round(usd * MICRO));
  const amount = (microUsd * 1_000_000n * 10n ** BigInt(asset.decimals)) / asset.pricePicoUsd;
  const step = 10n ** BigInt(Math.max(0, asset.decimals - Calibration.AMOUNT_DECIMALS));
  return amount < step ? step : amount - (amount % step);
}

/** Traffic has no wallet to pay from. */
export class NoWalletError extends Error {
  override readonly name = 'Traffic.NoWalletError';
  constructor(details: { readonly asset: AssetId | undefined }) {
    super(
      details.asset === undefined
        ? 'no asset has a traffic weight above 0'
        : `no wallet on the chain of ${details.asset}`,
    );
  }
}
