import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createObserver } from '../../lib/runtime/observer.ts';
import { readyWorld } from '../support/action-world.ts';
import { ETH, MINUTE_MS, policy, T0_MS } from '../support/builders.ts';

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((done) => server.close(done));
});

const SOURCES = [
  { feed: { kind: 'http', id: 'ethereum' } as const, maxAgeMs: MINUTE_MS, keepMs: MINUTE_MS },
];
/** Waits for ever: here a provider that answers is always in time. */
const sleep = () => new Promise<void>(() => undefined);
const ASSETS = [{ pattern: ETH, symbol: 'ETH', decimals: 18, sources: SOURCES }];

async function provider() {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    const body = { ethereum: { usd: 2_000, last_updated_at: T0_MS / 1_000 } };
    response.end(JSON.stringify(body));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { provider: async () => ({ url, headers: {} }), asked: () => asked };
}

describe('createObserver', () => {
  test('default: once a minute, into the store', async () => {
    const made = await readyWorld(policy({ assets: ASSETS }), () => ({ sleep }));
    const from = await provider();
    const settings = async () => new Map();
    const observe = createObserver(made.world, { settings, provider: from.provider });
    await observe();
    made.clock.nowMs += 49_999;
    await observe();
    expect(from.asked()).toBe(1);
    const { value } = await made.world.store.prices.load();
    const quote = { pricePicoUsd: 2_000n * 10n ** 12n, atMs: T0_MS };
    expect(value.quotes).toEqual(new Map([['http ethereum', quote]]));
    made.clock.nowMs += 1;
    await observe();
    expect(from.asked()).toBe(2);
  });

  test('error: what fails is logged, and neither fails with the other', async () => {
    const made = await readyWorld(policy({ assets: ASSETS }), () => ({ sleep }));
    const from = await provider();
    const settings = async () => {
      throw new Error('no secret');
    };
    await createObserver(made.world, { settings, provider: from.provider })();
    expect(made.lines).toContainEqual({
      level: 'error',
      message: 'balances not read',
      fields: { reason: 'no secret' },
    });
    expect((await made.world.store.prices.load()).value.quotes.size).toBe(1);
  });
});
