import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as Build from '../support/builders.ts';
import {
  ask,
  enterFolder,
  flagOf,
  type Launched,
  launch,
  observation,
  post,
  report,
  send,
} from '../support/local-runtime.ts';
import { sum } from '../support/oracle.ts';

const KIB = 1_024;

let place: Awaited<ReturnType<typeof enterFolder>>;
let runtime: Launched;
beforeAll(async () => {
  place = await enterFolder();
  runtime = await launch();
  await runtime.tick();
});
afterAll(async () => {
  await runtime.stop();
  await place.leave();
});

/** Everything that was ever counted. */
async function counted(): Promise<bigint> {
  await runtime.idle();
  const { items } = await runtime.world.store.decisions.load({ rows: [], items: ['global'] });
  const slots = items.get('global')?.meter.steps.at(-1) ?? [];
  const left = slots.map((slot) => ({ ...slot, atMs: 0 }));
  return sum(left, { metric: 'count', fromMs: 0, toMs: 0 });
}

/** A request with headers that `fetch` does not let through. */
function raw(headers: Readonly<Record<string, string>>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(`${runtime.url}/commands`, { method: 'POST', headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject);
    sent.end(
      JSON.stringify({ command: 'pause', commandId: 'foreign-1', scope: 'global', reason: 'x' }),
    );
  });
}

const malformed: readonly (readonly [string, unknown, RegExp])[] = [
  ['no JSON', '{"detail-type":', /the body is not JSON/],
  ['nothing', '', /the body is not JSON/],
  ['null', 'null', /event 0: must be of type object/],
  ['a text', '"withdrawal.reported"', /event 0: must be of type object/],
  ['no detail-type', { detail: {} }, /event 0: detail-type: is missing/],
  ['an unknown detail-type', { ...report('m'), 'detail-type': 'w' }, /detail-type: must be one of/],
  ['an empty source', { ...report('m'), source: '' }, /event 0: source: must not be empty/],
  ['no detail', { 'detail-type': 'withdrawal.reported' }, /event 0: detail: is missing/],
  ['a detail that is a list', { ...report('m'), detail: [] }, /event 0: detail/],
  ['no id', report('m', { withdrawalId: undefined }), /detail\.withdrawalId: /],
  ['an empty id', report(''), /detail\.withdrawalId: /],
  ['a control character', report('a\u0000b'), /detail\.withdrawalId: must have no control/],
  ['a negative amount', report('m', { amount: '-1' }), /detail\.amount: must be a decimal string/],
  ['a fraction', report('m', { amount: '1.5' }), /detail\.amount: must be a decimal string/],
  ['an exponent', report('m', { amount: '1e18' }), /detail\.amount: must be a decimal string/],
  ['a number', report('m', { amount: 1 }), /detail\.amount: /],
  ['2^256', report('m', { amount: (2n ** 256n).toString() }), /detail\.amount: is above/],
  ['a bare address', report('m', { wallet: `0x${'1'.repeat(40)}` }), /detail\.wallet: /],
  ['no wallet', report('m', { wallet: undefined }), /detail\.wallet: /],
  ['another chain', report('m', { asset: Build.WRAPPED_ETH }), /detail\.asset: is on eip155:56/],
  ['an unknown field', report('m', { amout: '1' }), /detail: .*amout/],
  ['no place', observation('0xm', { place: 'somewhere' }), /detail\.place: must be "top"/],
  ['no time', { 'detail-type': 'heartbeat', detail: { sentAt: 'now' } }, /detail\.sentAt: /],
];

describe('POST /events', () => {
  test.each(malformed)('error: %s is refused with field and reason', async (_, body, reason) => {
    const before = await counted();
    const answer = await post(runtime, '/events', body);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body).replaceAll('\\"', '"')).toMatch(reason);
    expect(await counted()).toBe(before);
  });

  test('error: one bad event of many takes none of them', async () => {
    const before = await counted();
    const events = [report('array-1'), report('array-2', { amount: '-1' }), report('array-3')];
    expect(await post(runtime, '/events', events)).toEqual({
      status: 400,
      body: {
        error: 'nothing was taken',
        problems: [expect.stringMatching(/^event 1: detail\.amount: must be a decimal string/)],
      },
    });
    expect(await counted()).toBe(before);
  });

  test('error: more than a thousand', async () => {
    const events = Array.from({ length: 1_001 }, () => ({ 'detail-type': '', detail: 0 }));
    const problems = ['events: at most 1000 in one request'];
    expect(await post(runtime, '/events', events)).toEqual({
      status: 400,
      body: { error: 'nothing was taken', problems },
    });
  });

  test('error: an answer names a hundred problems at most', async () => {
    const events = Array.from({ length: 500 }, () => ({ 'detail-type': '', detail: 0 }));
    const { body } = await post(runtime, '/events', events);
    expect((body as { problems: unknown[] }).problems).toHaveLength(100);
  });

  test('error: a body above 256 KiB', async () => {
    const before = await counted();
    const answer = await post(runtime, '/events', [report('x'.repeat(300 * KIB))]);
    expect(answer).toMatchObject({ status: 413, body: { error: /send it in parts/ } });
    expect(await counted()).toBe(before);
  });

  test('default', async () => {
    const before = await counted();
    expect(await post(runtime, '/events', report('one'))).toEqual({
      status: 202,
      body: { accepted: 1 },
    });
    const two = [report('two'), { ...report('three'), source: 'treasury' }];
    expect(await post(runtime, '/events', two)).toMatchObject({ body: { accepted: 2 } });
    expect(await post(runtime, '/events', [])).toMatchObject({ body: { accepted: 0 } });
    expect(await counted()).toBe(before + 3n);
  });

  test.each([
    ['wallet', report('unknown-wallet', { wallet: Build.STRANGER }), `wallet:${Build.STRANGER}`],
    [
      'asset',
      report('unknown-asset', { wallet: Build.HOT_3, asset: Build.UNLISTED }),
      'wallet:hot-3',
    ],
    [
      'chain',
      report('unknown-chain', {
        wallet: `eip155:137:0x${'4'.repeat(40)}`,
        asset: 'eip155:137/slip44:966',
        destination: `eip155:137:0x${'c'.repeat(40)}`,
      }),
      `wallet:eip155:137:0x${'4'.repeat(40)}`,
    ],
  ])(
    'behavior: an unknown %s is recorded and meets its default (H40)',
    async (what, event, scope) => {
      const before = await counted();
      await send(runtime, event);
      expect(await counted()).toBe(before + 1n);
      const rowId = `withdrawal:${event.detail.withdrawalId}`;
      const { rows } = await runtime.world.store.decisions.load({ rows: [rowId], items: [] });
      expect(rows.get(rowId)).toMatchObject({ state: 'reported' });
      const incidents = await runtime.world.store.incidents.list(100);
      const opened = incidents.find((incident) => incident.scope === scope);
      expect(opened).toMatchObject({ state: 'open', first: { kind: 'unknown', rowId } });
      const later = await runtime.world.store.incidents.causes(opened?.incidentId ?? '');
      const texts = [opened?.first, ...later].map((cause) => cause?.text);
      expect(texts).toContainEqual(expect.stringContaining(`does not know ${what}`));
      const { wallet, asset } = event.detail as unknown as Record<string, string>;
      expect(await flagOf(runtime, { wallet: `${wallet}`, asset: `${asset}` })).toMatchObject({
        enabled: false,
      });
    },
  );
});

describe('POST /commands', () => {
  test.each([
    ['no JSON', '{', /is not JSON/],
    ['an unknown command', { command: 'open' }, /command: /],
    ['no reason', { command: 'pause', commandId: 'bad-00001', scope: 'global' }, /reason: /],
    [
      'a short id',
      { command: 'pause', commandId: '1', scope: 'global', reason: 'x' },
      /commandId: /,
    ],
    [
      'an unknown scope',
      { command: 'pause', commandId: 'bad-00002', scope: 'planet:1', reason: 'x' },
      /is not a scope/,
    ],
    [
      'a policy that is none',
      { command: 'policy.apply', commandId: 'bad-00003', source: 'a: 1' },
      /./,
    ],
  ])('error: %s is refused with the reason, and does nothing', async (_, body, reason) => {
    const answer = await post(runtime, '/commands', body);
    expect(answer).toMatchObject({ status: 400, body: { error: expect.stringMatching(reason) } });
    const status = await ask(runtime, { command: 'status' });
    expect(status.body).toMatchObject({ policy: { version: 1 } });
    expect(JSON.stringify(status.body)).not.toContain('"scope":"global"');
  });

  test('error: an incident that is not there', async () => {
    const resume = {
      command: 'resume',
      commandId: 'bad-00004',
      incidentId: 'AAAAAAAA',
      reason: 'x',
    };
    expect(await ask(runtime, resume)).toEqual({
      status: 409,
      body: { kind: 'refused', why: 'there is no incident AAAAAAAA' },
    });
  });
});

describe('GET /flag', () => {
  test.each([
    ['no wallet', {}],
    ['an unknown wallet', { wallet: 'cold-1' }],
    ['a wallet on two chains without a chain', { wallet: 'hot-1' }],
    ['an unreadable chain', { wallet: 'hot-1', chain: '1' }],
    ['a chain that the wallet is not on', { wallet: 'hot-2', chain: Build.OTHER_CHAIN }],
    ['an unreadable asset', { wallet: 'hot-2', asset: 'ETH' }],
    ['an unknown asset', { wallet: 'hot-2', asset: Build.UNLISTED }],
  ])('behavior: %s is not enabled (H32)', async (_, question) => {
    const flag = await flagOf(runtime, question);
    expect(flag.enabled).toBe(false);
    expect(flag.text.length).toBeGreaterThan(10);
  });

  test('default', async () => {
    await runtime.tick();
    expect(await flagOf(runtime, { wallet: 'hot-2' })).toMatchObject({ enabled: true });
    expect(await flagOf(runtime, { wallet: Build.HOT_2 })).toMatchObject({ enabled: true });
  });
});

describe('other requests', () => {
  test.each([
    ['GET', '/', 404],
    ['GET', '/events/1', 404],
    ['POST', '/flags', 404],
    ['GET', '/events', 405],
    ['DELETE', '/commands', 405],
    ['POST', '/flag', 405],
    ['GET', '/health', 200],
  ])('args: %s %s is answered %i', async (method, path, status) => {
    expect((await fetch(`${runtime.url}${path}`, { method })).status).toBe(status);
  });

  test.each([
    ['host', { host: 'breakwater.example:4780' }],
    ['host with the right port', { host: `evil.example:${4780}` }],
    ['origin', { origin: 'https://evil.example' }],
    ['opaque origin', { origin: 'null' }],
  ])('error: a foreign %s is refused', async (_, headers) => {
    expect(await raw(headers)).toBe(403);
    const { rows } = await runtime.world.store.decisions.load({
      rows: ['command:foreign-1'],
      items: [],
    });
    expect(rows.size).toBe(0);
  });

  test('behavior: nothing of all this is an error of the runtime', () => {
    expect(runtime.errors.filter(({ message }) => message !== 'event rejected')).toEqual([]);
  });
});
