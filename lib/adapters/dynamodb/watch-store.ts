/** What the watchers of chains remember, in the Control table: one item for each chain. */

import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { WatchStore } from '../../ports.ts';
import type { Connection } from './connection.ts';
import { settle, toError } from './connection.ts';
import { watchKey } from './keys.ts';
import { getControl } from './reads.ts';
import * as Codec from './watch-codec.ts';

/**
 * States by chain. A put whose answer was lost and that is tried again finds its own item: that is
 * told as a conflict, and whoever loads again finds what it wanted to write.
 */
export function createWatchStore(connection: Connection): WatchStore {
  return {
    load: async (chain) => {
      const stored = await getControl(connection, 'watch', watchKey(chain));
      return stored && Codec.fromState(stored);
    },
    save: async (state) => {
      const { version } = state;
      const input = {
        TableName: connection.tables.control,
        Item: Codec.toState({ ...state, version: version + 1 }),
        ...(version === 0
          ? { ConditionExpression: 'attribute_not_exists(pk)' }
          : {
              ConditionExpression: 'v = :version',
              ExpressionAttributeValues: { ':version': { N: version.toString() } },
            }),
      };
      const send = () => connection.client.send(new PutItemCommand(input));
      const settled = await settle(connection, send);
      if (settled.kind === 'done') return 'saved';
      if (settled.failure.kind === 'condition') return 'conflict';
      throw toError('watch', settled);
    },
  };
}
