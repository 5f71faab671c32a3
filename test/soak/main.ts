/**
 * `npm run soak -- --seconds 600 --rate 20 --seed 1`: the soak in full, with kills at random. Says what
 * came of it, and how the memory of each long life of the runtime went.
 */

import { parseArgs } from 'node:util';
import { createRandom } from '../simulation/random.ts';
import { runSoak, type Soak } from './run.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    rate: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    /** Shortest life of the runtime, seconds; the longest is twice that. */
    life: { type: 'string', default: '120' },
  },
});
const seconds = Math.min(3_600, Number(values.seconds));
const rate = Math.min(200, Number(values.rate));
/** Engine or node, on average every 20 s; the runtime lives for minutes, to show its memory. */
const KILL_EVERY_MS = 20_000;
const lifeMs = 1_000 * Math.max(10, Number(values.life));
const LIFE_LEAST_S = 110;
const PAY_EVERY = 20;

const { lives, ...report } = await runSoak({
  seconds,
  rate,
  payEvery: PAY_EVERY,
  kills: killsOf(Number(values.seed)),
  lifeLeastS: LIFE_LEAST_S,
});
const { lost, unmatched, incidents, disagreements, processes, files, ...counts } = report;
const wrong = { lost, unmatched, incidents, disagreements, processes, files };
console.log(JSON.stringify(counts));
console.log(
  JSON.stringify(
    Object.fromEntries(Object.entries(wrong).map(([name, list]) => [name, list.length])),
  ),
);
for (const life of lives) console.log(`memory of the runtime, MB: ${JSON.stringify(life)}`);
const said = Object.values(wrong).flatMap((list) => list.slice(0, 5));
for (const text of said) console.log(`  ${text}`);
process.exitCode = said.length === 0 && report.taken === report.sent ? 0 : 1;

function killsOf(seed: number): Soak['kills'] {
  const random = createRandom(seed);
  const kills: Soak['kills'][number][] = [];
  const downMs = () => 200 + Math.round(2_800 * random.next());
  for (let atMs = KILL_EVERY_MS / 2; atMs < seconds * 1_000; ) {
    kills.push({ atMs, victim: random.chance(0.5) ? 'engine' : 'node', downMs: downMs() });
    atMs += KILL_EVERY_MS * (0.5 + random.next());
  }
  const aLifeMs = () => lifeMs * (1 + random.next());
  for (let atMs = aLifeMs(); atMs < seconds * 1_000; atMs += aLifeMs()) {
    kills.push({ atMs, victim: 'runtime', downMs: 0 });
  }
  return kills.toSorted((a, b) => a.atMs - b.atMs);
}
