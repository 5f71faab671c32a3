/** Where a limit or a breaker applies. */

import type { AccountId, AssetId, ChainId } from './caip.ts';

/**
 * The eight kinds of scope, from the narrowest to the widest. Evaluation follows this order, so that
 * one customer or destination is named before a wallet, and a wallet before everything.
 */
export const KINDS = [
  'actor',
  'destination',
  'wallet-asset',
  'wallet',
  'asset',
  'chain',
  'key-domain',
  'global',
] as const;

/** A kind of scope. */
export type Kind = (typeof KINDS)[number];

/** One scope. `id` is empty for `global` only. */
export type Scope = { readonly kind: Kind; readonly id: string };

/** The key of a scope: stored, logged and typed by operators, for example `wallet:eth-hot-1`. */
export type Key = string;

/** What a piece of outgoing money touches; everything that a scope can be derived from. */
export type Subject = {
  readonly chain: ChainId;
  /** The policy's name of the wallet, or its CAIP-10 account where the policy does not know it. */
  readonly wallet: string;
  readonly keyDomain: string;
  readonly asset: AssetId;
  readonly destination: AccountId;
  readonly memo?: string | undefined;
  readonly actor?: string | undefined;
};

/** Actor of money that names none: one scope for all of it, so that leaving the field out escapes no limit. */
const NO_ACTOR = '%none';

/** The one scope over everything. */
export const GLOBAL: Scope = { kind: 'global', id: '' };
/** Key of {@link GLOBAL}. */
export const GLOBAL_KEY: Key = 'global';

/** Longest key that is accepted; a DynamoDB partition key holds 2 048 bytes. */
const KEY_LENGTH_MAX = 600;

/** The key of a scope. Injective: parts are percent-encoded, so `1` and `11`, or an id with separators, never meet. */
export function key(scope: Scope): Key {
  return scope.kind === 'global' ? GLOBAL_KEY : `${scope.kind}:${scope.id}`;
}

/**
 * Takes a key apart. Spelling is the edge's business (`lib/adapters/wire/scope-key.ts`).
 *
 * @throws {InvalidScopeError} unknown kind, empty or overlong id.
 */
export function parseKey(text: string): Scope {
  if (text === GLOBAL_KEY) return GLOBAL;
  const [, name, id = ''] = /^([a-z-]+):(.+)$/s.exec(text) ?? [];
  const kind = KINDS.find((known) => known === name);
  const isWhole = text.length <= KEY_LENGTH_MAX && !/[\s\p{Cc}]/u.test(text);
  if (!kind || kind === 'global' || !isWhole) throw new InvalidScopeError({ text });
  return { kind, id };
}

/** The scope of one kind that a subject lies in. */
export function of(kind: Kind, subject: Subject): Scope {
  switch (kind) {
    case 'actor':
      return { kind, id: subject.actor === undefined ? NO_ACTOR : encode(subject.actor) };
    case 'destination':
      return { kind, id: destinationId(subject) };
    case 'wallet-asset':
      return { kind, id: walletAssetId(subject) };
    case 'wallet':
      return { kind, id: encode(subject.wallet) };
    case 'asset':
      return { kind, id: subject.asset };
    case 'chain':
      return { kind, id: subject.chain };
    case 'key-domain':
      return { kind, id: encode(subject.keyDomain) };
    case 'global':
      return GLOBAL;
    default:
      return kind satisfies never;
  }
}

/** The id of a `wallet-asset` scope. */
export function walletAssetId(of: Pick<Subject, 'wallet' | 'asset'>): string {
  return `${encode(of.wallet)}|${of.asset}`;
}

/** All scopes that a subject lies in, narrowest first. */
export function all(subject: Subject): readonly Scope[] {
  return KINDS.map((kind) => of(kind, subject));
}

/**
 * Kinds whose open breaker stops everything that a breaker of the given kind would stop, for one
 * subject. A chain covers neither its assets nor its wallets: both can live on other chains as well.
 */
const COVERED_BY: Readonly<Record<Kind, readonly Kind[]>> = {
  actor: ['global'],
  destination: ['global'],
  'wallet-asset': ['wallet', 'asset', 'key-domain', 'global'],
  wallet: ['key-domain', 'global'],
  asset: ['global'],
  chain: ['global'],
  'key-domain': ['global'],
  global: [],
};

/** Whether an open breaker of one kind stops everything that one of another kind stops, for one subject. */
export function covers(wider: Kind, narrower: Kind): boolean {
  return wider === narrower || COVERED_BY[narrower].includes(wider);
}

/** The wider scopes of a subject that contain its scope of this kind. */
export function covering(kind: Kind, subject: Subject): readonly Scope[] {
  const [, ...wholes] = stopping(kind, subject);
  return [...wholes, ...COVERED_BY[kind].map((wider) => of(wider, subject))];
}

/**
 * The scopes of one kind whose open breaker stops a subject, narrowest first. A destination with a
 * memo is stopped by its own breaker and by that of the destination as a whole.
 */
export function stopping(kind: Kind, subject: Subject): readonly Scope[] {
  const own = of(kind, subject);
  const hasPart = kind === 'destination' && subject.memo !== undefined;
  return hasPart ? [own, of(kind, { ...subject, memo: undefined })] : [own];
}

function destinationId(subject: Subject): string {
  return subject.memo === undefined
    ? subject.destination
    : `${subject.destination}|${encode(subject.memo)}`;
}

/** What is encoded as itself, which nearly every id is. */
const PLAIN = /^[\w\-.!~*'():/]*$/;

/**
 * Percent-encodes all but the characters that CAIP identifiers use, so that `|` is free to separate.
 * Half of a surrogate pair cannot be encoded: it becomes U+FFFD, as it would in the table.
 */
function encode(part: string): string {
  if (PLAIN.test(part)) return part;
  return encodeURIComponent(part.toWellFormed()).replaceAll('%3A', ':').replaceAll('%2F', '/');
}

/** A text is not a scope key. */
export class InvalidScopeError extends Error {
  override readonly name = 'Scope.InvalidScopeError';
  constructor(details: { readonly text: string }) {
    super(
      `"${details.text.slice(0, 100)}" is not a scope; use "global" or "<kind>:<id>" with a kind of ${KINDS.slice(0, -1).join(', ')}`,
    );
  }
}
