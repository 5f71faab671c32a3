import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { createAdmissionVerifier } from '../../lib/client/admission.ts';
import { InsecureUrlError } from '../../lib/client/http.ts';
import {
  createPublishedKeys,
  keysAt,
  keysFrom,
  UnreadableKeysError,
} from '../../lib/client/jwks.ts';
import { createKeySigner, newSigningKey } from '../../lib/local/file-signer.ts';
import { fakeTime } from './fake-time.ts';
import { CLAIMS, EXPECTED, type Issuer, issuer, NOW_MS } from './tokens.ts';

const URL = 'https://breakwater.example/jwks';
let first: Issuer;
let second: Issuer;

beforeAll(async () => {
  [first, second] = await Promise.all([issuer('k1'), issuer('k2')]);
});

/** A place that publishes keys, with what it was asked. */
function publisher(...issuers: readonly Issuer[]) {
  const state = {
    keys: issuers.map((each) => each.jwk),
    reads: 0,
    answer: () => answer(state.keys),
  };
  const answer = (keys: unknown) => Promise.resolve(Response.json({ keys }));
  const fetch = (_url: string, _init: RequestInit) => {
    state.reads += 1;
    return state.answer();
  };
  return { state, fetch };
}

function published(at: { readonly fetch: (url: string, init: RequestInit) => Promise<Response> }) {
  const time = fakeTime(NOW_MS);
  const keys = createPublishedKeys({
    read: keysAt(URL, at.fetch),
    clock: time.clock,
    timers: time.timers,
    maxAgeMs: 600_000,
    cooldownMs: 5_000,
    timeoutMs: 3_000,
  });
  const kind = async (kid: string) => (await keys.find(kid)).kind;
  return { time, kind, keys };
}

describe('createPublishedKeys', () => {
  test('default', async () => {
    const place = publisher(first);
    const { kind } = published(place);
    expect(await kind('k1')).toBe('key');
    expect(await kind('k1')).toBe('key');
    expect(place.state.reads).toBe(1);
  });

  test('behavior: a rotated key is found at the first token that names it', async () => {
    const place = publisher(first);
    const { kind, time } = published(place);
    expect(await kind('k1')).toBe('key');
    time.stall(5_000);
    place.state.keys = [first.jwk, second.jwk];
    expect(await kind('k2')).toBe('key');
    expect(await kind('k1')).toBe('key');
    expect(place.state.reads).toBe(2);
  });

  test('behavior: a key that is withdrawn is gone within half the age', async () => {
    const place = publisher(first, second);
    const { kind, time } = published(place);
    expect(await kind('k1')).toBe('key');
    place.state.keys = [second.jwk];
    time.stall(299_999);
    expect(await kind('k1')).toBe('key');
    time.stall(1);
    expect(await kind('k1')).toBe('unknown');
  });

  test('behavior: invented kids make one read per cooldown', async () => {
    const place = publisher(first);
    const { kind, time } = published(place);
    for (let at = 0; at < 50; at += 1) {
      expect(await kind(`x${at}`)).toBe('unknown');
      time.stall(200);
    }
    expect(place.state.reads).toBe(2);
  });

  test('behavior: callers share one read', async () => {
    const place = publisher(first);
    const { kind } = published(place);
    expect(await Promise.all([kind('k1'), kind('k1'), kind('k1')])).toEqual(['key', 'key', 'key']);
    expect(place.state.reads).toBe(1);
  });

  test('error: unavailable once the last set is too old', async () => {
    const place = publisher(first);
    const { kind, keys, time } = published(place);
    expect(await kind('k1')).toBe('key');
    place.state.answer = () => Promise.reject(new Error('down'));
    time.stall(599_999);
    expect(await kind('k1')).toBe('key');
    time.stall(1);
    expect(await keys.find('k1')).toEqual({ kind: 'unavailable', text: 'down' });
  });

  test('error: unavailable after a clock that went backwards, until it is read again', async () => {
    const place = publisher(first);
    const { kind, time } = published(place);
    expect(await kind('k1')).toBe('key');
    place.state.answer = () => Promise.reject(new Error('down'));
    time.stall(-60_000);
    expect(await kind('k1')).toBe('unavailable');
  });

  test.each([
    ['HTTP 500', () => Promise.resolve(Response.json({}, { status: 500 }))],
    ['not JSON', () => Promise.resolve(new Response('<html>'))],
    ['no set', () => Promise.resolve(Response.json({ keys: 'none' }))],
    ['too long', () => Promise.resolve(new Response('x'.repeat(1_048_577)))],
  ])('error: unavailable, %s', async (_name, answer) => {
    const place = publisher(first);
    place.state.answer = answer;
    expect(await published(place).kind('k1')).toBe('unavailable');
  });

  test('error: unavailable, no answer in time', async () => {
    const place = publisher(first);
    place.state.answer = () => new Promise(() => {});
    const { keys, time } = published(place);
    const found = keys.find('k1');
    await time.advance(3_000);
    expect(await found).toEqual({ kind: 'unavailable', text: 'no answer within 3000 ms' });
    expect(time.pending()).toBe(0);
  });

  test('error: an answer that is no key', async () => {
    const place = publisher(first);
    place.state.keys = [{ ...first.jwk, x: 'AA' }];
    expect(await published(place).kind('k1')).not.toBe('key');
  });
});

describe('keysAt', () => {
  test('error: plain HTTP, at once', () => {
    expect(() => keysAt('http://breakwater.example/jwks', fetch)).toThrow(InsecureUrlError);
  });
});

describe('keysFrom', () => {
  const spki = (namedCurve: string) =>
    generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'der', type: 'spki' });
  const read = (...keys: readonly (Uint8Array | undefined)[]) =>
    keysFrom(async () => keys)(new AbortController().signal);

  test('default: the same set as is published', async () => {
    const privateKey = newSigningKey();
    const published = await createKeySigner({ privateKey, issuer: 'i' }).jwks();
    const der = createPublicKey(privateKey.export({ format: 'pem', type: 'pkcs8' })).export({
      format: 'der',
      type: 'spki',
    });
    expect(await read(der)).toEqual(published);
  });

  test('error: one of them is missing, of another curve, or no key', async () => {
    await expect(read(spki('P-256'), undefined)).rejects.toThrow(UnreadableKeysError);
    await expect(read(spki('P-256'), spki('P-384'))).rejects.toThrow('no key of P-256');
    await expect(read(new Uint8Array(91))).rejects.toThrow('no key of P-256');
  });
});

/** When each step of a rotation is taken, and when its verifiers and tokens come, from the start. */
const LIFE_MS = 900_000;
const PUBLISHED_MS = 60_000;
const SWITCHED_MS = PUBLISHED_MS + 600_000;
const RETIRED_MS = SWITCHED_MS + LIFE_MS;

describe('createAdmissionVerifier', () => {
  /** What is published and who signs at a time of the rotation. */
  const at = (elapsedMs: number) => {
    if (elapsedMs < PUBLISHED_MS) return { keys: [first.jwk], signs: first };
    if (elapsedMs < SWITCHED_MS) return { keys: [first.jwk, second.jwk], signs: first };
    if (elapsedMs < RETIRED_MS) return { keys: [second.jwk, first.jwk], signs: second };
    return { keys: [second.jwk], signs: second };
  };

  test.each([0, 7_000, 61_000, 290_000, 655_000])(
    'behavior: a rotation refuses no valid admission, verifier asked first after %d ms',
    async (startMs) => {
      const place = publisher(first);
      const time = fakeTime(NOW_MS);
      const verifier = createAdmissionVerifier({
        jwksUrl: URL,
        audience: 'signer-1',
        fetch: place.fetch,
        clock: time.clock,
        timers: time.timers,
      });
      const tokenAt = (madeMs: number, by: Issuer, lifeMs: number) => {
        const iat = Math.floor((NOW_MS + madeMs) / 1_000);
        return by.sign({ jti: crypto.randomUUID(), iat, exp: iat + lifeMs / 1_000 });
      };
      let elapsedMs = 0;
      const goTo = (toMs: number) => {
        time.stall(toMs - elapsedMs);
        elapsedMs = toMs;
        place.state.keys = at(toMs).keys;
      };
      for (let nowMs = startMs; nowMs < RETIRED_MS + 600_000; nowMs += 20_000) {
        goTo(nowMs);
        // The youngest and the oldest that is still valid.
        for (const madeMs of [nowMs, Math.max(0, nowMs - LIFE_MS + 1_000)]) {
          const token = await tokenAt(madeMs, at(madeMs).signs, LIFE_MS);
          expect(await verifier.verify(token, EXPECTED)).toMatchObject({ ok: true });
        }
        // Whoever keeps the old key signs with it for ever.
        if (nowMs >= RETIRED_MS + 300_000) {
          const token = await tokenAt(nowMs, first, LIFE_MS);
          expect(await verifier.verify(token, EXPECTED)).toMatchObject({ reason: 'unknown-key' });
        }
      }
    },
  );

  test('behavior: with the keys published ahead nobody reads them out of turn', async () => {
    const place = publisher(first, second);
    const { kind, time } = published(place);
    expect(await kind('k1')).toBe('key');
    place.state.answer = () => Promise.reject(new Error('down'));
    time.stall(599_999);
    expect(await kind('k2')).toBe('key');
  });

  test('args: readPublicKeys', async () => {
    const privateKey = newSigningKey();
    const signer = createKeySigner({ privateKey, issuer: 'breakwater' });
    const der = createPublicKey(privateKey.export({ format: 'pem', type: 'pkcs8' })).export({
      format: 'der',
      type: 'spki',
    });
    const time = fakeTime(NOW_MS);
    let keys: readonly (Uint8Array | undefined)[] = [];
    const verifier = createAdmissionVerifier({
      readPublicKeys: async () => keys,
      audience: 'signer-1',
      clock: time.clock,
      timers: time.timers,
    });
    const token = await signer.sign(CLAIMS);
    expect(await verifier.verify(token, EXPECTED)).toMatchObject({ reason: 'unknown-key' });
    keys = [der];
    time.stall(5_000);
    expect(await verifier.verify(token, EXPECTED)).toMatchObject({ ok: true });
  });

  test('args: jwksUrl', async () => {
    const place = publisher(first);
    const time = fakeTime(NOW_MS);
    const verifier = createAdmissionVerifier({
      jwksUrl: URL,
      audience: 'signer-1',
      fetch: place.fetch,
      clock: time.clock,
      timers: time.timers,
    });
    expect(await verifier.verify(await first.sign(), EXPECTED)).toMatchObject({ ok: true });
    const other = await second.sign({ jti: 'token-2' });
    expect(await verifier.verify(other, EXPECTED)).toMatchObject({ reason: 'unknown-key' });
    place.state.keys = [second.jwk];
    time.stall(5_000);
    expect(await verifier.verify(other, EXPECTED)).toMatchObject({ ok: true });
  });

  test('error: keys-unavailable', async () => {
    const verifier = createAdmissionVerifier({
      jwksUrl: 'http://localhost:4700/jwks',
      audience: 'signer-1',
      fetch: () => Promise.reject(new Error('down')),
      clock: { nowMs: () => NOW_MS },
    });
    const result = await verifier.verify(await first.sign(), EXPECTED);
    expect(result).toEqual({ ok: false, reason: 'keys-unavailable', text: 'down' });
  });
});
