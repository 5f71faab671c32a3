/**
 * A policy as it is stored for those who decide by it: the domain's values as canonical JSON (keys in
 * order and no white space, as in RFC 8785; bigints as decimal strings), with the number of its form.
 * Reading it needs neither YAML nor what knows policy files. The same policy is always the same text, so
 * whoever has the source can compile it and compare.
 */

import * as z from 'zod/mini';
import type { AccountId, AssetId, ChainId } from '../domain/caip.ts';
import * as Money from '../domain/money.ts';
import type * as Policy from '../domain/policy.ts';
import type * as Price from '../domain/price.ts';
import * as Scope from '../domain/scope.ts';

/** Number of the form. It goes up with every change of the policy's fields or of what they mean. */
const FORMAT = 1;

/** Every field of a type, also those that may be missing: none is forgotten here. */
type Fields<T> = Record<keyof T, z.ZodMiniType>;

const text = z.string();
const count = z.int().check(z.nonnegative());
const optionalText = z.optional(text);
const assetId = z.custom<AssetId>((value) => typeof value === 'string');
const accountId = z.custom<AccountId>((value) => typeof value === 'string');
const kind = z.enum(Scope.KINDS);
const mode = z.enum(['enforce', 'shadow']);
const units = z.pipe(
  text.check(z.regex(/^(?:0|[1-9]\d{0,77})$/)),
  z.pipe(
    z.transform((digits: string) => BigInt(digits)),
    z.bigint().check(z.lte(Money.MAX)),
  ),
);

const chain = z.strictObject({
  pattern: text,
  name: text,
  watch: z.optional(
    z.strictObject({ confirmations: count, blindAfterMs: count } satisfies Fields<Policy.Watch>),
  ),
  observed: z.optional(z.literal(true)),
} satisfies Fields<Policy.ChainRule>);

const chainId = z.custom<ChainId>((value) => typeof value === 'string');
const feed: z.ZodMiniType<Price.Feed> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('chainlink'), chain: chainId, address: text }),
  z.strictObject({ kind: z.literal('http'), id: text }),
]);

const source = z.strictObject({
  feed,
  maxAgeMs: count,
  keepMs: count,
} satisfies Fields<Price.Source>);

const asset = z.strictObject({
  pattern: text,
  symbol: text,
  decimals: count.check(z.lte(Money.DECIMALS_MAX)),
  floorPricePicoUsd: z.optional(units),
  sources: z.optional(z.array(source)),
  sameAs: z.optional(assetId),
} satisfies Fields<Policy.AssetRule>);

const wallet = z.strictObject({
  name: text,
  keyDomain: text,
  addresses: z.array(accountId),
  admissionMs: z.optional(count),
  floors: z.optional(z.array(z.strictObject({ asset: assetId, amount: units }))),
  canary: z.optional(z.literal(true)),
} satisfies Fields<Policy.Wallet>);

const limit = z.strictObject({
  limitId: text,
  scope: kind,
  where: z.strictObject({
    wallet: optionalText,
    keyDomain: optionalText,
    chain: optionalText,
    asset: optionalText,
    destination: optionalText,
    actor: optionalText,
  } satisfies Fields<Policy.Where>),
  metric: z.enum(['notional', 'amount', 'count', 'assets', 'single', 'share']),
  windowMs: count,
  allowed: units,
  warnBps: z.optional(count),
  action: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('pause'), scope: kind }),
    z.strictObject({ kind: z.literal('hold') }),
    z.strictObject({ kind: z.literal('alert') }),
  ]),
  tripOnRefusal: z.optional(z.boolean()),
  mode,
} satisfies Fields<Policy.Limit>);

const unknownRule = z.strictObject({
  withdrawal: z.enum(['block', 'hold', 'allow']),
  outflow: z.enum(['pause', 'alert']),
  scope: kind,
} satisfies Fields<Policy.UnknownRule>);

const policy: z.ZodMiniType<Policy.Policy> = z.strictObject({
  name: text,
  mode,
  chains: z.array(chain),
  assets: z.array(asset),
  wallets: z.array(wallet),
  limits: z.array(limit),
  unknown: z.strictObject({
    wallet: unknownRule,
    asset: unknownRule,
    chain: unknownRule,
    price: unknownRule,
  } satisfies Fields<Policy.Policy['unknown']>),
  unmatched: z.strictObject({ scope: kind, risks: z.enum(['pause', 'alert']) }),
  conflict: z.strictObject({ scope: kind }),
  matching: z.strictObject({
    deductedFeeMax: units,
    graceMs: count,
    unseenMs: count,
  } satisfies Fields<Policy.MatchingRule>),
  own: z.array(accountId),
  resume: z.strictObject({ kind: z.enum(['trial', 'quorum']) }),
  outstandingMax: count,
  overdueMs: count,
  timing: z.strictObject({
    clockToleranceMs: count,
    admissionMs: count,
    commitDelayMs: count,
    leaseMs: count,
  } satisfies Fields<Policy.Timing>),
  // What is known of the world belongs to a decision, not to a policy.
} satisfies Fields<Omit<Policy.Policy, 'known'>>);

const Compiled = z.strictObject({ format: z.literal(FORMAT), policy });

/** Writes a policy. Equal policies give equal texts, in whatever order their fields were set. */
export function toCompiled(value: Policy.Policy): string {
  return JSON.stringify({ format: FORMAT, policy: value }, canonical);
}

/**
 * Reads a policy. Fail direction: closed, a text that {@link toCompiled} of this version would not have
 * written, to the byte, is no policy at all. So what a newer version wrote is never half understood.
 *
 * @throws {InvalidCompiledPolicyError}
 */
export function fromCompiled(compiled: string): Policy.Policy {
  const reading = Compiled.safeParse(parsed(compiled));
  if (!reading.success) {
    const [issue] = reading.error.issues;
    const why = `${issue?.path.join('.') || 'all of it'}: ${issue?.message}`;
    throw new InvalidCompiledPolicyError({ why });
  }
  // A key given twice, a number written otherwise: what JSON reads over, people do not.
  if (toCompiled(reading.data.policy) !== compiled) {
    throw new InvalidCompiledPolicyError({ why: 'it is not in canonical form' });
  }
  return reading.data.policy;
}

function parsed(compiled: string): unknown {
  try {
    return JSON.parse(compiled);
  } catch (cause) {
    throw new InvalidCompiledPolicyError({ why: 'it is no JSON' }, { cause });
  }
}

function canonical(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1)),
  );
}

/** A text is no compiled policy of this version. It carries nothing of what was read. */
export class InvalidCompiledPolicyError extends Error {
  override readonly name = 'CompiledPolicy.InvalidCompiledPolicyError';
  constructor(details: { readonly why: string }, options: { readonly cause?: unknown } = {}) {
    super(
      `the compiled policy is none that this version wrote (${details.why}); nothing is decided by it. Put the policy in force again: breakwater policy apply`,
      options,
    );
  }
}
