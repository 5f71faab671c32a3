import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { admissionHeader, toJwks, toPublicJwk } from '../../lib/adapters/admission-jws.ts';

// The key of RFC 7515, appendix A.3.
const X = 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU';
const Y = 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0';

describe('admissionHeader', () => {
  test('default', () => {
    expect(admissionHeader('k')).toEqual({
      alg: 'ES256',
      kid: 'k',
      typ: 'breakwater-admission+jwt',
    });
  });
});

describe('toJwks', () => {
  test('behavior: in order, each key once', async () => {
    const first = await toPublicJwk({ x: X, y: Y });
    const second = { ...first, kid: 'other' };
    expect(toJwks([first, second, { ...first }])).toEqual({ keys: [first, second] });
    expect(toJwks([])).toEqual({ keys: [] });
  });
});

describe('toPublicJwk', () => {
  test('default: the kid is the thumbprint, members in the order of their names', async () => {
    const text = `{"crv":"P-256","kty":"EC","x":"${X}","y":"${Y}"}`;
    const kid = createHash('sha256').update(text).digest('base64url');
    expect(await toPublicJwk({ x: X, y: Y })).toEqual({
      kty: 'EC',
      crv: 'P-256',
      x: X,
      y: Y,
      kid,
      alg: 'ES256',
      use: 'sig',
    });
  });

  test('behavior: a private part is not published', async () => {
    const pair = { x: X, y: Y, d: 'secret' };
    expect(JSON.stringify(await toPublicJwk(pair))).not.toContain('secret');
  });
});
