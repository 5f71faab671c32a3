/** The world of the embedded runtime: the deployed adapters, pointed at the engine and at in-process services. */

import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { createDynamoClient } from '../adapters/dynamodb/client.ts';
import { createDynamoStore } from '../adapters/dynamodb/store.ts';
import { nodeDigest } from '../adapters/node-digest.ts';
import { nodeIds } from '../adapters/node-ids.ts';
import { parsePolicy } from '../adapters/policy-file/parse.ts';
import type { Message } from '../domain/page.ts';
import { random, sleep, systemClock } from '../runtime/system.ts';
import { createWorld, type Log, type World } from '../runtime/world.ts';
import { startEngine } from './engine.ts';
import { LOCAL_REGION } from './local-account.ts';
import { createServices, type Services } from './services.ts';
import { createTables } from './tables.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** A world with the services that its functions will be connected to. */
export type Local = {
  readonly world: World;
  readonly services: Services;
  readonly streams: DynamoDBStreamsClient;
  readonly controlStreamArn: string;
  readonly stop: () => Promise<void>;
};

const TABLES = { ledger: 'breakwater-ledger', control: 'breakwater-control' };
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

/** Starts engine and services in a folder and composes a world over them. */
export async function createLocalWorld(parameters: {
  readonly folder: string;
  readonly clock: VirtualClock;
  readonly log: Log;
  readonly onPage?: ((message: Message) => void) | undefined;
}): Promise<Local> {
  const { folder, clock, log, onPage } = parameters;
  const onError = (where: string, error: unknown) =>
    log.error('local runtime', { where, reason: error instanceof Error ? error.message : 'unknown' });
  const engine = await startEngine({ folder, onExit: (error) => onError('engine', error) });
  const connection = { endpoint: engine.endpoint, region: LOCAL_REGION, credentials: CREDENTIALS };
  const client = createDynamoClient(connection);
  const streams = new DynamoDBStreamsClient(connection);
  const { controlStreamArn } = await createTables(client, TABLES);
  const services = await createServices({ folder, clock, onError });
  const store = createDynamoStore({ client, tables: TABLES, wallClock: systemClock });
  const world = createWorld({
    store,
    clock,
    log,
    sleep,
    random,
    parsePolicy,
    ids: nodeIds,
    digest: nodeDigest,
    ...portsOf(services, onPage),
  });
  const stop = async () => {
    await services.stop();
    client.destroy();
    streams.destroy();
    await engine.stop();
  };
  return { world, services, streams, controlStreamArn, stop };
}

/** The ports that people and other systems are reached by. */
function portsOf(services: Services, onPage: ((message: Message) => void) | undefined) {
  const { bus, events, deadLetters, rejects } = services;
  return {
    notifier: { send: async (message: Message) => onPage?.(message) },
    events: {
      send: async ({ detailType, detail }: { detailType: string; detail: unknown }) => {
        await bus.putEvents([{ source: 'breakwater.tick', detailType, detail: JSON.stringify(detail) }]);
      },
    },
    rejects: {
      send: async (rejected: { body: string; reason: string }) => {
        await rejects.send(JSON.stringify(rejected));
      },
    },
    deadLetters: { count: async () => deadLetters.depth() },
    redelivery: {
      soon: async (receiptHandle: string) => {
        events.changeVisibility(receiptHandle, 1_000);
      },
    },
  };
}
