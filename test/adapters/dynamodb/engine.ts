/** The embedded engine with fresh tables, for the tests of this folder. */

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDBRecord } from 'aws-lambda';
import { createDynamoClient } from '../../../lib/adapters/dynamodb/client.ts';
import type { TableNames } from '../../../lib/adapters/dynamodb/connection.ts';
import { parseControlRecord } from '../../../lib/adapters/dynamodb/control-record.ts';
import type { Engine } from '../../../lib/local/engine.ts';
import { startEngine } from '../../../lib/local/engine.ts';
import { createTables } from '../../../lib/local/tables.ts';
import type { Clock, ControlRecord } from '../../../lib/ports.ts';

/** The host's clock, against which the guard checks. */
export const wallClock: Clock = { nowMs: () => Date.now() };

/** Two empty tables. */
export type Tables = {
  readonly client: DynamoDBClient;
  readonly names: TableNames;
  readonly records: () => Promise<readonly ControlRecord[]>;
};

/** Reads of one shard, at most. */
const READS_MAX = 100;

const options = (engine: Engine) => ({
  region: 'eu-west-1',
  endpoint: engine.endpoint,
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
});

/** Starts the engine; `tables` makes another pair of tables each time. */
export async function startTestEngine() {
  const engine = await startEngine();
  let pairs = 0;
  const newClient = () => createDynamoClient(options(engine));
  return {
    endpoint: engine.endpoint,
    stop: engine.stop,
    newClient,
    tables: async (): Promise<Tables> => {
      pairs += 1;
      const names = { ledger: `ledger-${pairs}`, control: `control-${pairs}` };
      const client = newClient();
      const { controlStreamArn } = await createTables(client, names);
      const streams = new DynamoDBStreamsClient(options(engine));
      return { client, names, records: () => readStream(streams, controlStreamArn) };
    },
  };
}

async function readStream(
  streams: DynamoDBStreamsClient,
  arn: string,
): Promise<readonly ControlRecord[]> {
  const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn: arn }));
  const records: ControlRecord[] = [];
  for (const { ShardId } of StreamDescription?.Shards ?? []) {
    const at = { StreamArn: arn, ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const;
    let iterator = (await streams.send(new GetShardIteratorCommand(at))).ShardIterator;
    for (let read = 0; read < READS_MAX && iterator; read += 1) {
      const answer = await streams.send(new GetRecordsCommand({ ShardIterator: iterator }));
      const found = answer.Records ?? [];
      // The SDK's record and Lambda's differ in the type of binary values only, and Control has none.
      for (const record of found) records.push(parseControlRecord(record as DynamoDBRecord));
      if (found.length === 0) break;
      iterator = answer.NextShardIterator;
    }
  }
  return records.filter(({ type }) => type !== 'ignored');
}
