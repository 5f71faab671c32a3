/**
 * An embedded runtime under load, whose process, whose engine and whose chain's node are killed again
 * and again. What was taken must be in the ledger, each once, and the meters must be the sums of the
 * rows; what was really paid is matched, and nothing trips. Listens on loopback only, ends by itself.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Hex } from 'viem';
import { startEngine } from '../../lib/local/engine.ts';
import { freePort } from '../../lib/local/free-port.ts';
import { NATIVE } from '../adapters/evm/chain-world.ts';
import { CHAIN } from '../support/builders.ts';
import { allGone, enterFolder, post } from '../support/local-runtime.ts';
import { disagreements, type Kept, keptIn } from '../support/recount.ts';
import { type Chain, startChain } from './chain.ts';
import { type Life, lifeOf, type Sample } from './memory.ts';
import { type Revived, revive } from './revived.ts';
import { payoutOf, reportOf } from './world.ts';

/** What is killed. */
export type Victim = 'runtime' | 'engine' | 'node';

/** How long, how much, and who is killed when. Each `payEvery`th event is paid on the chain. */
export type Soak = {
  readonly seconds: number;
  readonly rate: number;
  readonly payEvery: number;
  readonly kills: readonly {
    readonly atMs: number;
    readonly victim: Victim;
    readonly downMs: number;
  }[];
  /** A life of the runtime that is shorter tells nothing about its memory. */
  readonly lifeLeastS: number;
};

/** What a child tells. */
export type Told =
  | { readonly kind: 'started'; readonly url: string }
  | { readonly kind: 'page'; readonly subject: string }
  | ({ readonly kind: 'memory' } & Sample);

/** What came of it. Everything from `lost` to `files` must be empty. */
export type Report = {
  readonly sent: number;
  readonly taken: number;
  readonly paid: number;
  readonly rows: number;
  readonly kills: Readonly<Record<Victim, number>>;
  readonly starts: number;
  readonly lost: readonly string[];
  readonly unmatched: readonly string[];
  readonly incidents: readonly string[];
  readonly disagreements: readonly string[];
  readonly processes: readonly string[];
  readonly files: readonly string[];
  readonly lives: readonly Life[];
};

/** Tries to have one event taken; whatever was killed is back within seconds. */
const TRIES_MAX = 1_200;
const TRY_EVERY_MS = 250;
const SAMPLE_EVERY_MS = 5_000;
const SETTLE_MAX_MS = 60_000;
const STOP_MAX_MS = 60_000;
/** A runtime that cannot start is started again, but not at once. */
const RESTART_MS = 300;

type Running = {
  readonly soak: Soak;
  readonly folder: string;
  readonly engine: Revived;
  readonly chain: Chain;
  readonly environment: NodeJS.ProcessEnv;
  readonly lives: Sample[][];
  readonly taken: Set<string>;
  readonly paid: Map<string, Hex>;
  readonly kills: Record<Victim, number>;
  child: ChildProcess;
  url: string;
  starts: number;
  isOver: boolean;
};

/** Runs it in a folder of its own, which is removed again. */
export async function runSoak(soak: Soak): Promise<Report> {
  const place = await enterFolder();
  // Whatever it starts makes its temporary files here, and those of others are not looked at.
  const { TMPDIR } = process.env;
  const temporary = join(place.path, 'tmp');
  process.env.TMPDIR = temporary;
  try {
    await mkdir(temporary);
    const running = await start(soak, place.path);
    const killing = killAll(running);
    const sampling = sampleAll(running);
    await load(running);
    running.isOver = true;
    await Promise.all([killing, sampling]);
    await end(running);
    return await judge(running, temporary);
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    await place.leave();
  }
}

async function start(soak: Soak, path: string): Promise<Running> {
  const engineFolder = join(path, 'engine');
  for (const one of [join(path, 'data'), engineFolder]) await mkdir(one);
  const port = await freePort();
  const engine = await revive(() => startEngine({ folder: engineFolder, port, environment: {} }));
  const chain = await startChain(path);
  const endpoints = [{ name: 'anvil', url: chain.url }];
  const nodes = { [CHAIN]: { native: NATIVE, endpoints, startAt: 1 } };
  await writeFile(join(path, 'rpc.json'), JSON.stringify(nodes));
  const running: Running = {
    soak,
    folder: path,
    engine,
    chain,
    environment: { DYNAMODB_ENDPOINT: `http://127.0.0.1:${port}` },
    lives: [],
    taken: new Set(),
    paid: new Map(),
    kills: { runtime: 0, engine: 0, node: 0 },
    child: undefined as never,
    url: '',
    starts: 0,
    isOver: false,
  };
  launch(running);
  return running;
}

function launch(running: Running): void {
  const { folder, environment, lives } = running;
  running.url = '';
  running.starts += 1;
  const samples: Sample[] = [];
  lives.push(samples);
  const paths = ['data', 'rpc.json'].map((name) => join(folder, name));
  const child = fork(new URL('./child.ts', import.meta.url), paths, {
    detached: true,
    stdio: 'ignore',
    execArgv: ['--expose-gc'],
    env: { ...process.env, ...environment },
    cwd: folder,
  });
  running.child = child;
  child.on('message', (told: Told) => {
    if (told.kind === 'started') running.url = told.url;
    if (told.kind === 'memory') samples.push(told);
  });
  child.on('error', () => undefined);
  child.on('exit', () => {
    running.url = '';
    if (!running.isOver) setTimeout(() => running.isOver || launch(running), RESTART_MS);
  });
}

async function load(running: Running): Promise<void> {
  const { seconds, rate, payEvery } = running.soak;
  const startedMs = performance.now();
  const sending: Promise<void>[] = [];
  for (let at = 0; at < seconds * rate; at += 1) {
    const dueMs = (at * 1_000) / rate - (performance.now() - startedMs);
    if (dueMs > 0) await sleep(dueMs);
    sending.push(at % payEvery === payEvery - 1 ? payOut(running, at) : submit(running, at));
  }
  await Promise.all(sending);
}

/** Sends until it is taken; a second one that was taken before its answer was lost counts once. */
async function submit(running: Running, number: number): Promise<void> {
  const event = reportOf(number);
  const isTaken = await persist(running, async (url) => {
    return (await post({ url }, '/events', [event])).status === 202;
  });
  if (isTaken) running.taken.add(event.detail.withdrawalId);
}

/** Asks until it is admitted, and pays. */
async function payOut(running: Running, number: number): Promise<void> {
  const payout = payoutOf(number);
  const isAdmitted = await persist(running, async (url) => {
    const { body } = await post({ url }, '/reserve', { withdrawals: [payout] });
    const { verdicts = [] } = body as { verdicts?: { verdict: string }[] };
    return verdicts[0]?.verdict === 'allow';
  });
  if (!isAdmitted) return;
  running.taken.add(payout.withdrawalId);
  running.paid.set(payout.withdrawalId, await running.chain.pay(payout));
}

async function persist(
  running: Running,
  attempt: (url: string) => Promise<boolean>,
): Promise<boolean> {
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const { url } = running;
    if (url !== '' && (await attempt(url).catch(() => false))) return true;
    await sleep(TRY_EVERY_MS);
  }
  return false;
}

async function killAll(running: Running): Promise<void> {
  const startedMs = performance.now();
  for (const { atMs, victim, downMs } of running.soak.kills) {
    while (!running.isOver && performance.now() - startedMs < atMs) await sleep(100);
    if (running.isOver) return;
    running.kills[victim] += 1;
    if (victim === 'runtime') killGroup(running.child);
    else await (victim === 'engine' ? running.engine : running.chain).kill(downMs);
  }
}

/** The runtime with everything that it started. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It is being started again.
  }
}

async function sampleAll(running: Running): Promise<void> {
  while (!running.isOver) {
    await sleep(SAMPLE_EVERY_MS);
    if (running.url !== '') running.child.send('memory', () => undefined);
  }
}

async function end(running: Running): Promise<void> {
  const { chain, engine } = running;
  await chain.settled(SETTLE_MAX_MS);
  for (let waitedMs = 0; running.url === '' && waitedMs < STOP_MAX_MS; waitedMs += 100) {
    if (running.child.exitCode !== null || running.child.signalCode !== null) launch(running);
    await sleep(100);
  }
  const gone = new Promise((resolve) => running.child.once('exit', resolve));
  running.child.send('stop', () => undefined);
  await Promise.race([gone, sleep(STOP_MAX_MS, undefined, { ref: false })]);
  await chain.stop();
  await engine.stop();
}

async function judge(running: Running, temporary: string): Promise<Report> {
  const { folder, soak, taken, paid, kills, starts, lives } = running;
  const processes = await allGone(folder);
  const kept = await keptIn(join(folder, 'engine'));
  return {
    sent: soak.seconds * soak.rate,
    taken: taken.size,
    paid: paid.size,
    rows: kept.rows.size,
    kills,
    starts,
    lost: [...taken].filter((id) => !kept.rows.has(`withdrawal:${id}`)),
    unmatched: unmatchedIn(kept, paid),
    incidents: kept.incidents.map(({ scope, first }) => `${scope}: ${first.kind}, ${first.text}`),
    disagreements: disagreements(kept, { reorganised: kills.node > 0 }),
    processes,
    files: await readdir(temporary),
    lives: lives.flatMap((samples) => lifeOf(samples, soak.lifeLeastS) ?? []),
  };
}

/** Payments that the ledger does not have exactly once, matched with what they were admitted as, and outflows that nobody made. */
function unmatchedIn({ rows }: Kept, paid: ReadonlyMap<string, Hex>): readonly string[] {
  const rowIds = new Map([...paid].map(([id, hash]) => [`outflow:${CHAIN}:${hash}:top`, id]));
  const wrong = [...rowIds].flatMap(([rowId, id]) => {
    const row = rows.get(rowId);
    const isRight = row?.state === 'matched' && row.link === `withdrawal:${id}`;
    return isRight ? [] : [`${id}: ${rowId} is ${row?.state ?? 'missing'} with ${row?.link}`];
  });
  const others = [...rows.keys()].filter((id) => id.startsWith('outflow:') && !rowIds.has(id));
  return [...wrong, ...others.map((rowId) => `${rowId} was made by nobody`)];
}
