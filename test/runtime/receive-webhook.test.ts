import { describe, expect, test } from 'vitest';
import { cachedSecrets } from '../../lib/adapters/cached-secrets.ts';
import { fixedKeys } from '../../lib/adapters/webhook/fireblocks-signature.ts';
import type { Receipts } from '../../lib/adapters/webhook/receipts.ts';
import { localContext } from '../../lib/local/context.ts';
import type { Secret } from '../../lib/ports.ts';
import { receiveWebhook, type WebhookEvent } from '../../lib/runtime/receive-webhook.ts';
import {
  addressActivity,
  detached,
  FIREBLOCKS_SETTINGS,
  fireblocksSigner,
  HASH,
  hmac,
  node,
  notification,
  receipt,
  tokenActivity,
  transaction,
} from '../adapters/webhook/deliveries.ts';
import { readyWorld, type TestWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';

const ALCHEMY_KEY = 'whsec_0123456789abcdef';
const GENERIC_KEY = 'a-key-of-at-least-thirty-two-characters';
const NEXT_KEY = 'another-key-of-at-least-32-characters';
const signer = fireblocksSigner();
const COUNTED = { 'eip155:1': { native: Build.ETH, rpcUrl: 'https://node.example/key' } };
const TRANSFER = {
  kind: 'transfer',
  transaction: 'tx-1',
  wallet: 'stellar:pubnet:GHOT',
  asset: 'stellar:pubnet/slip44:148',
  destination: 'stellar:pubnet:GCUSTOMER',
  memo: '10442',
  amount: '10000000',
};

type Setup = {
  readonly made: TestWorld;
  readonly secrets: Record<string, Secret>;
  readonly call: (event: Partial<WebhookEvent>) => Promise<{ status: number; body: unknown }>;
};

async function setup(
  more: {
    readonly receipts?: Receipts;
    readonly replace?: Parameters<typeof readyWorld>[1];
    readonly names?: Readonly<Record<string, string>>;
  } = {},
): Promise<Setup> {
  const made = await readyWorld(Build.policy(), more.replace);
  const secrets: Record<string, Secret> = {
    'secret/alchemy': {
      current: JSON.stringify({ signingKeys: [ALCHEMY_KEY], counted: COUNTED }),
    },
    'secret/fireblocks': { current: JSON.stringify(FIREBLOCKS_SETTINGS) },
    'secret/generic': { current: JSON.stringify({ keys: [GENERIC_KEY] }) },
  };
  const read = async (name: string) => {
    const secret = secrets[name];
    if (!secret) throw new Error('no such secret');
    return secret;
  };
  const handler = receiveWebhook(made.world, {
    secrets: cachedSecrets(read, { clock: made.world.clock }),
    secretNames: more.names ?? {
      alchemy: 'secret/alchemy',
      fireblocks: 'secret/fireblocks',
      generic: 'secret/generic',
    },
    sender: made.world.events,
    receipts: more.receipts ?? node({ [HASH]: receipt() }),
    fireblocksKeys: fixedKeys(signer.jwks),
  });
  const call = async (event: Partial<WebhookEvent>) => {
    const whole = { rawPath: '/generic', requestContext: { http: { method: 'POST' } }, ...event };
    const answer = await handler(whole, localContext('receive-webhook', 20_000));
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store' });
    return { status: answer.statusCode ?? 0, body: JSON.parse(answer.body ?? '') };
  };
  return { made, secrets, call };
}

function fromAlchemy(body: unknown, key = ALCHEMY_KEY): Partial<WebhookEvent> {
  const text = JSON.stringify(body);
  const headers = { 'x-alchemy-signature': hmac(key, text) };
  return { rawPath: '/alchemy', headers, body: text };
}

function fromFireblocks(body: unknown): Partial<WebhookEvent> {
  const text = JSON.stringify(body);
  const headers = { 'fireblocks-webhook-signature': detached(signer, text) };
  return { rawPath: '/fireblocks', headers, body: text };
}

function fromReporter(
  body: unknown,
  at: { readonly nowMs?: number; readonly key?: string } = {},
): Partial<WebhookEvent> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const timestamp = String(Math.floor((at.nowMs ?? Build.T0_MS) / 1_000));
  const signature = hmac(at.key ?? GENERIC_KEY, `${timestamp}.${text}`);
  return {
    headers: { 'X-Breakwater-Timestamp': timestamp, 'X-Breakwater-Signature': signature },
    body: text,
  };
}

describe('receiveWebhook', () => {
  test('default: each provider, on the bus as any producer would put it', async () => {
    const { made, call } = await setup();
    const deliveries = [
      fromAlchemy(addressActivity([tokenActivity()])),
      fromFireblocks(notification(transaction())),
      fromReporter({ outflows: [TRANSFER] }),
    ];
    for (const one of deliveries) {
      expect(await call(one)).toEqual({ status: 200, body: { taken: 1, left: 0 } });
    }
    expect(made.sent.map(({ detailType }) => detailType)).toEqual(
      Array(3).fill('outflow.observed'),
    );
    expect(made.sent[0]?.detail).toMatchObject({ transaction: HASH, place: 'log:2' });
    expect(made.sent[1]?.detail).toMatchObject({ withdrawalId: 'w-77', memo: '77001' });
    expect(made.sent[2]?.detail).toMatchObject({ memo: '10442', place: 'top' });
    expect(made.rejected).toEqual([]);
  });

  test('behavior: a body in base64, as a function URL hands over bytes', async () => {
    const { made, call } = await setup();
    const one = fromReporter({ outflows: [TRANSFER] });
    const body = Buffer.from(one.body ?? '').toString('base64');
    expect(await call({ ...one, body, isBase64Encoded: true })).toMatchObject({ status: 200 });
    expect(made.sent).toHaveLength(1);
  });

  test('behavior: forged: 401 and nothing else, told once a minute and cut short', async () => {
    const { made, call } = await setup();
    const forged = [
      fromAlchemy(addressActivity([tokenActivity()]), 'whsec_of-somebody-else'),
      { ...fromFireblocks(notification(transaction())), headers: {} },
      { rawPath: '/generic', body: 'x'.repeat(100_000) },
    ];
    for (const one of [...forged, ...forged]) {
      expect(await call(one)).toEqual({ status: 401, body: { error: 'not signed' } });
    }
    expect(made.sent).toEqual([]);
    expect(made.rejected).toMatchObject([
      { reason: 'webhook alchemy: it is not signed by a key that is known' },
    ]);
    made.clock.nowMs += 60_000;
    await call(forged[2] ?? {});
    expect(made.rejected[1]?.body).toHaveLength(2_000);
    expect(made.lines.filter(({ message }) => message === 'webhook refused')).toHaveLength(7);
  });

  test('behavior: altered on its way', async () => {
    const { made, call } = await setup();
    const one = fromReporter({ outflows: [TRANSFER] });
    const altered = { ...one, body: one.body?.replace('10000000', '10000001') };
    expect(await call(altered as Partial<WebhookEvent>)).toMatchObject({ status: 401 });
    expect(made.sent).toEqual([]);
  });

  test('behavior: replayed: outside the window refused, inside it the same id, which counts once (H14)', async () => {
    const { made, call } = await setup();
    const one = fromReporter({ outflows: [TRANSFER] });
    await call(one);
    await call(one);
    expect(made.sent[1]).toEqual(made.sent[0]);
    made.clock.nowMs += 300_001 + 1_000;
    expect(await call(one)).toMatchObject({ status: 401 });
    expect(made.sent).toHaveLength(2);
  });

  test("behavior: signed by Fireblocks for somebody else's workspace is forged", async () => {
    const { made, call } = await setup();
    const other = fromFireblocks(notification(transaction(), { workspaceId: 'other' }));
    expect(await call(other)).toEqual({ status: 401, body: { error: 'not signed' } });
    expect(made.sent).toEqual([]);
  });

  test('behavior: oversized: 413, each provider with its own bound', async () => {
    const { made, call } = await setup();
    const long = (bytes: number) => 'x'.repeat(bytes);
    for (const [rawPath, max] of [
      ['/generic', 262_144],
      ['/fireblocks', 262_144],
      ['/alchemy', 1_048_576],
    ] as const) {
      expect(await call({ rawPath, body: long(max + 1) })).toMatchObject({ status: 413 });
      expect(await call({ rawPath, body: long(max) })).toMatchObject({ status: 401 });
    }
    expect(made.rejected).toHaveLength(1);
  });

  test('behavior: rotation: the new key at once, the old one while Secrets Manager gives it', async () => {
    const { made, secrets, call } = await setup();
    expect(await call(fromReporter({ outflows: [TRANSFER] }))).toMatchObject({ status: 200 });
    secrets['secret/generic'] = {
      current: JSON.stringify({ keys: [NEXT_KEY] }),
      previous: JSON.stringify({ keys: [GENERIC_KEY] }),
    };
    made.clock.nowMs += 30_000;
    const { nowMs } = made.clock;
    const next = fromReporter({ outflows: [TRANSFER] }, { nowMs, key: NEXT_KEY });
    const old = fromReporter({ outflows: [TRANSFER] }, { nowMs });
    expect(await call(next)).toMatchObject({ status: 200 });
    expect(await call(old)).toMatchObject({ status: 200 });
    secrets['secret/generic'] = { current: JSON.stringify({ keys: [NEXT_KEY] }) };
    made.clock.nowMs += 300_000;
    const late = fromReporter({ outflows: [TRANSFER] }, { nowMs: made.clock.nowMs });
    expect(await call(late)).toMatchObject({ status: 401 });
  });

  test('behavior: the settings of a replaced secret are not used, and one that cannot be read is no key', async () => {
    const { secrets, call } = await setup();
    secrets['secret/generic'] = {
      current: JSON.stringify({ keys: [GENERIC_KEY] }),
      previous: 'not JSON',
    };
    expect(await call(fromReporter({ outflows: [TRANSFER] }))).toMatchObject({ status: 200 });
  });

  test('behavior: no lease, meter or row is touched by what is refused', async () => {
    const { made, call } = await setup();
    const before = made.committed.length;
    const leases = await made.world.store.health.leases();
    await call(fromReporter('{"outflows":5}'));
    await call({ rawPath: '/alchemy', body: 'forged' });
    expect(made.committed).toHaveLength(before);
    expect(await made.world.store.health.leases()).toEqual(leases);
    expect(await made.world.store.health.stuckAtMs()).toBeUndefined();
  });

  test('error: signed and malformed: 400 with field and reason, put aside whole', async () => {
    const { made, call } = await setup();
    const one = fromReporter({ outflows: [{ ...TRANSFER, amount: 5 }] });
    expect(await call(one)).toEqual({
      status: 400,
      body: {
        error: 'nothing was taken',
        problems: ['outflows.0.amount: must be of type string, not number'],
      },
    });
    expect(made.rejected).toEqual([
      {
        reason: 'webhook generic: outflows.0.amount: must be of type string, not number',
        body: one.body,
      },
    ]);
    expect(made.sent).toEqual([]);
  });

  test('error: one bad leg refuses the whole delivery: nothing is half taken', async () => {
    const { made, call } = await setup();
    const one = fromReporter({ outflows: [TRANSFER, { ...TRANSFER, place: 'log:07' }] });
    expect(await call(one)).toMatchObject({ status: 422 });
    expect(made.sent).toEqual([]);
    expect(made.rejected).toHaveLength(1);
  });

  test('error: a vault account that nobody mapped: 422, put aside', async () => {
    const { made, call } = await setup();
    const source = { type: 'VAULT_ACCOUNT', id: '4' };
    const { status, body } = await call(fromFireblocks(notification(transaction({ source }))));
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain('vault account \\"4\\"');
    expect(made.rejected).toHaveLength(1);
  });

  test('error: what the node does not know yet is asked for once more, then 503 and put aside', async () => {
    const known: Record<string, ReturnType<typeof receipt>> = {};
    const receipts = node(known);
    const { made, call } = await setup({ receipts });
    const one = fromAlchemy(addressActivity([tokenActivity()]));
    expect(await call(one)).toMatchObject({ status: 503 });
    expect(receipts.asked).toEqual([HASH, HASH]);
    expect(made.rejected).toHaveLength(1);
    known[HASH] = receipt();
    expect(await call(one)).toMatchObject({ status: 200 });
    expect(made.sent).toHaveLength(1);
  });

  test('error: the bus does not take it: 503, the provider sends again', async () => {
    let fails = true;
    const { made, call } = await setup({
      replace: ({ events }) => ({
        events: {
          send: async (event) => {
            if (fails) throw new Error('throttled');
            await events.send(event);
          },
        },
      }),
    });
    const one = fromReporter({ outflows: [TRANSFER] });
    expect(await call(one)).toMatchObject({ status: 503 });
    fails = false;
    expect(await call(one)).toMatchObject({ status: 200 });
    expect(made.sent).toHaveLength(1);
  });

  test('error: what cannot be put aside is not refused for good', async () => {
    const { call } = await setup({
      replace: () => ({
        rejects: {
          send: async () => {
            throw new Error('no queue');
          },
        },
      }),
    });
    expect(await call(fromReporter({ outflows: 5 }))).toMatchObject({ status: 503 });
    expect(await call({ body: 'forged' })).toMatchObject({ status: 401 });
  });

  test('error: a secret that is missing or wrong: 503, noted, without its text', async () => {
    const { made, secrets, call } = await setup();
    secrets['secret/generic'] = { current: '{"keys":["tooshort"]}' };
    expect(await call(fromReporter({ outflows: [TRANSFER] }))).toMatchObject({ status: 503 });
    delete secrets['secret/alchemy'];
    expect(await call(fromAlchemy(addressActivity([])))).toMatchObject({ status: 503 });
    expect(JSON.stringify([made.rejected, made.lines])).not.toContain('tooshort');
    expect(made.rejected).toHaveLength(1);
  });

  test('error: other paths and methods', async () => {
    const { made, call } = await setup({ names: { generic: 'secret/generic' } });
    const one = fromReporter({ outflows: [TRANSFER] });
    for (const rawPath of [
      '/',
      '/alchemy',
      '/fireblocks',
      '/generic/',
      '/Generic',
      '/constructor',
    ]) {
      expect(await call({ ...one, rawPath })).toMatchObject({ status: 404 });
    }
    const get = { ...one, requestContext: { http: { method: 'GET' } } };
    expect(await call(get)).toMatchObject({ status: 405 });
    expect(made.sent).toEqual([]);
    expect(made.rejected).toEqual([]);
  });
});
