/** The two tables of the deployed stack, made on the embedded engine. */

import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  type DynamoDBClient,
  ResourceInUseException,
  type TableDescription,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';

import { OPEN_INDEX } from '../adapters/dynamodb/keys.ts';

/** What the tables are called. */
export type TableNames = { readonly ledger: string; readonly control: string };

const ACTIVE_POLLS_MAX = 100;
const ACTIVE_POLL_MS = 50;

/**
 * Makes the Ledger and Control tables where they are absent, waits until both take requests, and
 * gives the ARN of Control's stream. What exists is left as it is.
 *
 * @throws {NotReadyError} if a table is not active in time, or Control has no stream.
 */
export async function createTables(
  client: DynamoDBClient,
  names: TableNames,
): Promise<{ readonly controlStreamArn: string }> {
  const isNew = await create(client, {
    TableName: names.ledger,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: OPEN_INDEX.pk, AttributeType: 'S' },
      { AttributeName: OPEN_INDEX.sk, AttributeType: 'N' },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: OPEN_INDEX.name,
        KeySchema: [
          { AttributeName: OPEN_INDEX.pk, KeyType: 'HASH' },
          { AttributeName: OPEN_INDEX.sk, KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
    ],
  });
  await create(client, {
    TableName: names.control,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'sk', AttributeType: 'S' },
    ],
    StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
  });
  await active(client, names.ledger);
  const control = await active(client, names.control);
  if (isNew) await expire(client, names.ledger);
  if (!control.LatestStreamArn)
    throw new NotReadyError({ table: names.control, lacks: 'a stream' });
  return { controlStreamArn: control.LatestStreamArn };
}

/** Whether the table was absent. */
async function create(client: DynamoDBClient, table: CreateTableCommandInput): Promise<boolean> {
  try {
    await client.send(new CreateTableCommand(table));
    return true;
  } catch (error) {
    if (error instanceof ResourceInUseException) return false;
    throw error;
  }
}

async function active(client: DynamoDBClient, table: string): Promise<TableDescription> {
  for (let poll = 0; poll < ACTIVE_POLLS_MAX; poll++) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: table }));
    if (Table?.TableStatus === 'ACTIVE') return Table;
    await sleep(ACTIVE_POLL_MS);
  }
  throw new NotReadyError({ table, lacks: 'the status ACTIVE' });
}

async function expire(client: DynamoDBClient, table: string): Promise<void> {
  await client.send(
    new UpdateTimeToLiveCommand({
      TableName: table,
      TimeToLiveSpecification: { AttributeName: 'expiresAtS', Enabled: true },
    }),
  );
}

/** A table cannot be worked with. */
export class NotReadyError extends Error {
  override readonly name = 'Tables.NotReadyError';
  constructor(details: { readonly table: string; readonly lacks: string }) {
    super(
      `table ${details.table} lacks ${details.lacks}; give another folder, or another engine in DYNAMODB_ENDPOINT`,
    );
  }
}
