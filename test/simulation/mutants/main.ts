/** `npm run mutants`: every mutant must die. Prints who was found by which seed, and for which promise. */

import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { MUTANTS, type Mutant } from './list.ts';

type Found = { readonly seed?: number; readonly schedules: number; readonly promise?: string };

const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '50000' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
  },
});

const waiting = MUTANTS.filter(({ name }) => name.includes(values.only));
const all = waiting.length;
const found = new Map<Mutant, Found>();
await Promise.all(Array.from({ length: Number(values.workers) }, () => work()));
const alive = [...found].filter(([, { promise }]) => promise === undefined);
console.log(`\n${all - alive.length} of ${all} mutants died`);
for (const [{ file, name }] of alive) console.log(`  alive: ${file}: ${name}`);
process.exitCode = alive.length === 0 ? 0 : 1;

async function work(): Promise<void> {
  for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) {
    const result = await hunt(mutant);
    found.set(mutant, result);
    const { schedules, promise = 'ALIVE' } = result;
    console.log(`| ${mutant.file.slice(4)} | ${mutant.name} | ${promise} | ${schedules} |`);
  }
}

/** Whoever cannot be loaded, or ends by itself, was not found: the change is at fault. */
function hunt(mutant: Mutant): Promise<Found> {
  return new Promise((resolve, reject) => {
    const hook = new URL('./hook.mjs', import.meta.url).href;
    const child = fork(new URL('./killer.ts', import.meta.url), [values.seed, values.schedules], {
      execArgv: ['--import', hook],
      env: { ...process.env, BREAKWATER_MUTANT: JSON.stringify(mutant) },
    });
    let told: Found | undefined;
    child.on('message', (message: Found) => {
      told = message;
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (told) resolve(told);
      else reject(new Error(`${mutant.file}: ${mutant.name} ended with ${code}`));
    });
  });
}
