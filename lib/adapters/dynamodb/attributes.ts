/** Attributes of stored items: read by name, or refused with what is wrong. */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { UnreadableError } from '../store-errors.ts';

/** A stored item. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** A non-negative integer as its decimal string, up to the largest `uint256`. */
export const Units = z.pipe(
  z.string().check(z.regex(/^\d{1,78}$/)),
  z.transform((text: string) => BigInt(text)),
);

/** An identifier that was parsed at the edge before it was stored. */
export function identifier<T extends string>() {
  return z.custom<T>((value) => typeof value === 'string');
}

/** Reads a text attribute. @throws {Store.UnreadableError} */
export function textOf(attributes: Attributes, name: string): string {
  const text = attributes[name]?.S;
  if (text === undefined) throw missing(attributes, name);
  return text;
}

/** Reads a whole number. @throws {Store.UnreadableError} */
export function numberOf(attributes: Attributes, name: string): number {
  const number = Number(attributes[name]?.N);
  if (!Number.isSafeInteger(number)) throw missing(attributes, name);
  return number;
}

/** Reads a binary attribute. @throws {Store.UnreadableError} */
export function bytesOf(attributes: Attributes, name: string): Uint8Array {
  const bytes = attributes[name]?.B;
  if (bytes === undefined) throw missing(attributes, name);
  return bytes;
}

/** Reads a text attribute that holds JSON of this form. @throws {Store.UnreadableError} */
export function jsonOf<T>(attributes: Attributes, name: string, schema: z.ZodMiniType<T>): T {
  const text = textOf(attributes, name);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new UnreadableError({ what: whatOf(attributes), why: `${name} is no JSON` }, { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const why = `${name} at ${issue?.path.join('.')}: ${issue?.message}`;
  throw new UnreadableError({ what: whatOf(attributes), why }, { cause: parsed.error });
}

/** Writes a value as a JSON attribute; big integers as decimal strings. */
export function toJson(value: unknown): AttributeValue {
  return {
    S: JSON.stringify(value, (_, field: unknown) =>
      typeof field === 'bigint' ? field.toString() : field,
    ),
  };
}

function missing(attributes: Attributes, name: string): UnreadableError {
  return new UnreadableError({ what: whatOf(attributes), why: `${name} is missing` });
}

function whatOf(attributes: Attributes): string {
  return [attributes.pk?.S, attributes.sk?.S].filter(Boolean).join(' ').slice(0, 200) || 'item';
}
