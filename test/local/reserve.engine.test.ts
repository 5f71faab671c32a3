/** Reservations as a withdrawal service and a signer see them, over HTTP. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdmissionVerifier } from '../../lib/client/admission.ts';
import { createReserveClient } from '../../lib/client/reserve-client.ts';
import * as Build from '../support/builders.ts';
import { ask, enterFolder, type Launched, launch, post } from '../support/local-runtime.ts';

let place: Awaited<ReturnType<typeof enterFolder>>;
let runtime: Launched;
beforeAll(async () => {
  place = await enterFolder();
  runtime = await launch({ folder: `${place.path}/state`, tickEveryMs: 1_000 });
  await runtime.tick();
});
afterAll(async () => {
  await runtime.stop();
  await place.leave();
});

function withdrawal(withdrawalId: string, overrides: Readonly<Record<string, string>> = {}) {
  const transfer = { wallet: Build.HOT_1, asset: Build.USDC, destination: Build.CUSTOMER };
  return { withdrawalId, ...transfer, amount: '1000000', ...overrides };
}

function verifier() {
  const jwksUrl = `${runtime.url}/jwks`;
  return createAdmissionVerifier({ jwksUrl, audience: 'signer', issuer: 'breakwater' });
}

describe('POST /reserve', () => {
  test('default: through the client of the service to the verifier of the signer', async () => {
    const client = createReserveClient({ url: `${runtime.url}/reserve` });
    const many = Array.from({ length: 40 }, (_, number) => withdrawal(`many-${number}`));
    const verdicts = await Promise.all(many.map((each) => client.reserve(each)));
    await client.close();
    const signer = verifier();
    for (const [position, verdict] of verdicts.entries()) {
      const expected = many[position];
      if (verdict.verdict !== 'allow' || !expected) throw new Error(JSON.stringify(verdict));
      expect(await signer.verify(verdict.admission, expected)).toMatchObject({ ok: true });
    }
  });

  test('behavior: a trip stops it at once', async () => {
    const request = { withdrawals: [withdrawal('after-pause', { wallet: Build.HOT_3 })] };
    const pause = { command: 'pause', commandId: 'reserve-pause', scope: 'wallet:hot-3' };
    const { body } = await ask(runtime, { ...pause, reason: 'drill' });
    const { incidentId } = body as { incidentId: string };
    expect(await post(runtime, '/reserve', request)).toMatchObject({
      status: 200,
      body: { verdicts: [{ verdict: 'block', reason: 'paused', incidentId }] },
    });
  });

  test('error: 400 with field and reason', async () => {
    expect(await post(runtime, '/reserve', { withdrawals: [withdrawal('')] })).toMatchObject({
      status: 400,
      body: { problems: [expect.stringMatching(/^withdrawals\.0\.withdrawalId: /)] },
    });
    expect((await post(runtime, '/reserve', '{')).status).toBe(400);
    expect((await post(runtime, '/reserve', 'x'.repeat(256 * 1_024 + 1))).status).toBe(413);
  });
});

describe('POST /outcomes', () => {
  test('default: what it says of a reservation is answered at once', async () => {
    await post(runtime, '/reserve', { withdrawals: [withdrawal('outcome')] });
    const settled = { 'detail-type': 'withdrawal.settled', detail: { withdrawalId: 'outcome' } };
    const outcomes = [settled, settled];
    expect(await post(runtime, '/outcomes', { outcomes })).toEqual({
      status: 200,
      body: {
        results: [
          { withdrawalId: 'outcome', result: 'recorded', givenBack: '0' },
          { withdrawalId: 'outcome', result: 'duplicate' },
        ],
      },
    });
  });

  test('error: 400 with field and reason', async () => {
    expect(await post(runtime, '/outcomes', { outcomes: [{}] })).toMatchObject({ status: 400 });
  });
});

describe('GET /jwks', () => {
  test('default: the public key alone, the same after a restart', async () => {
    const answer = await fetch(`${runtime.url}/jwks`);
    expect(answer.headers.get('content-type')).toContain('application/json');
    const { keys } = (await answer.json()) as { keys: object[] };
    expect(keys.map((key) => Object.keys(key))).toEqual([
      ['kty', 'crv', 'x', 'y', 'kid', 'alg', 'use'],
    ]);
    await runtime.stop();
    runtime = await launch({ folder: `${place.path}/state` });
    expect(await (await fetch(`${runtime.url}/jwks`)).json()).toEqual({ keys });
  });
});
