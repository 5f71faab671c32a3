import { SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, test } from 'vitest';
import {
  createDeadLetters,
  createRedelivery,
  createRejectQueue,
  UncountedError,
} from '../../../lib/adapters/aws/sqs-queues.ts';
import { type Loopback, startLoopback } from './clients.ts';

const QUEUE_URL = 'https://sqs.eu-west-1.amazonaws.com/111122223333/queue';
const DOWN = { status: 500, body: '{"__type":"InternalFailure","message":"down"}' };

let loopback: Loopback | undefined;
let client: SQSClient | undefined;
afterEach(async () => {
  client?.destroy();
  await loopback?.stop();
});

/** A client whose every call gets this answer, whatever queue it names. */
async function over(answer: { readonly status?: number; readonly body: string }) {
  loopback = await startLoopback(answer);
  client = new SQSClient({ ...loopback.config, useQueueUrlAsEndpoint: false, md5: false });
  return { client, asked: loopback.asked };
}

describe('createRejectQueue', () => {
  test('default', async () => {
    const { client: sqs, asked } = await over({ body: '{"MessageId":"m-1"}' });
    await createRejectQueue(sqs, QUEUE_URL).send({ body: '{"bad":1}', reason: 'detail: why' });
    expect(asked[0]?.action).toBe('AmazonSQS.SendMessage');
    const sent = JSON.parse(asked[0]?.body ?? '');
    expect(sent.QueueUrl).toBe(QUEUE_URL);
    expect(JSON.parse(sent.MessageBody)).toEqual({ body: '{"bad":1}', reason: 'detail: why' });
  });

  test('behavior: a body that is too long is cut, and fits a message of SQS in any alphabet', async () => {
    const { client: sqs, asked } = await over({ body: '{"MessageId":"m-1"}' });
    await createRejectQueue(sqs, QUEUE_URL).send({ body: '漢'.repeat(400_000), reason: 'r' });
    const { MessageBody: body } = JSON.parse(asked[0]?.body ?? '');
    expect(Buffer.byteLength(body)).toBeLessThan(1_048_576);
    expect(JSON.parse(body).body.length).toBe(200_000);
  });

  test('behavior: H18: characters that SQS refuses in any message travel as escapes', async () => {
    const { client: sqs, asked } = await over({ body: '{"MessageId":"m-1"}' });
    const rejected = { body: '\ufffe', reason: 'detail.wallet: "0x\uffff" is not an account\0' };
    await createRejectQueue(sqs, QUEUE_URL).send(rejected);
    const { MessageBody: body } = JSON.parse(asked[0]?.body ?? '');
    expect(body).not.toMatch(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD]/);
    expect(JSON.parse(body)).toEqual(rejected);
  });

  test('error: SQS does not take it', async () => {
    const { client: sqs } = await over(DOWN);
    await expect(
      createRejectQueue(sqs, QUEUE_URL).send({ body: 'b', reason: 'r' }),
    ).rejects.toThrow('down');
  });
});

describe('createDeadLetters', () => {
  const attributes = (counts: readonly (string | undefined)[]) => {
    const [visible, inFlight, delayed] = counts;
    return {
      body: JSON.stringify({
        Attributes: {
          ApproximateNumberOfMessages: visible,
          ApproximateNumberOfMessagesNotVisible: inFlight,
          ApproximateNumberOfMessagesDelayed: delayed,
        },
      }),
    };
  };

  test('default', async () => {
    const { client: sqs, asked } = await over(attributes(['1', '2', '3']));
    expect(await createDeadLetters(sqs, QUEUE_URL).count()).toBe(6);
    expect(asked[0]?.action).toBe('AmazonSQS.GetQueueAttributes');
  });

  test('args: none', async () => {
    const { client: sqs } = await over(attributes(['0', '0', '0']));
    expect(await createDeadLetters(sqs, QUEUE_URL).count()).toBe(0);
  });

  test.each<[string, { readonly body: string }]>([
    ['no attributes', { body: '{}' }],
    ['one left out', attributes(['0', '0', undefined])],
    ['one that is no number', attributes(['0', 'many', '0'])],
    ['one below zero', attributes(['0', '-1', '0'])],
    ['one that is empty', attributes(['', '0', '0'])],
  ])('P7: an answer with %s proves nothing', async (_name, answer) => {
    const { client: sqs } = await over(answer);
    await expect(createDeadLetters(sqs, QUEUE_URL).count()).rejects.toThrow(UncountedError);
  });

  test('P7: no answer proves nothing', async () => {
    const { client: sqs } = await over(DOWN);
    await expect(createDeadLetters(sqs, QUEUE_URL).count()).rejects.toThrow('down');
  });
});

describe('createRedelivery', () => {
  test('default', async () => {
    const { client: sqs, asked } = await over({ body: '{}' });
    await createRedelivery(sqs, QUEUE_URL).soon('receipt-1');
    expect(asked[0]?.action).toBe('AmazonSQS.ChangeMessageVisibility');
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
      QueueUrl: QUEUE_URL,
      ReceiptHandle: 'receipt-1',
      VisibilityTimeout: 1,
    });
  });

  test('error: the message is not in flight any more', async () => {
    const body = '{"__type":"com.amazonaws.sqs#MessageNotInflight","message":"gone"}';
    const { client: sqs } = await over({ status: 400, body });
    await expect(createRedelivery(sqs, QUEUE_URL).soon('receipt-1')).rejects.toThrow('gone');
  });
});
