/** The queues around the ingress. */

import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { DeadLetters, Redelivery, RejectQueue } from '../../ports.ts';

/** SQS takes 1 MiB a message; what is longer is cut, since a reject is evidence and not money. */
const BODY_LENGTH_MAX = 200_000;
/** A record that could not be committed comes back after this. */
const REDELIVERY_S = 1;

/** Puts rejects into a queue of their own. Throws when SQS does not take it: the event is then delivered again. */
export function createRejectQueue(client: SQSClient, queueUrl: string): RejectQueue {
  return {
    send: async ({ body, reason }) => {
      await client.send(
        new SendMessageCommand({
          QueueUrl: queueUrl,
          MessageBody: toBody({ reason, body: body.slice(0, BODY_LENGTH_MAX) }),
        }),
      );
    },
  };
}

/** JSON without the two characters that SQS refuses and JSON leaves as they are: a reason may quote them. */
function toBody(rejected: { readonly reason: string; readonly body: string }): string {
  return JSON.stringify(rejected).replaceAll('\ufffe', '\\ufffe').replaceAll('\uffff', '\\uffff');
}

/**
 * Counts what lies in a dead-letter queue, in flight or delayed included.
 * Fail direction: closed, an answer that leaves a number out throws {@link UncountedError}.
 */
export function createDeadLetters(client: SQSClient, queueUrl: string): DeadLetters {
  const names = [
    'ApproximateNumberOfMessages',
    'ApproximateNumberOfMessagesNotVisible',
    'ApproximateNumberOfMessagesDelayed',
  ] as const;
  return {
    count: async () => {
      const { Attributes: attributes } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...names] }),
      );
      return names.reduce((sum, name) => sum + countOf(name, attributes?.[name]), 0);
    },
  };
}

function countOf(name: string, text: string | undefined): number {
  if (text === undefined || !/^\d{1,15}$/.test(text)) throw new UncountedError({ name });
  return Number(text);
}

/** Makes failed records visible again soon, instead of after the queue's long visibility time-out. */
export function createRedelivery(client: SQSClient, queueUrl: string): Redelivery {
  return {
    soon: async (receiptHandle) => {
      await client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: queueUrl,
          ReceiptHandle: receiptHandle,
          VisibilityTimeout: REDELIVERY_S,
        }),
      );
    },
  };
}

/** SQS did not say how many messages lie in a queue. */
export class UncountedError extends Error {
  override readonly name = 'SqsQueues.UncountedError';
  constructor(details: { readonly name: string }) {
    super(`the queue's answer has no number in ${details.name}`);
  }
}
