/**
 * Deliveries of providers against the deployed function, with their real signatures: garbage that
 * nobody signed, and garbage that is signed. Only what every reader of ours takes reaches the bus.
 */

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cachedSecrets } from '../../lib/adapters/cached-secrets.ts';
import { fixedKeys } from '../../lib/adapters/webhook/fireblocks-signature.ts';
import { fromEnvelope } from '../../lib/adapters/wire/event.ts';
import { localContext } from '../../lib/local/context.ts';
import { receiveWebhook, type WebhookEvent } from '../../lib/runtime/receive-webhook.ts';
import * as Sent from '../adapters/webhook/deliveries.ts';
import { readyWorld, type TestWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import * as Good from './good.ts';
import { changed, garbage, LONG, wrongOf } from './strange.ts';

const RUNS = 100;
const signer = Sent.fireblocksSigner();
const TIMESTAMP = String(Math.floor(Build.T0_MS / 1_000));
const CONTEXT = localContext('receive-webhook', 600_000);

type Provider = {
  readonly name: 'alchemy' | 'fireblocks' | 'generic';
  readonly good: unknown;
  readonly secret: unknown;
  readonly header: string;
  readonly sign: (body: string) => string;
  /** What the provider calls a field that we call otherwise. */
  readonly ours?: Readonly<Record<string, string>>;
};

const PROVIDERS: readonly Provider[] = [
  {
    name: 'alchemy',
    good: Sent.addressActivity([Sent.tokenActivity(), Sent.etherActivity()]),
    secret: Good.ALCHEMY,
    header: 'X-Alchemy-Signature',
    sign: (body) => Sent.hmac(Good.ALCHEMY.signingKeys[0] ?? '', body),
    ours: { rawValue: 'amount', toAddress: 'destination', address: 'asset' },
  },
  {
    name: 'fireblocks',
    good: Sent.notification(Sent.transaction()),
    secret: Good.FIREBLOCKS,
    header: 'Fireblocks-Webhook-Signature',
    sign: (body) => Sent.detached(signer, body),
    ours: {
      txHash: 'transaction',
      externalTxId: 'withdrawalId',
      destinationAddress: 'destination',
      destinationTag: 'memo',
      networkFee: 'fee.amount',
      netAmount: 'amount',
    },
  },
  {
    name: 'generic',
    good: Good.GENERIC,
    secret: Good.REPORTER,
    header: 'X-Breakwater-Signature',
    sign: (body) => Sent.hmac(Good.REPORTER.keys[0] ?? '', `${TIMESTAMP}.${body}`),
  },
];

type Headers = NonNullable<WebhookEvent['headers']>;

/** A world with the function over it. */
async function receiver({ name, secret }: Provider) {
  const made = await readyWorld(Build.policy());
  const current = JSON.stringify(secret);
  const handler = receiveWebhook(made.world, {
    secrets: cachedSecrets(async () => ({ current }), { clock: made.world.clock }),
    secretNames: { [name]: 'secret' },
    sender: made.world.events,
    receipts: Sent.node({ [Sent.HASH]: Sent.receipt() }),
    fireblocksKeys: fixedKeys(signer.jwks),
  });
  const committed = made.committed.length;
  const call = async (body: string, headers: Headers) => {
    made.sent.splice(0);
    made.rejected.splice(0);
    const http = { method: 'POST' };
    const event = { rawPath: `/${name}`, headers, body, requestContext: { http } };
    const answer = await handler(event, CONTEXT);
    return { status: answer.statusCode ?? 0, body: answer.body ?? '' };
  };
  return { made, call, isUntouched: () => made.committed.length === committed };
}

function signed({ header, sign }: Provider, body: string): Headers {
  return { [header]: sign(body), 'X-Breakwater-Timestamp': TIMESTAMP };
}

/** Everything on the bus is an event, and it is there only if the answer says that it is. */
function expectWhole(
  { sent, rejected }: TestWorld,
  answer: { readonly status: number; readonly body: string },
): void {
  expect([200, 400, 401, 422]).toContain(answer.status);
  for (const { detailType, detail } of sent) fromEnvelope({ 'detail-type': detailType, detail });
  if (answer.status === 200) expect(JSON.parse(answer.body).taken).toBe(sent.length);
  else expect(sent).toEqual([]);
  if (answer.status === 400 || answer.status === 422) expect(rejected).toHaveLength(1);
}

describe.for(PROVIDERS)('$name', (provider) => {
  const good = JSON.stringify(provider.good);

  test('default', async () => {
    const { made, call } = await receiver(provider);
    expect((await call(good, signed(provider, good))).status).toBe(200);
    expect(made.sent.length).toBeGreaterThan(0);
  });

  test('behavior: what nobody signed is answered 401, whatever it says', async () => {
    const { made, call, isUntouched } = await receiver(provider);
    const signature = fc.oneof(
      fc.string({ maxLength: 200, unit: 'binary' }),
      fc.constant(provider.sign(`${good} `)),
      changed(provider.sign(good)),
    );
    const body = fc.oneof(fc.constant(good), garbage(), changed(good));
    await fc.assert(
      fc.asyncProperty(signature, body, async (text, bytes) => {
        fc.pre(text !== provider.sign(bytes));
        const headers = { [provider.header]: text, 'X-Breakwater-Timestamp': TIMESTAMP };
        const answer = await call(bytes, headers);
        expect(answer).toEqual({ status: 401, body: '{"error":"not signed"}' });
        expect(made.sent).toEqual([]);
      }),
      { numRuns: RUNS },
    );
    expect(isUntouched()).toBe(true);
  });

  test('behavior: garbage that is signed puts nothing on the bus but events', async () => {
    const { made, call, isUntouched } = await receiver(provider);
    const body = fc.oneof(garbage(), changed(good), fc.constantFrom(...LONG));
    await fc.assert(
      fc.asyncProperty(body, async (bytes) => {
        // What travels is UTF-8, and what is signed are its bytes.
        const text = bytes.toWellFormed();
        expectWhole(made, await call(text, signed(provider, text)));
      }),
      { numRuns: RUNS },
    );
    expect(isUntouched()).toBe(true);
  });

  test('behavior: one field that is wrong is taken, or refused by its name', async () => {
    const { made, call } = await receiver(provider);
    const wrongs = fc.sample(fc.constantFrom(...wrongOf(provider.good)), 300);
    const unnamed: string[] = [];
    for (const { path, text, put } of wrongs) {
      const answer = await call(text.toWellFormed(), signed(provider, text.toWellFormed()));
      // That of another workspace is somebody else's, whose delivery is answered as if unsigned.
      if (answer.status === 401) expect(path).toEqual(['workspaceId']);
      else if (answer.status === 503) expect(made.sent).toEqual([]);
      else expectWhole(made, answer);
      const own = String(path.findLast((part) => typeof part === 'string'));
      const names = [own, provider.ours?.[own] ?? own];
      if (answer.status !== 400 && answer.status !== 422) continue;
      if (!names.some((name) => answer.body.includes(name)))
        unnamed.push(`${path.join('.')} = ${put} → ${answer.status} ${answer.body}`);
    }
    expect(unnamed).toEqual([]);
  });
});
