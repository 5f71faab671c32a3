import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toLine } from '../../lib/local/queue-message.ts';
import * as Build from '../support/builders.ts';
import {
  ask,
  enterFolder,
  flagOf,
  type Launched,
  launch,
  report,
} from '../support/local-runtime.ts';

const LEASE_MS = 15_000;
const HOT_2 = { wallet: 'hot-2' };
const CLOCK = { startMs: Build.T0_MS, speed: 1 };

let place: Awaited<ReturnType<typeof enterFolder>>;
beforeAll(async () => {
  place = await enterFolder();
});
afterAll(() => place.leave());

async function summaryOf(runtime: Launched): Promise<unknown> {
  const { body } = await ask(runtime, { command: 'status' });
  return (body as { summary: unknown }).summary;
}

/** What an earlier runtime gave up on. */
async function leaveDeadLetter(folder: string): Promise<void> {
  const body = JSON.stringify(report('dead'));
  const message = {
    messageId: 'dead',
    body,
    attributes: {},
    sentAtMs: Build.T0_MS,
    receiveCount: 0,
  };
  await appendFile(join(folder, 'events-dead.queue'), `${toLine({ op: 'send', message })}\n`);
}

describe('the lease', () => {
  test('behavior: before the first proof of health nothing is enabled', async () => {
    const runtime = await launch({ clock: CLOCK });
    expect(await flagOf(runtime, HOT_2)).toMatchObject({
      enabled: false,
      reason: 'lease-lapsed',
      text: `no proof of health for ${Build.CHAIN}: its lease was never given`,
    });
    expect(await summaryOf(runtime)).toBe('lapsed');
    await runtime.stop();
  });

  test('behavior: without ticks it lapses, and people are told once', async () => {
    const runtime = await launch({ clock: CLOCK });
    await runtime.tick();
    const { inForceUntilMs = 0, enabled } = await flagOf(runtime, HOT_2);
    expect(enabled).toBe(true);
    expect(inForceUntilMs - Build.T0_MS).toBeGreaterThanOrEqual(LEASE_MS);
    expect(inForceUntilMs - runtime.clock.nowMs()).toBeLessThanOrEqual(LEASE_MS);

    runtime.clock.advanceTo(inForceUntilMs - 5_000);
    expect(await flagOf(runtime, HOT_2)).toMatchObject({ enabled: true });
    runtime.clock.advanceTo(inForceUntilMs);
    const ranOut = new Date(inForceUntilMs).toISOString();
    expect(await flagOf(runtime, HOT_2)).toMatchObject({
      enabled: false,
      reason: 'lease-lapsed',
      text: `no proof of health for ${Build.CHAIN}: its lease ran out at ${ranOut}`,
    });
    expect(await ask(runtime, { command: 'status' })).toMatchObject({
      body: {
        summary: 'lapsed',
        open: [],
        chains: [
          { chain: Build.CHAIN, inForce: false, untilMs: inForceUntilMs },
          { chain: Build.OTHER_CHAIN, inForce: false, untilMs: inForceUntilMs },
        ],
      },
    });
    await runtime.tick();
    expect(await flagOf(runtime, HOT_2)).toMatchObject({ enabled: true });
    await runtime.stop();
  });

  test('behavior: with ticks it holds', async () => {
    const runtime = await launch({ clock: CLOCK });
    for (let round = 0; round < 10; round += 1) {
      runtime.clock.advanceTo(Build.T0_MS + round * (LEASE_MS - 5_000));
      await runtime.tick();
      expect(await flagOf(runtime, HOT_2)).toMatchObject({ enabled: true });
    }
    expect(await summaryOf(runtime)).toBe('enabled');
    await runtime.stop();
  });

  test('behavior: a dead letter stops renewal, and the page says so', async () => {
    const folder = join(place.path, 'dead-letter');
    const first = await launch({ folder, clock: CLOCK });
    await first.tick();
    await first.stop();
    await leaveDeadLetter(folder);

    const second = await launch({ folder, clock: CLOCK });
    await second.tick();
    const { enabled, inForceUntilMs = 0 } = await flagOf(second, HOT_2);
    expect(enabled).toBe(true);
    second.clock.advanceTo(inForceUntilMs);
    for (let round = 0; round < 3; round += 1) await second.tick();
    expect(await flagOf(second, HOT_2)).toMatchObject({ enabled: false, reason: 'lease-lapsed' });
    expect(await summaryOf(second)).toBe('lapsed');
    const pages = second.pages.filter(({ severity }) => severity === 'page');
    expect(pages.map(({ subject }) => subject)).toEqual([
      `NOT ENABLED: no proof of health since ${new Date(inForceUntilMs).toISOString()}; run: breakwater status`,
    ]);
    expect(pages[0]?.body).toContain('1 events lie uncounted in a dead-letter queue');
    expect(second.errors).toContainEqual(
      expect.objectContaining({ why: '1 events lie uncounted in a dead-letter queue' }),
    );
    await second.stop();
  });
});

describe('ticks by themselves', () => {
  test.each([1, 4])('args: speed: %i', async (speed) => {
    const clock = { startMs: Build.T0_MS, speed };
    const runtime = await launch({ clock, tickEveryMs: 1_000 * speed });
    await expect
      .poll(() => flagOf(runtime, HOT_2), { timeout: 5_000 })
      .toMatchObject({ enabled: true });
    for (let look = 0; look < 12; look += 1) {
      await sleep(50);
      expect(await flagOf(runtime, HOT_2)).toMatchObject({ enabled: true });
    }
    await runtime.stop();
  });
});
