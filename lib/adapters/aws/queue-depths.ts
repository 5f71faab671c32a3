/** How full the queues are that people have to know of. */

import type { SQSClient } from '@aws-sdk/client-sqs';
import type { QueueDepths } from '../../ports.ts';
import { createDeadLetters } from './sqs-queues.ts';

/**
 * Counts each queue, in flight or delayed included.
 *
 * @param urls by the name that people know.
 * @throws what SQS throws, and `SqsQueues.UncountedError`.
 */
export function createQueueDepths(
  client: SQSClient,
  urls: Readonly<Record<string, string>>,
): QueueDepths {
  const queues = Object.entries(urls).map(
    ([name, url]) => [name, createDeadLetters(client, url)] as const,
  );
  return {
    read: async () =>
      Promise.all(queues.map(async ([name, queue]) => ({ name, waiting: await queue.count() }))),
  };
}
