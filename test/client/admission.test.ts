import { createHmac, createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { base64url, CompactSign, exportJWK, generateKeyPair } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { createAdmissionVerifier, type Options } from '../../lib/client/admission.ts';
import type { Expected } from '../../lib/client/admission-claims.ts';
import { createMemoryReplayStore } from '../../lib/client/replay-store.ts';
import { CLAIMS, EXPECTED, forged, HEADER, type Issuer, issuer, NOW_MS, NOW_S } from './tokens.ts';

const OTHER = 'eip155:1:0x3333333333333333333333333333333333333333';
let key: Issuer;
let stranger: Issuer;

beforeAll(async () => {
  [key, stranger] = await Promise.all([issuer(), issuer()]);
});

function verifier(options: Partial<Options> = {}, nowMs = NOW_MS) {
  const fixed = { jwks: { keys: [key.jwk] }, audience: 'signer-1', clock: { nowMs: () => nowMs } };
  return createAdmissionVerifier({ ...fixed, ...options });
}

/** Why a token is refused; `ok` when it is not. */
async function reason(token: string, expected: Partial<Expected> = {}, nowMs = NOW_MS) {
  const result = await verifier({}, nowMs).verify(token, { ...EXPECTED, ...expected });
  return result.ok ? 'ok' : result.reason;
}

describe('createAdmissionVerifier', () => {
  test('default', async () => {
    const result = await verifier().verify(await key.sign(), EXPECTED);
    expect(result).toEqual({ ok: true, claims: CLAIMS });
  });

  test('args: expected in other spellings', async () => {
    const token = await key.sign();
    expect(await reason(token, { amount: '1000000000000000000' })).toBe('ok');
    expect(await reason(token, { wallet: EXPECTED.wallet.replace('0x', '0X') })).toBe('expected');
    const lower = 'eip155:1:0xabcdefabcdefabcdefabcdefabcdefabcdefabcd';
    const mixed = `eip155:1:0x${lower.slice(-40).toUpperCase()}`;
    expect(await reason(await key.sign({ destination: lower }), { destination: mixed })).toBe('ok');
  });

  test('args: memo', async () => {
    const token = await key.sign({ memo: 'tag-7' });
    expect(await reason(token, { memo: 'tag-7' })).toBe('ok');
    expect(await reason(token)).toBe('memo');
    expect(await reason(token, { memo: 'tag-8' })).toBe('memo');
    expect(await reason(await key.sign(), { memo: 'tag-7' })).toBe('memo');
  });

  test.each([
    ['withdrawal', { withdrawalId: 'w-2' }],
    ['chain', { wallet: 'eip155:10:0x1111111111111111111111111111111111111111' }],
    ['wallet', { wallet: OTHER }],
    ['asset', { asset: 'eip155:1/erc20:0x4444444444444444444444444444444444444444' }],
    ['asset', { asset: 'eip155:10/slip44:60' }],
    ['amount', { amount: 10n ** 18n + 1n }],
    ['amount', { amount: 10n ** 18n - 1n }],
    ['destination', { destination: OTHER }],
    ['expected', { amount: '1e18' }],
    ['expected', { amount: -1n }],
    ['expected', { amount: 1 as unknown as bigint }],
    ['expected', { wallet: 'eth-hot-1' }],
    ['expected', { withdrawalId: '' }],
  ] satisfies [string, Partial<Expected>][])(
    'error: %s, when %o is expected',
    async (why, expected) => {
      expect(await reason(await key.sign(), expected)).toBe(why);
    },
  );

  test.each([
    ['audience', { aud: 'signer-2' }],
    ['malformed', { aud: ['signer-1'] }],
    ['malformed', { jti: undefined }],
    ['malformed', { amount: 1 }],
    ['malformed', { amount: '01' }],
    ['malformed', { exp: '2030-01-01' }],
    ['malformed', { iat: NOW_S + 0.5 }],
    ['malformed', { memo: '' }],
  ])('error: %s, when the claims say %o', async (why, claims) => {
    expect(await reason(await key.sign(claims))).toBe(why);
  });

  test('error: issuer', async () => {
    const strict = verifier({ issuer: 'breakwater' });
    expect(await strict.verify(await key.sign(), EXPECTED)).toMatchObject({ ok: true });
    const result = await strict.verify(await key.sign({ iss: 'somebody' }), EXPECTED);
    expect(result).toEqual({
      ok: false,
      reason: 'issuer',
      text: 'the admission is for another issuer',
    });
  });

  test('behavior: its times, to the second', async () => {
    const token = await key.sign();
    expect(await reason(token, {}, NOW_MS + 29_999)).toBe('ok');
    expect(await reason(token, {}, NOW_MS + 30_000)).toBe('expired');
    expect(await reason(token, {}, NOW_MS - 2_000)).toBe('ok');
    expect(await reason(token, {}, NOW_MS - 2_001)).toBe('not-yet-valid');
    expect(await reason(await key.sign({ nbf: NOW_S + 3 }))).toBe('not-yet-valid');
    expect(await reason(await key.sign({ exp: NOW_S + 900 }))).toBe('ok');
    expect(await reason(await key.sign({ exp: NOW_S + 901 }))).toBe('lifetime');
    expect(await reason(await key.sign({ exp: NOW_S }))).toBe('lifetime');
  });

  test('error: a clock that answers no number', async () => {
    expect(await reason(await key.sign(), {}, Number.NaN)).not.toBe('ok');
  });

  test('args: oncePerWithdrawalMs: a withdrawal opens the signer once, whatever new admission it gets', async () => {
    const key = await issuer();
    let nowMs = NOW_MS;
    const made = (oncePerWithdrawalMs?: number) =>
      createAdmissionVerifier({
        jwks: { keys: [key.jwk] },
        audience: 'signer-1',
        clock: { nowMs: () => nowMs },
        oncePerWithdrawalMs,
      });
    const [each, once] = [made(), made(86_400_000)];
    const first = await key.sign();
    expect(await each.verify(first, EXPECTED)).toMatchObject({ ok: true });
    expect(await once.verify(first, EXPECTED)).toMatchObject({ ok: true });
    nowMs += 60_000;
    const second = await key.sign({ jti: 'token-2', iat: NOW_S + 60, exp: NOW_S + 90 });
    expect(await each.verify(second, EXPECTED)).toMatchObject({ ok: true });
    expect(await once.verify(second, EXPECTED)).toMatchObject({ ok: false, reason: 'reused' });
    expect(() => made(1_000)).toThrow('oncePerWithdrawalMs');
  });

  test('error: reused, and only once it was accepted', async () => {
    const once = verifier();
    const token = await key.sign();
    expect(await once.verify(token, { ...EXPECTED, amount: 1n })).toMatchObject({ ok: false });
    expect(await once.verify(token, EXPECTED)).toMatchObject({ ok: true });
    expect(await once.verify(token, EXPECTED)).toMatchObject({ ok: false, reason: 'reused' });
    // Another signature over the same admission is the same admission.
    expect(await once.verify(await key.sign(), EXPECTED)).toMatchObject({ reason: 'reused' });
    const twins = verifier();
    const both = await Promise.all([twins.verify(token, EXPECTED), twins.verify(token, EXPECTED)]);
    expect(both.filter((each) => each.ok)).toHaveLength(1);
  });

  test('error: replay store', async () => {
    const broken = { claim: () => Promise.reject(new Error('down')) };
    const token = await key.sign();
    const result = await verifier({ replayStore: broken }).verify(token, EXPECTED);
    expect(result).toMatchObject({ ok: false, reason: 'replay-store' });
    const odd = { claim: async () => 'OK' as unknown as boolean };
    expect(await verifier({ replayStore: odd }).verify(token, EXPECTED)).toMatchObject({
      ok: false,
    });
  });

  test('error: algorithm', async () => {
    const [head, body, signature = ''] = (await key.sign()).split('.');
    expect(await reason(forged({ ...HEADER, alg: 'none' }, ''))).toBe('algorithm');
    expect(await reason(forged({ ...HEADER, alg: 'None' }, signature))).toBe('algorithm');
    expect(await reason(forged({ ...HEADER, alg: undefined }, signature))).toBe('algorithm');
    expect(await reason(`${head}.${body}.`)).toBe('malformed');
    const es384 = await generateKeyPair('ES384');
    const token = await new CompactSign(new TextEncoder().encode(JSON.stringify(CLAIMS)))
      .setProtectedHeader({ ...HEADER, alg: 'ES384' })
      .sign(es384.privateKey);
    expect(await reason(token)).toBe('algorithm');
  });

  test('error: algorithm, key confusion with the public key as a secret', async () => {
    const pem = createPublicKey({ key: { ...key.jwk }, format: 'jwk' }).export({
      type: 'spki',
      format: 'pem',
    });
    for (const secret of [
      pem,
      JSON.stringify(key.jwk),
      Buffer.from(key.jwk.x ?? '', 'base64url'),
    ]) {
      const unsigned = forged({ ...HEADER, alg: 'HS256' }, '').slice(0, -1);
      const mac = createHmac('sha256', secret).update(unsigned).digest('base64url');
      expect(await reason(`${unsigned}.${mac}`)).toBe('algorithm');
      // The same MAC under the right algorithm's name, padded to the right length.
      const padded = Buffer.alloc(64, Buffer.from(mac, 'base64url')).toString('base64url');
      expect(await reason(forged(HEADER, padded))).toBe('signature');
    }
  });

  test.each([
    ['type', { typ: 'JWT' }],
    ['type', { typ: undefined }],
    ['critical', { crit: ['b64'], b64: true }],
    ['critical', { crit: [] }],
    ['header', { jku: 'https://thief.example/jwks' }],
    ['header', { x5c: [] }],
    ['unknown-key', { kid: 'k2' }],
    ['unknown-key', { kid: undefined }],
    ['unknown-key', { kid: 1 }],
  ])('error: %s, when the header says %o', async (why, header) => {
    const [, , signature = ''] = (await key.sign()).split('.');
    expect(await reason(forged({ ...HEADER, ...header }, signature))).toBe(why);
  });

  test('error: header, with a key of its own inside', async () => {
    expect(await reason(await stranger.sign({}, { jwk: stranger.jwk }))).toBe('header');
  });

  test('error: signature', async () => {
    expect(await reason(await stranger.sign())).toBe('signature');
    const zero = Buffer.alloc(64).toString('base64url');
    expect(await reason(forged(HEADER, zero))).toBe('signature');
  });

  test('error: unknown-key, for a set with a private, doubled, or otherwise meant key', async () => {
    const token = await key.sign();
    const sets = [
      [{ ...key.jwk, d: key.jwk.x ?? '' }],
      [key.jwk, stranger.jwk],
      [{ ...key.jwk, use: 'enc' }],
      [{ ...key.jwk, alg: 'ES384' }],
      [],
    ];
    for (const keys of sets) {
      const result = await verifier({ jwks: { keys } }).verify(token, EXPECTED);
      expect(result).toMatchObject({ ok: false, reason: 'unknown-key' });
    }
  });

  test.each([
    ['nothing', ''],
    ['three parts of nothing', 'a.b.c'],
    ['dots', '....'],
    ['no text', undefined as unknown as string],
    ['too long a text', 'x'.repeat(8_193)],
    ['a header that is a list', `${base64url.encode('[]')}.${base64url.encode('{}')}.AA`],
  ])('error: malformed, %s', async (_name, token) => {
    expect(await reason(token)).toBe('malformed');
  });

  test('error: malformed, for signed bytes that are no claims', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1' };
    for (const bytes of [Buffer.from('no json'), Buffer.from([0xff]), Buffer.from('null')]) {
      const token = await new CompactSign(bytes).setProtectedHeader(HEADER).sign(privateKey);
      const result = await verifier({ jwks: { keys: [jwk] } }).verify(token, EXPECTED);
      expect(result).toMatchObject({ ok: false, reason: 'malformed' });
    }
  });

  test('behavior: no token with one character changed verifies', async () => {
    const token = await key.sign();
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n';
    const position = fc.nat(token.length - 1);
    const other = fc.constantFrom(...digits);
    await fc.assert(
      fc.asyncProperty(position, other, async (at, character) => {
        fc.pre(token[at] !== character);
        const mutated = token.slice(0, at) + character + token.slice(at + 1);
        expect(await reason(mutated)).not.toBe('ok');
      }),
      { numRuns: 300 },
    );
  });

  test('behavior: no token that is cut, doubled or padded verifies', async () => {
    const token = await key.sign();
    const parts = token.split('.');
    const mutations = [
      ...[1, 2, 40, 86, 87].map((length) => token.slice(0, -length)),
      ...[0, 1, 2].map((drop) => parts.filter((_, at) => at !== drop).join('.')),
      ` ${token}`,
      `${token} `,
      `${token}=`,
      `${token}.`,
      `${token}.${token}`,
      [parts[0], parts[0], parts[2]].join('.'),
    ];
    for (const mutated of mutations) expect(await reason(mutated)).not.toBe('ok');
    // Bits of the last digit that decoding ignores.
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = digits.indexOf(token.at(-1) ?? '');
    for (let bits = 1; bits < 16; bits += 1) {
      expect(await reason(token.slice(0, -1) + digits[last + bits])).toBe('malformed');
    }
  });

  test('behavior: never throws, whatever it is given', async () => {
    await fc.assert(
      fc.asyncProperty(fc.anything(), fc.anything(), async (token, expected) => {
        const result = await verifier().verify(token as string, expected as Expected);
        expect(result.ok).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  test('error: options', () => {
    expect(() => verifier({ audience: '' })).toThrow('audience must not be empty');
    expect(() => verifier({ issuer: '' })).toThrow('issuer must not be empty');
    expect(() => verifier({ clockToleranceS: Number.NaN })).toThrow(
      'clockToleranceS must be 0 to 60',
    );
    expect(() => verifier({ clockToleranceS: 61 })).toThrow('clockToleranceS must be 0 to 60');
    const url = { audience: 'signer-1', jwksUrl: 'http://breakwater.example/jwks' };
    expect(() => createAdmissionVerifier(url)).toThrow('must begin with https://');
  });
});

describe('createMemoryReplayStore', () => {
  test('default', async () => {
    const store = createMemoryReplayStore({});
    expect(await store.claim('a', Date.now() + 1_000)).toBe(true);
    expect(await store.claim('a', Date.now() + 1_000)).toBe(false);
    expect(await store.claim('b', Date.now() + 1_000)).toBe(true);
  });

  test('error: full, rather than forgetting', async () => {
    let nowMs = NOW_MS;
    const store = createMemoryReplayStore({ clock: { nowMs: () => nowMs }, entriesMax: 2 });
    await store.claim('a', NOW_MS + 1_000);
    await store.claim('b', NOW_MS + 2_000);
    await expect(store.claim('c', NOW_MS + 1_000)).rejects.toThrow('is full (2)');
    expect(await store.claim('a', NOW_MS + 1_000)).toBe(false);
    nowMs = NOW_MS + 60_999;
    await expect(store.claim('c', NOW_MS + 1_000)).rejects.toThrow('is full (2)');
    nowMs = NOW_MS + 61_000;
    expect(await store.claim('c', nowMs + 1_000)).toBe(true);
    expect(await store.claim('b', NOW_MS + 2_000)).toBe(false);
  });

  test('behavior: holds what lives, not what has been', async () => {
    let nowMs = NOW_MS;
    const store = createMemoryReplayStore({ clock: { nowMs: () => nowMs }, entriesMax: 5_000 });
    for (let at = 0; at < 50_000; at += 1) {
      nowMs += 100;
      expect(await store.claim(`id-${at}`, nowMs + 30_000)).toBe(true);
    }
  });
});
