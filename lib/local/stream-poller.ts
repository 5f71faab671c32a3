/**
 * Delivers a DynamoDB stream to a handler as a Lambda event source mapping does: in order, in
 * batches, at least once, with a checkpoint after each success.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { failuresOf } from './batch-response.ts';
import type { Checkpoint } from './checkpoint.ts';
import { createStreamReader, type StreamReader } from './stream-reader.ts';
import { changesNothing } from './stream-record.ts';

/** What a stream's handler is, whatever it is wrapped in. */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler that reports no failures returns nothing
export type StreamHandler = (event: DynamoDBStreamEvent) => Promise<DynamoDBBatchResponse | void>;

/** What to deliver, to whom, and how hard to try. */
export type StreamPollerParameters = {
  readonly client: DynamoDBStreamsClient;
  readonly streamArn: string;
  readonly handler: StreamHandler;
  readonly checkpoint: Checkpoint;
  /** Records in one invocation at most; 100 by default. */
  readonly batchMax?: number;
  /** Pause after finding nothing; 5 ms by default. */
  readonly pollMs?: number;
  /** How often a record that fails is tried again before it is given up on; 10 by default. */
  readonly retriesMax?: number;
  /** First pause before trying again, doubled each time up to 1 s; 50 ms by default. */
  readonly retryDelayMs?: number;
  /** As the filter of an event source mapping: what it refuses counts as delivered. */
  readonly filter?: (record: DynamoDBRecord) => boolean;
  /** Told of each record that was given up on; delivery then goes on with the next. */
  readonly onFailure: (record: DynamoDBRecord, reason: unknown) => void | Promise<void>;
  /** Told when the stream could not be read or the checkpoint not written; polling goes on. */
  readonly onError?: (error: unknown) => void;
};

/** A running delivery. */
export type StreamPoller = {
  /**
   * Resolves when everything that was in the stream at the time of the call has been delivered or
   * given up on.
   *
   * @throws {StoppedError} if the poller is stopped before.
   */
  readonly idle: () => Promise<void>;
  /** Ends the delivery; resolves when the batch under way is done. */
  readonly stop: () => Promise<void>;
};

const RETRY_DELAY_MAX_MS = 1_000;

type Waiter = Pick<PromiseWithResolvers<void>, 'resolve' | 'reject'>;

type State = {
  readonly parameters: Required<Omit<StreamPollerParameters, 'client' | 'streamArn'>>;
  readonly reader: StreamReader;
  readonly stopping: AbortController;
  /** Those who wait for the end of the stream, taken before a read that finds nothing. */
  waiting: Waiter[];
};

/** Starts to deliver after the checkpoint, from the oldest record if there is none. */
export function createStreamPoller(parameters: StreamPollerParameters): StreamPoller {
  const { client, streamArn } = parameters;
  const state: State = {
    parameters: {
      batchMax: 100,
      pollMs: 5,
      retriesMax: 10,
      retryDelayMs: 50,
      filter: () => true,
      onError: () => {},
      ...parameters,
    },
    reader: createStreamReader({ client, streamArn, checkpoint: parameters.checkpoint }),
    stopping: new AbortController(),
    waiting: [],
  };
  const running = run(state);
  return {
    idle: () => {
      if (state.stopping.signal.aborted) return Promise.reject(new StoppedError());
      const waiter = Promise.withResolvers<void>();
      state.waiting.push(waiter);
      return waiter.promise;
    },
    stop: () => {
      state.stopping.abort();
      return running;
    },
  };
}

async function run(state: State): Promise<void> {
  const { signal } = state.stopping;
  const { pollMs, retryDelayMs, onError } = state.parameters;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const found = await poll(state);
      failures = 0;
      if (!found) await pause(pollMs, signal);
    } catch (error) {
      if (signal.aborted) break;
      onError(error);
      // From the checkpoint again: whatever was read and not delivered is read once more.
      state.reader.rewind();
      await pause(delayMs(retryDelayMs, failures++), signal);
    }
  }
  for (const waiter of state.waiting) waiter.reject(new StoppedError());
}

/** One read and the delivery of what it found; false if that was nothing. */
async function poll(state: State): Promise<boolean> {
  const waiting = state.waiting;
  state.waiting = [];
  let isAtEnd = false;
  try {
    const { records, isEnd } = await state.reader.read();
    isAtEnd = isEnd;
    await deliver(state, records);
    return records.length > 0 || !isEnd;
  } finally {
    if (isAtEnd) for (const waiter of waiting) waiter.resolve();
    else state.waiting.push(...waiting);
  }
}

async function deliver(state: State, records: readonly DynamoDBRecord[]): Promise<void> {
  const { batchMax, retriesMax, retryDelayMs } = state.parameters;
  const { signal } = state.stopping;
  let next = 0;
  let attempts = 0;
  // A batch that failed is sent again one by one up to here, so that what cannot be processed
  // stands alone when it is given up on.
  let aloneUntil = 0;
  while (next < records.length && !signal.aborted) {
    const size = next < aloneUntil ? 1 : batchMax;
    const outcome = await invoke(state, records.slice(next, next + size));
    const from = next;
    next += outcome.delivered;
    if (outcome.isComplete || outcome.delivered > 0) attempts = 0;
    const head = records[next];
    if (!outcome.isComplete && head) {
      attempts += 1;
      aloneUntil = Math.max(aloneUntil, Math.min(from + size, records.length));
      if (size === 1 && attempts > retriesMax) {
        await state.parameters.onFailure(head, outcome.reason);
        next += 1;
        attempts = 0;
      }
    }
    const last = records[next - 1];
    if (last && next > from) await state.parameters.checkpoint.write(sequenceNumberOf(last));
    if (attempts > 0) await pause(delayMs(retryDelayMs, attempts - 1), signal);
  }
}

type Outcome = {
  /** How many records from the first on need not come again. */
  readonly delivered: number;
  readonly isComplete: boolean;
  readonly reason?: unknown;
};

async function invoke(state: State, batch: readonly DynamoDBRecord[]): Promise<Outcome> {
  const { filter, handler } = state.parameters;
  const wanted = batch.filter((record) => !changesNothing(record) && filter(record));
  const complete = { delivered: batch.length, isComplete: true };
  if (wanted.length === 0) return complete;
  try {
    const answer = await handler({ Records: wanted });
    const failures = failuresOf(answer, wanted.map(sequenceNumberOf));
    const isFailed = (record: DynamoDBRecord) =>
      wanted.includes(record) && (failures === 'all' || failures.has(sequenceNumberOf(record)));
    const first = batch.findIndex(isFailed);
    return first < 0
      ? complete
      : { delivered: first, isComplete: false, reason: 'reported in batchItemFailures' };
  } catch (reason) {
    return { delivered: 0, isComplete: false, reason };
  }
}

function sequenceNumberOf(record: DynamoDBRecord): string {
  return record.dynamodb?.SequenceNumber ?? '';
}

function delayMs(firstMs: number, failures: number): number {
  return Math.min(RETRY_DELAY_MAX_MS, firstMs * 2 ** Math.min(failures, 20));
}

/** Resolves early when the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}

/** The poller was stopped before everything was delivered. */
export class StoppedError extends Error {
  override readonly name = 'StreamPoller.StoppedError';
  constructor() {
    super('the stream poller was stopped');
  }
}
