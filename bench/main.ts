/**
 * `npm run bench`: measures, prints tables, and keeps the figures in `bench/results/latest.json`.
 * With names of parts as arguments it measures only those. It informs: a missed target is said
 * plainly and does not fail the command.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../lib/runtime/system.ts';
import { measureCachedReads } from './cached-reads.ts';
import { measureConcurrency } from './concurrency.ts';
import { measureCore } from './core.ts';
import { type FullSet, fillSet } from './full-set.ts';
import { measureLease } from './lease.ts';
import { measureLimiter } from './limiter.ts';
import { measureOverCount } from './over-count.ts';
import { measureReserve } from './reserve.ts';
import { type Figure, figuresOf, isMissed, render, type Section } from './section.ts';
import { measureSizes } from './sizes.ts';
import { measureTrips } from './trip.ts';
import { measureTripShows } from './trip-shows.ts';
import { measureUnits } from './units.ts';
import { measureWatch } from './watch.ts';

type Part = (given: {
  readonly seed: string;
  readonly full: FullSet;
}) => Promise<Section | readonly Section[]>;

const SEED_DEFAULT = '20230912';
const RESULTS = join(import.meta.dirname, 'results');
/** More runnable processes than this for each core, and latencies are those of a busy machine. */
const BUSY_LOAD = 0.5;
const EXIT_INTERRUPTED = 130;

const PARTS: Readonly<Record<string, Part>> = {
  trip: ({ full }) => measureTrips(full),
  sizes: async ({ full }) => measureSizes(full),
  units: ({ seed, full }) => measureUnits(seed, full),
  core: ({ seed, full }) => measureCore(seed, full),
  limiter: ({ seed, full }) => measureLimiter(seed, full),
  'over-count': ({ seed }) => measureOverCount(seed),
  workers: ({ seed, full }) => measureConcurrency(seed, full),
  reserve: ({ seed }) => measureReserve(seed),
  shows: ({ seed }) => measureTripShows(seed),
  cached: () => measureCachedReads(),
  lease: () => measureLease(),
  watch: ({ seed }) => measureWatch(seed),
};

// Engines die with this process; `exit` handlers remove what lies in temporary folders.
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => process.exit(EXIT_INTERRUPTED));
await bench(process.argv.slice(2));

async function bench(names: readonly string[]): Promise<void> {
  const unknown = names.find((name) => !Object.hasOwn(PARTS, name));
  if (unknown !== undefined) {
    process.stderr.write(`no part "${unknown}"; there are: ${Object.keys(PARTS).join(', ')}\n`);
    process.exitCode = 2;
    return;
  }
  const seed = process.env.BREAKWATER_SEED ?? SEED_DEFAULT;
  const startedAtMs = systemClock.nowMs();
  const machine = describeMachine();
  print(`Breakwater benchmark, seed ${seed}\n${Object.values(machine).join(' · ')}\n`);
  const given = { seed, full: fillSet({ seed, endMs: startedAtMs }) };
  const figures: Figure[] = [];
  for (const [name, part] of Object.entries(PARTS)) {
    if (names.length > 0 && !names.includes(name)) continue;
    for (const section of [await part(given)].flat()) {
      figures.push(...figuresOf(section));
      print(`${render(section)}\n`);
    }
  }
  const tookS = Math.round((systemClock.nowMs() - startedAtMs) / 1_000);
  print(verdict(figures));
  const at = new Date(startedAtMs).toISOString();
  const path = await keep({ at, seed, machine, tookS, figures });
  print(`${tookS} s; figures in ${path}`);
}

function describeMachine() {
  const cores = cpus();
  const [load = 0] = loadavg();
  const isBusy = load / cores.length > BUSY_LOAD;
  return {
    cpu: `${cores.length} × ${cores[0]?.model.trim() ?? 'unknown'}`,
    node: `Node ${process.version}`,
    system: `${process.platform}-${process.arch}`,
    load: `load ${load.toFixed(1)}${isBusy ? ' at the start: a busy machine, measure times again on a quiet one' : ''}`,
  };
}

function verdict(figures: readonly Figure[]): string {
  const aimed = figures.filter(({ max }) => max !== undefined);
  const missed = aimed.filter(isMissed);
  const lines = missed.map(({ id, value, max }) => `  ✗ ${id} is ${value.toFixed(2)}, over ${max}`);
  const met = aimed.length - missed.length;
  return [
    `${met} of ${aimed.length} targets met${missed.length > 0 ? '; missed:' : ''}`,
    ...lines,
  ].join('\n');
}

async function keep(results: Readonly<Record<string, unknown>>): Promise<string> {
  const path = join(RESULTS, 'latest.json');
  await mkdir(RESULTS, { recursive: true });
  await writeFile(path, `${JSON.stringify(results, undefined, 2)}\n`);
  return path;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
