/** SNS in this process: hands a message to every subscriber, and tries again where one fails. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { SNSEvent, SNSMessage, SNSMessageAttributes } from 'aws-lambda';
import type { Clock } from '../ports.ts';
import { localArn } from './local-account.ts';

/** What is published. */
export type Publication = {
  readonly message: string;
  readonly subject?: string | undefined;
  readonly attributes?: SNSMessageAttributes | undefined;
};

/** A function with Lambda's SNS event, or a plain receiver of the message. Either fails by throwing. */
export type Subscriber =
  | {
      readonly kind: 'lambda';
      readonly name: string;
      readonly handler: (event: SNSEvent) => Promise<unknown>;
    }
  | {
      readonly kind: 'callback';
      readonly name: string;
      readonly receive: (message: SNSMessage) => unknown;
    };

/** How the topic behaves. */
export type TopicParameters = {
  readonly name: string;
  readonly clock: Clock;
  readonly newId: () => string;
  /** How often a subscriber that failed is tried again; 3 by default, as SNS retries more than Lambda does. */
  readonly retriesMax?: number;
  /** First pause before trying again, doubled each time; 200 ms by default. */
  readonly retryDelayMs?: number;
  /** Told of each message that a subscriber did not take in the end. */
  readonly onFailure: (failure: {
    readonly subscriber: string;
    readonly message: SNSMessage;
    readonly reason: unknown;
  }) => void;
};

/** A running topic. */
export type Topic = {
  readonly arn: string;
  readonly subscribe: (subscriber: Subscriber) => void;
  /**
   * Gives the message's id when every subscriber was tried once. The topic keeps nothing across a
   * kill, so who publishes learns as late as possible that he need not do it again.
   *
   * @throws {StoppedError} after `stop`.
   */
  readonly publish: (publication: Publication) => Promise<string>;
  /** Resolves when no delivery is under way. */
  readonly idle: () => Promise<void>;
  /** Ends retries, which then count as failures; resolves when the deliveries under way are done. */
  readonly stop: () => Promise<void>;
};

const RETRIES_MAX = 3;
const RETRY_DELAY_MS = 200;

type State = {
  readonly parameters: TopicParameters;
  readonly arn: string;
  readonly subscribers: Subscriber[];
  readonly running: Set<Promise<void>>;
  readonly stopping: AbortController;
};

/** A topic without subscribers yet. */
export function createTopic(parameters: TopicParameters): Topic {
  const state: State = {
    parameters,
    arn: localArn('sns', parameters.name),
    subscribers: [],
    running: new Set(),
    stopping: new AbortController(),
  };
  const idle = async () => {
    while (state.running.size > 0) await Promise.all(state.running);
  };
  return {
    arn: state.arn,
    subscribe: (subscriber) => {
      state.subscribers.push(subscriber);
    },
    publish: (publication) => publish(state, publication),
    idle,
    stop: async () => {
      state.stopping.abort();
      await idle();
    },
  };
}

async function publish(state: State, publication: Publication): Promise<string> {
  if (state.stopping.signal.aborted) throw new StoppedError({ name: state.parameters.name });
  const message = messageOf(state, publication);
  await Promise.all(
    state.subscribers.map(async (subscriber) => {
      const reason = await attempt(state, { subscriber, message });
      if (reason) track(state, retry(state, { subscriber, message, reason }));
    }),
  );
  return message.MessageId;
}

function messageOf(state: State, publication: Publication): SNSMessage {
  const { clock, newId } = state.parameters;
  return {
    Type: 'Notification',
    MessageId: newId(),
    TopicArn: state.arn,
    ...(publication.subject !== undefined && { Subject: publication.subject }),
    Message: publication.message,
    Timestamp: new Date(clock.nowMs()).toISOString(),
    SignatureVersion: '1',
    Signature: '',
    SigningCertUrl: '',
    UnsubscribeUrl: '',
    MessageAttributes: publication.attributes ?? {},
  };
}

type Delivery = { readonly subscriber: Subscriber; readonly message: SNSMessage };
type Failed = { readonly cause: unknown };

/** What went wrong, `undefined` if nothing did. */
async function attempt(state: State, delivery: Delivery): Promise<Failed | undefined> {
  try {
    const running = deliver(state, delivery);
    track(state, running.catch(noop));
    await running;
    return undefined;
  } catch (cause) {
    return { cause };
  }
}

async function deliver(state: State, { subscriber, message }: Delivery): Promise<void> {
  switch (subscriber.kind) {
    case 'lambda':
      await subscriber.handler({
        Records: [
          {
            EventVersion: '1.0',
            EventSubscriptionArn: `${state.arn}:${subscriber.name}`,
            EventSource: 'aws:sns',
            Sns: message,
          },
        ],
      });
      return;
    case 'callback':
      await subscriber.receive(message);
      return;
    default:
      subscriber satisfies never;
  }
}

async function retry(
  state: State,
  delivery: Delivery & { readonly reason: Failed },
): Promise<void> {
  const { retriesMax = RETRIES_MAX, retryDelayMs = RETRY_DELAY_MS, onFailure } = state.parameters;
  const { signal } = state.stopping;
  let reason: Failed | undefined = delivery.reason;
  for (let retries = 0; retries < retriesMax && !signal.aborted; retries++) {
    await sleep(retryDelayMs * 2 ** retries, undefined, { signal }).catch(noop);
    if (signal.aborted) break;
    reason = await deliver(state, delivery).then(
      () => undefined,
      (cause: unknown) => ({ cause }),
    );
    if (!reason) return;
  }
  const { subscriber, message } = delivery;
  onFailure({ subscriber: subscriber.name, message, reason: reason.cause });
}

function track(state: State, running: Promise<void>): void {
  const tracked = running.finally(() => {
    state.running.delete(tracked);
  });
  state.running.add(tracked);
}

function noop(): void {}

/** The topic takes nothing more. */
export class StoppedError extends Error {
  override readonly name = 'Topic.StoppedError';
  constructor(details: { readonly name: string }) {
    super(`the topic ${details.name} is stopped`);
  }
}
