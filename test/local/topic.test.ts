import type { SNSEvent } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { createTopic, type TopicParameters } from '../../lib/local/topic.ts';

function open(parameters: Partial<TopicParameters> = {}) {
  const failures: string[] = [];
  const topic = createTopic({
    name: 'control',
    clock: { nowMs: () => Date.parse('2023-09-12T13:21:00.987Z') },
    newId: () => 'id-1',
    retryDelayMs: 1,
    onFailure: ({ subscriber, message, reason }) => {
      failures.push(`${subscriber} ${message.MessageId} ${reason}`);
    },
    ...parameters,
  });
  return { topic, failures };
}

describe('createTopic', () => {
  test('default', async () => {
    const { topic } = open();
    const events: SNSEvent[] = [];
    const texts: string[] = [];
    topic.subscribe({
      kind: 'lambda',
      name: 'operate-breaker',
      handler: async (event) => events.push(event),
    });
    topic.subscribe({
      kind: 'callback',
      name: 'screen',
      receive: ({ Message }) => texts.push(Message),
    });
    const attributes = { severity: { Type: 'String', Value: 'page' } };
    expect(await topic.publish({ message: 'hi', subject: 'TRIPPED', attributes })).toBe('id-1');
    expect(texts).toEqual(['hi']);
    expect(events).toMatchInlineSnapshot(`
      [
        {
          "Records": [
            {
              "EventSource": "aws:sns",
              "EventSubscriptionArn": "arn:aws:sns:local-1:000000000000:control:operate-breaker",
              "EventVersion": "1.0",
              "Sns": {
                "Message": "hi",
                "MessageAttributes": {
                  "severity": {
                    "Type": "String",
                    "Value": "page",
                  },
                },
                "MessageId": "id-1",
                "Signature": "",
                "SignatureVersion": "1",
                "SigningCertUrl": "",
                "Subject": "TRIPPED",
                "Timestamp": "2023-09-12T13:21:00.987Z",
                "TopicArn": "arn:aws:sns:local-1:000000000000:control",
                "Type": "Notification",
                "UnsubscribeUrl": "",
              },
            },
          ],
        },
      ]
    `);
  });

  test('behavior: tries again who failed, and only him', async () => {
    const { topic, failures } = open();
    const calls = { weak: 0, strong: 0 };
    topic.subscribe({
      kind: 'callback',
      name: 'weak',
      receive: () => {
        calls.weak += 1;
        if (calls.weak < 3) throw new Error('not yet');
      },
    });
    topic.subscribe({
      kind: 'callback',
      name: 'strong',
      receive: () => {
        calls.strong += 1;
      },
    });
    await topic.publish({ message: 'hi' });
    await topic.idle();
    expect(calls).toEqual({ weak: 3, strong: 1 });
    expect(failures).toEqual([]);
  });

  test('behavior: gives up in the end and says so', async () => {
    const { topic, failures } = open({ retriesMax: 2 });
    let calls = 0;
    topic.subscribe({
      kind: 'lambda',
      name: 'broken',
      handler: async () => {
        calls += 1;
        throw new Error('never');
      },
    });
    await topic.publish({ message: 'hi' });
    await topic.idle();
    expect({ calls, failures }).toEqual({ calls: 3, failures: ['broken id-1 Error: never'] });
  });

  test('behavior: stop ends the retries', async () => {
    const { topic, failures } = open({ retryDelayMs: 60_000 });
    const receive = () => Promise.reject(new Error('never'));
    topic.subscribe({ kind: 'callback', name: 'broken', receive });
    await topic.publish({ message: 'hi' });
    await topic.stop();
    expect(failures).toEqual(['broken id-1 Error: never']);
    await expect(topic.publish({ message: 'late' })).rejects.toThrow(/stopped/);
  });
});
