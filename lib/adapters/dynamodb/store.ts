/** The store over the two DynamoDB tables. */

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Clock, Store } from '../../ports.ts';
import { guardClock } from './clock-guard.ts';
import type { Connection, Retry, TableNames } from './connection.ts';
import { RETRY } from './connection.ts';
import {
  createAlertStore,
  createIncidentStore,
  createPolicyStore,
  createProjectionStore,
} from './control-store.ts';
import { createDecisionStore } from './decision-store.ts';
import { createHealthStore } from './health-store.ts';

/**
 * A store over two tables that exist. Puts the clock guard on the client, so that no answer is
 * believed that tells another time than `wallClock`, the host's own (never a virtual one).
 *
 * All its methods throw `Store.UnavailableError`, `Store.BrokenError`, `Store.ClockError` and
 * `Store.UnreadableError`. Fail direction: closed.
 *
 * @param parameters.client one that does not retry by itself (`createDynamoClient`).
 */
export function createDynamoStore(parameters: {
  readonly client: DynamoDBClient;
  readonly tables: TableNames;
  readonly wallClock: Clock;
  readonly retry?: Partial<Retry>;
}): Store {
  const { client, tables, wallClock, retry } = parameters;
  guardClock(client, wallClock);
  const connection: Connection = { client, tables, wallClock, retry: { ...RETRY, ...retry } };
  return {
    decisions: createDecisionStore(connection),
    policies: createPolicyStore(connection),
    incidents: createIncidentStore(connection),
    health: createHealthStore(connection),
    projections: createProjectionStore(connection),
    alerts: createAlertStore(connection),
  };
}
