/** The world of the embedded runtime: the deployed adapters, pointed at the engine and at in-process services. */

import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { SNSMessage } from 'aws-lambda';
import { createEventBridgeSender } from '../adapters/aws/eventbridge-sender.ts';
import { createQueueDepths } from '../adapters/aws/queue-depths.ts';
import { createSnsNotifier } from '../adapters/aws/sns-notifier.ts';
import {
  createDeadLetters,
  createRedelivery,
  createRejectQueue,
} from '../adapters/aws/sqs-queues.ts';
import { createDynamoClient } from '../adapters/dynamodb/client.ts';
import { createDynamoStore } from '../adapters/dynamodb/store.ts';
import { nodeDigest } from '../adapters/node-digest.ts';
import { nodeIds } from '../adapters/node-ids.ts';
import { compilePolicy } from '../adapters/policy-file/compile.ts';
import { typedSignatures } from '../adapters/typed-signature.ts';
import type { Message } from '../domain/page.ts';
import { random, sleep, systemClock } from '../runtime/system.ts';
import { createWorld, type Log, type OperatorWorld, operatedBy } from '../runtime/world.ts';
import { type AwsEndpoint, startAwsEndpoint } from './aws-endpoint.ts';
import { startEngine } from './engine.ts';
import { createFileSigner } from './file-signer.ts';
import { LOCAL_CREDENTIALS, LOCAL_REGION } from './local-account.ts';
import type { Queue } from './queue.ts';
import { createServices, type Services } from './services.ts';
import { createTables } from './tables.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** A world with the services that its functions will be connected to. */
export type Local = {
  readonly world: OperatorWorld;
  readonly services: Services;
  readonly streams: DynamoDBStreamsClient;
  readonly controlStreamArn: string;
  /** Where SDK clients reach the tables, and what these are called. */
  readonly tables: LocalTables;
  /** Where SDK clients reach the services. */
  readonly awsEndpoint: string;
};

/** Where the tables of an embedded runtime are. */
export type LocalTables = {
  readonly endpoint: string;
  readonly ledger: string;
  readonly control: string;
};

/** The `iss` of its admissions. */
const ISSUER = 'breakwater';
/** What it shares with a deployed function. */
const HOST = { sleep, random, ids: nodeIds, digest: nodeDigest };
const TABLES = { ledger: 'breakwater-ledger', control: 'breakwater-control' };

/**
 * Starts engine and services in a folder and composes a world over them. What was started is put on
 * `ending` at once, so that the caller can end it also when something later throws.
 */
export async function createLocalWorld(parameters: {
  readonly folder: string;
  readonly clock: VirtualClock;
  readonly log: Log;
  readonly onPage?: ((message: Message) => void) | undefined;
  /** What has to be ended, in reverse order. */
  readonly ending: (() => Promise<void>)[];
}): Promise<Local> {
  const { folder, clock, log, onPage, ending } = parameters;
  const onError = (where: string, error: unknown) =>
    log.error('local runtime', {
      where,
      reason: error instanceof Error ? error.message : 'unknown',
    });
  const engine = await startEngine({ folder, onExit: (error) => onError('engine', error) });
  ending.push(engine.stop);
  const connection = {
    endpoint: engine.endpoint,
    region: LOCAL_REGION,
    credentials: LOCAL_CREDENTIALS,
  };
  const client = createDynamoClient(connection);
  const streams = new DynamoDBStreamsClient(connection);
  ending.push(async () => {
    client.destroy();
    streams.destroy();
  });
  const { controlStreamArn } = await createTables(client, TABLES);
  const services = await createServices({ folder, clock, onError, ending });
  const { bus, events, deadLetters, rejects, alerts, control } = services;
  const address = await startAwsEndpoint({
    buses: [bus],
    queues: [events, deadLetters, rejects],
    topics: [alerts, control],
    onError: (error) => onError('aws endpoint', error),
  });
  // The services first: what they still deliver needs the address, and the address the engine.
  ending.push(address.stop, services.stop);
  const receive = (message: SNSMessage) => onPage?.(toMessage(message));
  alerts.subscribe({ kind: 'callback', name: 'operator', receive });
  const store = createDynamoStore({ client, tables: TABLES, wallClock: systemClock });
  const world = createWorld({
    store,
    clock,
    log,
    ...HOST,
    signer: await createFileSigner({ folder, issuer: ISSUER }),
    ...portsOf(services, address),
  });
  const operator = operatedBy(world, { compilePolicy, signatures: typedSignatures });
  const tables = { endpoint: engine.endpoint, ...TABLES };
  const { endpoint: awsEndpoint } = address;
  return { world: operator, services, streams, controlStreamArn, tables, awsEndpoint };
}

/** The deployed adapters over the real SDK clients, which speak to the in-process services on loopback. */
function portsOf(services: Services, address: AwsEndpoint) {
  const connection = {
    endpoint: address.endpoint,
    region: LOCAL_REGION,
    credentials: LOCAL_CREDENTIALS,
  };
  const sqs = new SQSClient(connection);
  const urlOf = (queue: Queue) => address.queueUrl(queue.name);
  const bus = { name: services.bus.name, source: 'breakwater.tick' };
  return {
    notifier: createSnsNotifier(new SNSClient(connection), services.alerts.arn),
    events: createEventBridgeSender(new EventBridgeClient(connection), bus),
    rejects: createRejectQueue(sqs, urlOf(services.rejects)),
    deadLetters: createDeadLetters(sqs, urlOf(services.deadLetters)),
    redelivery: createRedelivery(sqs, urlOf(services.events)),
    queues: createQueueDepths(sqs, {
      events: urlOf(services.events),
      'dead letters': urlOf(services.deadLetters),
      rejects: urlOf(services.rejects),
    }),
  };
}

/** What the alert topic delivered, as the notifier wrote it: the first line, an empty one, the rest. */
function toMessage({ Message: text, MessageAttributes: attributes }: SNSMessage): Message {
  const [subject = '', , ...rest] = text.split('\n');
  const severity = attributes.severity?.Value === 'page' ? 'page' : 'notice';
  return { subject, body: rest.join('\n'), severity };
}
