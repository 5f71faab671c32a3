/** Items of scopes, read strongly and never written: all that answering "may withdrawals flow?" needs. */

import type { AttributeValue, KeysAndAttributes } from '@aws-sdk/client-dynamodb';
import { BatchGetItemCommand } from '@aws-sdk/client-dynamodb';
import type * as Ledger from '../../domain/ledger.ts';
import type * as Scope from '../../domain/scope.ts';
import type { DecisionStore } from '../../ports.ts';
import { BrokenError, UnavailableError } from '../store-errors.ts';
import type { Attributes } from './attributes.ts';
import type { Connection } from './connection.ts';
import { call } from './connection.ts';
import { factKeys, factsFrom } from './fact-codec.ts';
import { fromItem } from './item-codec.ts';
import { itemKey } from './keys.ts';

/** Keys of one BatchGetItem, at most (DynamoDB's limit). */
const BATCH_KEYS_MAX = 100;
/** Keys of one load, at most; far more than one transaction could write. */
const KEYS_MAX = 2_000;

type Key = Record<string, AttributeValue>;

/**
 * The reading half of the decision path's store, for those who never write and never look at rows or
 * queues: a bundle with it alone carries neither.
 *
 * @throws {Store.BrokenError} it was asked for rows.
 */
export function createItemReader(connection: Connection): Pick<DecisionStore, 'load'> {
  return {
    load: async ({ rows, items: keys, facts: wanted }) => {
      if (rows.length > 0) throw broken('RowsAsked', `${rows.length} rows of a reader of items`);
      const scopes = new Map(keys.map((scope) => [itemKey(scope).pk, scope]));
      const found = await getAll(connection, [...scopes.keys(), ...factKeys(wanted)]);
      const facts = wanted && factsFrom(wanted, found);
      return { rows: new Map(), items: itemsOf(found, scopes), ...(facts && { facts }) };
    },
  };
}

/** The items among what was read, by scope. @throws {Store.UnreadableError} */
export function itemsOf(
  found: readonly Attributes[],
  scopes: ReadonlyMap<string, Scope.Key>,
): ReadonlyMap<Scope.Key, Ledger.Item> {
  return new Map(
    found.flatMap((attributes): [Scope.Key, Ledger.Item][] => {
      const scope = scopes.get(attributes.pk?.S ?? '');
      return scope === undefined ? [] : [[scope, fromItem(attributes)]];
    }),
  );
}

/** Reads all of these partition keys of the Ledger, strongly; what is not there is left out. */
export async function getAll(
  connection: Connection,
  pks: readonly string[],
): Promise<readonly Attributes[]> {
  if (pks.length > KEYS_MAX) throw broken('TooManyKeys', `${pks.length} keys in one load`);
  const batches: string[][] = [];
  for (let at = 0; at < pks.length; at += BATCH_KEYS_MAX) {
    batches.push(pks.slice(at, at + BATCH_KEYS_MAX));
  }
  const found = await Promise.all(batches.map((batch) => getBatch(connection, batch)));
  return found.flat();
}

/** Reads up to 100 keys; those that the table leaves unprocessed are asked for again, a few times. */
async function getBatch(
  connection: Connection,
  pks: readonly string[],
): Promise<readonly Attributes[]> {
  const { client, tables, retry } = connection;
  const found: Attributes[] = [];
  let keys: Key[] = pks.map((pk) => ({ pk: { S: pk } }));
  for (let attempt = 1; attempt <= retry.attemptsMax; attempt += 1) {
    const request: KeysAndAttributes = { Keys: keys, ConsistentRead: true };
    const answer = await call(connection, 'load', () =>
      client.send(new BatchGetItemCommand({ RequestItems: { [tables.ledger]: request } })),
    );
    found.push(...(answer.Responses?.[tables.ledger] ?? []));
    keys = answer.UnprocessedKeys?.[tables.ledger]?.Keys ?? [];
    if (keys.length === 0) return found;
    if (attempt < retry.attemptsMax) await retry.sleep(retry.delayMs(attempt));
  }
  const reason = 'UnprocessedKeys';
  throw new UnavailableError({ operation: 'load', reason, attempts: retry.attemptsMax });
}

function broken(reason: string, why: string): BrokenError {
  return new BrokenError({ operation: 'load', reason, why });
}
