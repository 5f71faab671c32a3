/**
 * A policy as it is stored for those who decide by it: the domain's values as canonical JSON (keys in
 * order and no white space, as in RFC 8785; bigints as decimal strings), with the number of its form.
 * Reading it needs neither YAML nor what knows policy files. The same policy is always the same text, so
 * whoever has the source can compile it and compare.
 */

import * as z from 'zod/mini';
import type * as Breaker from '../domain/breaker.ts';
import type { AccountId, AssetId, ChainId } from '../domain/caip.ts';
import * as Money from '../domain/money.ts';
import type * as Policy from '../domain/policy.ts';
import type * as Price from '../domain/price.ts';
import * as Scope from '../domain/scope.ts';

/** Number of the form. It goes up with every change of the policy's fields or of what they mean. */
const FORMAT = 2;

/**
 * What a policy's text says. What is known of the world belongs to a decision, and what earlier versions
 * said is stored beside the text: the same source compiles to the same text, whatever was before.
 */
type Compilable = Omit<Policy.Policy, 'known' | 'retired'>;

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

const patterns = z.exactOptional(z.array(text));
const step = z.strictObject({
  shareBps: count.check(z.gte(1), z.lte(10_000)),
  forMs: count,
  chains: patterns,
  assets: patterns,
} satisfies Fields<Breaker.Step>);
const staged = { steps: z.array(step), budget: units } satisfies Fields<Policy.Staged>;

const operator = z.strictObject({
  name: text,
  address: text,
  roles: z.array(z.enum(['pause', 'resume', 'panic'])),
  contact: optionalText,
  iam: optionalText,
} satisfies Fields<Policy.Operator>);

const contact = z.strictObject({
  name: text,
  kind: z.enum(['issuer', 'exchange', 'law-enforcement', 'security', 'other']),
  assets: z.optional(z.array(text)),
  reach: text,
} satisfies Fields<Policy.Contact>);

/** The fields that the first form had; it also had `resume` with its kind alone. */
const first = {
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
  outstandingMax: count,
  overdueMs: count,
  timing: z.strictObject({
    clockToleranceMs: count,
    admissionMs: count,
    commitDelayMs: count,
    leaseMs: count,
  } satisfies Fields<Policy.Timing>),
};

const policy: z.ZodMiniType<Compilable> = z.strictObject({
  ...first,
  operators: z.array(operator),
  resume: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('trial'), ...staged }),
    z.strictObject({
      kind: z.literal('quorum'),
      quorum: count.check(z.gte(2)),
      pauserCounts: z.boolean(),
      ...staged,
    }),
  ]),
  changes: z.strictObject({ delayMs: count } satisfies Fields<Policy.Changes>),
  contacts: z.array(contact),
} satisfies Fields<Compilable>);

const Compiled = z.strictObject({ format: z.literal(FORMAT), policy });

/** A policy of the first form: in trial mode, since no other was ever put in force. */
const CompiledFirst = z.strictObject({
  format: z.literal(1),
  policy: z.strictObject({ ...first, resume: z.strictObject({ kind: z.literal('trial') }) }),
});

/** Delay of a policy that was compiled before there was one, ms. */
const DELAY_MS = 86_400_000;

/** Writes a policy. Equal policies give equal texts, in whatever order their fields were set. */
export function toCompiled({ known: _known, retired: _retired, ...value }: Policy.Policy): string {
  return JSON.stringify({ format: FORMAT, policy: value }, canonical);
}

/**
 * Reads a policy, also one in the form before this one: it had no operators, so an upgrade stops
 * nothing. Fail direction: closed, a text that {@link toCompiled} of a known version would not have
 * written, to the byte, is no policy at all. So what a newer version wrote is never half understood.
 *
 * @throws {InvalidCompiledPolicyError}
 */
export function fromCompiled(compiled: string): Policy.Policy {
  const raw = parsed(compiled);
  const before = CompiledFirst.safeParse(raw);
  if (before.success) return upgraded(before.data, compiled);
  const reading = Compiled.safeParse(raw);
  if (!reading.success) {
    const [issue] = reading.error.issues;
    const why = `${issue?.path.join('.') || 'all of it'}: ${issue?.message}`;
    throw new InvalidCompiledPolicyError({ why });
  }
  assertCanonical(toCompiled(reading.data.policy), compiled);
  return reading.data.policy;
}

function upgraded(read: z.output<typeof CompiledFirst>, compiled: string): Policy.Policy {
  assertCanonical(JSON.stringify(read, canonical), compiled);
  return {
    ...read.policy,
    operators: [],
    resume: { kind: 'trial', steps: [], budget: 0n },
    changes: { delayMs: DELAY_MS },
    contacts: [],
  };
}

/** A key given twice, a number written otherwise: what JSON reads over, people do not. */
function assertCanonical(written: string, compiled: string): void {
  if (written === compiled) return;
  throw new InvalidCompiledPolicyError({ why: 'it is not in canonical form' });
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
