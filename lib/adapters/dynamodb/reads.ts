/** Strongly consistent reads of single items and of whole partitions. No index is ever asked. */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { BrokenError } from '../store-errors.ts';
import type { Attributes } from './attributes.ts';
import type { Connection } from './connection.ts';
import { call } from './connection.ts';
import type { ControlKey, LedgerKey } from './keys.ts';

/** Pages of one query, at most: a page holds up to 1 MB. */
const PAGES_MAX = 1_000;

/** Reads one item of the Ledger table. */
export function getLedger(
  connection: Connection,
  operation: string,
  key: LedgerKey,
): Promise<Attributes | undefined> {
  return get(connection, operation, {
    table: connection.tables.ledger,
    key: { pk: { S: key.pk } },
  });
}

/** Reads one item of the Control table. */
export function getControl(
  connection: Connection,
  operation: string,
  key: ControlKey,
): Promise<Attributes | undefined> {
  return get(connection, operation, {
    table: connection.tables.control,
    key: { pk: { S: key.pk }, sk: { S: key.sk } },
  });
}

/**
 * Reads a partition of the Control table in the order of its sort keys, page by page, up to `limit` items.
 *
 * @throws {Store.BrokenError} more pages than any partition of ours can have.
 */
export async function queryControl(
  connection: Connection,
  operation: string,
  query: {
    readonly pk: string;
    /** Only sort keys that begin so. */
    readonly prefix?: string;
    /** Only sort keys from this one on. Not together with a prefix. */
    readonly from?: string;
    /** Only sort keys up to this one. Only together with `from`. */
    readonly to?: string;
    readonly order: 'ascending' | 'descending';
    readonly limit?: number;
    /** Only incidents in this state. Whole pages are read and the others left out of the answer. */
    readonly state?: string;
  },
): Promise<readonly Attributes[]> {
  const { client, tables } = connection;
  const { pk, prefix, from: sk, to, order, state, limit = Number.POSITIVE_INFINITY } = query;
  const found: Attributes[] = [];
  let from: Record<string, AttributeValue> | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    if (found.length >= limit) return found.slice(0, limit);
    const input = {
      TableName: tables.control,
      ConsistentRead: true,
      KeyConditionExpression: [
        'pk = :pk',
        ...(prefix === undefined ? [] : ['begins_with(sk, :prefix)']),
        ...(sk === undefined
          ? []
          : [to === undefined ? 'sk >= :from' : 'sk BETWEEN :from AND :to']),
      ].join(' AND '),
      ExpressionAttributeValues: {
        ':pk': { S: pk },
        ...(prefix === undefined ? {} : { ':prefix': { S: prefix } }),
        ...(sk === undefined ? {} : { ':from': { S: sk } }),
        ...(to === undefined ? {} : { ':to': { S: to } }),
        ...(state === undefined ? {} : { ':state': { S: state } }),
      },
      ...(state === undefined ? {} : { FilterExpression: 'st = :state' }),
      ScanIndexForward: order === 'ascending',
      ExclusiveStartKey: from,
      // What a filter leaves out counts against the limit of a page.
      ...(Number.isFinite(limit) && !state ? { Limit: limit - found.length } : {}),
    };
    const answer = await call(connection, operation, () => client.send(new QueryCommand(input)));
    found.push(...(answer.Items ?? []));
    from = answer.LastEvaluatedKey;
    if (!from) return found.slice(0, limit);
  }
  throw new BrokenError({ operation, reason: 'TooManyPages', why: `${pk} has no end` });
}

async function get(
  connection: Connection,
  operation: string,
  at: { readonly table: string; readonly key: Record<string, AttributeValue> },
): Promise<Attributes | undefined> {
  const input = { TableName: at.table, Key: at.key, ConsistentRead: true };
  const answer = await call(connection, operation, () =>
    connection.client.send(new GetItemCommand(input)),
  );
  return answer.Item;
}
