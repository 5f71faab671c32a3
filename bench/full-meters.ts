/** Meters with every slot full: a month of withdrawals, one in each slot of the finest step. */

import * as Meter from '../lib/domain/meter.ts';
import * as Money from '../lib/domain/money.ts';
import * as Random from '../lib/local/replay/random.ts';

/** A month and a day: the longest window with its widening. */
const SPAN_MS = 31 * 86_400_000;
/** One withdrawal for each slot of the finest step. */
const EVERY_MS = 6_000;
/** The longest span that divides every slot longer than it. */
const COARSE_MS = 360_000;
/** How far back the steps with shorter slots reach, and more. */
const RECENT_MS = 3_600_000;

/** Sizes of withdrawals, USD, spread evenly over their logarithm. */
const USD_MIN = 20;
const USD_MAX = 2_000;

/** Price of one ETH in the benchmark's policy. */
export const ETH_USD = 1_500;
const PICO_PER_USD = 10n ** 12n;
const MICRO_PER_USD = 1_000_000;
/** Exchanges cut amounts to 8 fraction digits: this many wei. */
const CUT_WEI = 10n ** 10n;

/** Draws a charge. */
export type Draw = (random: Random.Random) => Meter.Charge;

/** Base units of ETH for a withdrawal, as an exchange pays it out: 8 of the 18 fraction digits. */
export function drawEth(random: Random.Random): bigint {
  const wei = drawWei(random);
  return wei - (wei % CUT_WEI);
}

/** Base units of ETH down to the last wei, as a contract pays. */
export function drawWei(random: Random.Random): bigint {
  const microUsd = drawUsdc(random);
  const wei = (microUsd * 10n ** 18n) / BigInt(ETH_USD * MICRO_PER_USD);
  return wei + BigInt(Random.integer(random, Number(CUT_WEI)));
}

/** Base units of USDC, and micro-USD. */
export function drawUsdc(random: Random.Random): bigint {
  const usd = USD_MIN * (USD_MAX / USD_MIN) ** random();
  return BigInt(Math.round(usd * MICRO_PER_USD));
}

/** Charges of a scope with one asset, ETH in amounts drawn by `amountOf`. */
export function ofEth(amountOf: (random: Random.Random) => bigint): Draw {
  return (random) => {
    const amount = amountOf(random);
    const pricePicoUsd = BigInt(ETH_USD) * PICO_PER_USD;
    const notional = Money.notionalMicroUsd({ amount, decimals: 18, pricePicoUsd });
    return { notional, amount, count: 1, assets: [] };
  };
}

/** Charges of a scope with these assets (short hashes), each as likely as the others. */
export function ofAssets(assets: readonly number[]): Draw {
  return (random) => {
    const asset = assets[Random.integer(random, assets.length)];
    const named = asset === undefined ? [] : [asset];
    return { notional: drawUsdc(random), amount: 0n, count: 1, assets: named };
  };
}

/**
 * A meter after a month of charges that ends at `endMs`. What lies longer back than the short steps
 * reach is summed up to {@link COARSE_MS} before it is charged: the same meter, 60 times as fast.
 */
export function fullMeter(parameters: {
  readonly seed: string;
  readonly endMs: number;
  readonly draw: Draw;
  readonly spanMs?: number;
}): Meter.Meter {
  const { seed, endMs, draw, spanMs = SPAN_MS } = parameters;
  const random = Random.create(seed);
  const startMs = Math.floor((endMs - spanMs) / COARSE_MS) * COARSE_MS;
  let meter = Meter.EMPTY;
  let atMs = startMs;
  while (atMs <= endMs) {
    const isRecent = atMs > endMs - RECENT_MS;
    const untilMs = atMs + (isRecent ? EVERY_MS : COARSE_MS);
    const drawn = Array.from({ length: (untilMs - atMs) / EVERY_MS }, () => draw(random));
    meter = Meter.charge(meter, drawn.reduce(together), atMs);
    atMs = untilMs;
  }
  return meter;
}

/** Two charges as one, which adds the same to a slot. */
function together(a: Meter.Charge, b: Meter.Charge): Meter.Charge {
  return {
    notional: a.notional + b.notional,
    amount: a.amount + b.amount,
    count: a.count + b.count,
    assets: [...new Set([...a.assets, ...b.assets])],
  };
}
