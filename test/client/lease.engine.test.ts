import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { measureFault } from '../../bench/lease.ts';
import { createFlagClient } from '../../lib/client/flag-client.ts';
import { enterFolder, launch, observation } from '../support/local-runtime.ts';

/** Rounds of the tick; its leases are worth three of them. */
const EVERY_MS = 1_000;
const LEASE_MS = 3 * EVERY_MS;
const POLL_MS = 500;
/** For one read on a busy machine. */
const READ_MAX_MS = 1_000;
/** Four at once take 25 s, and more on a machine that is busy. */
const TEST_MAX_MS = 120_000;
const CLIENTS = [
  'flag, strong read over HTTP',
  'flag, polled over HTTP',
  'flag, strong read of the tables',
  'OpenFeature provider',
  'guard in front of a route',
  'reserve over HTTP',
];

let place: Awaited<ReturnType<typeof enterFolder>>;
beforeAll(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  place = await enterFolder();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await place.leave();
});

describe('nobody is left to trip', () => {
  test.concurrent.each([
    ['the tick is stopped', 'tick'],
    ['the ingest fails', 'ingest'],
    ['the engine is killed', 'engine'],
    ['the runtime is killed', 'runtime'],
  ] as const)(
    'behavior: %s: every client refuses within the lease, and stays so (H30, H32)',
    async (_, fault) => {
      const schedule = { id: 'test', everyMs: EVERY_MS, speed: 1 };
      const outcomes = await measureFault(schedule, fault);
      expect([...outcomes.keys()]).toEqual(CLIENTS);
      for (const [client, { lastAllowedMs, reopened }] of outcomes) {
        expect({ client, reopened }).toEqual({ client, reopened: 0 });
        expect(lastAllowedMs, client).toBeLessThan(LEASE_MS);
        // What the fault does not show to by itself is ended by the lease, and not before.
        const isSilent = fault === 'tick' || fault === 'ingest';
        if (isSilent) expect(lastAllowedMs, client).toBeGreaterThan(EVERY_MS / 2);
      }
    },
    TEST_MAX_MS,
  );
});

describe('a trip', () => {
  test('behavior: shows to a strong read at once, and to a polling client within its poll (H30)', async () => {
    const runtime = await launch();
    await runtime.tick();
    const url = `${runtime.url}/flag`;
    // Another wallet of the same key domain, which is what the outflow opens.
    const question = { wallet: 'hot-2' };
    const flag = createFlagClient({ url, pollMs: POLL_MS, contexts: [question] });
    await flag.refresh();
    expect(flag.cached(question)).toMatchObject({ enabled: true });

    const { 'detail-type': detailType, detail } = observation('0x1');
    await runtime.submit([{ detailType, detail }]);
    await vi.waitUntil(() => runtime.lastTripAtMs() !== undefined, { interval: 1 });
    const strong = createFlagClient({ url });
    expect(await strong.check(question)).toMatchObject({ enabled: false, reason: 'breaker-open' });
    await vi.waitUntil(() => !flag.cached(question).enabled, { interval: 1, timeout: 5_000 });
    const shownMs = performance.now() - (runtime.lastTripAtMs() ?? 0);
    expect(shownMs).toBeLessThanOrEqual(POLL_MS + READ_MAX_MS);
    flag.close();
    strong.close();
    await runtime.stop();
  });
});
