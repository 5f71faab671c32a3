/** The store over the two DynamoDB tables. */

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Clock, DecisionStore, HealthStore, PolicyStore, Store } from '../../ports.ts';
import { guardClock } from './clock-guard.ts';
import type { Connection, Retry, TableNames } from './connection.ts';
import { RETRY } from './connection.ts';
import {
  createAlertStore,
  createIncidentStore,
  createPolicyStore,
  createProjectionStore,
} from './control-store.ts';
import { createDecisionReader, createDecisionStore } from './decision-store.ts';
import { createBalanceStore, createPriceStore } from './fact-store.ts';
import { createHealthStore, createLeaseReader } from './health-store.ts';
import { createGraceStore, createHeldStore, createOpenReservations } from './waiting-store.ts';
import { createWatchStore } from './watch-store.ts';

/** What a store is made over. */
type Parameters = {
  /** One that does not retry by itself (`createDynamoClient`). */
  readonly client: DynamoDBClient;
  readonly tables: TableNames;
  readonly wallClock: Clock;
  readonly retry?: Partial<Retry>;
  /** Told when the clocks are apart, beside the error that is thrown. */
  readonly onDeviation?: (() => void) | undefined;
};

/** What answering "may withdrawals flow?" reads. */
export type Reader = {
  readonly decisions: Pick<DecisionStore, 'load'>;
  readonly policies: PolicyStore;
  readonly health: Pick<HealthStore, 'leases'>;
};

/**
 * A store over two tables that exist. Puts the clock guard on the client, so that no answer is
 * believed that tells another time than `wallClock`, the host's own (never a virtual one).
 *
 * All its methods throw `Store.UnavailableError`, `Store.BrokenError`, `Store.ClockError` and
 * `Store.UnreadableError`. Fail direction: closed.
 */
export function createDynamoStore(parameters: Parameters): Store {
  const connection = connect(parameters);
  return {
    decisions: createDecisionStore(connection),
    policies: createPolicyStore(connection),
    incidents: createIncidentStore(connection),
    health: createHealthStore(connection),
    projections: createProjectionStore(connection),
    alerts: createAlertStore(connection),
    held: createHeldStore(connection),
    graces: createGraceStore(connection),
    watches: createWatchStore(connection),
    prices: createPriceStore(connection),
    balances: createBalanceStore(connection),
    openReservations: createOpenReservations(connection),
  };
}

/** As {@link createDynamoStore}, but only what reading the flag needs: nothing in it can write. */
export function createDynamoReader(parameters: Parameters): Reader {
  const connection = connect(parameters);
  return {
    decisions: createDecisionReader(connection),
    policies: createPolicyStore(connection),
    health: createLeaseReader(connection),
  };
}

function connect(parameters: Parameters): Connection {
  const { client, tables, wallClock, retry, onDeviation } = parameters;
  guardClock(client, wallClock, onDeviation);
  return { client, tables, wallClock, retry: { ...RETRY, ...retry } };
}
