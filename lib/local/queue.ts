/**
 * SQS and its event source mapping in this process: at-least-once delivery in batches, partial batch
 * failures, redelivery, dead letters. With a journal, a message that `send` took survives a kill.
 */

import { join } from 'node:path';
import type { SQSMessageAttributes } from 'aws-lambda';
import { openJournal, readJournal } from './journal.ts';
import { localArn } from './local-account.ts';
import { show, wake } from './queue-delivery.ts';
import { fromLines, type Message, toLine } from './queue-message.ts';
import {
  type Consumer,
  countOf,
  type Entry,
  kept,
  oldestSentAtMs,
  type QueueParameters,
  type State,
  settle,
} from './queue-state.ts';

/** Messages ready, with a handler, and waiting for redelivery. */
export type QueueCounts = {
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
};

/** A running queue. */
export type Queue = {
  readonly name: string;
  readonly arn: string;
  /** Gives the message's id once the message is kept. Throws if it is not: then nothing was sent. */
  readonly send: (body: string, attributes?: SQSMessageAttributes) => Promise<string>;
  /** Takes over a message of another queue with its id and sent time; once, however often it is called. */
  readonly accept: (message: Message) => Promise<void>;
  /** Starts deliveries. One consumer to a queue. */
  readonly consume: (consumer: Consumer) => void;
  /** If the delivery under way with this handle fails, the next comes after this time. False if there is none. */
  readonly changeVisibility: (receiptHandle: string, visibilityMs: number) => boolean;
  readonly counts: () => QueueCounts;
  /** Messages that are not done. */
  readonly depth: () => number;
  /** When the oldest message that is not done was sent, by the clock. */
  readonly oldestSentAtMs: () => number | undefined;
  /** The oldest messages, at most `limit`, as they are. */
  readonly peek: (limit: number) => readonly Message[];
  /** Resolves when no message is left, at once if nobody consumes. Throws if the queue is stopped before. */
  readonly idle: () => Promise<void>;
  /** Ends deliveries; resolves when those under way are done and the journal is closed. */
  readonly stop: () => Promise<void>;
};

/**
 * Opens a queue. Messages of its journal are visible again, with their sent times and receive
 * counts: what was with a handler when the process ended comes again.
 *
 * @throws {QueueMessage.CorruptError} if the journal is damaged other than at its torn end.
 */
export async function createQueue(parameters: QueueParameters): Promise<Queue> {
  const state: State = {
    parameters,
    arn: localArn('sqs', parameters.name),
    entries: new Map(),
    visible: [],
    running: new Set(),
    waiting: [],
    journal: undefined,
    consumer: undefined,
    wakeUp: undefined,
    isStopped: false,
  };
  if (parameters.journal !== undefined) await recover(state, parameters.journal);
  return queueOf(state);
}

async function recover(state: State, folder: string): Promise<void> {
  const path = join(folder, `${state.parameters.name}.queue`);
  for (const message of fromLines(await readJournal(path)).values()) {
    const entry: Entry = { message, status: 'visible' };
    state.entries.set(message.messageId, entry);
    state.visible.push(entry);
  }
  const snapshot = () =>
    [...state.entries.values()].map(({ message }) => toLine({ op: 'send', message }));
  state.journal = await openJournal({ path, snapshot });
}

function queueOf(state: State): Queue {
  const { name, clock, newId } = state.parameters;
  let stopped: Promise<void> | undefined;
  return {
    name,
    arn: state.arn,
    send: async (body, attributes = {}) => {
      const messageId = newId();
      await keep(state, { messageId, body, attributes, sentAtMs: clock.nowMs(), receiveCount: 0 });
      return messageId;
    },
    accept: (message) => keep(state, { ...message, receiveCount: 0, firstReceivedAtMs: undefined }),
    consume: (consumer) => {
      state.consumer = consumer;
      wake(state);
    },
    changeVisibility: (receiptHandle, visibilityMs) => {
      const entry = [...state.entries.values()].find(
        (each) => each.status === 'inFlight' && each.receiptHandle === receiptHandle,
      );
      if (entry) entry.visibilityMs = visibilityMs;
      return entry !== undefined;
    },
    counts: () => ({
      visible: countOf(state, 'visible'),
      inFlight: countOf(state, 'inFlight'),
      delayed: countOf(state, 'delayed'),
    }),
    depth: () => state.entries.size - countOf(state, 'writing'),
    oldestSentAtMs: () => oldestSentAtMs(state),
    peek: (limit) => [...kept(state)].slice(0, limit).map(({ message }) => message),
    idle: () => idle(state),
    stop: () => {
      stopped ??= stop(state);
      return stopped;
    },
  };
}

/** In memory first, so that a compaction of the journal meanwhile does not leave it out. */
async function keep(state: State, message: Message): Promise<void> {
  if (state.isStopped) throw new StoppedError({ name: state.parameters.name });
  if (state.entries.has(message.messageId)) return;
  const entry: Entry = { message, status: 'writing' };
  state.entries.set(message.messageId, entry);
  try {
    await state.journal?.append(toLine({ op: 'send', message }));
  } catch (error) {
    state.entries.delete(message.messageId);
    throw error;
  }
  show(state, entry);
}

async function idle(state: State): Promise<void> {
  if (state.isStopped) throw new StoppedError({ name: state.parameters.name });
  if (!state.consumer) return;
  const waiter = Promise.withResolvers<void>();
  state.waiting.push(waiter);
  settle(state);
  await waiter.promise;
}

async function stop(state: State): Promise<void> {
  state.isStopped = true;
  clearImmediate(state.wakeUp);
  for (const { timer } of state.entries.values()) clearTimeout(timer);
  await Promise.all(state.running);
  for (const waiter of state.waiting) {
    waiter.reject(new StoppedError({ name: state.parameters.name }));
  }
  await state.journal?.close();
}

/** The queue takes and delivers nothing more. */
export class StoppedError extends Error {
  override readonly name = 'Queue.StoppedError';
  constructor(details: { readonly name: string }) {
    super(`the queue ${details.name} is stopped`);
  }
}
