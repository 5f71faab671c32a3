/** What a deployed `watch-chain` needs: the store, the policy, the nodes' URLs, and nothing that pages or pauses by itself. */

import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createPolicyInForce } from '../actions/policy-in-force.ts';
import { createSecretReader } from '../adapters/aws/secrets-manager.ts';
import { cachedSecrets } from '../adapters/cached-secrets.ts';
import { fromCompiled } from '../adapters/compiled-policy.ts';
import { createDynamoClient } from '../adapters/dynamodb/client.ts';
import { createDynamoStore } from '../adapters/dynamodb/store.ts';
import { parseRpcSettings } from '../adapters/evm/rpc-settings.ts';
import { nodeDigest } from '../adapters/node-digest.ts';
import { nodeIds } from '../adapters/node-ids.ts';

import { PUBLIC_PRICES, parsePriceSettings } from '../adapters/price/http.ts';
import { createLog } from './aws-log.ts';
import { ENV } from './environment.ts';
import { createObserver } from './observer.ts';
import { random, sleep, systemClock } from './system.ts';
import type { Options } from './watch-chain.ts';
import type { WatchWorld } from './watcher.ts';

/** The SDK waits for ever on its own. */
const BOUNDED = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
} as const;
/** How often a chain is looked at that showed nothing new, ms. */
const EVERY_MS = 3_000;
/** How long an endpoint may take for one answer, ms: a slow one must not use up the invocation. */
const ANSWER_MAX_MS = 5_000;

/** Composes it from `process.env`. A variable that is not set fails by its name when it is first used. */
export function awsWatcher(): {
  readonly world: WatchWorld & { readonly sleep: (ms: number) => Promise<void> };
  readonly options: Options;
} {
  const client = createDynamoClient({
    region: env('AWS_REGION'),
    endpoint: process.env[ENV.dynamodbEndpoint],
  });
  const tables = { ledger: env(ENV.ledgerTable), control: env(ENV.controlTable) };
  const clock = systemClock;
  const store = createDynamoStore({ client, tables, wallClock: clock });
  const { decisions, policies } = store;
  const policy = createPolicyInForce({ decisions, policies, parse: fromCompiled });
  const deps = { decisions, policy, clock, ids: nodeIds, digest: nodeDigest, sleep, random };
  const reader = createSecretReader(new SecretsManagerClient(BOUNDED), { clock });
  const secrets = cachedSecrets(reader, { clock });
  const world = { store, decision: deps, clock, log: createLog(), sleep };
  const settings = async () =>
    parseRpcSettings((await secrets.get(env(ENV.rpcSecretName))).current);
  const provider = async () => {
    const name = process.env[ENV.priceSecretName];
    return name ? parsePriceSettings((await secrets.get(name)).current) : PUBLIC_PRICES;
  };
  return {
    world,
    options: {
      settings,
      limits: { timeoutMs: ANSWER_MAX_MS },
      everyMs: EVERY_MS,
      observe: createObserver(world, { settings, provider }),
    },
  };
}

function env(name: string): string {
  return process.env[name] ?? `${name} is not set`;
}
