/** Hands a queue's messages to its consumer, and decides what becomes of those that fail. */

import type { SQSRecord } from 'aws-lambda';
import { type Failures, failuresOf } from './batch-response.ts';
import { receiptsOf, received, toLine, toSqsRecord } from './queue-message.ts';
import { done, type Entry, idOf, type QueueHandler, type State, settle } from './queue-state.ts';

const BATCH_MAX = 10;
const RECEIVES_MAX = 5;
const VISIBILITY_MS = 1_000;

/** Lets the message be delivered. */
export function show(state: State, entry: Entry): void {
  entry.status = 'visible';
  state.visible.push(entry);
  wake(state);
}

/** Deliveries start after this turn, so that messages sent together travel together. */
export function wake(state: State): void {
  if (state.isStopped || !state.consumer) return;
  state.wakeUp ??= setImmediate(() => {
    state.wakeUp = undefined;
    dispatch(state);
  });
}

function dispatch(state: State): void {
  const { consumer } = state;
  if (!consumer) return;
  const { batchMax = BATCH_MAX } = state.parameters;
  while (!state.isStopped && state.running.size < (consumer.concurrency ?? 1)) {
    const batch = state.visible.splice(0, batchMax);
    if (batch.length === 0) break;
    const running = deliver(state, { batch, handler: consumer.handler }).finally(() => {
      state.running.delete(running);
      settle(state);
      wake(state);
    });
    state.running.add(running);
  }
  settle(state);
}

async function deliver(
  state: State,
  delivery: { readonly batch: readonly Entry[]; readonly handler: QueueHandler },
): Promise<void> {
  const exhausted = delivery.batch.filter((entry) => isExhausted(state, entry));
  for (const entry of exhausted) await bury(state, entry);
  const batch = delivery.batch.filter((entry) => !exhausted.includes(entry));
  if (batch.length === 0) return;
  const Records = batch.map((entry) => receive(state, entry));
  const failures = await invoke(state, { Records, handler: delivery.handler });
  for (const entry of batch) {
    const isFailed = failures === 'all' || failures.has(idOf(entry));
    if (!isFailed) done(state, entry);
    else if (isExhausted(state, entry)) await bury(state, entry);
    else delay(state, entry);
  }
}

async function invoke(
  state: State,
  invocation: { readonly Records: SQSRecord[]; readonly handler: QueueHandler },
): Promise<Failures> {
  const { Records, handler } = invocation;
  try {
    const answer = await handler({ Records });
    return failuresOf(
      answer,
      Records.map((record) => record.messageId),
    );
  } catch (error) {
    state.parameters.onError?.(error);
    return 'all';
  }
}

function receive(state: State, entry: Entry): SQSRecord {
  const { clock, newId } = state.parameters;
  entry.message = received(entry.message, clock.nowMs());
  entry.status = 'inFlight';
  entry.receiptHandle = newId();
  entry.visibilityMs = undefined;
  state.journal?.note(
    toLine({ op: 'receive', messageId: idOf(entry), ...receiptsOf(entry.message) }),
  );
  return toSqsRecord(entry.message, { receiptHandle: entry.receiptHandle, arn: state.arn });
}

function delay(state: State, entry: Entry): void {
  const delayMs = entry.visibilityMs ?? state.parameters.visibilityMs ?? VISIBILITY_MS;
  entry.status = 'delayed';
  if (!state.isStopped) entry.timer = setTimeout(() => show(state, entry), delayMs);
}

function isExhausted(state: State, entry: Entry): boolean {
  const { deadLetter, maxReceiveCount = RECEIVES_MAX } = state.parameters;
  return deadLetter !== undefined && entry.message.receiveCount >= maxReceiveCount;
}

/** There first and then gone here: a kill in between leaves it in both, never in none. */
async function bury(state: State, entry: Entry): Promise<void> {
  try {
    await state.parameters.deadLetter?.accept(entry.message);
    done(state, entry);
  } catch (error) {
    state.parameters.onError?.(error);
    delay(state, entry);
  }
}
