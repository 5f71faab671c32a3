import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createAdmissionVerifier } from '../../lib/client/admission.ts';
import { createFlagClient } from '../../lib/client/flag-client.ts';
import { requestJson, trustedUrl } from '../../lib/client/http.ts';
import { createReserveClient } from '../../lib/client/reserve-client.ts';
import { CUSTOMER, EXPECTED, HOT, issuer, NOW_MS } from './tokens.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A real server on loopback. */
async function serve(respond: (path: string, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => respond(request.url ?? '', response));
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('trustedUrl', () => {
  test.each([
    'https://breakwater.example/flag',
    'http://localhost:4700/flag',
    'http://127.0.0.1/',
    'http://[::1]:4700/',
  ])('default: %s', (url) => {
    expect(trustedUrl(url).href).toBe(url);
  });

  test.each([
    'http://breakwater.example/flag',
    'http://localhost.example/',
    'http://127.0.0.1.example/',
    'http://localhost@thief.example/',
    'ftp://localhost/',
    'localhost:4700',
    '',
  ])('error: %s', (url) => {
    expect(() => trustedUrl(url)).toThrow('must begin with https://');
  });
});

describe('requestJson', () => {
  test('default', async () => {
    const base = await serve((_path, response) => response.end('{"text":"ü"}'));
    expect(await requestJson(fetch, base, {})).toEqual({ status: 200, value: { text: 'ü' } });
  });

  test('behavior: an error needs no JSON', async () => {
    const base = await serve((_path, response) => response.writeHead(502).end('<html>'));
    expect(await requestJson(fetch, base, {})).toEqual({ status: 502, value: undefined });
  });

  test('error: a redirect is not followed', async () => {
    const base = await serve((path, response) =>
      path === '/' ? response.writeHead(302, { location: '/other' }).end() : response.end('{}'),
    );
    await expect(requestJson(fetch, base, {})).rejects.toThrow();
  });

  test('error: an answer without end is cut off', async () => {
    const base = await serve((_path, response) => {
      const write = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', write);
      write();
    });
    await expect(requestJson(fetch, base, {})).rejects.toThrow('longer than 1048576 bytes');
  });
});

describe('over a real server, with the real clock and timers', () => {
  test('default', async () => {
    const key = await issuer();
    const token = await key.sign();
    const flag = {
      enabled: true,
      reason: 'enabled',
      text: 'yes',
      inForceUntilMs: Date.now() + 9e4,
    };
    const verdict = { withdrawalId: 'w-1', verdict: 'allow', admission: token, expiresAt: '' };
    const answers: Record<string, unknown> = {
      '/jwks': { keys: [key.jwk] },
      '/flag?wallet=eth-hot-1': flag,
      '/reserve': { verdicts: [verdict] },
    };
    const base = await serve((path, response) => response.end(JSON.stringify(answers[path])));

    const flags = createFlagClient({ url: `${base}/flag`, contexts: [{ wallet: 'eth-hot-1' }] });
    expect(await flags.check({ wallet: 'eth-hot-1' })).toEqual(flag);
    await flags.refresh();
    expect(flags.cached({ wallet: 'eth-hot-1' })).toEqual(flag);
    flags.close();

    const reserve = createReserveClient({ url: `${base}/reserve` });
    const asset = 'eip155:1/slip44:60';
    const asked = { withdrawalId: 'w-1', wallet: HOT, asset, destination: CUSTOMER, amount: 1n };
    expect(await reserve.reserve(asked)).toEqual(verdict);
    await reserve.close();

    const verifier = createAdmissionVerifier({
      jwksUrl: `${base}/jwks`,
      audience: 'signer-1',
      clock: { nowMs: () => NOW_MS },
    });
    expect(await verifier.verify(token, EXPECTED)).toMatchObject({ ok: true });
  });

  test('error: nobody listens', async () => {
    const base = await serve(() => {});
    servers.pop()?.close();
    const client = createReserveClient({ url: base, timeoutMs: 500 });
    const asset = 'eip155:1/slip44:60';
    const asked = { withdrawalId: 'w-1', wallet: HOT, asset, destination: CUSTOMER, amount: 1n };
    expect(await client.reserve(asked)).toMatchObject({ verdict: 'block', reason: 'unavailable' });
    expect(await createFlagClient({ url: base }).check({ wallet: 'a' })).toMatchObject({
      enabled: false,
      reason: 'unreachable',
    });
  });
});
