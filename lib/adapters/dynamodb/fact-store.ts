/** What is known of the world beside the ledger, in the Ledger table: it needs no stream. */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { BalanceStore, PriceStore } from '../../ports.ts';
import type { Connection } from './connection.ts';
import { settle, toError } from './connection.ts';
import * as Codec from './fact-codec.ts';
import { balanceKey, PRICES_KEY } from './keys.ts';
import { getLedger } from './reads.ts';

/** The last good prices. */
export function createPriceStore(connection: Connection): PriceStore {
  return {
    load: async () => {
      const stored = await getLedger(connection, 'prices', PRICES_KEY);
      const none = { version: 0, value: { quotes: new Map(), askedAtMs: 0 } };
      return stored ? Codec.fromPrices(stored) : none;
    },
    put: ({ version, value }) => {
      const item = Codec.toPrices({ version: version + 1, value });
      return replace(connection, item, version);
    },
  };
}

/** What wallets held. */
export function createBalanceStore(connection: Connection): BalanceStore {
  return {
    load: async (scope) => {
      const stored = await getLedger(connection, 'balance', balanceKey(scope));
      return stored ? Codec.fromBalance(stored) : { version: 0, value: undefined };
    },
    put: (scope, { version, value }) => {
      const item = Codec.toBalance(scope, { version: version + 1, value });
      return replace(connection, item, version);
    },
  };
}

async function replace(
  connection: Connection,
  item: Record<string, AttributeValue>,
  version: number,
): Promise<'put' | 'conflict'> {
  const input = {
    TableName: connection.tables.ledger,
    Item: item,
    ConditionExpression: version === 0 ? 'attribute_not_exists(pk)' : 'v = :version',
    ...(version === 0
      ? {}
      : { ExpressionAttributeValues: { ':version': { N: version.toString() } } }),
  };
  const settled = await settle(connection, () => connection.client.send(new PutItemCommand(input)));
  if (settled.kind === 'done') return 'put';
  if (settled.failure.kind === 'condition') return 'conflict';
  throw toError('put', settled);
}
