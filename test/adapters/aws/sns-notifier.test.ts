import { SNSClient } from '@aws-sdk/client-sns';
import { afterEach, describe, expect, test } from 'vitest';
import { createSnsNotifier } from '../../../lib/adapters/aws/sns-notifier.ts';
import type { Message } from '../../../lib/domain/page.ts';
import { type Loopback, startLoopback } from './clients.ts';

const TOPIC = 'arn:aws:sns:eu-west-1:111122223333:alerts';
const TAKEN = `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>`;
const REFUSED = `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>Throttled</Code><Message>slow down</Message></Error></ErrorResponse>`;

let loopback: Loopback | undefined;
let client: SNSClient | undefined;
afterEach(async () => {
  client?.destroy();
  await loopback?.stop();
});

/** Sends a message, and gives the form that SNS was sent. */
async function publish(message: Partial<Message>, answer = { status: 200, body: TAKEN }) {
  loopback = await startLoopback(answer);
  client = new SNSClient(loopback.config);
  const whole: Message = {
    subject: 'TRIPPED global',
    body: 'Cause: x',
    severity: 'page',
    ...message,
  };
  await createSnsNotifier(client, TOPIC).send(whole);
  return Object.fromEntries(new URLSearchParams(loopback.asked[0]?.body));
}

describe('createSnsNotifier', () => {
  test('default', async () => {
    expect(await publish({})).toEqual({
      Action: 'Publish',
      Version: '2010-03-31',
      TopicArn: TOPIC,
      Subject: 'TRIPPED global',
      Message: 'TRIPPED global\n\nCause: x',
      'MessageAttributes.entry.1.Name': 'severity',
      'MessageAttributes.entry.1.Value.DataType': 'String',
      'MessageAttributes.entry.1.Value.StringValue': 'page',
    });
  });

  test('args: a subject of 140 characters is cut, and stands whole in the body', async () => {
    const subject = `TRIPPED ${'x'.repeat(132)}`;
    const form = await publish({ subject });
    expect(form.Subject).toBe(`TRIPPED ${'x'.repeat(88)}...`);
    expect(form.Subject?.length).toBe(99);
    expect(form.Message?.split('\n')[0]).toBe(subject);
  });

  test('args: 99 characters are not cut', async () => {
    const subject = 'x'.repeat(99);
    expect((await publish({ subject })).Subject).toBe(subject);
  });

  test('args: a subject that is not ASCII', async () => {
    const form = await publish({ subject: 'RESUMED wallet…x by Jürgen\n💥' });
    expect(form.Subject).toBe('RESUMED wallet...x by J?rgen???');
    expect(form.Subject).toMatch(/^[\x20-\x7e]+$/);
  });

  test('behavior: half a character in a message is replaced and does not lose the page', async () => {
    const form = await publish({ subject: 'TRIPPED \ud83d', body: 'because \udca5' });
    expect(form.Message).toBe('TRIPPED \ufffd\n\nbecause \ufffd');
  });

  test('error: SNS does not take it', async () => {
    await expect(publish({}, { status: 400, body: REFUSED })).rejects.toThrow('slow down');
  });

  test('error: nobody answers', async () => {
    const { config, stop } = await startLoopback({ body: TAKEN });
    await stop();
    client = new SNSClient(config);
    const message: Message = { subject: 's', body: 'b', severity: 'notice' };
    await expect(createSnsNotifier(client, TOPIC).send(message)).rejects.toThrow();
  });
});
