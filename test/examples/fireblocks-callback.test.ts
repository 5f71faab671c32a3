import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { type JWTPayload, jwtVerify, SignJWT, UnsecuredJWT } from 'jose';
import { encodeFunctionData, erc20Abi, keccak256, serializeTransaction } from 'viem';
import { describe, expect, test } from 'vitest';
import { createCallback, type Decision } from '../../examples/fireblocks-callback/callback.ts';
import { startServer } from '../../examples/fireblocks-callback/server.ts';
import {
  type Mapping,
  readRequest,
  toBaseUnits,
  toWithdrawal,
} from '../../examples/fireblocks-callback/transaction.ts';
import { createReserveClient } from '../../lib/client/reserve-client.ts';
import { RefusedError } from '../../lib/client/reserve-http.ts';
import { formatUnits } from '../../lib/domain/money.ts';
import type { Policy } from '../../lib/domain/policy.ts';
import { localContext } from '../../lib/local/context.ts';
import { operateBreaker } from '../../lib/runtime/operate-breaker.ts';
import { reserveWithdrawal } from '../../lib/runtime/reserve-withdrawal.ts';
import { readyWorld } from '../support/action-world.ts';
import { urlEvent } from '../support/aws-shapes.ts';
import * as Build from '../support/builders.ts';

const [cosigner, handler, stranger] = [0, 1, 2].map(() =>
  generateKeyPairSync('rsa', { modulusLength: 2048 }),
) as [Pair, Pair, Pair];
type Pair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

const MAPPING: Mapping = {
  assets: {
    ETH: { asset: Build.ETH, decimals: 18 },
    USDC: { asset: Build.USDC, decimals: 6 },
    BTC: { asset: 'bip122:000000000019d6689c085ae165831e93/slip44:0', decimals: 8 },
  },
  vaults: { '0': [Build.HOT_1] },
  nativeAssets: { 'eip155:1': Build.ETH },
};
const RECIPIENT = '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC';
/** As Fireblocks shows it, with an externalTxId: 600 USDC. */
const REQUEST = {
  txId: '9c794cee-7e27-46c9-9e9a-ed68295ff06b',
  requestId: '9c794cee-7e27-46c9-9e9a-ed68295ff06b',
  externalTxId: 'w-1',
  operation: 'TRANSFER',
  sourceType: 'VAULT',
  sourceId: '0',
  destType: 'ONE_TIME_ADDRESS',
  destId: '',
  asset: 'USDC',
  amount: 600,
  amountStr: '600.000000',
  requestedAmount: 600,
  requestedAmountStr: '600',
  destAddressType: 'ONE_TIME',
  destAddress: RECIPIENT,
  destinations: [{ amountNative: 600, amountNativeStr: '600', dstType: 'ONE_TIME_ADDRESS' }],
  players: ['21926ecc-4a8a-4614-bbac-7c591aa7efdd'],
};
const TRANSACTION = 'https://callback.internal/fireblocks/v2/tx_sign_request';
const CONFIGURATION = 'https://callback.internal/fireblocks/v2/config_change_sign_request';

function signed(claims: JWTPayload, key: KeyObject = cosigner.privateKey): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', typ: 'JWT' }).sign(key);
}

/** The handler before Breakwater, with a limit of 1 000 USD an hour unless the policy says otherwise. */
async function setUp(policy: Partial<Policy> = { limits: [Build.limit()] }, shadow = false) {
  const made = await readyWorld(Build.policy(policy));
  const decisions: Decision[] = [];
  const breakwater = { isDown: false, refuses: false };
  const client = createReserveClient({
    waitMs: 0,
    attemptsMax: 1,
    send: async (body) => {
      if (breakwater.isDown) throw new Error('down');
      if (breakwater.refuses) throw new RefusedError({ why: 'HTTP 403' });
      const ask = reserveWithdrawal(made.world, { audience: 'fireblocks' });
      const authorizer = { iam: { userArn: 'arn:test' } };
      const requestContext = { http: { method: 'POST' }, authorizer };
      const event = { rawPath: '/', body: JSON.stringify(body), requestContext };
      const answer = await ask(event, localContext('reserve-withdrawal', 8_000));
      return JSON.parse(answer.body ?? '');
    },
  });
  const callback = createCallback({
    reserve: client.reserve,
    mapping: MAPPING,
    cosignerPublicKey: cosigner.publicKey,
    callbackPrivateKey: handler.privateKey,
    shadow,
    onDecision: (decision) => decisions.push(decision),
  });
  const post = (body: string, url = TRANSACTION) =>
    callback(new Request(url, { method: 'POST', body }));
  /** Asks as the co-signer does, and reads the answer as it does. */
  const ask = async (change: Readonly<Record<string, unknown>> = {}, url = TRANSACTION) => {
    const response = await post(await signed({ ...REQUEST, ...change }), url);
    expect(response.status).toBe(200);
    const rules = { algorithms: ['RS256'] };
    return (await jwtVerify(await response.text(), handler.publicKey, rules)).payload;
  };
  return { made, decisions, breakwater, callback, post, ask };
}

describe('createCallback', () => {
  test('default: it reserves under the externalTxId and approves', async () => {
    const { ask, made, decisions } = await setUp();
    expect(await ask()).toEqual({ action: 'APPROVE', requestId: REQUEST.requestId });
    expect(made.lines.at(-1)?.fields).toMatchObject({
      withdrawalId: 'w-1',
      verdict: 'allow',
      wallet: Build.HOT_1,
      asset: Build.USDC,
      destination: Build.CUSTOMER,
      amount: '600000000',
    });
    expect(decisions).toEqual([
      { requestId: REQUEST.requestId, action: 'APPROVE', withdrawalId: 'w-1' },
    ]);
  });

  test('behavior: approval, signature and retries of one transaction are charged once', async () => {
    const { ask, made } = await setUp();
    const approval = await ask();
    const [destination] = REQUEST.destinations;
    const signing = {
      fee: '0.000597803762241000',
      destinations: [{ ...destination, displayDstAddress: RECIPIENT.toLowerCase() }],
    };
    expect(await ask(signing)).toEqual(approval);
    expect(await ask(signing)).toEqual(approval);
    // The admission has expired: the charge moves to now, and is still one of 600 in 1 000.
    made.clock.nowMs += 31_000;
    expect(await ask(signing)).toEqual(approval);
    const small = { externalTxId: 'w-2', requestedAmountStr: '400', amountStr: '400' };
    expect(await ask({ ...small, destinations: [] })).toMatchObject({ action: 'APPROVE' });
  });

  test('behavior: no capacity now is RETRY, and what fits later is approved', async () => {
    const { ask, made, decisions } = await setUp();
    await ask();
    const other = { externalTxId: 'w-2' };
    expect(await ask(other)).toEqual({ action: 'RETRY', requestId: REQUEST.requestId });
    expect(decisions.at(-1)?.why).toMatch(/^limit: /);
    made.clock.nowMs += 2 * Build.HOUR_MS;
    expect(await ask(other)).toMatchObject({ action: 'APPROVE' });
  });

  test('behavior: a paused wallet is RETRY', async () => {
    const { ask, made } = await setUp();
    const pause = {
      command: 'pause',
      commandId: 'command-1',
      scope: 'wallet:hot-1',
      reason: 'drill',
    };
    const operate = operateBreaker(made.world);
    const answer = await operate(urlEvent(pause), localContext('operate-breaker', 8_000));
    expect(answer).toMatchObject({ statusCode: 200 });
    expect(await ask()).toMatchObject({ action: 'RETRY' });
  });

  test('behavior: a callback in shadow mode approves what the co-signer signed', async () => {
    const { ask, post, breakwater, decisions } = await setUp({}, true);
    expect(await ask({ asset: 'USDT' })).toMatchObject({ action: 'APPROVE' });
    expect(decisions.at(-1)?.why).toMatch(/^would be REJECT: the asset USDT/);
    breakwater.isDown = true;
    expect(await ask()).toMatchObject({ action: 'APPROVE' });
    expect(decisions.at(-1)?.why).toMatch(/^would be RETRY: unavailable/);
    expect(await ask({}, CONFIGURATION)).toMatchObject({ action: 'REJECT' });
    expect((await post(await signed(REQUEST, stranger.privateKey))).status).toBe(401);
  });

  test('behavior: a policy in shadow mode approves and logs what it would have been', async () => {
    const { ask, decisions } = await setUp({ limits: [Build.limit()], mode: 'shadow' });
    const large = { amountStr: '5000', requestedAmountStr: '5000', destinations: [] };
    expect(await ask(large)).toMatchObject({ action: 'APPROVE' });
    expect(decisions.at(-1)?.why).toMatch(/^would be block: /);
  });

  test('behavior: the same externalTxId with another body is REJECT', async () => {
    const { ask } = await setUp();
    await ask();
    const other = { destAddress: `0x${'99'.repeat(20)}` };
    expect(await ask(other)).toEqual({
      action: 'REJECT',
      requestId: REQUEST.requestId,
      rejectionReason: expect.stringMatching(/^conflict: /),
    });
  });

  test('error: Breakwater that cannot be reached, or refuses this caller, is RETRY', async () => {
    const { ask, breakwater } = await setUp();
    breakwater.isDown = true;
    expect(await ask()).toMatchObject({ action: 'RETRY' });
    breakwater.isDown = false;
    breakwater.refuses = true;
    expect(await ask()).toMatchObject({ action: 'RETRY' });
    breakwater.refuses = false;
    expect(await ask()).toMatchObject({ action: 'APPROVE' });
  });

  test.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
    ['no externalTxId', { externalTxId: undefined }, /no externalTxId/],
    ['an unknown asset', { asset: 'USDT' }, /asset USDT is unknown/],
    ['an asset named like a method', { asset: 'constructor' }, /unknown/],
    ['an asset of no EVM chain', { asset: 'BTC' }, /no EVM chain/],
    ['an unknown vault account', { sourceId: '7' }, /vault account 7/],
    ['a contract call', { operation: 'CONTRACT_CALL' }, /no TRANSFER/],
    ['an exchange as source', { sourceType: 'EXCHANGE' }, /no VAULT/],
    ['two destinations', { destinations: [{}, {}] }, /more than one/],
    ['amounts that differ', { requestedAmountStr: '601' }, /amount/],
    ['a seventh decimal', { amountStr: '600.0000001' }, /amount/],
    ['an address that is none', { destAddress: 'bc1q' }, /destination/],
    ['another address shown', { destinations: [{ displayDstAddress: '0x00' }] }, /destination/],
    ['a field of another type', { amountStr: 600 }, /cannot be read/],
  ])('error: %s is REJECT, and nothing is charged', async (_name, change, why) => {
    const { ask, made } = await setUp();
    const before = made.committed.length;
    const rejectionReason = expect.stringMatching(why);
    expect(await ask(change)).toMatchObject({ action: 'REJECT', rejectionReason });
    expect(made.committed).toHaveLength(before);
  });

  test('error: changes of the workspace are REJECT', async () => {
    const { ask } = await setUp();
    expect(await ask({}, CONFIGURATION)).toMatchObject({ action: 'REJECT' });
  });

  test('error: 401 for what the co-signer did not sign, and nothing is charged', async () => {
    const { post, made, decisions } = await setUp();
    const before = made.committed.length;
    const secret = cosigner.publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const good = await signed(REQUEST);
    const [header, payload] = good.split('.');
    const bodies = [
      '',
      'garbage',
      JSON.stringify(REQUEST),
      await signed(REQUEST, stranger.privateKey),
      await signed(REQUEST, handler.privateKey),
      await signed({ ...REQUEST, exp: Math.floor(Date.now() / 1_000) - 60 }),
      new UnsecuredJWT(REQUEST).encode(),
      await new SignJWT(REQUEST)
        .setProtectedHeader({ alg: 'HS256' })
        .sign(new TextEncoder().encode(secret)),
      await new SignJWT(REQUEST).setProtectedHeader({ alg: 'PS256' }).sign(cosigner.privateKey),
      `${header}.${payload}.`,
      `${header}.${payload?.replace(/^./, 'f')}.${good.split('.')[2]}`,
      `${good}${' '.repeat(300_000)}`,
    ];
    for (const body of bodies) expect((await post(body)).status).toBe(401);
    expect(made.committed).toHaveLength(before);
    expect(decisions).toEqual([]);
  });

  test('error: 400 without requestId, 404 elsewhere', async () => {
    const { post, callback } = await setUp();
    expect((await post(await signed({ ...REQUEST, requestId: undefined }))).status).toBe(400);
    expect((await post(await signed(REQUEST), 'https://callback.internal/v2/other')).status).toBe(
      404,
    );
    expect((await callback(new Request(TRANSACTION))).status).toBe(404);
  });
});

describe('toWithdrawal', () => {
  const paid = { functionName: 'transfer', args: [RECIPIENT, 600_000_000n] } as const;
  const data = encodeFunctionData({ abi: erc20Abi, ...paid });
  const to = Build.USDC.split('erc20:')[1] as `0x${string}`;
  const transaction = { type: 'eip1559', chainId: 1, nonce: 4, to, data, gas: 60_000n } as const;

  function read(change: Readonly<Record<string, unknown>>, payload?: string) {
    const serialized = serializeTransaction({ ...transaction, ...change });
    const hash = payload ?? keccak256(serialized).slice(2);
    const rawTx = [{ keyDerivationPath: '[ 44, 60 ]', rawTx: serialized.slice(2), payload: hash }];
    const reading = readRequest({ ...REQUEST, rawTx });
    if ('problem' in reading) throw new Error(reading.problem);
    return toWithdrawal(reading.request, MAPPING);
  }

  test('default: a raw transaction that is this transfer', () => {
    expect(read({})).toMatchObject({ withdrawal: { amount: 600_000_000n } });
  });

  test.each<[string, Readonly<Record<string, unknown>>, string?]>([
    ['another token', { to: RECIPIENT }],
    ['another chain', { chainId: 56 }],
    ['more calldata', { data: `${data}00` }],
    ['the coin instead', { data: '0x', value: 600_000_000n }],
    ['the hash of another', {}, '00'.repeat(32)],
  ])('error: a raw transaction with %s', (_name, change, payload) => {
    expect(read(change, payload)).toEqual({ problem: expect.stringContaining('something else') });
  });

  test('args: the example of Fireblocks, with its raw transaction', () => {
    const rawTx =
      '02ef0104843b9aca008506a0c1987d825208945dc69b1fbb13bafd09af88a782f0f285772ad5f8872386f26fc1000080c0';
    const reading = readRequest({
      ...REQUEST,
      asset: 'ETH',
      amountStr: '0.010000000000000000',
      requestedAmountStr: '0.01',
      destAddress: '0x5dC69B1Fbb13Bafd09af88a782F0F285772Ad5f8',
      destinations: [
        {
          amountNativeStr: '0.01',
          displayDstAddress: '0x5dC69B1Fbb13Bafd09af88a782F0F285772Ad5f8',
        },
      ],
      rawTx: [
        { rawTx, payload: '77b4e74099ce90c08503c0e0bb6e672dbe1c5e3e127ce333bf22eb581cd3f6ce' },
      ],
    });
    if ('problem' in reading) throw new Error(reading.problem);
    expect(toWithdrawal(reading.request, MAPPING)).toMatchObject({
      withdrawal: { asset: Build.ETH, amount: 10n ** 16n },
    });
  });
});

describe('toBaseUnits', () => {
  test.each([
    ['0.01', 18, 10n ** 16n],
    ['600.000000', 6, 600_000_000n],
    ['5.00000000', 6, 5_000_000n],
    ['1', 0, 1n],
  ])('args: %s with %i decimals', (text, decimals, expected) => {
    expect(toBaseUnits(text, decimals)).toBe(expected);
  });

  test.each(['', '.5', '5.', '-1', '+1', '1e3', '0x10', '1,000', ' 1', '0.0000001', '1.2.3'])(
    'error: %j',
    (text) => {
      expect(toBaseUnits(text, 6)).toBeUndefined();
    },
  );

  property.prop([fc.bigInt(0n, 2n ** 128n), fc.integer({ min: 0, max: 24 })])(
    'behavior: reads what is written, exactly',
    (amount, decimals) => {
      expect(toBaseUnits(formatUnits(amount, decimals), decimals)).toBe(amount);
    },
  );
});

describe('startServer', () => {
  test('default: keys and mapping from files, the answer over HTTP', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'breakwater-test-'));
    const [cosignerPath, callbackPath] = [join(folder, 'cosigner.pem'), join(folder, 'own.pem')];
    await writeFile(cosignerPath, cosigner.publicKey.export({ type: 'spki', format: 'pem' }));
    // As `openssl genrsa` writes it.
    await writeFile(callbackPath, handler.privateKey.export({ type: 'pkcs1', format: 'pem' }));
    const root = new URL('../../examples/fireblocks-callback/', import.meta.url);
    const decisions: Decision[] = [];
    const server = await startServer({
      port: 0,
      // Nobody listens there.
      reserveUrl: 'http://127.0.0.1:1/reserve',
      mappingPath: new URL('mapping.json', root).pathname,
      cosignerPublicKeyPath: cosignerPath,
      callbackPrivateKeyPath: callbackPath,
      shadow: false,
      onDecision: (decision) => decisions.push(decision),
    });
    const url = `${server.url}/v2/tx_sign_request`;
    const response = await fetch(url, { method: 'POST', body: await signed(REQUEST) });
    const { payload } = await jwtVerify(await response.text(), handler.publicKey);
    expect(payload).toEqual({ action: 'RETRY', requestId: REQUEST.requestId });
    expect(decisions).toMatchObject([{ action: 'RETRY', withdrawalId: 'w-1' }]);
    await server.stop();
    await rm(folder, { recursive: true });
  });
});
