/** The size of an item as DynamoDB bills it. */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/** Bytes of one write unit. */
const UNIT_BYTES = 1_024;
/** A write within a transaction costs twice. */
const TRANSACTION_FACTOR = 2;

/** Bytes of names and values. Numbers are about: two digits to a byte, and one more. Lists and maps are not used here. @throws {RangeError} on those. */
export function itemBytes(item: Readonly<Record<string, AttributeValue>>): number {
  return Object.entries(item).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value),
    0,
  );
}

/** Write units of an item of this size in a transaction. */
export function transactionUnits(bytes: number): number {
  return TRANSACTION_FACTOR * Math.max(1, Math.ceil(bytes / UNIT_BYTES));
}

function valueBytes(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.B !== undefined) return value.B.length;
  if (value.N !== undefined) return Math.ceil(value.N.replace(/\D/g, '').length / 2) + 1;
  throw new RangeError('only texts, numbers and bytes are measured');
}
