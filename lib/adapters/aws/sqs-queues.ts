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
          MessageBody: JSON.stringify({ reason, body: body.slice(0, BODY_LENGTH_MAX) }),
        }),
      );
    },
  };
}

/** Counts what lies in a dead-letter queue, in flight or delayed included. */
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
      return names.reduce((sum, name) => sum + Number(attributes?.[name] ?? 0), 0);
    },
  };
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
