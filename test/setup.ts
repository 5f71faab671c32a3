// Used twice: vitest calls `setup` once per run, and loads the file before each test file.
import { configureGlobal } from 'fast-check';

const SEED_DEFAULT = 20_230_912;

// A property that fails only on some days helps nobody: every run draws the same values, until
// somebody asks for others with BREAKWATER_SEED.
const seed = parseSeed(process.env.BREAKWATER_SEED);
configureGlobal({ seed });

/**
 * Prints the seed of this run, once.
 *
 * @returns nothing; throws when BREAKWATER_SEED is no integer, before any test runs
 */
export function setup(): void {
  console.log(`fast-check seed: ${seed} (set BREAKWATER_SEED for another)`);
}

function parseSeed(text: string | undefined): number {
  if (text === undefined || text === '') return SEED_DEFAULT;
  const value = Number(text);
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 31) return value;
  throw new Error(`BREAKWATER_SEED must be an integer of 32 bits, and is "${text}"`);
}
