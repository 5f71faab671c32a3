/** What a queue knows: its messages, where each of them stands, and who waits. */

import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { Clock } from '../ports.ts';
import type { Journal } from './journal.ts';
import { type Message, toLine } from './queue-message.ts';

/** What a queue's handler is, whatever it is wrapped in. It must end by itself. */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler that reports no failures returns nothing
export type QueueHandler = (event: SQSEvent) => Promise<SQSBatchResponse | void>;

/** How the queue behaves. */
export type QueueParameters = {
  readonly name: string;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Messages in one invocation at most; 10 by default. */
  readonly batchMax?: number;
  /** Receives after which a message goes to the dead-letter queue, if there is one; 5 by default. */
  readonly maxReceiveCount?: number;
  readonly deadLetter?: { readonly accept: (message: Message) => Promise<void> };
  /** Time of the wall from a failure to the next delivery; 1 s by default. */
  readonly visibilityMs?: number;
  /** Folder of the journal. Without it messages last as long as the process. */
  readonly journal?: string | undefined;
  /** Told what a handler threw; its batch is delivered again. */
  readonly onError?: (error: unknown) => void;
};

/** Who takes the messages, and how many invocations run at once: 1 by default. */
export type Consumer = { readonly handler: QueueHandler; readonly concurrency?: number };

/** A message and where it stands. */
export type Entry = {
  message: Message;
  status: 'writing' | 'visible' | 'inFlight' | 'delayed';
  receiptHandle?: string;
  /** Asked for by the handler of the delivery under way. */
  visibilityMs?: number | undefined;
  timer?: NodeJS.Timeout;
};

/** A queue's state. Its functions change it in place. */
export type State = {
  readonly parameters: QueueParameters;
  readonly arn: string;
  readonly entries: Map<string, Entry>;
  /** Visible entries, in the order in which they became visible. */
  visible: Entry[];
  readonly running: Set<Promise<void>>;
  waiting: Pick<PromiseWithResolvers<void>, 'resolve' | 'reject'>[];
  journal: Journal | undefined;
  consumer: Consumer | undefined;
  wakeUp: NodeJS.Immediate | undefined;
  isStopped: boolean;
};

/** Tells those who wait for the end, if this is it. */
export function settle(state: State): void {
  if (state.entries.size > 0 || state.running.size > 0) return;
  for (const waiter of state.waiting) waiter.resolve();
  state.waiting = [];
}

/** Without waiting for the disk: a deletion that a kill undoes means one delivery more. */
export function done(state: State, entry: Entry): void {
  state.entries.delete(idOf(entry));
  state.journal?.note(toLine({ op: 'delete', messageId: idOf(entry) }));
}

/** The entries whose messages are kept. */
export function* kept(state: State): Generator<Entry> {
  for (const entry of state.entries.values()) if (entry.status !== 'writing') yield entry;
}

/** When the oldest kept message was sent. */
export function oldestSentAtMs(state: State): number | undefined {
  let oldestMs: number | undefined;
  for (const { message } of kept(state)) {
    oldestMs = Math.min(oldestMs ?? message.sentAtMs, message.sentAtMs);
  }
  return oldestMs;
}

/** How many entries stand there. */
export function countOf(state: State, status: Entry['status']): number {
  return [...state.entries.values()].filter((entry) => entry.status === status).length;
}

/** The message's id. */
export function idOf(entry: Entry): string {
  return entry.message.messageId;
}
