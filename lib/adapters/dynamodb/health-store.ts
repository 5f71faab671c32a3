/** Proofs of health, in the Ledger table: they change every few seconds and need no stream. */

import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { Leases } from '../../domain/flag.ts';
import type { HealthStore } from '../../ports.ts';
import type { Connection } from './connection.ts';
import { call, settle, toError } from './connection.ts';
import * as Codec from './health-codec.ts';
import { HEARTBEAT_KEY, LEASES_KEY, STUCK_KEY } from './keys.ts';
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
    renew: (leases, atMs) => renew(connection, leases, atMs),
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

/** A lost condition is no failure here: somebody gave later leases. */
async function renew(connection: Connection, leases: Leases, atMs: number): Promise<void> {
  const input = {
    TableName: connection.tables.ledger,
    Item: Codec.toLeases(leases, atMs),
    ConditionExpression: 'attribute_not_exists(pk) OR v <= :at',
    ExpressionAttributeValues: { ':at': { N: atMs.toString() } },
  };
  const settled = await settle(connection, () => connection.client.send(new PutItemCommand(input)));
  if (settled.kind === 'failed' && settled.failure.kind !== 'condition') {
    throw toError('renew', settled);
  }
}
