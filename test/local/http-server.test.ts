import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type HttpRoute,
  type HttpServer,
  RequestError,
  startHttpServer,
} from '../../lib/local/http-server.ts';

let server: HttpServer;
let errors: unknown[];
const routes: readonly HttpRoute[] = [
  {
    method: 'GET',
    path: '/incidents/:id',
    handle: async ({ path, query }) => ({ status: 200, body: { ...path, q: query.get('q') } }),
  },
  { method: 'POST', path: '/events', handle: async (call) => ({ status: 202, body: call.json() }) },
  {
    method: 'PUT',
    path: '/events',
    handle: async () => {
      throw new RequestError({ status: 422, reason: 'amount: not a number' });
    },
  },
  { method: 'GET', path: '/text', handle: async () => ({ status: 200, body: 'plain' }) },
  { method: 'GET', path: '/broken', handle: () => Promise.reject(new Error('secret inside')) },
];

beforeEach(async () => {
  errors = [];
  server = await startHttpServer({ routes, onError: (error) => errors.push(error) });
});
afterEach(() => server.stop());

async function call(path: string, init: RequestInit = {}) {
  const response = await fetch(`${server.endpoint}${path}`, init);
  return { status: response.status, body: await response.json() };
}

/** With headers that `fetch` does not let one set. */
function callWith(headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: server.port, path: '/text', headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('startHttpServer', () => {
  test('default', async () => {
    expect(server.endpoint).toBe(`http://127.0.0.1:${server.port}`);
    expect(await call('/incidents/a%2Fb?q=1')).toEqual({
      status: 200,
      body: { id: 'a/b', q: '1' },
    });
    expect(await call('/events', { method: 'POST', body: '{"a":1}' })).toEqual({
      status: 202,
      body: { a: 1 },
    });
    const text = await fetch(`${server.endpoint}/text`);
    expect([text.headers.get('content-type'), await text.text()]).toEqual([
      'text/plain; charset=utf-8',
      'plain',
    ]);
  });

  test('error: no JSON', async () => {
    expect(await call('/events', { method: 'POST', body: '{"a":' })).toEqual({
      status: 400,
      body: { error: expect.stringContaining('the body is not JSON') },
    });
    expect(errors).toEqual([]);
  });

  test('error: what a handler refuses', async () => {
    expect(await call('/events', { method: 'PUT' })).toEqual({
      status: 422,
      body: { error: 'amount: not a number' },
    });
  });

  test('error: unknown path', async () => {
    expect(await call('/nowhere')).toEqual({
      status: 404,
      body: { error: 'there is nothing at /nowhere' },
    });
    expect((await call('/incidents/')).status).toBe(404);
  });

  test('error: other method', async () => {
    const response = await fetch(`${server.endpoint}/events`, { method: 'DELETE' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, PUT']);
  });

  test('error: a handler that throws tells the log, not the caller', async () => {
    const { status, body } = await call('/broken');
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(errors).toEqual([new Error('secret inside')]);
  });

  test('args: body at and above the maximum', async () => {
    const body = (bytes: number) => JSON.stringify(['x'.repeat(bytes - 4)]);
    const post = (bytes: number) => call('/events', { method: 'POST', body: body(bytes) });
    expect((await post(256 * 1024)).status).toBe(202);
    expect(await post(256 * 1024 + 1)).toEqual({
      status: 413,
      body: { error: expect.stringContaining('262145 bytes') },
    });
  });

  test.each([
    ['its address', { host: '127.0.0.1:1' }, 200],
    ['localhost', { host: 'localhost' }, 200],
    ['IPv6', { host: '[::1]:80' }, 200],
    ['a rebound name', { host: 'evil.example' }, 403],
    ['a name that looks like it', { host: '127.0.0.1.evil.example' }, 403],
    ['a page of elsewhere', { host: '127.0.0.1', origin: 'https://evil.example' }, 403],
    ['a page without origin', { host: '127.0.0.1', origin: 'null' }, 403],
    ['a page of here', { host: '127.0.0.1', origin: 'http://localhost:3000' }, 200],
  ])('behavior: request to %s', async (_, headers, status) => {
    expect(await callWith(headers)).toBe(status);
  });

  test('error: port taken', async () => {
    await expect(startHttpServer({ routes, port: server.port })).rejects.toThrow(
      /give another port/,
    );
  });

  test('behavior: stop lets a request under way end and closes what is idle', async () => {
    const entered = Promise.withResolvers<void>();
    const leave = Promise.withResolvers<void>();
    const slow = await startHttpServer({
      routes: [
        {
          method: 'GET',
          path: '/',
          handle: async () => {
            entered.resolve();
            await leave.promise;
            return { status: 200, body: 'done' };
          },
        },
      ],
    });
    const answer = fetch(slow.endpoint).then((response) => response.text());
    await entered.promise;
    const stopped = slow.stop();
    leave.resolve();
    expect(await answer).toBe('done');
    const startedAtMs = performance.now();
    await stopped;
    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
    await expect(fetch(slow.endpoint)).rejects.toThrow();
  });
});
