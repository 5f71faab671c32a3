/** The single values of a policy file: from the text that stands there to a domain value. */

import * as z from 'zod/mini';
import * as Caip from '../../domain/caip.ts';
import * as Meter from '../../domain/meter.ts';
import * as Money from '../../domain/money.ts';
import * as Identifier from '../wire/identifier.ts';
import { oneOf, quoted } from './problem.ts';

/** What editors are told about a value; it goes into the JSON Schema as it is. */
export type Hint = {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly pattern?: string;
  readonly enum?: readonly (string | number | boolean)[];
};

/** The hints by schema, for `z.toJSONSchema`. */
export const HINTS = z.registry<Hint>();

/** A text and a number are the same to a policy: what counts is what stands in the file. */
const TEXT_OR_NUMBER = { type: ['string', 'number'] } as const;

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const DURATION = /^(\d{1,6})(ms|s|m|h|d)$/;
const DECIMAL = /^\d{1,78}(\.\d{1,78})?$/;
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
/** Longest pattern: longer than any CAIP identifier. */
const PATTERN_LENGTH_MAX = 200;

/** The windows of the ladder as a policy writes them. */
export const WINDOWS = ['1m', '5m', '15m', '1h', '6h', '24h', '7d', '30d'] as const;
/** Says which windows there are. */
export const WINDOW_CHOICE = `use ${oneOf(WINDOWS)} (a slot may be at most a tenth of its window)`;
/** Says which limits there are. */
const LIMIT_CHOICE =
  'use a decimal above 0 such as "2500000", a share such as "25%", or the word unlimited';
/** An id of CoinGecko. */
const PRICE_ID = /^[a-z0-9][a-z0-9._-]{0,99}$/;
const SHARE = /^\d{1,3}(\.\d{1,2})?%$/;

/** A policy's name, a wallet's, a key domain's, a limit's id. */
export const name = scalar({
  expected:
    'a name; use lower-case letters, digits, ".", "_" and "-", at most 64, starting with a letter or digit',
  read: (text) => (NAME.test(text) ? text : undefined),
  hint: { pattern: NAME.source },
});

/** A text for people: a chain's name, an asset's symbol. */
export const label = scalar({
  expected: 'a label; use 1 to 64 printable characters',
  read: (text) =>
    text.length <= 64 && text.isWellFormed() && !/\p{Cc}/u.test(text) ? text : undefined,
});

/** A CAIP-2 chain or a pattern of them. */
export const chainPattern = scalar({
  expected: 'a CAIP-2 chain such as "eip155:1", or a pattern such as "eip155:*"',
  read: (text) => pattern(text, Caip.parseChain),
});

/** A CAIP-19 asset or a pattern of them. */
export const assetPattern = scalar({
  expected:
    'a CAIP-19 asset such as "eip155:1/slip44:60" or "eip155:1/erc20:0x…" (40 hex digits, checksum right if in mixed case), or a pattern with *',
  read: (text) => pattern(text, Identifier.parseAsset),
});

/** A CAIP-10 account or a pattern of them. */
export const accountPattern = scalar({
  expected:
    'a CAIP-10 account such as "eip155:1:0x…" (40 hex digits, checksum right if in mixed case), or a pattern with *',
  read: (text) => pattern(text, Identifier.parseAccount),
});

/** A CAIP-19 asset. */
export const assetId = scalar({
  expected:
    'a CAIP-19 asset such as "eip155:1/slip44:60" or "eip155:1/erc20:0x…" (40 hex digits, checksum right if in mixed case)',
  read: attempt(Identifier.parseAsset),
});

/** A CAIP-10 account. */
export const accountId = scalar({
  expected:
    'a CAIP-10 account such as "eip155:1:0x…" (40 hex digits, checksum right if in mixed case)',
  read: attempt(Identifier.parseAccount),
});

/** A pattern over names or customers: any text with `*`. */
export const textPattern = scalar({
  expected: `a pattern; use 1 to ${PATTERN_LENGTH_MAX} printable characters, * for any run of them`,
  read: (text) =>
    text.length <= PATTERN_LENGTH_MAX && text.isWellFormed() && !/\p{Cc}/u.test(text)
      ? text
      : undefined,
});

/** Open reservations of one customer. */
export const outstandingMax = scalar({
  expected: 'a number of reservations; use a whole number of 1 to 100000',
  read: (text) => (/^[1-9]\d{0,4}$|^100000$/.test(text) ? Number(text) : undefined),
  hint: TEXT_OR_NUMBER,
});

/** Blocks above an outflow until it is counted. */
export const confirmations = scalar({
  expected: 'a number of blocks; use a whole number of 0 to 1000',
  read: (text) => (/^(0|[1-9]\d{0,2}|1000)$/.test(text) ? Number(text) : undefined),
  hint: TEXT_OR_NUMBER,
});

/** USD, as micro-USD. */
export const usd = scalar({
  expected: 'an amount in USD; use a decimal of 0 or more with at most 6 fraction digits',
  read: attempt(Money.parseUsd),
  hint: { ...TEXT_OR_NUMBER, pattern: '^\\d+(\\.\\d+)?$' },
});

/** Fraction digits of an asset. */
export const decimals = scalar({
  expected: `a number of decimals; use a whole number of 0 to ${Money.DECIMALS_MAX}`,
  read: (text) =>
    /^(0|[1-9]\d?)$/.test(text) && Number(text) <= Money.DECIMALS_MAX ? Number(text) : undefined,
  hint: { ...TEXT_OR_NUMBER, pattern: '^\\d{1,2}$' },
});

/** USD for one whole token, as pico-USD. */
export const price = scalar({
  expected:
    'a price in USD; use a decimal above 0 with at most 12 fraction digits, such as "1500" or "0.0000123"',
  read: (text) => attempt(Money.parsePrice)(text) || undefined,
  hint: { ...TEXT_OR_NUMBER, pattern: '^\\d+(\\.\\d+)?$' },
});

/** An EVM chain. */
export const evmChain = scalar({
  expected: 'an EVM chain; use its CAIP-2 id such as "eip155:1"',
  read: (text) => (text.startsWith('eip155:') ? attempt(Caip.parseChain)(text) : undefined),
});

/** An EVM address, in lower case. */
export const evmAddress = scalar({
  expected: 'an EVM address; use 0x and 40 hex digits, the checksum right if in mixed case',
  read: (text) => attempt(Identifier.parseAccount)(`eip155:1:${text}`)?.slice('eip155:1:'.length),
});

/** An id of the HTTP price provider. */
export const priceId = scalar({
  expected: 'an id of the price provider; use one such as "ethereum"',
  read: (text) => (PRICE_ID.test(text) ? text : undefined),
  hint: { pattern: PRICE_ID.source },
});

/** Whole tokens, above 0. It stays text: how fine it may be, the asset says. */
export const tokens = scalar({
  expected: 'an amount of tokens; use a decimal above 0 such as "100"',
  read: (text) => (isAboveZero(text) ? text : undefined),
  hint: { ...TEXT_OR_NUMBER, pattern: '^\\d+(\\.\\d+)?$' },
});

/** A window of the ladder, ms. */
export const window = scalar({
  expected: `a window; ${WINDOW_CHOICE}`,
  read: (text) => {
    const isWindow = WINDOWS.some((known) => known === text);
    return isWindow
      ? Meter.LADDER.find((step) => step.windowMs === durationMs(text))?.windowMs
      : undefined;
  },
  hint: { enum: WINDOWS },
});

/** A limit's size. It stays text: what its unit is, the metric says. */
export const allowed = scalar({
  expected: `a limit; ${LIMIT_CHOICE}`,
  read: (text) =>
    text === 'unlimited' || isAboveZero(SHARE.test(text) ? text.slice(0, -1) : text)
      ? text
      : undefined,
  hint: {
    ...TEXT_OR_NUMBER,
    pattern: '^(unlimited|\\d+(\\.\\d+)?%?)$',
  },
});

/** A share of the limit, in basis points. */
export const warnBps = scalar({
  expected: 'a share of the limit; use 1% to 99%',
  read: (text) => {
    const bps = text.endsWith('%')
      ? attempt((share) => Money.parseUnits(share, 2))(text.slice(0, -1))
      : undefined;
    return bps !== undefined && bps >= 100n && bps <= 9_900n ? Number(bps) : undefined;
  },
  hint: { pattern: '^\\d{1,2}(\\.\\d{1,2})?%$' },
});

/** How somebody is reached, for people: a number, an address, a page. */
export const reach = scalar({
  expected: 'how somebody is reached; use 1 to 200 printable characters',
  read: (text) =>
    text.length <= 200 && text.isWellFormed() && !/\p{Cc}/u.test(text) ? text : undefined,
});

/** Operators who must sign together. */
export const quorum = scalar({
  expected: 'a number of operators; use a whole number of 2 to 20',
  read: (text) => (/^([2-9]|1\d|20)$/.test(text) ? Number(text) : undefined),
  hint: TEXT_OR_NUMBER,
});

/** A share of every limit, in basis points. */
export const shareBps = scalar({
  expected: 'a share of every limit; use 0.01% to 100%',
  read: (text) => {
    const bps = text.endsWith('%')
      ? attempt((share) => Money.parseUnits(share, 2))(text.slice(0, -1))
      : undefined;
    return bps !== undefined && bps >= 1n && bps <= 10_000n ? Number(bps) : undefined;
  },
  hint: { pattern: '^\\d{1,3}(\\.\\d{1,2})?%$' },
});

/** A duration between two bounds, ms. */
export function duration(bounds: { readonly least: string; readonly most: string }) {
  const { least, most } = bounds;
  return scalar({
    expected: `a time of ${least} to ${most}; use a whole number with ms, s, m, h or d`,
    read: (text) => {
      const ms = durationMs(text);
      return ms >= durationMs(least) && ms <= durationMs(most) ? ms : undefined;
    },
    hint: { pattern: DURATION.source },
  });
}

/** One of some words; what is missing or wrong is told with all of them. */
export function word<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, {
    error: (issue) => refusal(issue.input, { isNot: 'is not allowed', use: `use ${oneOf(words)}` }),
  });
}

/** Yes or no, as the words `true` and `false`; editors that read YAML booleans know them, too. */
export function flag<const Words extends readonly ['true', ...'false'[]]>(words: Words) {
  const both = words.flatMap((each) => [each, each === 'true']);
  return word(words).register(HINTS, { type: ['string', 'boolean'], enum: both });
}

/** A scalar schema: `read` gives the value, or `undefined` for what is not `expected`. */
function scalar<Value>(parameters: {
  readonly expected: string;
  readonly read: (text: string) => Value | undefined;
  readonly hint?: Hint;
}) {
  const { expected, read, hint = {} } = parameters;
  const [what = '', use] = expected.split('; ');
  const refused = (input: unknown) => refusal(input, { isNot: `is not ${what}`, use });
  const schema = z.pipe(
    z.string({ error: (issue) => refused(issue.input) }),
    z.transform((text: string, context) => {
      const value = text === '' ? undefined : read(text);
      if (value !== undefined) return value;
      context.issues.push({ code: 'custom', message: refused(text), input: text });
      return z.NEVER;
    }),
  );
  return schema.register(HINTS, { description: expected, ...hint });
}

/** What is wrong with an input. Without `use`, `isNot` says what is allowed already. */
function refusal(
  input: unknown,
  allowedHere: { readonly isNot: string; readonly use: string | undefined },
): string {
  const { isNot, use } = allowedHere;
  const hint = use ?? `use ${isNot.replace('is not ', '')}`;
  if (input === undefined) return `is missing; ${hint}`;
  if (input === '') return `is empty; ${hint}`;
  if (typeof input !== 'string') return `must be a single value; ${hint}`;
  return use === undefined ? `${quoted(input)} ${isNot}` : `${quoted(input)} ${isNot}; ${use}`;
}

/** ms of `90s`; NaN for what is no duration. */
function durationMs(text: string): number {
  const match = DURATION.exec(text);
  return match ? Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? Number.NaN) : Number.NaN;
}

/** Whether a text is a plain decimal above 0; whether its unit can hold it, `allowed.ts` says. */
function isAboveZero(text: string): boolean {
  return DECIMAL.test(text) && /[1-9]/.test(text);
}

/**
 * A pattern as the domain compares it: EVM identifiers in lower case, everything else as written.
 * Without `*` it is one identifier and must be a correct one.
 */
function pattern<Id extends string>(text: string, parse: (text: string) => Id): string | undefined {
  if (!text.includes('*')) return attempt(parse)(text);
  if (text.length > PATTERN_LENGTH_MAX || !/^[-_.%a-zA-Z0-9:/*]+$/.test(text)) return undefined;
  return text.startsWith('eip155:') ? text.toLowerCase() : text;
}

/** Gives `undefined` where the reader of the domain refuses a text. */
function attempt<Value>(parse: (text: string) => Value): (text: string) => Value | undefined {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof Caip.InvalidIdError) return undefined;
      if (error instanceof Identifier.ChecksumError) return undefined;
      if (error instanceof Money.InvalidDecimalError) return undefined;
      if (error instanceof Money.TooPreciseError) return undefined;
      throw error;
    }
  };
}
