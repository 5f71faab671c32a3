/** What a deployed `receive-webhook` needs beyond the world of every function. */

import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createEventBridgeSender } from '../adapters/aws/eventbridge-sender.ts';
import { createSecretReader } from '../adapters/aws/secrets-manager.ts';
import { cachedSecrets } from '../adapters/cached-secrets.ts';
import { publishedKeys } from '../adapters/webhook/fireblocks-signature.ts';
import { createRpcReceipts } from '../adapters/webhook/receipts.ts';
import { hostTimers } from '../client/time.ts';
import { BOUNDED } from './aws-world.ts';
import { ENV } from './environment.ts';
import type { Options } from './receive-webhook.ts';
import { systemClock } from './system.ts';

/** Source of the events that come by webhook. */
const SOURCE = 'breakwater.webhook';
/** How long a node may take for a receipt, ms. */
const RECEIPT_MAX_MS = 3_000;

/** Composes it from `process.env`: a provider whose secret is not named has no path. */
export function awsWebhooks(): Options {
  const clock = systemClock;
  const reader = createSecretReader(new SecretsManagerClient(BOUNDED), { clock });
  const { env } = process;
  return {
    secrets: cachedSecrets(reader, { clock }),
    secretNames: {
      ...named('alchemy', env[ENV.alchemySecretName]),
      ...named('fireblocks', env[ENV.fireblocksSecretName]),
      ...named('generic', env[ENV.genericSecretName]),
    },
    sender: createEventBridgeSender(new EventBridgeClient(BOUNDED), {
      name: env[ENV.eventBusName] ?? `${ENV.eventBusName} is not set`,
      source: SOURCE,
    }),
    receipts: createRpcReceipts({ fetch, timers: hostTimers, timeoutMs: RECEIPT_MAX_MS }),
    fireblocksKeys: publishedKeys(fetch),
  };
}

function named(provider: string, name: string | undefined) {
  return name ? { [provider]: name } : {};
}
