import { createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as Build from '../support/builders.ts';
import {
  enterFolder,
  flagOf,
  type Launched,
  launch,
  post,
  report,
  send,
} from '../support/local-runtime.ts';

const KEY = 'a-key-of-at-least-thirty-two-characters';

let place: Awaited<ReturnType<typeof enterFolder>>;
let runtime: Launched;
beforeAll(async () => {
  place = await enterFolder();
  const webhookSecrets = join(place.path, 'webhooks.json');
  await writeFile(webhookSecrets, JSON.stringify({ generic: { keys: [KEY] } }));
  runtime = await launch({ webhookSecrets });
  await runtime.tick();
  await runtime.idle();
  await runtime.tick();
});
afterAll(async () => {
  await runtime.stop();
  await place.leave();
});

function outflow(transaction: string, more: Readonly<Record<string, unknown>> = {}) {
  const transfer = { wallet: Build.HOT_1, asset: Build.USDC, destination: Build.CUSTOMER };
  return { kind: 'transfer', transaction, place: 'log:0', ...transfer, amount: '1000000', ...more };
}

async function deliver(body: unknown, key = KEY): Promise<{ status: number; body: unknown }> {
  const text = JSON.stringify(body);
  const timestamp = String(Math.floor(runtime.clock.nowMs() / 1_000));
  const signature = createHmac('sha256', key).update(`${timestamp}.${text}`).digest('hex');
  const answer = await fetch(`${runtime.url}/webhooks/generic`, {
    method: 'POST',
    body: text,
    headers: { 'x-breakwater-timestamp': timestamp, 'x-breakwater-signature': signature },
  });
  await runtime.idle();
  return { status: answer.status, body: await answer.json() };
}

async function isEnabled(): Promise<boolean> {
  return (await flagOf(runtime, { wallet: Build.HOT_1 })).enabled;
}

describe('POST /webhooks/:provider', () => {
  test('default: an approved withdrawal that a webhook saw leaving passes, as often as it is delivered (H14)', async () => {
    await send(runtime, report('w-webhook-1'));
    const body = { outflows: [outflow('0x01', { withdrawalId: 'w-webhook-1' })] };
    for (let round = 0; round < 3; round += 1) {
      expect(await deliver(body)).toMatchObject({ status: 200, body: { taken: 1 } });
    }
    expect(await isEnabled()).toBe(true);
  });

  test('behavior: forged and malformed deliveries stop nobody', async () => {
    expect(await deliver({ outflows: [outflow('0x02')] }, 'x'.repeat(40))).toMatchObject({
      status: 401,
    });
    expect(await deliver({ outflows: [{}] })).toMatchObject({ status: 400 });
    expect(await post(runtime, '/webhooks/alchemy', {})).toMatchObject({ status: 404 });
    await runtime.tick();
    await runtime.idle();
    expect(await isEnabled()).toBe(true);
  });

  test('behavior: one that nobody approved trips at its first sight (H62)', async () => {
    expect(await deliver({ outflows: [outflow('0x03', { amount: '1' })] })).toMatchObject({
      status: 200,
    });
    expect(await isEnabled()).toBe(false);
  });
});
