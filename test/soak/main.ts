/**
 * `npm run soak -- --seconds 600 --rate 20 --seed 1`: reports to an embedded runtime whose process, or
 * whose engine, is killed again and again. What was taken must be in the ledger, each once, and the
 * meters must be the sums of the rows. Listens on loopback only, and ends by itself.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createRandom } from '../simulation/random.ts';
import { allGone, enginePidOf, enterFolder, post, report } from '../support/local-runtime.ts';
import { disagreements, keptIn } from '../support/recount.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    rate: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
  },
});
const seconds = Math.min(3_600, Number(values.seconds));
const rate = Math.min(200, Number(values.rate));
const random = createRandom(Number(values.seed));
/** Tries to have one event taken; a runtime is back within seconds. */
const TRIES_MAX = 200;
const KILL_EVERY_MS = 20_000;
const IDLE_MAX_MS = 60_000;

type Message = {
  readonly kind: 'started' | 'memory';
  readonly url?: string;
  readonly bytes?: number;
};
const place = await enterFolder();
const folder = join(place.path, 'data');
const state = { url: '', kills: 0, starts: 0, isOver: false, memory: [] as number[] };
let child = start();
const accepted = new Set<string>();
const killing = killNowAndThen();
const startedMs = performance.now();
const sending: Promise<void>[] = [];
for (let at = 0; at < seconds * rate; at += 1) {
  const dueMs = (at * 1_000) / rate - (performance.now() - startedMs);
  if (dueMs > 0) await sleep(dueMs);
  sending.push(submit(`soak-${at}`));
}
await Promise.all(sending);
state.isOver = true;
await killing;
await end();
await judge();

function start(): ChildProcess {
  state.url = '';
  state.starts += 1;
  const made = fork(new URL('./child.ts', import.meta.url), [folder], {
    detached: true,
    stdio: 'ignore',
  });
  made.on('message', ({ url, bytes }: Message) => {
    if (url !== undefined) state.url = url;
    if (bytes !== undefined) state.memory.push(bytes);
  });
  made.on('exit', () => {
    if (!state.isOver) child = start();
  });
  return made;
}

/** Sends until it is taken; a second one that was taken before its answer was lost counts once. */
async function submit(withdrawalId: string): Promise<void> {
  const wallet = withdrawalId.length;
  const event = report(withdrawalId, { amount: `${1_000 + wallet}` });
  for (let attempt = 1; attempt <= TRIES_MAX; attempt += 1) {
    const { url } = state;
    const status =
      url === ''
        ? 0
        : await post({ url }, '/events', [event]).then(
            ({ status }) => status,
            () => 0,
          );
    if (status === 202) {
      accepted.add(withdrawalId);
      return;
    }
    await sleep(250);
  }
}

/** The engine alone, or the runtime with everything that it started. */
async function killNowAndThen(): Promise<void> {
  while (!state.isOver) {
    await sleep(KILL_EVERY_MS * (0.5 + random.next()));
    if (state.isOver || state.url === '') continue;
    child.send('memory', () => undefined);
    await sleep(200);
    state.kills += 1;
    const pid = random.chance(0.5) ? await enginePidOf(folder).catch(() => undefined) : undefined;
    try {
      if (pid === undefined) process.kill(-(child.pid ?? 0), 'SIGKILL');
      else process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself meanwhile.
    }
  }
}

async function end(): Promise<void> {
  for (let waitedMs = 0; state.url === '' && waitedMs < IDLE_MAX_MS; waitedMs += 100)
    await sleep(100);
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.send('stop', () => undefined);
  await Promise.race([gone, sleep(IDLE_MAX_MS, undefined, { ref: false })]);
}

async function judge(): Promise<void> {
  const left = await allGone(folder);
  const kept = await keptIn(folder);
  const lost = [...accepted].filter((id) => !kept.rows.has(`withdrawal:${id}`));
  const wrong = disagreements(kept);
  const [first = 0, last = 0] = [state.memory[0], state.memory.at(-1)].map((bytes) =>
    Math.round((bytes ?? 0) / 1e6),
  );
  const { kills, starts } = state;
  console.log(JSON.stringify({ sent: seconds * rate, accepted: accepted.size, kills, starts }));
  console.log(
    JSON.stringify({ lost: lost.length, disagreements: wrong.length, left: left.length }),
  );
  console.log(`memory of the runtime, MB: ${first} at its first kill, ${last} at the last`);
  for (const text of [...lost.slice(0, 5), ...wrong.slice(0, 5), ...left]) console.log(`  ${text}`);
  await place.leave();
  const isWhole =
    accepted.size === seconds * rate && lost.length + wrong.length + left.length === 0;
  process.exitCode = isWhole ? 0 : 1;
}
