import { describe, expect, test } from 'vitest';
import {
  fixedKeys,
  isFromFireblocks,
  publishedKeys,
} from '../../../lib/adapters/webhook/fireblocks-signature.ts';
import {
  delivery,
  detached,
  fireblocksSigner,
  hmac,
  notification,
  transaction,
} from './deliveries.ts';

const signer = fireblocksSigner();
const key = fixedKeys(signer.jwks)('us');
const body = JSON.stringify(notification(transaction()));

function isFrom(text: string, signature: string | undefined): Promise<boolean> {
  return isFromFireblocks(delivery(text, { 'fireblocks-webhook-signature': signature }), key);
}

describe('isFromFireblocks', () => {
  test('default', async () => {
    expect(await isFrom(body, detached(signer, body))).toBe(true);
  });

  test('behavior: forged by another key under the same name', async () => {
    expect(await isFrom(body, detached(fireblocksSigner(signer.kid), body))).toBe(false);
  });

  test('behavior: signed by a key that is not published', async () => {
    expect(await isFrom(body, detached(fireblocksSigner('other'), body))).toBe(false);
  });

  test('behavior: altered by one digit, or written anew', async () => {
    const signature = detached(signer, body);
    expect(await isFrom(body.replace('25.5', '25.6'), signature)).toBe(false);
    expect(await isFrom(JSON.stringify(JSON.parse(body), undefined, 1), signature)).toBe(false);
  });

  test.each(['RS256', 'PS512', 'HS512', 'none'])('error: algorithm %s', async (alg) => {
    expect(await isFrom(body, detached(signer, body, { alg }))).toBe(false);
  });

  test.each([
    ['none', undefined],
    ['empty', ''],
    ['attached', detached(signer, body).replace('..', '.e30.')],
    [
      'with an unread critical header',
      detached(signer, body, { alg: 'RS512', crit: ['unread'], unread: 1 } as never),
    ],
    ['without a header', `..${detached(signer, body).split('..')[1]}`],
    ['an HMAC', hmac('key', body)],
    ['no JSON in the header', `${'a'.repeat(20)}..${'b'.repeat(300)}`],
  ])('error: signature: %s', async (_name, signature) => {
    expect(await isFrom(body, signature)).toBe(false);
  });

  test('error: keys that cannot be read are no verdict', async () => {
    const unread = publishedKeys(async () => new Response('', { status: 503 }))('sandbox');
    const headers = { 'fireblocks-webhook-signature': detached(signer, body) };
    await expect(isFromFireblocks(delivery(body, headers), unread)).rejects.toMatchObject({
      name: 'Webhook.LaterError',
    });
  });
});

describe('publishedKeys', () => {
  test('default: reads the set of the environment once', async () => {
    const asked: string[] = [];
    const keys = publishedKeys(async (url) => {
      asked.push(String(url));
      return Response.json(signer.jwks);
    });
    const headers = { 'fireblocks-webhook-signature': detached(signer, body) };
    for (const environment of ['eu2', 'eu2', 'us'] as const) {
      expect(await isFromFireblocks(delivery(body, headers), keys(environment))).toBe(true);
    }
    expect(asked).toEqual([
      'https://eu2-keys.fireblocks.io/.well-known/jwks.json',
      'https://keys.fireblocks.io/.well-known/jwks.json',
    ]);
  });

  test('behavior: invented kids do not make more readings', async () => {
    let readings = 0;
    const keys = publishedKeys(async () => {
      readings += 1;
      return Response.json(signer.jwks);
    });
    for (let round = 0; round < 20; round += 1) {
      const headers = {
        'fireblocks-webhook-signature': detached({ ...signer, kid: `kid-${round}` }, body),
      };
      expect(await isFromFireblocks(delivery(body, headers), keys('us'))).toBe(false);
    }
    expect(readings).toBe(1);
  });
});
