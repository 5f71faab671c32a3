/**
 * The long form: `npm run simulate -- --schedules 100000 --seed 1`. With `--keep 3,7` it runs those
 * operations of one seed only, and says what is wrong.
 */

import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { noTotals, type Totals, together } from './batch.ts';
import { planOf } from './plan.ts';
import { shrink } from './shrink.ts';
import { simulate } from './simulate.ts';

const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    keep: { type: 'string' },
  },
});
const seed = whole('seed', values.seed);
if (values.keep === undefined) await runMany();
else await runKept(values.keep.split(',').map(Number));

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`--${name} must be a whole number, and is "${text}"`);
}

async function runMany(): Promise<void> {
  const schedules = whole('schedules', values.schedules);
  const workers = Math.max(1, Math.min(whole('workers', values.workers), schedules));
  const startedMs = performance.now();
  console.log(`seeds ${seed} to ${seed + schedules - 1} in ${workers} processes`);
  const parts = await Promise.all(
    Array.from({ length: workers }, (_, at) => {
      const share = Math.floor((schedules - at - 1) / workers) + 1;
      return inProcess({ seed: seed + at, schedules: share, stride: workers });
    }),
  );
  const totals = parts.reduce(together, noTotals());
  print(totals, performance.now() - startedMs);
  for (const { seed: failed, violations } of totals.failed) {
    const [first] = violations;
    if (!first) continue;
    const kept = await shrink(failed, first.promise);
    console.log(`\nseed ${failed}: ${first.promise} ${first.text}`);
    console.log(`  npm run simulate -- --seed ${failed} --keep ${kept.join(',')}`);
  }
  process.exitCode = totals.failures === 0 ? 0 : 1;
}

type Message = {
  readonly kind: string;
  readonly seed?: number;
  readonly sofar?: Totals;
  readonly totals?: Totals;
};

function inProcess(part: {
  readonly seed: number;
  readonly schedules: number;
  readonly stride: number;
}): Promise<Totals> {
  const { seed: from, schedules, stride } = part;
  return new Promise((resolve, reject) => {
    const file = new URL('./worker.ts', import.meta.url);
    const child = fork(file, [from, schedules, stride].map(String));
    let done = false;
    child.on('message', (message: Message) => {
      // A long run that is broken off has told what it found by then.
      if (message.kind === 'failed') console.log(`  seed ${message.seed} failed`);
      if (message.kind === 'progress' && message.sofar) {
        const { schedules: made, failures } = message.sofar;
        if (made % 5_000 === 0) console.log(`  ${made} of ${schedules}, ${failures} failed`);
      }
      if (!message.totals) return;
      done = true;
      resolve(message.totals);
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (!done) reject(new Error(`a worker ended with ${code} before it had told anything`));
    });
  });
}

function print(totals: Totals, tookMs: number): void {
  const { failed: _, overCountMaxMicroUsd, ...counts } = totals;
  for (const [name, count] of Object.entries(counts)) {
    console.log(`${name.padEnd(14)}${count.toLocaleString('en').padStart(16)}`);
  }
  const share = totals.crossings === 0 ? 0 : (100 * totals.earlyTrips) / totals.crossings;
  console.log(`early trips, share of crossings: ${share.toFixed(2)} %`);
  console.log(`largest over-count of a window: ${(overCountMaxMicroUsd / 1e6).toFixed(2)} USD`);
  console.log(
    `${(tookMs / 1_000).toFixed(1)} s, ${(tookMs / totals.schedules).toFixed(2)} ms each`,
  );
}

async function runKept(keep: readonly number[]): Promise<void> {
  const plan = planOf(seed);
  const plain = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}` : value);
  for (const at of keep) console.log(`${at}: ${JSON.stringify(plan.operations[at], plain)}`);
  console.log({ rates: plan.rates, skewsMs: plan.skewsMs, policy: plan.policy });
  const { violations } = await simulate(seed, keep);
  for (const { promise, text } of violations) console.log(`${promise}: ${text}`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
