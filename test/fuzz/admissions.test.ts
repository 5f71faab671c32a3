/** Admissions against a signer's whole check: nothing but the issuer's own token, once, for this withdrawal. */

import * as fc from 'fast-check';
import { base64url, CompactSign, generateKeyPair } from 'jose';
import { describe, expect, test } from 'vitest';
import { createAdmissionVerifier, type Options } from '../../lib/client/admission.ts';
import { fromUnknown, inForce } from '../../lib/client/flag-answer.ts';
import { createPublishedKeys } from '../../lib/client/jwks.ts';
import { fromAnswer } from '../../lib/client/reserve-wire.ts';
import { hostTimers } from '../../lib/client/time.ts';
import { CLAIMS, EXPECTED, forged, HEADER, issuer, NOW_MS } from '../client/tokens.ts';
import * as Build from '../support/builders.ts';
import * as Good from './good.ts';
import { changed, garbage, LONG, wrongOf } from './strange.ts';

const RUNS = 200;
const { privateKey } = await generateKeyPair('ES256', { extractable: true });
const [own, stranger] = await Promise.all([issuer(), issuer()]);
const TOKEN = await own.sign();
const [HEAD = '', PAYLOAD = '', SIGNATURE = ''] = TOKEN.split('.');

/** A verifier that has seen nothing; `claims` notes what it would have used up. */
function verifier(more: Partial<Options> = {}) {
  const claims: string[] = [];
  const replayStore = { claim: async (id: string) => claims.push(id) > 0 };
  const options = { jwks: { keys: [own.jwk] }, audience: 'signer-1', replayStore };
  const clock = { nowMs: () => NOW_MS };
  return { claims, verify: createAdmissionVerifier({ ...options, clock, ...more }).verify };
}

/** The reason of a refusal; a refused token uses nothing up. */
async function refusal(token: unknown): Promise<string> {
  const { claims, verify } = verifier();
  const result = await verify(token as string, EXPECTED);
  expect(result.ok || result.text.length > 0).toBe(true);
  expect(claims).toHaveLength(result.ok ? 1 : 0);
  return result.ok ? 'taken' : result.reason;
}

describe('createAdmissionVerifier', () => {
  test('default', async () => {
    expect(await refusal(TOKEN)).toBe('taken');
  });

  test('behavior: garbage, and a token that was changed anywhere, are refused', async () => {
    const strange = fc.oneof(garbage(), changed(TOKEN), fc.constantFrom(...LONG));
    await fc.assert(
      fc.asyncProperty(strange, async (token) => {
        fc.pre(token !== TOKEN);
        expect(await refusal(token)).not.toBe('taken');
      }),
      { numRuns: RUNS },
    );
  });

  test('behavior: one bit of it is enough', async () => {
    const bit = fc.record({ part: fc.nat(2), at: fc.nat(10_000), bit: fc.nat(7) });
    await fc.assert(
      fc.asyncProperty(bit, async ({ part, at, bit: which }) => {
        const parts = TOKEN.split('.').map((text) => base64url.decode(text));
        const bytes = parts[part] ?? new Uint8Array(1);
        const place = at % bytes.length;
        bytes[place] = (bytes[place] ?? 0) ^ (1 << which);
        expect(await refusal(parts.map((one) => base64url.encode(one)).join('.'))).not.toBe(
          'taken',
        );
      }),
      { numRuns: RUNS },
    );
  });

  test('behavior: what is no text is refused', async () => {
    for (const token of [undefined, null, 1, {}, [], [TOKEN], { toString: () => TOKEN }]) {
      expect(await refusal(token)).toBe('malformed');
    }
  });

  test.each<[string, string, string]>([
    ['alg none, without a signature', forged({ ...HEADER, alg: 'none' }, ''), 'algorithm'],
    ['alg none, with one', forged({ ...HEADER, alg: 'none' }, SIGNATURE), 'algorithm'],
    ['alg NONE', forged({ ...HEADER, alg: 'NONE' }, SIGNATURE), 'algorithm'],
    ['a shared key', forged({ ...HEADER, alg: 'HS256' }, SIGNATURE), 'algorithm'],
    ['another curve', forged({ ...HEADER, alg: 'ES384' }, SIGNATURE), 'algorithm'],
    ['several algorithms', forged({ ...HEADER, alg: ['ES256'] }, SIGNATURE), 'algorithm'],
    ['a key of its own', forged({ ...HEADER, jwk: own.jwk }, SIGNATURE), 'header'],
    ['a place for keys', forged({ ...HEADER, jku: 'https://x.example' }, SIGNATURE), 'header'],
    ['an extension', forged({ ...HEADER, crit: ['b64'], b64: false }, SIGNATURE), 'critical'],
    ['a kid that is no text', forged({ ...HEADER, kid: { k: 1 } }, SIGNATURE), 'unknown-key'],
    ['a kid of a prototype', forged({ ...HEADER, kid: '__proto__' }, SIGNATURE), 'unknown-key'],
    ['a huge header', forged({ ...HEADER, kid: 'k'.repeat(100_000) }, SIGNATURE), 'malformed'],
    ['a signature of zeros', forged(HEADER, 'A'.repeat(86)), 'signature'],
    ['five parts', `${TOKEN}.a.b`, 'malformed'],
    ['padding', `${HEAD}.${PAYLOAD}=.${SIGNATURE}`, 'malformed'],
    ['spaces around', ` ${TOKEN}\n`, 'malformed'],
  ])('error: %s', async (_, token, reason) => {
    expect(await refusal(token)).toBe(reason);
  });

  test('error: a key that nobody published, under the name of one that is', async () => {
    expect(await refusal(await stranger.sign())).toBe('signature');
    const protectedHeader = { ...HEADER } as const;
    const sign = new CompactSign(new TextEncoder().encode(JSON.stringify(CLAIMS)));
    const token = await sign.setProtectedHeader(protectedHeader).sign(privateKey);
    expect(await refusal(token)).toBe('signature');
  });

  test('behavior: any claim that is wrong is refused, even under a true signature', async () => {
    // What is taken says the same: an issuer may call a time by another number of the same value.
    for (const { path, text, put } of wrongOf(CLAIMS)) {
      const [claim = ''] = path.map(String);
      const reason = await refusal(await own.raw(HEADER, text));
      const isFree = ['iss', 'jti'].includes(claim) && reason === 'taken';
      if (!isFree) expect([claim, put, reason]).not.toEqual([claim, put, 'taken']);
    }
  });

  test('behavior: a claim that stands twice counts as its last, and never as both', async () => {
    const twice = (first: unknown, last: unknown) =>
      JSON.stringify(CLAIMS).replace(
        `"amount":"${CLAIMS.amount}"`,
        `"amount":${JSON.stringify(first)},"amount":${JSON.stringify(last)}`,
      );
    expect(await refusal(await own.raw(HEADER, twice(CLAIMS.amount, '1')))).toBe('amount');
    expect(await refusal(await own.raw(HEADER, twice('1', CLAIMS.amount)))).toBe('taken');
  });

  test('behavior: sets of keys that are garbage are no keys', async () => {
    const good = JSON.stringify({ keys: [own.jwk] });
    const sets = fc.oneof(
      garbage(),
      changed(good),
      fc.constantFrom(...wrongOf(own.jwk)).map(({ text }) => `{"keys":[${text}]}`),
    );
    await fc.assert(
      fc.asyncProperty(sets, async (text) => {
        const keys = createPublishedKeys({
          read: async () => JSON.parse(text),
          clock: { nowMs: () => NOW_MS },
          timers: hostTimers,
          maxAgeMs: 600_000,
          cooldownMs: 5_000,
          timeoutMs: 3_000,
        });
        expect(['key', 'unknown', 'unavailable']).toContain((await keys.find('k1')).kind);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('the answers that client libraries read', () => {
  test('behavior: no wrong field makes a flag enabled that was not', () => {
    const closed = { ...Good.FLAG, enabled: false, reason: 'breaker-open' };
    for (const { text, path } of wrongOf(closed)) {
      const flag = inForce(fromUnknown(JSON.parse(text)), Build.T0_MS - 1);
      const isTurned = path[0] === 'enabled' && JSON.parse(text).enabled === true;
      if (!isTurned) expect(flag.enabled).toBe(false);
    }
    for (const { text, path } of wrongOf(Good.FLAG)) {
      const flag = inForce(fromUnknown(JSON.parse(text)), Build.T0_MS - 1);
      const doesMatter = ['enabled', 'reason', 'text', 'inForceUntilMs'].includes(String(path[0]));
      if (doesMatter && flag.enabled) expect(JSON.parse(text).enabled).toBe(true);
      if (path[0] === 'reason' || path[0] === 'text') {
        if (flag.enabled) expect(typeof JSON.parse(text)[path[0]]).toBe('string');
      }
    }
  });

  test('behavior: no verdict of another withdrawal, or of none, is an allow', () => {
    const asked = [{ ...Good.TRANSFER, withdrawalId: 'w-1' }];
    for (const { text } of wrongOf(Good.VERDICTS)) {
      const value = JSON.parse(text);
      const [verdict] = fromAnswer(value, asked);
      if (verdict?.verdict !== 'allow') continue;
      expect(value.verdicts[0]).toMatchObject({ withdrawalId: 'w-1', verdict: 'allow' });
      expect(value.verdicts[0].admission.length).toBeGreaterThan(0);
    }
  });
});
