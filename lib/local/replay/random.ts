/**
 * Seeded randomness for replays: equal seeds give equal numbers on every machine.
 *
 * xoshiro128** (Blackman and Vigna, public domain) seeded by SHA-256 of a text. It imitates ordinary
 * traffic and must never make a key, an id that has to be secret, or a decision.
 */

import { createHash } from 'node:crypto';

/** Gives the next number, at least 0 and below 1. */
export type Random = () => number;

/** Largest mean that one Poisson draw by multiplication takes before `exp(-mean)` loses precision. */
const POISSON_MEAN_MAX = 100;
/** Most rounds of a rejection loop; reaching it has a probability below 1e-100. */
const ROUNDS_MAX = 10_000;

/** Starts the sequence that belongs to a text. */
export function create(seed: string): Random {
  const digest = createHash('sha256').update(seed).digest();
  let a = digest.readUInt32LE(0);
  let b = digest.readUInt32LE(4);
  let c = digest.readUInt32LE(8);
  // Never all zero, the one state from which xoshiro does not move.
  let d = digest.readUInt32LE(12) | 1;
  return () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return result / 2 ** 32;
  };
}

/** A whole number from 0 to `below - 1`. */
export function integer(random: Random, below: number): number {
  return Math.floor(random() * below);
}

/** A standard normal deviate (Box and Muller). */
export function normal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}

/**
 * A gamma deviate of mean 1 and variance `1 / shape` (Marsaglia and Tsang). `shape` must be 1 or more.
 *
 * @throws {RangeError} on a smaller shape.
 */
export function gamma(random: Random, shape: number): number {
  if (!(shape >= 1)) throw new RangeError(`shape must be 1 or more, not ${shape}`);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const z = normal(random);
    const v = (1 + c * z) ** 3;
    if (v <= 0) continue;
    if (Math.log(1 - random()) < z * z * 0.5 + d - d * v + d * Math.log(v)) return (d * v) / shape;
  }
  return 1;
}

/** A Poisson deviate: how many arrivals there are where `mean` are expected. */
export function poisson(random: Random, mean: number): number {
  let count = 0;
  for (let left = mean; left > 0; left -= POISSON_MEAN_MAX) {
    const floor = Math.exp(-Math.min(left, POISSON_MEAN_MAX));
    for (let product = random(); product > floor; product *= random()) count += 1;
  }
  return count;
}

/** The index of one of `weights`, each as likely as its share of their sum. */
export function pick(random: Random, weights: readonly number[]): number {
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [index, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return index;
  }
  return weights.length - 1;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
