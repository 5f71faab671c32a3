/** Incidents and the projections' own rows, in the Control table. */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { AlertStore, IncidentStore, ProjectionStore } from '../../ports.ts';
import type { Connection } from './connection.ts';
import { call, settle, toError } from './connection.ts';
import * as Codec from './control-codec.ts';
import * as Keys from './keys.ts';
import { getControl, queryControl } from './reads.ts';

/** Incidents with their causes. */
export function createIncidentStore(connection: Connection): IncidentStore {
  return {
    get: async (incidentId) => {
      const stored = await getControl(connection, 'incident', Keys.incidentKey(incidentId));
      return stored && Codec.fromIncident(stored);
    },
    causes: async (incidentId) => {
      const pk = Keys.causePk(incidentId);
      const stored = await queryControl(connection, 'causes', { pk, order: 'ascending' });
      return stored.map((attributes) => Codec.fromCause(attributes).cause);
    },
    list: async (limit) => {
      const query = { pk: Keys.CONTROL_PK.incident, order: 'descending', limit } as const;
      const stored = await queryControl(connection, 'incidents', query);
      return stored.map(Codec.fromIncident);
    },
    listOpen: async (limit) => {
      const query = {
        pk: Keys.CONTROL_PK.incident,
        order: 'descending',
        limit,
        state: 'open',
      } as const;
      const stored = await queryControl(connection, 'open incidents', query);
      return stored.map(Codec.fromIncident);
    },
  };
}

/** Pages that went out, and the flag's mirror. */
export function createProjectionStore(connection: Connection): ProjectionStore {
  return {
    isPaged: async (pageId) => {
      const stored = await getControl(connection, 'page', Keys.pageKey(pageId));
      return stored !== undefined;
    },
    markPaged: (pageId, atMs) => put(connection, 'page', Codec.toPage(pageId, atMs)),
    putFlag: (mirror) => put(connection, 'flag', Codec.toFlag(mirror)),
    flag: async () => {
      const stored = await getControl(connection, 'flag', Keys.FLAG_KEY);
      return stored && Codec.fromFlag(stored);
    },
  };
}

/** Alerts that belong to no commit. A lost condition is no failure: the fact has been told. */
export function createAlertStore(connection: Connection): AlertStore {
  return {
    raise: async (alert) => {
      const input = {
        TableName: connection.tables.control,
        Item: Codec.toAlert(alert),
        ConditionExpression: 'attribute_not_exists(pk)',
      };
      const settled = await settle(connection, () =>
        connection.client.send(new PutItemCommand(input)),
      );
      if (settled.kind === 'failed' && settled.failure.kind !== 'condition') {
        throw toError('alert', settled);
      }
    },
  };
}

async function put(
  connection: Connection,
  operation: string,
  item: Record<string, AttributeValue>,
): Promise<void> {
  const input = { TableName: connection.tables.control, Item: item };
  await call(connection, operation, () => connection.client.send(new PutItemCommand(input)));
}
