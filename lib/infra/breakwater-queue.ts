import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

/**
 * A queue that keeps what it holds for fourteen days, encrypted, over TLS only.
 *
 * Keys are SQS's own: EventBridge, SNS and Lambda write here, and a key policy that is one
 * principal short loses events without a word.
 */
export function breakwaterQueue(scope: Construct, id: string, props: QueueProps = {}): Queue {
  return new Queue(scope, id, {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
    removalPolicy: RemovalPolicy.RETAIN,
    ...props,
  });
}

/** A queue that people empty: an alarm stands on its first message, and nothing consumes it. */
export function parkingQueue(scope: Construct, id: string): Queue {
  const queue = breakwaterQueue(scope, id);
  Validations.of(queue).acknowledge({
    id: 'AwsSolutions-SQS3',
    reason:
      'This queue is where failures end. No function reads it, so nothing can fail to be read; ' +
      'its first message raises an alarm.',
  });
  return queue;
}
