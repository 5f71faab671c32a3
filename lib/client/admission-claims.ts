/** What an admission says, and whether it says what the signer is about to do. */

import * as z from 'zod/mini';
import * as Caip from '../domain/caip.ts';

/** The claims of a verified admission; times are seconds since the epoch, `sub` is the withdrawal's id. */
export type Claims = {
  readonly iss: string;
  readonly aud: string;
  readonly sub: string;
  readonly jti: string;
  readonly wallet: string;
  readonly asset: string;
  readonly amount: string;
  readonly destination: string;
  readonly memo?: string | undefined;
  readonly iat: number;
  readonly exp: number;
  readonly nbf?: number | undefined;
};

/** The withdrawal that the signer is about to sign: CAIP-10 accounts, CAIP-19 asset, base units. */
export type Expected = {
  readonly withdrawalId: string;
  readonly wallet: string;
  readonly asset: string;
  /** Decimal where it is a text. */
  readonly amount: bigint | string;
  readonly destination: string;
  readonly memo?: string | undefined;
};

/** What else must hold. */
export type Rules = {
  readonly audience: string;
  readonly issuer: string | undefined;
  /** How far ahead the issuer's clock may be. */
  readonly toleranceMs: number;
};

/** Longest life of an admission, for signers that people attend. */
const LIFETIME_MAX_S = 900;
const DECIMAL = /^(0|[1-9]\d{0,77})$/;

const text = z.string().check(z.minLength(1));
const seconds = z.number().check(z.refine((value) => Number.isSafeInteger(value) && value >= 0));
const claimsShape = z.object({
  iss: text,
  aud: text,
  sub: text,
  jti: text,
  wallet: text,
  asset: text,
  amount: z.string().check(z.regex(DECIMAL)),
  destination: text,
  memo: z.optional(text),
  iat: seconds,
  exp: seconds,
  nbf: z.optional(seconds),
});

type Canonical = Omit<Expected, 'amount'> & { readonly amount: string };

/** Writes the expected withdrawal as an issuer does, or says what is wrong with it. */
export function canonical(
  expected: Expected,
): { readonly expected: Canonical } | { readonly problem: string } {
  try {
    const { withdrawalId, memo } = expected;
    const amount = typeof expected.amount === 'bigint' ? `${expected.amount}` : expected.amount;
    if (typeof withdrawalId !== 'string' || withdrawalId === '') {
      return { problem: 'withdrawalId must be a text' };
    }
    if (typeof amount !== 'string' || !DECIMAL.test(amount)) {
      return { problem: 'amount must be a bigint or a decimal text, in base units' };
    }
    const wallet = Caip.parseAccount(expected.wallet);
    const asset = Caip.parseAsset(expected.asset);
    const destination = Caip.parseAccount(expected.destination);
    return { expected: { withdrawalId, wallet, asset, amount, destination, memo } };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : 'cannot be read' };
  }
}

/** Reads signed bytes; `undefined` unless they are the claims of an admission. */
export function parseClaims(payload: Uint8Array): Claims | undefined {
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    const reading = z.safeParse(claimsShape, JSON.parse(decoder.decode(payload)));
    return reading.success ? reading.data : undefined;
  } catch {
    return undefined;
  }
}

type Wrong<R extends string> = { readonly reason: R; readonly text: string } | undefined;

/**
 * What is wrong with the times. Each condition says what must hold, so that a clock that answers no
 * number refuses. The tolerance forgives a clock that is behind; it gives no second after `exp`.
 */
export function outOfTime(
  claims: Claims,
  rules: Rules,
  nowMs: number,
): Wrong<'lifetime' | 'not-yet-valid' | 'expired'> {
  const { iat, exp, nbf = iat } = claims;
  const lifetimeS = exp - iat;
  if (!(lifetimeS > 0 && lifetimeS <= LIFETIME_MAX_S)) {
    return { reason: 'lifetime', text: `an admission lives for at most ${LIFETIME_MAX_S} s` };
  }
  if (!(Math.max(iat, nbf) * 1_000 <= nowMs + rules.toleranceMs)) {
    return { reason: 'not-yet-valid', text: 'the admission is not valid yet' };
  }
  if (!(nowMs < exp * 1_000)) return { reason: 'expired', text: 'the admission has expired' };
  return undefined;
}

/** What the admission says otherwise than expected: the first difference, the widest one first. */
export function mismatch(
  claims: Claims,
  rules: Rules,
  expected: Canonical,
): Wrong<
  | 'issuer'
  | 'audience'
  | 'withdrawal'
  | 'chain'
  | 'wallet'
  | 'asset'
  | 'amount'
  | 'destination'
  | 'memo'
> {
  const pairs = [
    ['issuer', claims.iss, rules.issuer ?? claims.iss],
    ['audience', claims.aud, rules.audience],
    ['withdrawal', claims.sub, expected.withdrawalId],
    ['chain', chainOf(claims.wallet), chainOf(expected.wallet)],
    ['wallet', claims.wallet, expected.wallet],
    ['asset', claims.asset, expected.asset],
    ['amount', claims.amount, expected.amount],
    ['destination', claims.destination, expected.destination],
    ['memo', claims.memo, expected.memo],
  ] as const;
  const [reason] = pairs.find(([, said, wanted]) => said !== wanted) ?? [];
  return reason && { reason, text: `the admission is for another ${reason}` };
}

function chainOf(account: string): string {
  return account.split(':', 2).join(':');
}
