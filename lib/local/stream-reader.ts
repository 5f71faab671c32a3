/** Reads a DynamoDB stream from a checkpoint on, shard after shard, parents before children. */

import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  ExpiredIteratorException,
  GetRecordsCommand,
  type GetRecordsOutput,
  GetShardIteratorCommand,
  type Shard,
  TrimmedDataAccessException,
} from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDBRecord } from 'aws-lambda';
import type { Checkpoint } from './checkpoint.ts';
import { toLambdaRecord } from './stream-record.ts';

/** What one read found. `isEnd`: there was nothing more at the time of the read. */
export type StreamRead = { readonly records: readonly DynamoDBRecord[]; readonly isEnd: boolean };

/** A position in a stream that moves with each read. */
export type StreamReader = {
  readonly read: () => Promise<StreamRead>;
  /** Forgets the position: the next read starts after the checkpoint. */
  readonly rewind: () => void;
};

/** Pages of a stream's description: far more shards than the day's worth that a stream keeps. */
const PAGES_MAX = 100;
/** Records of one read at most; the Streams API gives no more. */
const READ_MAX = 1_000;

type Position = { readonly shardId: string; readonly iterator: string };

type Parameters = {
  readonly client: DynamoDBStreamsClient;
  readonly streamArn: string;
  readonly checkpoint: Checkpoint;
};

/**
 * A reader for a stream whose shards follow one another, as on an embedded engine.
 * Errors of the client are thrown; after them the caller rewinds. The reader never skips: where it
 * cannot find the checkpoint, it starts with the oldest record that is left.
 */
export function createStreamReader(parameters: Parameters): StreamReader {
  let position: Position | undefined;
  const finished = new Set<string>();
  return {
    rewind: () => {
      position = undefined;
      finished.clear();
    },
    read: async () => {
      position ??= await open(parameters, finished);
      if (!position) return { records: [], isEnd: true };
      const answer = await records(parameters, position);
      if (answer === 'expired') {
        position = undefined;
        return { records: [], isEnd: false };
      }
      const { Records = [], NextShardIterator: iterator } = answer;
      if (!iterator) finished.add(position.shardId);
      position = iterator ? { ...position, iterator } : undefined;
      return {
        records: Records.map((record) => toLambdaRecord(record, parameters.streamArn)),
        isEnd: Records.length === 0 && iterator !== undefined,
      };
    },
  };
}

/** `expired`: iterators live 15 minutes and records a day; open again after the checkpoint. */
async function records(
  parameters: Parameters,
  position: Position,
): Promise<GetRecordsOutput | 'expired'> {
  const command = new GetRecordsCommand({ ShardIterator: position.iterator, Limit: READ_MAX });
  try {
    return await parameters.client.send(command);
  } catch (error) {
    if (error instanceof ExpiredIteratorException) return 'expired';
    if (error instanceof TrimmedDataAccessException) return 'expired';
    throw error;
  }
}

/** The first shard that is not finished, `undefined` if there is none. */
async function open(
  parameters: Parameters,
  finished: ReadonlySet<string>,
): Promise<Position | undefined> {
  const last = await parameters.checkpoint.read();
  const shards = oldestFirst(await shardsOf(parameters));
  refuseParallel(shards);
  const shard = shards.find(
    (each) =>
      !finished.has(each.ShardId ?? '') &&
      // The last shard is open, whatever its range says: some engines give an open one an end.
      (each === shards.at(-1) || !isBefore(each.SequenceNumberRange?.EndingSequenceNumber, last)),
  );
  if (!shard?.ShardId) return undefined;
  const { StartingSequenceNumber: start, EndingSequenceNumber: end } =
    shard.SequenceNumberRange ?? {};
  const isInside = !isBefore(last, start) && !isBefore(end, last);
  const place = { shardId: shard.ShardId, after: isInside ? last : undefined };
  return { shardId: shard.ShardId, iterator: await iteratorAt(parameters, place) };
}

type Place = { readonly shardId: string; readonly after: string | undefined };

async function iteratorAt(parameters: Parameters, place: Place): Promise<string> {
  try {
    return await requestIterator(parameters, place);
  } catch (error) {
    if (!(error instanceof TrimmedDataAccessException) || place.after === undefined) throw error;
    return requestIterator(parameters, { ...place, after: undefined });
  }
}

async function requestIterator(parameters: Parameters, place: Place): Promise<string> {
  const base = { StreamArn: parameters.streamArn, ShardId: place.shardId };
  const { ShardIterator } = await parameters.client.send(
    new GetShardIteratorCommand(
      place.after === undefined
        ? { ...base, ShardIteratorType: 'TRIM_HORIZON' }
        : { ...base, ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: place.after },
    ),
  );
  if (!ShardIterator) throw new NoIteratorError({ shardId: place.shardId });
  return ShardIterator;
}

/** One checkpoint cannot say how far each of several shards was read. */
function refuseParallel(shards: readonly Shard[]): void {
  const parents = new Set(shards.map((shard) => shard.ParentShardId));
  const leaves = shards.filter((shard) => !parents.has(shard.ShardId));
  if (leaves.length > 1) throw new ParallelShardsError({ count: leaves.length });
}

async function shardsOf(parameters: Parameters): Promise<readonly Shard[]> {
  const shards: Shard[] = [];
  let startId: string | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    const { StreamDescription: description } = await parameters.client.send(
      new DescribeStreamCommand({
        StreamArn: parameters.streamArn,
        ...(startId !== undefined && { ExclusiveStartShardId: startId }),
      }),
    );
    shards.push(...(description?.Shards ?? []));
    startId = description?.LastEvaluatedShardId;
    if (startId === undefined) break;
  }
  return shards;
}

/** A child's records all come after its parent's, and so do its sequence numbers. */
function oldestFirst(shards: readonly Shard[]): readonly Shard[] {
  const start = (shard: Shard) => BigInt(shard.SequenceNumberRange?.StartingSequenceNumber ?? 0);
  return shards.toSorted((a, b) => (start(a) < start(b) ? -1 : start(a) > start(b) ? 1 : 0));
}

function isBefore(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && BigInt(a) < BigInt(b);
}

/** The engine gave no iterator for a shard that it listed. */
export class NoIteratorError extends Error {
  override readonly name = 'StreamReader.NoIteratorError';
  constructor(details: { readonly shardId: string }) {
    super(`the stream gave no iterator for shard ${details.shardId}`);
  }
}

/** The stream is split into shards that are written side by side. */
export class ParallelShardsError extends Error {
  override readonly name = 'StreamReader.ParallelShardsError';
  constructor(details: { readonly count: number }) {
    super(
      `the stream has ${details.count} open shards; the embedded runtime reads streams of one, as an embedded engine makes them`,
    );
  }
}
