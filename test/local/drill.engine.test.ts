import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readFlag } from '../../lib/actions/read-flag.ts';
import { resetDrill } from '../../lib/actions/reset-drill.ts';
import { runDrill } from '../../lib/actions/run-drill.ts';
import type { Message } from '../../lib/domain/page.ts';
import { localContext } from '../../lib/local/context.ts';
import { type DrillWorld, drill } from '../../lib/runtime/drill.ts';
import * as Build from '../support/builders.ts';
import { enterFolder, type Launched, launch, POLICY, post } from '../support/local-runtime.ts';

const CANARY = 'eip155:1:0x00000000000000000000000000000000000000ca';
const WITH_CANARY = POLICY.replace(
  'limits:\n',
  `  - { name: canary, keyDomain: canary, addresses: ["${CANARY}"], canary: true }\nlimits:\n`,
);
const OBJECTIVE_MS = 30_000;

let place: Awaited<ReturnType<typeof enterFolder>>;
let runtime: Launched;
beforeAll(async () => {
  place = await enterFolder();
  runtime = await launch({ policySource: WITH_CANARY, tickEveryMs: 1_000 });
  for (let look = 0; look < 100; look += 1) {
    if ((await flagOf('canary')).enabled) break;
    await runtime.tick();
  }
}, 60_000);
afterAll(async () => {
  await runtime.stop();
  await place.leave();
});

async function flagOf(wallet: string) {
  const { store, clock, decision } = runtime.world;
  const { decisions, health } = store;
  return readFlag({ decisions, health, policy: decision.policy, clock }, { wallet });
}

/** The deployed function over the embedded runtime, with what it measured and told. */
function deployed(replace: Partial<DrillWorld['deps']> = {}) {
  const { world } = runtime;
  const told: Message[] = [];
  const measured: Readonly<Record<string, number>>[] = [];
  const made: DrillWorld = {
    objectiveMs: OBJECTIVE_MS,
    newId: () => `test-${performance.now()}`,
    notifier: { send: async (message) => void told.push(message) },
    metrics: { measure: (values) => void measured.push(values) },
    log: world.log,
    deps: {
      policy: async () => (await world.decision.policy.refresh()).policy,
      send: (detail) => runtime.submit([{ detailType: 'outflow.observed', detail }]),
      flag: flagOf,
      incident: (id) => world.store.incidents.get(id),
      isTold: (id) => world.store.projections.isPaged(`opened:${id}`),
      reset: async (incidentId) => {
        const deps = { ...world.decision, incidents: world.store.incidents };
        const commandId = `reset-${incidentId}-${performance.now()}`;
        const result = await resetDrill(deps, { incidentId, commandId, actor: 'drill' });
        return result.kind === 'refused' ? result.why : undefined;
      },
      clock: world.clock,
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      ...replace,
    },
  };
  const handler = drill(made);
  return { run: () => handler({} as never, localContext('run-drill', 180_000)), told, measured };
}

describe('drill', () => {
  test('default: detected, tripped, verified at the flag, told and reset; H30, H89', async () => {
    const before = runtime.pages.length;
    const { run, told, measured } = deployed();
    const result = await run();
    expect(result).toMatchObject({ kind: 'passed', objectiveMs: OBJECTIVE_MS });
    if (result.kind !== 'passed') throw new Error('it did not pass');
    const { detectMs, tripMs, verifiedMs, toldMs = 0, resetMs } = result.times;
    console.info(`drill: ${JSON.stringify(result.times)}`);
    expect(detectMs).toBeLessThanOrEqual(tripMs);
    expect(tripMs).toBeLessThanOrEqual(verifiedMs);
    expect(verifiedMs).toBeLessThanOrEqual(toldMs);
    expect(toldMs).toBeLessThanOrEqual(resetMs);
    expect(measured).toMatchObject([{ DrillSuccesses: 1, DrillVerifiedMs: verifiedMs }]);
    expect(told).toEqual([]);
    await runtime.idle();
    const messages = runtime.pages.slice(before);
    expect(messages.map(({ severity }) => severity)).toEqual(['notice', 'notice']);
    expect(messages.map(({ subject }) => subject.split(':')[0])).toEqual([
      'DRILL TRIPPED wallet',
      'DRILL RESUMED wallet',
    ]);
    const incident = await runtime.world.store.incidents.get(result.incidentId);
    expect(incident).toMatchObject({ drill: true, scope: 'wallet:canary', state: 'closed' });
    // Nothing is left for people to resume, its destination neither.
    expect(await runtime.world.store.incidents.listOpen(10)).toEqual([]);
  }, 60_000);

  test('behavior: nobody else is stopped by it', async () => {
    const stopped: boolean[] = [];
    const { run } = deployed({
      incident: async (id) => {
        stopped.push(!(await flagOf(Build.HOT_1)).enabled);
        return runtime.world.store.incidents.get(id);
      },
    });
    expect(await run()).toMatchObject({ kind: 'passed' });
    expect(stopped).toEqual([false]);
  }, 60_000);

  test('error: an outflow that is lost fails it, and people are woken', async () => {
    const { run, told, measured } = deployed({
      send: async () => undefined,
      clock: { nowMs: fast() },
    });
    expect(await run()).toMatchObject({ kind: 'failed', at: 'trip' });
    expect(told).toMatchObject([{ severity: 'page' }]);
    expect(told[0]?.subject).toMatch(/^DRILL FAILED at trip/);
    expect(measured).toEqual([{ DrillFailures: 1 }]);
  }, 60_000);

  test('error: nobody was told: it fails, and the canary is reset all the same', async () => {
    const { run } = deployed({ isTold: async () => false, clock: { nowMs: fast() } });
    expect(await run()).toMatchObject({ kind: 'failed', at: 'tell' });
    expect((await flagOf('canary')).enabled).toBe(true);
  }, 60_000);

  test('behavior: slower than the objective is said as such', async () => {
    const { world } = runtime;
    const result = await runDrill(
      {
        policy: async () => (await world.decision.policy.refresh()).policy,
        send: (detail) => runtime.submit([{ detailType: 'outflow.observed', detail }]),
        flag: flagOf,
        incident: (id) => world.store.incidents.get(id),
        reset: async (incidentId) => {
          const parts = { ...world.decision, incidents: world.store.incidents };
          const commandId = `slow-${incidentId}`;
          const reset = await resetDrill(parts, { incidentId, commandId, actor: 'drill' });
          return reset.kind === 'refused' ? reset.why : undefined;
        },
        clock: world.clock,
        sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      },
      { drillId: 'slow-1', objectiveMs: -1 },
    );
    expect(result.kind).toBe('slow');
  }, 60_000);

  test('error: a person who paused the canary is not overruled: the drill does not begin', async () => {
    const scope = 'wallet:canary';
    const pause = { command: 'pause', commandId: 'canary-pause-1', scope, reason: 'mine' };
    expect((await post(runtime, '/commands', pause)).status).toBe(200);
    const { run } = deployed();
    expect(await run()).toMatchObject({ kind: 'failed', at: 'before' });
    const { incidentId } = await flagOf('canary');
    const reset = { command: 'drill.reset', commandId: 'canary-reset-1', incidentId };
    expect(await post(runtime, '/commands', reset)).toMatchObject({ status: 409 });
    const resume = { command: 'resume', commandId: 'canary-resume-1', incidentId, reason: 'over' };
    expect((await post(runtime, '/commands', resume)).status).toBe(200);
  }, 60_000);
});

describe('runDrill', () => {
  test('error: a canary that people resume in steps is not opened again by a drill', async () => {
    const sent: unknown[] = [];
    const text = 'wallet:canary resumes in steps';
    const { run } = deployed({
      flag: async () => ({ enabled: true, reason: 'enabled', scope: 'wallet:canary', text }),
      send: async (detail) => void sent.push(detail),
    });
    expect(await run()).toMatchObject({ kind: 'failed', at: 'before' });
    expect(sent).toEqual([]);
  });
});

/** A clock that runs so fast that a step's time is over at its second look. */
function fast(): () => number {
  let nowMs = 0;
  return () => {
    nowMs += 40_000;
    return nowMs;
  };
}
