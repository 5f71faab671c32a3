import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { afterEach, describe, expect, test } from 'vitest';
import {
  createEventBridgeSender,
  RefusedError,
} from '../../../lib/adapters/aws/eventbridge-sender.ts';
import { type Loopback, startLoopback } from './clients.ts';

const EVENT = { detailType: 'heartbeat', detail: { sentAt: '2023-09-12T13:21:00.000Z' } };

let loopback: Loopback | undefined;
let client: EventBridgeClient | undefined;
afterEach(async () => {
  client?.destroy();
  await loopback?.stop();
});

async function send(answer: { readonly status?: number; readonly body: string }) {
  loopback = await startLoopback(answer);
  client = new EventBridgeClient(loopback.config);
  await createEventBridgeSender(client, { name: 'bus-1', source: 'breakwater.tick' }).send(EVENT);
  return loopback.asked;
}

describe('createEventBridgeSender', () => {
  test('default', async () => {
    const asked = await send({ body: '{"FailedEntryCount":0,"Entries":[{"EventId":"e-1"}]}' });
    expect(asked.map(({ action }) => action)).toEqual(['AWSEvents.PutEvents']);
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
      Entries: [
        {
          EventBusName: 'bus-1',
          Source: 'breakwater.tick',
          DetailType: 'heartbeat',
          Detail: '{"sentAt":"2023-09-12T13:21:00.000Z"}',
        },
      ],
    });
  });

  test('error: the bus answers 200 and has not taken the event', async () => {
    const body = '{"FailedEntryCount":1,"Entries":[{"ErrorCode":"ThrottlingException"}]}';
    const refused = send({ body });
    await expect(refused).rejects.toThrow(RefusedError);
    await expect(refused).rejects.toThrow('ThrottlingException');
  });

  test('error: the bus is down', async () => {
    await expect(
      send({ status: 500, body: '{"__type":"InternalException","message":"down"}' }),
    ).rejects.toThrow('down');
  });
});
