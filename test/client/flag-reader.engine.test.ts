import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { operateBreaker } from '../../lib/actions/operate-breaker.ts';
import { recordEvents } from '../../lib/actions/record-events.ts';
import { createDynamoStore } from '../../lib/adapters/dynamodb/store.ts';
import { nodeIds } from '../../lib/adapters/node-ids.ts';
import { compilePolicy } from '../../lib/adapters/policy-file/compile.ts';
import { createFlagReader, type FlagReader } from '../../lib/client/flag-reader.ts';
import type { Store } from '../../lib/ports.ts';
import { startTestEngine, wallClock } from '../adapters/dynamodb/engine.ts';
import { source } from '../adapters/policy-file/source.ts';
import { testWorld } from '../support/action-world.ts';
import { CUSTOMER, ETH, HOT_1, incoming, outflow } from '../support/builders.ts';

const QUESTION = { wallet: 'eth-hot-1', chain: 'eip155:1', asset: ETH };
let engine: Awaited<ReturnType<typeof startTestEngine>>;

beforeAll(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  engine = await startTestEngine();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await engine.stop();
});

/** A stack over fresh tables with a policy in force, and a reader of it. */
async function stack(): Promise<{
  world: ReturnType<typeof testWorld>['world'];
  store: Store;
  reader: FlagReader;
}> {
  const { client, names } = await engine.tables();
  const store = createDynamoStore({ client, tables: names, wallClock });
  const { world } = testWorld(() => ({ store, clock: wallClock, ids: nodeIds }));
  const { incidents } = store;
  const text = source();
  await operateBreaker(
    { ...world.decision, incidents, compilePolicy },
    {
      command: { kind: 'apply-policy', commandId: 'policy', source: text, hash: 'h' },
      actor: 'test',
    },
  );
  const reader = createFlagReader({
    ledgerTable: names.ledger,
    controlTable: names.control,
    region: 'eu-west-1',
    endpoint: engine.endpoint,
  });
  return { world, store, reader };
}

describe('createFlagReader', () => {
  test('default', async () => {
    const { store, reader } = await stack();
    expect(await reader.read(QUESTION)).toMatchObject({ enabled: false, reason: 'lease-lapsed' });
    const untilMs = Date.now() + 60_000;
    await store.health.renew({ 'eip155:1': untilMs }, Date.now());
    expect(await reader.read(QUESTION)).toMatchObject({ enabled: true, inForceUntilMs: untilMs });
  });

  test('H30: a trip shows at the next read', async () => {
    const { world, store, reader } = await stack();
    await store.health.renew({ 'eip155:1': Date.now() + 60_000 }, Date.now());
    expect((await reader.read(QUESTION)).enabled).toBe(true);
    const stolen = outflow(
      { transaction: '0x1' },
      { account: HOT_1, asset: ETH, destination: CUSTOMER },
    );
    await recordEvents(world.decision, [incoming(stolen)]);
    expect(await reader.read(QUESTION)).toMatchObject({
      enabled: false,
      reason: 'breaker-open',
      scope: expect.stringMatching(/^wallet:/),
      incidentId: expect.any(String),
    });
  });

  test('H32: an engine that is not there, and tables that are not, are not enabled', async () => {
    const options = { ledgerTable: 'none', controlTable: 'none', region: 'eu-west-1' };
    const missing = createFlagReader({ ...options, endpoint: engine.endpoint });
    expect(await missing.read(QUESTION)).toMatchObject({ enabled: false, reason: 'unreachable' });
    const nowhere = createFlagReader({ ...options, endpoint: 'http://127.0.0.1:9' });
    expect(await nowhere.read(QUESTION)).toMatchObject({ enabled: false, reason: 'unreachable' });
  });
});
