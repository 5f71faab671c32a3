import { CompactSign, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import type { Expected } from '../../lib/client/admission-claims.ts';

export const NOW_MS = 1_700_000_000_000;
export const NOW_S = NOW_MS / 1_000;
export const HOT = 'eip155:1:0x1111111111111111111111111111111111111111';
export const CUSTOMER = 'eip155:1:0x2222222222222222222222222222222222222222';

export const EXPECTED: Expected = {
  withdrawalId: 'w-1',
  wallet: HOT,
  asset: 'eip155:1/slip44:60',
  amount: 10n ** 18n,
  destination: CUSTOMER,
};

export const CLAIMS = {
  iss: 'breakwater',
  aud: 'signer-1',
  sub: 'w-1',
  jti: 'token-1',
  wallet: HOT,
  asset: 'eip155:1/slip44:60',
  amount: '1000000000000000000',
  destination: CUSTOMER,
  iat: NOW_S,
  exp: NOW_S + 30,
};

export const HEADER = { alg: 'ES256', kid: 'k1', typ: 'breakwater-admission+jwt' };

/** A key as an issuer has it: it signs, and its public half can be published. */
export type Issuer = {
  readonly jwk: JWK;
  readonly sign: (
    claims?: Record<string, unknown>,
    header?: Record<string, unknown>,
  ) => Promise<string>;
  /** Signs a payload as it is. */
  readonly raw: (header: Record<string, unknown>, payload: string) => Promise<string>;
};

/** Makes an issuer with a fresh key. Its token is {@link CLAIMS} under {@link HEADER} with the changes given. */
export async function issuer(kid = 'k1'): Promise<Issuer> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' };
  return {
    jwk,
    sign: (claims = {}, header = {}) =>
      new SignJWT({ ...CLAIMS, ...claims })
        .setProtectedHeader({ ...HEADER, kid, ...header })
        .sign(privateKey),
    raw: (header, payload) =>
      new CompactSign(new TextEncoder().encode(payload))
        .setProtectedHeader({ ...HEADER, kid, ...header })
        .sign(privateKey),
  };
}

/** A token with any header and any third part, signed by nobody. */
export function forged(
  header: Record<string, unknown>,
  signature: string,
  claims: unknown = CLAIMS,
): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${signature}`;
}
