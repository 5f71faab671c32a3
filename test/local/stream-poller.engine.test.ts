import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeleteItemCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  DynamoDBServiceException,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  DynamoDBStreamsClient,
  type DynamoDBStreamsClientConfig,
  ExpiredIteratorException,
  TrimmedDataAccessException,
} from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDBRecord } from 'aws-lambda';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fileCheckpoint, memoryCheckpoint } from '../../lib/local/checkpoint.ts';
import { type Engine, startEngine } from '../../lib/local/engine.ts';
import {
  createStreamPoller,
  type StreamPoller,
  type StreamPollerParameters,
} from '../../lib/local/stream-poller.ts';
import { createTables } from '../../lib/local/tables.ts';

let engine: Engine;
let config: DynamoDBStreamsClientConfig & DynamoDBClientConfig;
let dynamodb: DynamoDBClient;
let client: DynamoDBStreamsClient;
let folder: string;
let table: string;
let streamArn: string;
let tables = 0;
const pollers: StreamPoller[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'breakwater-stream-'));
  engine = await startEngine({ environment: {} });
  config = {
    endpoint: engine.endpoint,
    region: 'local-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  };
  dynamodb = new DynamoDBClient(config);
  client = new DynamoDBStreamsClient(config);
});
afterAll(async () => {
  dynamodb.destroy();
  client.destroy();
  await engine.stop();
  await rm(folder, { recursive: true });
});
afterEach(() => Promise.all(pollers.splice(0).map((poller) => poller.stop())));

async function freshTable(): Promise<void> {
  tables += 1;
  table = `Control${tables}`;
  ({ controlStreamArn: streamArn } = await createTables(dynamodb, {
    ledger: 'Ledger',
    control: table,
  }));
}

async function put(...ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const Item = { pk: { S: id }, sk: { S: 'x' }, b: { B: new Uint8Array([1, 2, 3]) } };
    await dynamodb.send(new PutItemCommand({ TableName: table, Item }));
  }
}

function idOf(record: DynamoDBRecord): string {
  return record.dynamodb?.Keys?.pk?.S ?? '';
}

function start(parameters: Partial<StreamPollerParameters>): StreamPoller {
  const poller = createStreamPoller({
    client,
    streamArn,
    checkpoint: memoryCheckpoint(),
    retryDelayMs: 1,
    handler: async () => {},
    onFailure: (_record, reason) => {
      throw reason;
    },
    ...parameters,
  });
  pollers.push(poller);
  return poller;
}

/** A handler that keeps the ids of each batch, and fails as `answer` says. */
function recorder(answer: (ids: readonly string[]) => string | undefined = () => undefined) {
  const batches: string[][] = [];
  return {
    batches,
    handler: async ({ Records }: { Records: DynamoDBRecord[] }) => {
      const ids = Records.map(idOf);
      batches.push(ids);
      const wanted = answer(ids);
      const failed = Records.find((record) => idOf(record) === wanted);
      return {
        batchItemFailures: failed
          ? [{ itemIdentifier: failed.dynamodb?.SequenceNumber ?? '' }]
          : [],
      };
    },
  };
}

describe('createStreamPoller', () => {
  test('default', async () => {
    await freshTable();
    const records: DynamoDBRecord[] = [];
    const poller = start({
      handler: async ({ Records }) => {
        records.push(...Records);
      },
    });
    await put('a');
    await dynamodb.send(
      new DeleteItemCommand({ TableName: table, Key: { pk: { S: 'a' }, sk: { S: 'x' } } }),
    );
    await poller.idle();
    expect(records[0]).toMatchObject({
      eventName: 'INSERT',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      eventSourceARN: streamArn,
      dynamodb: {
        Keys: { pk: { S: 'a' }, sk: { S: 'x' } },
        NewImage: { pk: { S: 'a' }, sk: { S: 'x' }, b: { B: 'AQID' } },
        SequenceNumber: expect.stringMatching(/^\d+$/),
        StreamViewType: 'NEW_AND_OLD_IMAGES',
        ApproximateCreationDateTime: expect.closeTo(Date.now() / 1000, -2),
      },
    });
    expect(records[1]).toMatchObject({
      eventName: 'REMOVE',
      dynamodb: { OldImage: { pk: { S: 'a' } } },
    });
  });

  test('args: batchMax', async () => {
    await freshTable();
    await put('a', 'b', 'c', 'd', 'e');
    const { batches, handler } = recorder();
    await start({ handler, batchMax: 2 }).idle();
    expect(batches).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  test('args: filter', async () => {
    await freshTable();
    await put('a', 'b', 'c');
    const { batches, handler } = recorder();
    const checkpoint = memoryCheckpoint();
    await start({ handler, checkpoint, filter: (record) => idOf(record) === 'b' }).idle();
    expect(batches).toEqual([['b']]);
    expect(await checkpoint.read()).toBe('3');
  });

  test('behavior: an update that changes nothing is no record, as on DynamoDB', async () => {
    await freshTable();
    await put('a', 'a', 'b');
    const { batches, handler } = recorder();
    await start({ handler }).idle();
    expect(batches).toEqual([['a', 'b']]);
  });

  test('behavior: goes on from the checkpoint after a restart', async () => {
    await freshTable();
    const { batches, handler } = recorder();
    await put('a', 'b');
    const first = start({ handler, checkpoint: fileCheckpoint(folder, streamArn) });
    await first.idle();
    await first.stop();
    await put('c');
    await start({ handler, checkpoint: fileCheckpoint(folder, streamArn) }).idle();
    expect(batches).toEqual([['a', 'b'], ['c']]);
  });

  test('behavior: a checkpoint beyond the stream skips nothing', async () => {
    await freshTable();
    const { batches, handler } = recorder();
    await put('a');
    const checkpoint = memoryCheckpoint();
    await checkpoint.write('900');
    await start({ handler, checkpoint }).idle();
    expect(batches).toEqual([['a']]);
  });

  test('behavior: tries again from the reported record', async () => {
    await freshTable();
    await put('a', 'b', 'c');
    let isBad = true;
    const { batches, handler } = recorder((ids) => {
      const failed = isBad && ids.includes('b') ? 'b' : undefined;
      isBad = false;
      return failed;
    });
    await start({ handler }).idle();
    expect(batches).toEqual([['a', 'b', 'c'], ['b'], ['c']]);
  });

  test('behavior: gives up on the one record that always throws, and goes on', async () => {
    await freshTable();
    await put('a', 'b', 'c');
    const done: string[] = [];
    const failed: string[] = [];
    let attempts = 0;
    const poller = start({
      retriesMax: 3,
      handler: async ({ Records }) => {
        if (Records.some((record) => idOf(record) === 'b')) {
          attempts += 1;
          throw new Error('cannot');
        }
        done.push(...Records.map(idOf));
      },
      onFailure: (record, reason) => {
        failed.push(`${idOf(record)}: ${reason}`);
      },
    });
    await poller.idle();
    expect({ done, failed, attempts }).toEqual({
      done: ['a', 'c'],
      failed: ['b: Error: cannot'],
      attempts: 5,
    });
  });

  test('behavior: an answer with an unknown identifier fails the batch', async () => {
    await freshTable();
    await put('a');
    let calls = 0;
    await start({
      handler: async () => {
        calls += 1;
        return { batchItemFailures: calls === 1 ? [{ itemIdentifier: '' }] : [] };
      },
    }).idle();
    expect(calls).toBe(2);
  });

  test('behavior: a failure destination that fails is asked again', async () => {
    await freshTable();
    await put('a');
    let told = 0;
    await start({
      retriesMax: 0,
      handler: () => Promise.reject(new Error('cannot')),
      onFailure: () => {
        told += 1;
        if (told === 1) throw new Error('later');
      },
    }).idle();
    expect(told).toBe(2);
  });

  test('behavior: stop waits for the batch under way and keeps its checkpoint', async () => {
    await freshTable();
    await put('a');
    const entered = Promise.withResolvers<void>();
    const leave = Promise.withResolvers<void>();
    const checkpoint = memoryCheckpoint();
    const poller = start({
      checkpoint,
      handler: async () => {
        entered.resolve();
        await leave.promise;
      },
    });
    const idle = poller.idle();
    await entered.promise;
    let isStopped = false;
    const stopped = poller.stop().then(() => {
      isStopped = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isStopped).toBe(false);
    leave.resolve();
    await stopped;
    expect(await checkpoint.read()).toBe('1');
    await expect(idle).rejects.toThrow(/stopped/);
    await expect(poller.idle()).rejects.toThrow(/stopped/);
  });

  test.each([
    ['expired iterator', ExpiredIteratorException, 'GetRecordsCommand'],
    ['trimmed position', TrimmedDataAccessException, 'GetRecordsCommand'],
    ['trimmed checkpoint', TrimmedDataAccessException, 'GetShardIteratorCommand'],
    ['outage', DynamoDBServiceException, 'GetRecordsCommand'],
  ] as const)('behavior: %s', async (_, Fault, commandName) => {
    await freshTable();
    await put('a', 'b');
    let isFaulty = true;
    const faulty = new DynamoDBStreamsClient(config);
    faulty.middlewareStack.add((next, context) => async (args) => {
      if (isFaulty && context.commandName === commandName) {
        isFaulty = false;
        throw new Fault({ $fault: 'client', $metadata: {}, message: 'injected', name: 'Injected' });
      }
      return next(args);
    });
    const checkpoint = memoryCheckpoint();
    await checkpoint.write('1');
    const { batches, handler } = recorder();
    await start({ client: faulty, checkpoint, handler }).idle();
    expect(batches.flat()).toEqual(commandName === 'GetRecordsCommand' ? ['b'] : ['a', 'b']);
    faulty.destroy();
  });
});

describe('fileCheckpoint', () => {
  test('default', async () => {
    const checkpoint = fileCheckpoint(join(folder, 'new'), 'arn:aws:dynamodb:::table/T/stream/1');
    expect(await checkpoint.read()).toBeUndefined();
    await checkpoint.write('12');
    await checkpoint.write('13');
    expect(await checkpoint.read()).toBe('13');
  });
});
