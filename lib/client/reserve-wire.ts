/** What a reservation asks and what it is answered, as they travel. */

import * as z from 'zod/mini';
import * as Caip from '../domain/caip.ts';

/** A withdrawal that waits for its signature. CAIP-10 accounts, CAIP-19 assets, amounts in base units. */
export type Withdrawal = {
  readonly withdrawalId: string;
  readonly wallet: string;
  readonly asset: string;
  readonly destination: string;
  readonly memo?: string | undefined;
  readonly actor?: string | undefined;
  /** Decimal where it is a text. */
  readonly amount: bigint | string;
  readonly fee?: { readonly asset: string; readonly amount: bigint | string } | undefined;
  /** The nonce that it will be sent with, where it is known: an outflow with another one is not it. */
  readonly nonce?: number | undefined;
};

/** Why a withdrawal is not allowed. `timeout` and `unavailable` may also come from the client itself. */
export const REASONS = [
  'limit',
  'paused',
  'unknown',
  'conflict',
  'final',
  'outstanding',
  'queue',
  'lease',
  'timeout',
  'unavailable',
] as const;

/** One of {@link REASONS}. */
export type Reason = (typeof REASONS)[number];

const decimal = z.string().check(z.regex(/^-?\d{1,100}$/));
const allowedShape = z.object({
  withdrawalId: z.string(),
  verdict: z.literal('allow'),
  /** The signed admission for the signer, a compact JWS. */
  admission: z.string().check(z.minLength(1)),
  /** When the admission expires, ISO-8601. */
  expiresAt: z.string(),
  /** Present in shadow mode only: what the verdict would have been. */
  wouldBe: z.optional(z.enum(['hold', 'block'])),
  text: z.optional(z.string()),
});
const refusedShape = z.object({
  withdrawalId: z.string(),
  verdict: z.enum(['hold', 'block']),
  reason: z.string(),
  text: z.string(),
  /** Whether the same request may be asked again. */
  provisional: z.boolean(),
  /** The limit that stands against it, amounts as decimal strings in the limit's own unit. */
  limit: z.optional(
    z.object({
      limitId: z.string(),
      scope: z.string(),
      used: decimal,
      allowed: decimal,
      headroom: decimal,
    }),
  ),
  incidentId: z.optional(z.string()),
  scope: z.optional(z.string()),
  capacityAt: z.optional(z.string()),
  heldSince: z.optional(z.string()),
  position: z.optional(z.number()),
});
const answerShape = z.object({ verdicts: z.array(z.unknown()) });

type Allowed = Readonly<z.infer<typeof allowedShape>>;
type Refused = Readonly<Omit<z.infer<typeof refusedShape>, 'reason'> & { reason: Reason }>;
type Named = 'withdrawalId' | 'verdict';

/** The answer for one withdrawal. */
export type Verdict = Allowed | Refused;

/**
 * The answer of a client in shadow mode: always `allow`, with what it would have been in `wouldBe`
 * and why beside it. `admission` is there only if Breakwater gave one: a signer that demands it has to
 * be in shadow mode, too.
 */
export type ShadowVerdict = Pick<Allowed, Named> &
  Partial<Omit<Allowed, Named>> &
  Partial<Omit<Refused, keyof Allowed>>;

/** What is sent: 1 to 100 withdrawals, amounts as decimal strings. */
export type Request = {
  /** The signer that the admissions are for; the service's default where absent. */
  readonly audience?: string;
  readonly withdrawals: readonly WireWithdrawal[];
};

/** A withdrawal with its amounts as decimal strings. */
export type WireWithdrawal = Omit<Withdrawal, 'amount' | 'fee'> & {
  readonly amount: string;
  readonly fee?: { readonly asset: string; readonly amount: string };
};

const DECIMAL = /^(0|[1-9]\d{0,77})$/;

/**
 * Writes a withdrawal in the fields' fixed order. Addresses keep their spelling, so that the service
 * can check its checksum.
 *
 * @throws {InvalidWithdrawalError} what the service would refuse: it must not spoil a whole batch.
 */
export function toWire(withdrawal: Withdrawal): WireWithdrawal {
  const { withdrawalId, wallet, asset, destination, memo, actor, amount, fee, nonce } = withdrawal;
  if (nonce !== undefined && !(Number.isSafeInteger(nonce) && nonce >= 0)) {
    throw new InvalidWithdrawalError({ why: 'nonce must be a whole number of 0 or more' });
  }
  const texts = { withdrawalId, memo: memo ?? 'none', actor: actor ?? 'none' };
  for (const [field, value] of Object.entries(texts)) {
    if (typeof value !== 'string' || value === '' || value.length > 256) {
      throw new InvalidWithdrawalError({ why: `${field} must be a text of 1 to 256 characters` });
    }
  }
  Caip.parseAccount(wallet);
  Caip.parseAsset(asset);
  Caip.parseAccount(destination);
  if (fee) Caip.parseAsset(fee.asset);
  return {
    withdrawalId,
    wallet,
    asset,
    destination,
    ...(memo === undefined ? {} : { memo }),
    ...(actor === undefined ? {} : { actor }),
    amount: toDecimal(amount),
    ...(fee ? { fee: { asset: fee.asset, amount: toDecimal(fee.amount) } } : {}),
    ...(nonce === undefined ? {} : { nonce }),
  };
}

function toDecimal(amount: bigint | string): string {
  const text = typeof amount === 'bigint' ? `${amount}` : amount;
  if (typeof text === 'string' && DECIMAL.test(text)) return text;
  throw new InvalidWithdrawalError({ why: 'amount must be a bigint or a decimal text' });
}

/**
 * Reads an answer: one verdict per withdrawal, in order, each with the id that was asked about. A
 * verdict that is missing, malformed or another's is `undefined`, which is no permission, and does
 * not spoil those beside it.
 */
export function fromAnswer(
  answer: unknown,
  withdrawals: readonly WireWithdrawal[],
): readonly (Verdict | undefined)[] {
  const reading = z.safeParse(answerShape, answer);
  const verdicts = reading.success ? reading.data.verdicts : [];
  return withdrawals.map(({ withdrawalId }, position) => {
    const verdict = toVerdict(verdicts[position]);
    return verdict?.withdrawalId === withdrawalId ? verdict : undefined;
  });
}

/** Turns whatever stands against a withdrawal into what would have. Fail direction: open, by intent. */
export function inShadow(verdict: Verdict): ShadowVerdict {
  if (verdict.verdict === 'allow') return verdict;
  return { ...verdict, verdict: 'allow', wouldBe: verdict.verdict };
}

function toVerdict(value: unknown): Verdict | undefined {
  const allowed = z.safeParse(allowedShape, value);
  if (allowed.success) return allowed.data;
  const refused = z.safeParse(refusedShape, value);
  if (!refused.success) return undefined;
  // A newer service may know a reason that this library does not: it is no permission either.
  const reason = REASONS.find((known) => known === refused.data.reason) ?? 'unavailable';
  return { ...refused.data, reason };
}

/** A withdrawal cannot be asked about as it is. */
export class InvalidWithdrawalError extends Error {
  override readonly name = 'ReserveWire.InvalidWithdrawalError';
  constructor(details: { readonly why: string }) {
    super(details.why);
  }
}
