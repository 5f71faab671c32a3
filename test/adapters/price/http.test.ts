import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import {
  createHttpPriceReader,
  PriceSettingsError,
  parsePriceSettings,
} from '../../../lib/adapters/price/http.ts';
import { hostTimers } from '../../../lib/client/time.ts';
import type * as Price from '../../../lib/domain/price.ts';

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A provider on loopback. `asked` notes what it was asked. */
async function provider(answer: {
  readonly body?: string;
  readonly status?: number;
  readonly hangs?: boolean;
}) {
  const asked: { url: string; key: string | undefined }[] = [];
  const server = createServer((request, response) => {
    asked.push({ url: request.url ?? '', key: request.headers['x-key']?.toString() });
    if (answer.hangs) return;
    response.writeHead(answer.status ?? 200).end(answer.body ?? '{}');
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple/price`;
  return { asked, provider: async () => ({ url, headers: { 'x-key': 'secret' } }) };
}

function reader(from: {
  readonly provider: () => Promise<{ url: string; headers: { [name: string]: string } }>;
}) {
  return createHttpPriceReader({ fetch, timers: hostTimers, timeoutMs: 500, ...from });
}

const ETHEREUM: Price.Feed = { kind: 'http', id: 'ethereum' };
const USDC: Price.Feed = { kind: 'http', id: 'usd-coin' };
const CHAINLINK: Price.Feed = { kind: 'chainlink', chain: 'eip155:1', address: '0x' };

describe('createHttpPriceReader', () => {
  test('default: prices as they stand there, with the time of the provider', async () => {
    const body =
      '{"ethereum":{"usd":3456.789012345678901,"last_updated_at":1700000000},"usd-coin":{"usd":9.99e-1,"last_updated_at":1700000001}}';
    const from = await provider({ body });
    expect(await reader(from).read([ETHEREUM, CHAINLINK, USDC])).toEqual([
      {
        kind: 'quote',
        feed: ETHEREUM,
        pricePicoUsd: 3_456_789_012_345_679n,
        atMs: 1_700_000_000_000,
      },
      { kind: 'quote', feed: USDC, pricePicoUsd: 999_000_000_000n, atMs: 1_700_000_001_000 },
    ]);
    expect(from.asked).toEqual([
      {
        url: '/simple/price?ids=ethereum%2Cusd-coin&vs_currencies=usd&include_last_updated_at=true&precision=full',
        key: 'secret',
      },
    ]);
  });

  test.each([
    ['an id that is missing', '{}', 'the provider knows no such id'],
    [
      'a price that is null',
      '{"ethereum":{"usd":null,"last_updated_at":1}}',
      'the provider gave no price with its time',
    ],
    [
      'a price without its time',
      '{"ethereum":{"usd":1}}',
      'the provider gave no price with its time',
    ],
    [
      'a negative price',
      '{"ethereum":{"usd":-1,"last_updated_at":1}}',
      'the provider gave no price that can be read',
    ],
    [
      'a time that is none',
      '{"ethereum":{"usd":1,"last_updated_at":1.5}}',
      'the provider gave no time that can be read',
    ],
  ])('error: H55 %s spoils no other', async (_name, body, why) => {
    const whole = body.replace(
      /\}$/,
      `${body === '{}' ? '' : ','}"usd-coin":{"usd":1,"last_updated_at":1}}`,
    );
    const [first, second] = await reader(await provider({ body: whole })).read([ETHEREUM, USDC]);
    expect(first).toEqual({ kind: 'failed', feed: ETHEREUM, why });
    expect(second?.kind).toBe('quote');
  });

  test.each([
    ['a status', { status: 429 }, 'the provider gave status 429'],
    ['a list', { body: '[]' }, 'the provider gave an answer that is no map'],
    ['no JSON', { body: '<html>' }, 'the provider did not answer'],
    [
      'a flood',
      { body: `{"a":"${'x'.repeat(70_000)}"}` },
      'the provider gave an answer that is too long',
    ],
    ['silence', { hangs: true }, 'the provider did not answer'],
  ])('error: %s', async (_name, answer, why) => {
    const [reading] = await reader(await provider(answer)).read([ETHEREUM]);
    expect(reading).toEqual({ kind: 'failed', feed: ETHEREUM, why });
  });

  test('error: a provider that is neither encrypted nor here is never asked', async () => {
    const away = { provider: async () => ({ url: 'http://example.com/', headers: {} }) };
    expect((await reader(away).read([ETHEREUM]))[0]?.kind).toBe('failed');
  });

  test('args: no id asks nobody', async () => {
    const from = await provider({});
    expect(await reader(from).read([CHAINLINK])).toEqual([]);
    expect(from.asked).toEqual([]);
  });
});

describe('parsePriceSettings', () => {
  test('default', () => {
    const headers = { 'x-cg-pro-api-key': 'k' };
    const text = JSON.stringify({ url: 'https://example.com/simple/price', headers });
    expect(parsePriceSettings(text)).toEqual({ url: 'https://example.com/simple/price', headers });
  });

  test('error: another form', () => {
    expect(() => parsePriceSettings('{"uri":1}')).toThrow(PriceSettingsError);
  });
});
