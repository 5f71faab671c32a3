import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mulberry32 } from '../support/faults.ts';
import {
  allGone,
  enginePidOf,
  enterFolder,
  flagOf,
  launch,
  post,
  processesOn,
  report,
} from '../support/local-runtime.ts';
import { disagreements, type Kept, keptIn, timeless, totals } from '../support/recount.ts';
import { type Child, spawnRuntime } from '../support/spawn-runtime.ts';

/** Where the runs are killed, in this order. */
const MOMENTS = [
  'anywhere',
  'at-theft',
  'starting',
  'after-theft',
  'starting',
  'at-theft',
  'after-theft',
] as const;
type When = (typeof MOMENTS)[number];

const SEED = Number(process.env.BREAKWATER_SEED ?? 20_230_912);
/** Time in which a runtime starts, ms. */
const STARTING_MS = 300;
/** Longest time from the event at which a run is killed to the kill, ms. */
const LATER_MAX_MS = 30;
/** Time between two ticks, and most that a runtime may take to end without its engine. */
const TICK_MS = 100;
const STOP_MAX_MS = 4_000;
const SCOPE = 'key-domain:coinex-hot';

let place: Awaited<ReturnType<typeof enterFolder>>;
beforeAll(async () => {
  place = await enterFolder();
});
afterAll(() => place.leave());

function killGroup(child: Child, signal: NodeJS.Signals): void {
  // The child leads a group of its own, so its pid names the group.
  if (child.process.pid !== undefined) process.kill(-child.process.pid, signal);
}

function incidentsOf(kept: Kept): readonly (readonly string[])[] {
  return kept.incidents
    .map(({ scope, state, first }) => [scope, state, first.kind, first.rowId])
    .sort();
}

/** Pages that say that the key domain tripped, by the run that sent them. */
function pagesOf(runs: readonly Child[]): readonly (readonly string[])[] {
  return runs.map((run) =>
    run
      .of('page')
      .flatMap(({ subject }) => (subject.includes(`TRIPPED ${SCOPE}`) ? [subject] : [])),
  );
}

/** Starts a run on the folder and kills it at a moment that the seed chooses. */
async function runAndKill(
  folder: string,
  moment: { readonly when: When; readonly random: () => number },
): Promise<Child> {
  const { when, random } = moment;
  const child = spawnRuntime({ incident: 'coinex-2023', folder }, { cwd: place.path });
  await child.until(({ type }) => type === 'started' || when === 'starting');
  const { events = 0, theft = 0 } = child.of('started')[0] ?? {};
  const [from, to] =
    when === 'anywhere' ? [0, events] : [theft, when === 'at-theft' ? theft + 3 : events];
  const position = Math.floor(from + random() * (to - from));
  if (when === 'starting') await sleep(STARTING_MS * random());
  else await child.until((told) => told.type === 'kept' && told.position >= position);
  await sleep(LATER_MAX_MS * random());
  killGroup(child, 'SIGKILL');
  await child.ended;
  return child;
}

describe('a runtime that is killed', () => {
  test('behavior: at any moments, and started again: nothing lost, nothing doubled (H21)', async () => {
    const folder = join(place.path, 'killed');
    const whole = spawnRuntime(
      { incident: 'coinex-2023', folder: join(place.path, 'whole') },
      { cwd: place.path },
    );
    expect(await whole.ended).toBe(0);
    const random = mulberry32(SEED);
    const runs: Child[] = [];
    const accepted = new Set<string>();
    const check = (run: Child) => {
      const [recovered] = run.of('recovered');
      if (recovered)
        expect([...accepted].filter((id) => !recovered.rowIds.includes(id))).toEqual([]);
      for (const { rowId } of run.of('kept')) accepted.add(rowId);
      runs.push(run);
    };
    for (const when of MOMENTS) {
      check(await runAndKill(folder, { when, random }));
      expect(await allGone(folder)).toEqual([]);
    }
    const last = spawnRuntime({ incident: 'coinex-2023', folder }, { cwd: place.path });
    expect(await last.ended).toBe(0);
    check(last);

    const killed = await keptIn(folder);
    const uninterrupted = await keptIn(join(place.path, 'whole'));
    expect(timeless(killed)).toEqual(timeless(uninterrupted));
    expect(totals(killed)).toEqual(totals(uninterrupted));
    expect(disagreements(killed)).toEqual([]);
    expect([...accepted].filter((rowId) => !killed.rows.has(rowId))).toEqual([]);
    expect(accepted.size).toBeGreaterThan(150);

    expect(incidentsOf(killed)).toEqual(incidentsOf(uninterrupted));
    expect(incidentsOf(killed).filter(([scope]) => scope === SCOPE)).toMatchObject([
      [SCOPE, 'open', 'unmatched', expect.stringMatching(/^outflow:eip155:1:/)],
    ]);
    const pages = pagesOf(runs);
    expect(new Set(pages.flat()).size).toBe(1);
    for (const [position, sent] of pages.entries()) {
      expect(sent.length).toBeLessThanOrEqual(1);
      // A repeat is only for a page whose run was killed before it could note that it had gone out.
      const before = pages.slice(0, position).flat().length;
      if (sent.length > 0 && before > 0) expect(pages[position - 1]).toEqual(sent);
    }
    expect(await allGone(place.path)).toEqual([]);
    expect((await readdir(place.path)).sort()).toEqual(['.breakwater', 'killed', 'whole']);
  }, 90_000);
});

describe('a runtime whose engine is killed', () => {
  test('behavior: says so, enables nothing, keeps what it takes, and loses nothing', async () => {
    const folder = join(place.path, 'engine');
    const first = await launch({ folder, tickEveryMs: TICK_MS });
    await post(first, '/events', report('before'));
    await first.idle();
    const enabled = { enabled: true };
    await expect.poll(() => flagOf(first, { wallet: 'hot-2' })).toMatchObject(enabled);

    process.kill(await enginePidOf(folder), 'SIGKILL');
    await expect
      .poll(() => first.errors)
      .toContainEqual(
        expect.objectContaining({
          where: 'engine',
          reason: expect.stringContaining('the DynamoDB engine ended by itself (SIGKILL)'),
        }),
      );
    expect(await flagOf(first, { wallet: 'hot-2' })).toMatchObject({
      enabled: false,
      reason: 'unreachable',
    });
    expect((await fetch(`${first.url}/health`)).status).toBe(503);
    const during = [report('during-1'), report('during-2')];
    expect(await post(first, '/events', during)).toMatchObject({ status: 202 });
    // Rounds of the tick that cannot end meanwhile must not pile up before the end.
    await sleep(20 * TICK_MS);
    const startedMs = performance.now();
    await first.stop();
    expect(performance.now() - startedMs).toBeLessThan(STOP_MAX_MS);
    expect(await allGone(folder)).toEqual([]);

    const second = await launch({ folder });
    await second.idle();
    await second.tick();
    expect(await flagOf(second, { wallet: 'hot-2' })).toMatchObject(enabled);
    await second.stop();
    const kept = await keptIn(folder);
    const reports = [...kept.rows.keys()].filter((rowId) => rowId.startsWith('withdrawal:'));
    expect(reports.sort()).toEqual(
      ['before', 'during-1', 'during-2'].map((id) => `withdrawal:${id}`),
    );
    expect(disagreements(kept)).toEqual([]);
  });
});

describe('a runtime that gets Ctrl-C', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    'behavior: %s leaves nothing behind',
    async (signal) => {
      const { path: cwd, leave } = await enterFolder();
      const child = spawnRuntime({ incident: 'stake-2023', stays: true }, { cwd });
      await child.until(({ type }) => type === 'done');
      const told = JSON.parse(await readFile(join(cwd, '.breakwater/runtime.json'), 'utf8'));
      expect(told).toMatchObject({ url: child.of('started')[0]?.url, pid: child.process.pid });
      expect((await processesOn(cwd)).length).toBeGreaterThan(0);
      killGroup(child, signal);
      expect(await child.ended).toBe(signal);
      expect(await allGone(cwd)).toEqual([]);
      expect(await readdir(cwd)).toEqual(['.breakwater']);
      expect(await readdir(join(cwd, '.breakwater'))).toEqual([]);
      expect(child.of('error')).toEqual([]);
      await leave();
    },
  );
});
