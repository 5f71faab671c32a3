/** The world of a deployed function: composed from the environment that the constructs set. */

import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { KMSClient } from '@aws-sdk/client-kms';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createEventBridgeSender } from '../adapters/aws/eventbridge-sender.ts';
import { createKmsSigner } from '../adapters/aws/kms-signer.ts';
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
import type { AdmissionSigner } from '../ports.ts';
import { createLog } from './aws-log.ts';
import { createMetrics } from './aws-metrics.ts';
import { ENV } from './environment.ts';
import { random, sleep, systemClock } from './system.ts';
import { createWorld, type World } from './world.ts';

/** Source of the events that Breakwater itself sends. */
const SOURCE = 'breakwater.tick';

/** The SDK waits for ever on its own, and a queue that hangs must not take the whole function's time. */
export const BOUNDED = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
} as const;

/**
 * Composes a world from `process.env`. A part whose variable is not set throws when it is first
 * used, with the variable's name: each function is given only what it needs.
 */
export function awsWorld(): World {
  const sqs = new SQSClient(BOUNDED);
  const metrics = createMetrics(process.env[ENV.cellName] ?? 'breakwater');
  return createWorld({
    store: createDynamoStore({
      client: createDynamoClient({
        region: env('AWS_REGION'),
        endpoint: process.env[ENV.dynamodbEndpoint],
      }),
      tables: { ledger: env(ENV.ledgerTable), control: env(ENV.controlTable) },
      wallClock: systemClock,
      onDeviation: () => metrics.measure({ ClockDeviations: 1 }),
    }),
    clock: systemClock,
    ids: nodeIds,
    digest: nodeDigest,
    notifier: createSnsNotifier(new SNSClient(BOUNDED), env(ENV.alertTopicArn)),
    events: createEventBridgeSender(new EventBridgeClient(BOUNDED), {
      name: env(ENV.eventBusName),
      source: SOURCE,
    }),
    rejects: createRejectQueue(sqs, env(ENV.rejectQueueUrl)),
    deadLetters: createDeadLetters(sqs, env(ENV.eventsDlqUrl)),
    redelivery: createRedelivery(sqs, env(ENV.eventsQueueUrl)),
    signer: lazySigner(),
    queues: createQueueDepths(sqs, {
      events: env(ENV.eventsQueueUrl),
      'dead letters': env(ENV.eventsDlqUrl),
      rejects: env(ENV.rejectQueueUrl),
      'failed projections': env(ENV.failedProjectionsUrl),
      'failed commands': env(ENV.failedCommandsUrl),
    }),
    log: createLog(),
    metrics,
    sleep,
    random,
  });
}

/** How often the tick loops within its minute, from the environment; 0 means once. */
export function tickEveryMs(): number {
  const text = process.env[ENV.tickLoopMs] ?? '0';
  const everyMs = Number(text);
  if (!Number.isInteger(everyMs) || everyMs < 0)
    throw new EnvironmentError({
      name: ENV.tickLoopMs,
      must: 'be a whole number of milliseconds, 0 or more',
    });
  return everyMs;
}

/** Who may accept admissions that were asked for nobody in particular, from the environment. */
export function admissionAudience(): string {
  return required(ENV.admissionAudience);
}

/** Only one function has a key. The others must start without one, and none may sign without an issuer. */
function lazySigner(): AdmissionSigner {
  let made: AdmissionSigner | undefined;
  const signer = () => {
    made ??= createKmsSigner(new KMSClient(BOUNDED), {
      keyId: required(ENV.admissionKeyId),
      alsoPublished: listed(ENV.admissionPublishedKeyIds),
      issuer: required(ENV.admissionIssuer),
    });
    return made;
  };
  return {
    get issuer() {
      return signer().issuer;
    },
    sign: async (claims) => signer().sign(claims),
    jwks: async () => signer().jwks(),
  };
}

/** A variable of the environment, or nothing where this function was given none: using it then fails in the SDK by name. */
function env(name: string): string {
  return process.env[name] ?? `${name} is not set`;
}

/** The entries of a variable of the environment, which commas separate. */
function listed(name: string): readonly string[] {
  const entries = (process.env[name] ?? '').split(',').map((entry) => entry.trim());
  return entries.filter((entry) => entry !== '');
}

/** A variable of the environment that nothing can stand in for. */
function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new EnvironmentError({ name, must: 'be set' });
  return value;
}

/** A variable of the environment does not have the form it needs. */
export class EnvironmentError extends Error {
  override readonly name = 'AwsWorld.EnvironmentError';
  constructor(details: { readonly name: string; readonly must: string }) {
    super(`${details.name} must ${details.must}`);
  }
}
