/** Proofs of health, in the Ledger table: they change every few seconds and need no stream. */

import { type AttributeValue, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { HealthStore } from '../../ports.ts';
import type { Connection } from './connection.ts';
import { call, settle, toError } from './connection.ts';
import * as Codec from './health-codec.ts';
import { HEARTBEAT_KEY, LEASES_KEY, STUCK_KEY, sightKey } from './keys.ts';
import { getLedger } from './reads.ts';

/** Heartbeat and leases. No leases stored reads as none in force. */
export function createHealthStore(connection: Connection): HealthStore {
  return {
    heartbeat: async () => {
      const stored = await getLedger(connection, 'heartbeat', HEARTBEAT_KEY);
      return stored && Codec.fromHeartbeat(stored);
    },
    stuckAtMs: async () => {
      const stored = await getLedger(connection, 'stuck', STUCK_KEY);
      return stored && Codec.fromStuck(stored);
    },
    noteStuck: async (atMs) => {
      const input = { TableName: connection.tables.ledger, Item: Codec.toStuck(atMs) };
      await call(connection, 'stuck', () => connection.client.send(new PutItemCommand(input)));
    },
    ...createLeaseReader(connection),
    sights: async (chains) => {
      const read = chains.map(async (chain) => {
        const stored = await getLedger(connection, 'sight', sightKey(chain));
        return stored ? [[chain, Codec.fromSight(stored)] as const] : [];
      });
      return new Map((await Promise.all(read)).flat());
    },
    noteSight: (chain, sight) =>
      putNewest(connection, 'sight', {
        item: Codec.toSight(chain, sight),
        atMs: sight.seenAtMs,
      }),
    renew: (leases, atMs) =>
      putNewest(connection, 'renew', { item: Codec.toLeases(leases, atMs), atMs }),
  };
}

/** The leases alone, for those who never write. */
export function createLeaseReader(connection: Connection): Pick<HealthStore, 'leases'> {
  return {
    leases: async () => {
      const stored = await getLedger(connection, 'leases', LEASES_KEY);
      return stored ? Codec.fromLeases(stored) : {};
    },
  };
}

/** A lost condition is no failure here: somebody knew of something later. */
async function putNewest(
  connection: Connection,
  operation: string,
  { item, atMs }: { readonly item: Record<string, AttributeValue>; readonly atMs: number },
): Promise<void> {
  const input = {
    TableName: connection.tables.ledger,
    Item: item,
    ConditionExpression: 'attribute_not_exists(pk) OR v <= :at',
    ExpressionAttributeValues: { ':at': { N: atMs.toString() } },
  };
  const settled = await settle(connection, () => connection.client.send(new PutItemCommand(input)));
  if (settled.kind === 'failed' && settled.failure.kind !== 'condition') {
    throw toError(operation, settled);
  }
}
