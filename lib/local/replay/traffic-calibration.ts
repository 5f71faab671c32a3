/**
 * What ordinary withdrawals look like, in figures.
 *
 * Source: the releases of the Ronin bridge on Ethereum, 1 January to 23 March 2022, before the theft,
 * from https://github.com/AndreAugusto11/XChainWatcher (MIT licence): 23,788 release times, 2,638
 * releases with their USD, 19,218 amounts of ETH. No public record of one exchange's ordinary
 * withdrawals was found; a bridge is the nearest thing. Where a figure is our own, its line says so.
 */

/** One point of a distribution of sizes: the USD below which a share of withdrawals lies. */
export type Quantile = {
  /** The standard normal deviate of that share: 0 for one half, 2.3263 for 99 %. */
  readonly deviate: number;
  readonly usd: number;
};

/** Withdrawals a day: 23,788 in 82 days. */
export const RATE_PER_DAY = 290;

/** Releases by hour of the day, UTC, in the 82 days. */
export const HOUR_OF_DAY: readonly number[] = [
  816, 828, 973, 895, 1009, 1089, 1066, 1152, 1154, 1178, 1261, 1196, 1268, 1272, 1150, 969, 983,
  821, 867, 826, 735, 709, 789, 782,
];

/**
 * Shape of the gamma deviate of one day. Daily counts have the variance 4,343 about a mean of 292, of
 * which Poisson arrivals explain 292: relative variance 0.048. A day's factor is the mean of three
 * such deviates (this day's and the two before), as daily counts correlate by 0.65 and 0.45.
 */
export const DAY_SHAPE = 7;
/** Days in that mean. */
export const DAY_MEMORY_DAYS = 3;
/**
 * Shape of the gamma deviate of one hour. Hourly counts have the variance 41 about a mean of 12.15;
 * without the four busiest hours 33. What profile, day and Poisson arrivals leave is 0.06.
 */
export const HOUR_SHAPE = 16;

/** Bursts: hours of 89 and 95 releases and ten minutes with 36 and 54, so about four in 82 days. */
export const BURST_EVERY_HOURS = 500;
/** Releases in a burst, least and most, at {@link RATE_PER_DAY}. */
export const BURST_COUNT_MIN = 25;
export const BURST_COUNT_MAX = 75;
/** How long a burst lasts. */
export const BURST_MS = 15 * 60_000;

/**
 * Sizes as the 2,638 releases with USD show them; small users are over-represented there. Between the
 * points the logarithm is linear in the normal deviate, that is log-normal piece by piece; the last
 * piece is the tail: 27.3M USD and more was reached four times in 25,469 releases, and the largest
 * legitimate move is 124,519.29 ETH (387M USD at that month's price), to an exchange's own wallet.
 */
export const SIZES: readonly Quantile[] = [
  { deviate: -1.2816, usd: 27.43 },
  { deviate: 0, usd: 105.89 },
  { deviate: 1.2816, usd: 418.47 },
  { deviate: 1.6449, usd: 657.39 },
  { deviate: 2.3263, usd: 2_129.86 },
  { deviate: 3.0902, usd: 84_885.64 },
  { deviate: 3.602, usd: 27_335_892.85 },
  { deviate: 4.11, usd: 387_000_000 },
];

/**
 * Sizes as all 19,218 amounts of ETH show them, at 3,000 USD (rounded mean of those months, ours):
 * the heavier traffic, against which a limit is tried when {@link SIZES} is too kind to it.
 */
export const SIZES_HEAVY: readonly Quantile[] = [
  { deviate: -2.3263, usd: 24 },
  { deviate: -1.2816, usd: 95 },
  { deviate: -0.6745, usd: 210 },
  { deviate: 0, usd: 737 },
  { deviate: 0.6745, usd: 3_870 },
  { deviate: 1.2816, usd: 28_137 },
  { deviate: 1.6449, usd: 122_640 },
  { deviate: 2.3263, usd: 998_610 },
  { deviate: 3.0902, usd: 6_001_800 },
  { deviate: 3.602, usd: 42_000_000 },
  { deviate: 4.11, usd: 373_557_870 },
];

/** Smallest withdrawal, USD (ours). */
export const USD_MIN = 1;

/**
 * Customers and their skew, the rank being `ACTORS × u^ACTOR_SKEW` (Zipf-like), and the share that goes
 * to an address never used before. Ours, chosen for the recipients of the 19,218 releases of ETH: 70 %
 * of them distinct, 0.9 % to the busiest (that one is left out here: it is a service, not a customer).
 */
export const ACTORS = 40_000;
export const ACTOR_SKEW = 2.2;
export const FRESH_DESTINATION_SHARE = 0.12;

/** Fraction digits to which exchanges cut amounts. */
export const AMOUNT_DECIMALS = 8;
