/** The calls of SQS that the product makes, over in-process queues (JSON 1.0 protocol). */

import type { SQSMessageAttributes } from 'aws-lambda';
import { z } from 'zod';
import { AwsError } from './aws-error.ts';
import type { Queue } from './queue.ts';
import { md5Of } from './queue-message.ts';

const sendSchema = z.object({
  QueueUrl: z.string(),
  MessageBody: z.string().min(1),
  DelaySeconds: z.literal(0).optional(),
  MessageAttributes: z
    .record(
      z.string(),
      z.object({
        DataType: z.string(),
        StringValue: z.string().optional(),
        BinaryValue: z.string().optional(),
      }),
    )
    .optional(),
});

const attributesSchema = z.object({
  QueueUrl: z.string(),
  AttributeNames: z.array(z.string()).optional(),
});

const visibilitySchema = z.object({
  QueueUrl: z.string(),
  ReceiptHandle: z.string(),
  VisibilityTimeout: z.number().int().min(0).max(43_200),
});

/**
 * Answers one call.
 *
 * @throws {AwsError} for an unknown operation or queue, and for input that SQS would refuse.
 */
export async function callSqs(
  queues: readonly Queue[],
  call: { readonly operation: string; readonly input: unknown },
): Promise<object> {
  switch (call.operation) {
    case 'SendMessage':
      return sendMessage(queues, call.input);
    case 'GetQueueAttributes':
      return queueAttributes(queues, call.input);
    case 'ChangeMessageVisibility':
      return changeVisibility(queues, call.input);
    default:
      throw new AwsError({
        code: 'com.amazonaws.sqs#UnsupportedOperation',
        message: `the embedded runtime does not know ${call.operation}`,
      });
  }
}

async function sendMessage(queues: readonly Queue[], input: unknown): Promise<object> {
  const { QueueUrl, MessageBody, MessageAttributes = {} } = parse(sendSchema, input);
  const attributes: SQSMessageAttributes = {};
  for (const [name, attribute] of Object.entries(MessageAttributes)) {
    const { DataType: dataType, StringValue: stringValue, BinaryValue: binaryValue } = attribute;
    attributes[name] = { dataType, stringValue, binaryValue };
  }
  const messageId = await queueAt(queues, QueueUrl).send(MessageBody, attributes);
  return { MessageId: messageId, MD5OfMessageBody: md5Of(MessageBody) };
}

function queueAttributes(queues: readonly Queue[], input: unknown): object {
  const { QueueUrl, AttributeNames = [] } = parse(attributesSchema, input);
  const queue = queueAt(queues, QueueUrl);
  const { visible, inFlight, delayed } = queue.counts();
  const known: Record<string, string> = {
    QueueArn: queue.arn,
    ApproximateNumberOfMessages: String(visible),
    // SQS calls delayed only what was sent with a delay; what waits after a failure is not visible.
    ApproximateNumberOfMessagesNotVisible: String(inFlight + delayed),
    ApproximateNumberOfMessagesDelayed: '0',
  };
  const names = AttributeNames.includes('All') ? Object.keys(known) : AttributeNames;
  const unknown = names.find((name) => !(name in known));
  if (unknown !== undefined) {
    throw new AwsError({
      code: 'com.amazonaws.sqs#InvalidAttributeName',
      message: `Unknown Attribute ${unknown}.`,
    });
  }
  return { Attributes: Object.fromEntries(names.map((name) => [name, known[name]])) };
}

function changeVisibility(queues: readonly Queue[], input: unknown): object {
  const { QueueUrl, ReceiptHandle, VisibilityTimeout } = parse(visibilitySchema, input);
  const isChanged = queueAt(queues, QueueUrl).changeVisibility(
    ReceiptHandle,
    VisibilityTimeout * 1_000,
  );
  if (isChanged) return {};
  throw new AwsError({
    code: 'com.amazonaws.sqs#MessageNotInflight',
    message: 'The specified message is not in flight.',
  });
}

function queueAt(queues: readonly Queue[], url: string): Queue {
  const name = url.split('/').at(-1);
  const queue = queues.find((each) => each.name === name);
  if (queue) return queue;
  throw new AwsError({
    code: 'com.amazonaws.sqs#QueueDoesNotExist',
    message: `The specified queue does not exist: ${url}`,
  });
}

function parse<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new AwsError({
    code: 'com.amazonaws.sqs#InvalidParameterValueException',
    message: z.prettifyError(result.error),
  });
}
