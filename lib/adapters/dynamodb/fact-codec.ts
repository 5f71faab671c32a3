/**
 * Prices and balances at rest: `v` a version, `b` the fact as JSON. A balance is one text for each
 * step, newest slot first, `index:least` and then `steps back:least`; a slot that held the same as
 * the one before it leaves `least` out.
 */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import * as Balance from '../../domain/balance.ts';
import type * as Facts from '../../domain/facts.ts';
import type { Prices, Versioned } from '../../ports.ts';
import { UnreadableError } from '../store-errors.ts';
import * as Attributes from './attributes.ts';
import { balanceKey, PRICES_KEY } from './keys.ts';

const StoredPrices = z.object({
  at: z.int(),
  /** Pairs, because a feed may be called `__proto__`. */
  quotes: z.array(z.tuple([z.string(), Attributes.Units, z.int()])),
});

const StoredBalance = z.object({
  at: z.int(),
  newest: Attributes.Units,
  steps: z.array(z.string()).check(z.length(Balance.STEPS.length)),
});

/** Base 36: a third fewer digits. */
const RADIX = 36;

/** Writes the prices. */
export function toPrices({ version, value }: Versioned<Prices>): Record<string, AttributeValue> {
  const quotes = [...value.quotes].map(([id, { pricePicoUsd, atMs }]) => [id, pricePicoUsd, atMs]);
  return {
    pk: { S: PRICES_KEY.pk },
    v: { N: version.toString() },
    b: Attributes.toJson({ at: value.askedAtMs, quotes }),
  };
}

/** Reads the prices. @throws {Store.UnreadableError} */
export function fromPrices(attributes: Attributes.Attributes): Versioned<Prices> {
  const { at, quotes } = Attributes.jsonOf(attributes, 'b', StoredPrices);
  const byId = quotes.map(([id, pricePicoUsd, atMs]) => [id, { pricePicoUsd, atMs }] as const);
  const value = { askedAtMs: at, quotes: new Map(byId) };
  return { version: Attributes.numberOf(attributes, 'v'), value };
}

/** Writes a balance. */
export function toBalance(
  scope: string,
  { version, value }: Versioned<Balance.Balance>,
): Record<string, AttributeValue> {
  const { newestMs: at, newest, steps } = value;
  return {
    pk: { S: balanceKey(scope).pk },
    v: { N: version.toString() },
    b: Attributes.toJson({ at, newest, steps: steps.map(toText) }),
  };
}

/** Reads a balance. @throws {Store.UnreadableError} */
export function fromBalance(attributes: Attributes.Attributes): Versioned<Balance.Balance> {
  const { at: newestMs, newest, steps } = Attributes.jsonOf(attributes, 'b', StoredBalance);
  const value = { newestMs, newest, steps: steps.map(fromText) };
  return { version: Attributes.numberOf(attributes, 'v'), value };
}

/** Partition keys of what a decision asks for. */
export function factKeys(keys: Facts.Keys | undefined): readonly string[] {
  if (!keys) return [];
  return [...(keys.prices ? [PRICES_KEY.pk] : []), ...keys.balances.map((s) => balanceKey(s).pk)];
}

/** What a decision asked for, from everything that was read. @throws {Store.UnreadableError} */
export function factsFrom(keys: Facts.Keys, found: readonly Attributes.Attributes[]): Facts.Facts {
  const stored = new Map(found.map((attributes) => [attributes.pk?.S ?? '', attributes]));
  const prices = keys.prices ? stored.get(PRICES_KEY.pk) : undefined;
  return {
    quotes: prices ? fromPrices(prices).value.quotes : new Map(),
    balances: new Map(
      keys.balances.flatMap((scope) => {
        const attributes = stored.get(balanceKey(scope).pk);
        return attributes ? [[scope, fromBalance(attributes).value] as const] : [];
      }),
    ),
  };
}

function toText(slots: readonly Balance.Low[]): string {
  return slots
    .map(({ index, least }, position) => {
      const before = slots[position - 1];
      const back = before ? before.index - index : index;
      const amount = before?.least === least ? '' : `:${least.toString(RADIX)}`;
      return `${back.toString(RADIX)}${amount}`;
    })
    .join(' ');
}

function fromText(text: string): readonly Balance.Low[] {
  let index = 0;
  let least = 0n;
  const parts = text === '' ? [] : text.split(' ');
  return parts.map((part, position) => {
    const [, back = '', amount] = /^([0-9a-z]{1,9})(?::([0-9a-z]{1,52}))?$/.exec(part) ?? [];
    if (back === '' || (position === 0 && amount === undefined)) {
      throw new UnreadableError({ what: 'balance', why: 'a slot is no slot' });
    }
    const steps = Number.parseInt(back, RADIX);
    index = position === 0 ? steps : index - steps;
    if (amount !== undefined) least = bigintOf(amount);
    return { index, least };
  });
}

function bigintOf(text: string): bigint {
  let value = 0n;
  for (const digit of text) value = value * BigInt(RADIX) + BigInt(Number.parseInt(digit, RADIX));
  return value;
}
