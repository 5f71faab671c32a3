/** The way to the two tables, with the clock guard on it. */

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Clock } from '../../ports.ts';
import { guardClock } from './clock-guard.ts';
import type { Connection, Retry, TableNames } from './connection.ts';
import { RETRY } from './connection.ts';

/** What a store is made over. */
export type Parameters = {
  /** One that does not retry by itself (`createDynamoClient`). */
  readonly client: DynamoDBClient;
  readonly tables: TableNames;
  readonly wallClock: Clock;
  readonly retry?: Partial<Retry>;
  /** Told when the clocks are apart, beside the error that is thrown. */
  readonly onDeviation?: (() => void) | undefined;
};

/** Puts the clock guard on the client, so that no answer is believed that tells another time than the host's. */
export function connect(parameters: Parameters): Connection {
  const { client, tables, wallClock, retry, onDeviation } = parameters;
  guardClock(client, wallClock, onDeviation);
  return { client, tables, wallClock, retry: { ...RETRY, ...retry } };
}
