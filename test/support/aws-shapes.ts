/** Events as AWS hands them to functions. */

import type { DynamoDBRecord, SNSEvent, SQSRecord } from 'aws-lambda';
import type * as Codec from '../../lib/adapters/dynamodb/control-codec.ts';
import type { Cause, Incident } from '../../lib/domain/breaker.ts';
import type { UrlEvent } from '../../lib/runtime/operate-breaker.ts';
import { CUSTOMER, ETH, HOT_1, T0_MS, USDC } from './builders.ts';

/** An envelope of the bus. */
export function envelope(detailType: string, detail: unknown): string {
  return JSON.stringify({
    version: '0',
    id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
    'detail-type': detailType,
    source: 'exchange.withdrawals',
    account: '111122223333',
    time: new Date(T0_MS).toISOString(),
    region: 'eu-central-1',
    resources: [],
    detail,
  });
}

/** A report of 1 USDC from `hot-1`. */
export function reported(
  withdrawalId: string,
  more: Readonly<Record<string, unknown>> = {},
): string {
  return envelope('withdrawal.reported', {
    withdrawalId,
    wallet: HOT_1,
    asset: USDC,
    destination: CUSTOMER,
    actor: 'customer-1',
    amount: '1000000',
    ...more,
  });
}

/** 4,947 ETH seen leaving `hot-1`. */
export function observed(
  transaction: string,
  more: Readonly<Record<string, unknown>> = {},
): string {
  return envelope('outflow.observed', {
    transaction,
    place: 'top',
    wallet: HOT_1,
    asset: ETH,
    destination: CUSTOMER,
    amount: '4947000000000000000000',
    ...more,
  });
}

/** What became of a withdrawal; a spent nonce where evidence is due. */
export function outcome(
  kind: 'settled' | 'failed' | 'cancelled' | 'replaced',
  withdrawalId: string,
  more: Readonly<Record<string, unknown>> = {},
): string {
  const evidence = { kind: 'nonce-spent', reference: '0xspent' };
  const proof = kind === 'settled' ? {} : { evidence };
  return envelope(`withdrawal.${kind}`, { withdrawalId, ...proof, ...more });
}

/** A heartbeat of `tick`. */
export function beat(sentAtMs: number): string {
  return envelope('heartbeat', { sentAt: new Date(sentAtMs).toISOString() });
}

/** A message of the events queue. */
export function sqsRecord(
  messageId: string,
  body: string,
  attributes: { readonly sentAtMs?: number; readonly receives?: number } = {},
): SQSRecord {
  const { sentAtMs = T0_MS, receives = 1 } = attributes;
  return {
    messageId,
    receiptHandle: `receipt of ${messageId}`,
    body,
    attributes: {
      ApproximateReceiveCount: String(receives),
      SentTimestamp: String(sentAtMs),
      SenderId: 'AIDAIENQZJOLO23YVJ4VO',
      ApproximateFirstReceiveTimestamp: String(sentAtMs + 1),
    },
    messageAttributes: {},
    md5OfBody: 'e4e68fb7bd0e697a0ae8f1bb342846b3',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:eu-central-1:111122223333:events',
    awsRegion: 'eu-central-1',
  };
}

/** A request to the function URL, by an IAM user unless another identity is given. */
export function urlEvent(
  body: unknown,
  identity: UrlEvent['requestContext'] = {
    authorizer: { iam: { userArn: 'arn:aws:iam::111122223333:user/on-call' } },
  },
): UrlEvent {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { body: text, isBase64Encoded: false, requestContext: identity };
}

/** A message of the control topic. */
export function snsEvent(message: unknown): SNSEvent {
  const topic = 'arn:aws:sns:eu-central-1:111122223333:control';
  return {
    Records: [
      {
        EventVersion: '1.0',
        EventSubscriptionArn: `${topic}:2bcfbf39-05c3-41de-beaa-fcfcc21c8f55`,
        EventSource: 'aws:sns',
        Sns: {
          SignatureVersion: '1',
          Timestamp: new Date(T0_MS).toISOString(),
          Signature: 'EXAMPLE',
          SigningCertUrl: 'https://sns.eu-central-1.amazonaws.com/cert.pem',
          MessageId: '95df01b4-ee98-5cb9-9903-4c221d41eb5e',
          Message: typeof message === 'string' ? message : JSON.stringify(message),
          MessageAttributes: {},
          Type: 'Notification',
          UnsubscribeUrl: 'https://sns.eu-central-1.amazonaws.com/unsubscribe',
          TopicArn: topic,
          Subject: 'command',
        },
      },
    ],
  };
}

type Image = ReturnType<typeof Codec.toIncident>;

/** A record of the Control table's stream. */
export function streamRecord(
  sequence: number,
  images: { readonly before?: Image; readonly after?: Image },
): DynamoDBRecord {
  const { before, after } = images;
  const key = after ?? before ?? {};
  const image = (of: Image) =>
    of as NonNullable<NonNullable<DynamoDBRecord['dynamodb']>['NewImage']>;
  return {
    eventID: `event-${sequence}`,
    eventName: before ? (after ? 'MODIFY' : 'REMOVE') : 'INSERT',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'eu-central-1',
    dynamodb: {
      ApproximateCreationDateTime: T0_MS / 1_000,
      Keys: image({ pk: key.pk, sk: key.sk } as Image),
      ...(before ? { OldImage: image(before) } : {}),
      ...(after ? { NewImage: image(after) } : {}),
      SequenceNumber: String(sequence).padStart(21, '0'),
      SizeBytes: 400,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    },
    eventSourceARN:
      'arn:aws:dynamodb:eu-central-1:111122223333:table/Control/stream/2023-09-12T00:00:00.000',
  };
}

/** An open incident. */
export function incident(incidentId: string, first: Partial<Cause> = {}): Incident {
  return {
    incidentId,
    scope: 'key-domain:vault-a',
    epoch: 1,
    openedAtMs: T0_MS,
    first: {
      kind: 'unmatched',
      atMs: T0_MS,
      rowId: 'outflow:eip155:1:0xab:top',
      text: 'outflow of 4,947 ETH from hot-1 that nobody approved',
      notional: 7_420_500_000_000n,
      ...first,
    },
    policyVersion: 1,
    state: 'open',
  };
}
