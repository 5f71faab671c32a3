/** The drill of a deployed stack: it sends as an observer does, reads as a signer does, and asks as an operator does. */

import { randomUUID } from 'node:crypto';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SNSClient } from '@aws-sdk/client-sns';
import { createPolicyInForce } from '../actions/policy-in-force.ts';
import { readFlag } from '../actions/read-flag.ts';
import { createEventBridgeSender } from '../adapters/aws/eventbridge-sender.ts';
import { createOperatorUrl } from '../adapters/aws/operator-url.ts';
import { createSnsNotifier } from '../adapters/aws/sns-notifier.ts';
import { fromCompiled } from '../adapters/compiled-policy.ts';
import { createDynamoClient } from '../adapters/dynamodb/client.ts';
import { createDynamoStore } from '../adapters/dynamodb/store.ts';
import { createLog } from './aws-log.ts';
import { createMetrics } from './aws-metrics.ts';
import { BOUNDED, EnvironmentError } from './aws-world.ts';
import type { DrillWorld } from './drill.ts';
import { ENV } from './environment.ts';
import { sleep, systemClock } from './system.ts';

/** Source of the events of a drill. */
const SOURCE = 'breakwater.drill';

/** Composes the drill from `process.env`. @throws {EnvironmentError} where a variable is not set. */
export function awsDrill(): DrillWorld {
  const sns = new SNSClient(BOUNDED);
  const store = createDynamoStore({
    client: createDynamoClient({
      region: required('AWS_REGION'),
      endpoint: process.env[ENV.dynamodbEndpoint],
    }),
    tables: { ledger: required(ENV.ledgerTable), control: required(ENV.controlTable) },
    wallClock: systemClock,
  });
  const { decisions, policies, health, incidents, projections } = store;
  const policy = createPolicyInForce({ decisions, policies, parse: fromCompiled });
  const bus = { name: required(ENV.eventBusName), source: SOURCE };
  const sender = createEventBridgeSender(new EventBridgeClient(BOUNDED), bus);
  const { region, credentials, sha256 } = sns.config;
  const operator = createOperatorUrl(required(ENV.operateUrl), { region, credentials, sha256 });
  return {
    newId: randomUUID,
    objectiveMs: Number(required(ENV.drillObjectiveMs)),
    notifier: createSnsNotifier(sns, required(ENV.alertTopicArn)),
    metrics: createMetrics(process.env[ENV.cellName] ?? 'breakwater'),
    log: createLog(),
    deps: {
      policy: async () => (await policy.refresh()).policy,
      send: (detail) => sender.send({ detailType: 'outflow.observed', detail }),
      flag: (wallet) => readFlag({ decisions, health, policy, clock: systemClock }, { wallet }),
      incident: (incidentId) => incidents.get(incidentId),
      isTold: (incidentId) => projections.isPaged(`opened:${incidentId}`),
      reset: (incidentId) => operator.resetDrill({ incidentId, commandId: randomUUID() }),
      clock: systemClock,
      sleep,
    },
  };
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new EnvironmentError({ name, must: 'be set' });
  return value;
}
