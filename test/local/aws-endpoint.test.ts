import { randomUUID } from 'node:crypto';
import { EventBridgeClient, ListRulesCommand, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { ListTopicsCommand, PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  ListQueuesCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { SNSMessage } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AwsEndpoint, startAwsEndpoint } from '../../lib/local/aws-endpoint.ts';
import { createBus } from '../../lib/local/bus.ts';
import { LOCAL_CREDENTIALS, LOCAL_REGION } from '../../lib/local/local-account.ts';
import { createQueue, type Queue } from '../../lib/local/queue.ts';
import { createTopic, type Topic } from '../../lib/local/topic.ts';

const deps = { clock: { nowMs: () => 1_700_000_000_000 }, newId: randomUUID };
let queue: Queue;
let topic: Topic;
let endpoint: AwsEndpoint;
let messages: SNSMessage[];
let sqs: SQSClient;
let sns: SNSClient;
let events: EventBridgeClient;

beforeEach(async () => {
  queue = await createQueue({ ...deps, name: 'events' });
  topic = createTopic({ ...deps, name: 'alerts', onFailure: () => {} });
  messages = [];
  topic.subscribe({
    kind: 'callback',
    name: 'screen',
    receive: (message) => messages.push(message),
  });
  const bus = createBus({ ...deps, name: 'bus', rules: [{ target: (text) => queue.send(text) }] });
  endpoint = await startAwsEndpoint({ queues: [queue], topics: [topic], buses: [bus] });
  const config = {
    endpoint: endpoint.endpoint,
    region: LOCAL_REGION,
    credentials: LOCAL_CREDENTIALS,
    maxAttempts: 1,
  };
  sqs = new SQSClient(config);
  sns = new SNSClient(config);
  events = new EventBridgeClient(config);
});
afterEach(async () => {
  for (const client of [sqs, sns, events]) client.destroy();
  await endpoint.stop();
  await queue.stop();
  await topic.stop();
});

describe('startAwsEndpoint', () => {
  test('args: SQS SendMessage', async () => {
    const sent = await sqs.send(
      new SendMessageCommand({
        QueueUrl: endpoint.queueUrl('events'),
        MessageBody: 'größe & <b>',
        MessageAttributes: { reason: { DataType: 'String', StringValue: 'why' } },
      }),
    );
    expect(queue.peek(1)).toMatchObject([
      {
        messageId: sent.MessageId,
        body: 'größe & <b>',
        attributes: { reason: { dataType: 'String', stringValue: 'why' } },
      },
    ]);
  });

  test('args: SQS GetQueueAttributes', async () => {
    await queue.send('a');
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: endpoint.queueUrl('events'),
        AttributeNames: [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesNotVisible',
          'QueueArn',
        ],
      }),
    );
    expect(Attributes).toEqual({
      ApproximateNumberOfMessages: '1',
      ApproximateNumberOfMessagesNotVisible: '0',
      QueueArn: queue.arn,
    });
  });

  test('args: SQS ChangeMessageVisibility', async () => {
    await queue.send('a');
    let calls = 0;
    queue.consume({
      handler: async ({ Records }) => {
        calls += 1;
        const ReceiptHandle = Records[0]?.receiptHandle ?? '';
        const QueueUrl = endpoint.queueUrl('events');
        await sqs.send(
          new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }),
        );
        if (calls === 1) throw new Error('again');
      },
    });
    await queue.idle();
    expect(calls).toBe(2);
    await expect(
      sqs.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: endpoint.queueUrl('events'),
          ReceiptHandle: 'gone',
          VisibilityTimeout: 1,
        }),
      ),
    ).rejects.toMatchObject({ name: 'MessageNotInflight' });
  });

  test('args: EventBridge PutEvents', async () => {
    const result = await events.send(
      new PutEventsCommand({
        Entries: [
          {
            EventBusName: 'bus',
            Source: 'exchange',
            DetailType: 'heartbeat',
            Detail: '{"sentAt":"2023-09-12T13:21:00Z"}',
            Time: new Date('2023-09-12T13:21:00Z'),
          },
          { EventBusName: 'bus', Source: 'exchange', DetailType: 'heartbeat', Detail: 'x' },
        ],
      }),
    );
    expect(result).toMatchObject({
      FailedEntryCount: 1,
      Entries: [{ EventId: expect.any(String) }, { ErrorCode: 'MalformedDetail' }],
    });
    expect(queue.peek(2).map(({ body }) => JSON.parse(body))).toMatchObject([
      {
        id: result.Entries?.[0]?.EventId,
        'detail-type': 'heartbeat',
        time: '2023-09-12T13:21:00Z',
      },
    ]);
  });

  test('args: SNS Publish', async () => {
    const sent = await sns.send(
      new PublishCommand({
        TopicArn: topic.arn,
        Message: 'größe + <b> & "q"\nline',
        Subject: 'TRIPPED',
        MessageAttributes: { severity: { DataType: 'String', StringValue: 'page' } },
      }),
    );
    expect(messages).toMatchObject([
      {
        MessageId: sent.MessageId,
        Message: 'größe + <b> & "q"\nline',
        Subject: 'TRIPPED',
        MessageAttributes: { severity: { Type: 'String', Value: 'page' } },
      },
    ]);
  });

  test('args: SNS subject at and above what SNS takes', async () => {
    const publish = (Subject: string) =>
      sns.send(new PublishCommand({ TopicArn: topic.arn, Message: 'm', Subject }));
    await publish('x'.repeat(100));
    await expect(publish('x'.repeat(101))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
    await expect(publish('two\nlines')).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
  });

  test('error: unknown calls', async () => {
    await expect(sqs.send(new ListQueuesCommand({}))).rejects.toMatchObject({
      name: 'UnsupportedOperation',
      message: expect.stringContaining('ListQueues'),
    });
    await expect(events.send(new ListRulesCommand({}))).rejects.toMatchObject({
      name: 'UnknownOperationException',
    });
    await expect(sns.send(new ListTopicsCommand({}))).rejects.toMatchObject({
      name: 'InvalidAction',
    });
  });

  test('error: unknown resources', async () => {
    const QueueUrl = endpoint.queueUrl('other');
    await expect(
      sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'a' })),
    ).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
    const TopicArn = `${topic.arn}-other`;
    await expect(sns.send(new PublishCommand({ TopicArn, Message: 'a' }))).rejects.toMatchObject({
      name: 'NotFoundException',
    });
    const entry = { EventBusName: 'other', Source: 's', DetailType: 't', Detail: '{}' };
    await expect(events.send(new PutEventsCommand({ Entries: [entry] }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  test('error: invalid input', async () => {
    const entry = { EventBusName: 'bus', Source: 's', DetailType: 't', Detail: '{}' };
    await expect(
      events.send(new PutEventsCommand({ Entries: Array(11).fill(entry) })),
    ).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(
      sqs.send(
        new SendMessageCommand({
          QueueUrl: endpoint.queueUrl('events'),
          MessageBody: 'a',
          DelaySeconds: 5,
        }),
      ),
    ).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
  });

  test('error: a service that fails inside can be asked again', async () => {
    await queue.stop();
    const QueueUrl = endpoint.queueUrl('events');
    await expect(
      sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'a' })),
    ).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
  });
});
