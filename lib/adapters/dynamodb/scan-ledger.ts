/** Reads all of a Ledger table, for what compares and for nothing that decides. No function may do this. */

import { type DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import type * as Ledger from '../../domain/ledger.ts';
import { fromItem } from './item-codec.ts';
import { fromRow } from './row-codec.ts';

const ROW = 'row#';
const ITEM = 'item#';

/** Everything that a Ledger table holds of rows and items; items by the part of their key behind `item#`. */
export type Scanned = {
  readonly rows: readonly Ledger.Row[];
  readonly items: ReadonlyMap<string, Ledger.Item>;
};

/**
 * Scans a table, strongly consistent, page by page. Rows that are written meanwhile may be missed, so
 * that meters read after it can only hold more.
 *
 * @throws {Store.UnreadableError} and what the SDK throws.
 */
export async function scanLedger(client: DynamoDBClient, table: string): Promise<Scanned> {
  const rows: Ledger.Row[] = [];
  const items = new Map<string, Ledger.Item>();
  const pages = paginateScan({ client }, { TableName: table, ConsistentRead: true });
  for await (const { Items = [] } of pages) {
    for (const attributes of Items) {
      const pk = attributes.pk?.S ?? '';
      if (pk.startsWith(ROW)) rows.push(fromRow(pk.slice(ROW.length), attributes));
      if (pk.startsWith(ITEM)) items.set(pk.slice(ITEM.length), fromItem(attributes));
    }
  }
  return { rows, items };
}
