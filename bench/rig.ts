/** An engine with tables, a store and a policy in force: what the parts measure on. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Deps } from '../lib/actions/commit-decision.ts';
import { operateBreaker } from '../lib/actions/operate-breaker.ts';
import { createPolicyInForce } from '../lib/actions/policy-in-force.ts';
import { fromCompiled } from '../lib/adapters/compiled-policy.ts';
import { createDynamoClient } from '../lib/adapters/dynamodb/client.ts';
import { createDynamoStore } from '../lib/adapters/dynamodb/store.ts';
import { nodeDigest } from '../lib/adapters/node-digest.ts';
import { nodeIds } from '../lib/adapters/node-ids.ts';
import { compilePolicy } from '../lib/adapters/policy-file/compile.ts';
import type * as Ledger from '../lib/domain/ledger.ts';
import type { Meter } from '../lib/domain/meter.ts';
import type * as Scope from '../lib/domain/scope.ts';
import { startEngine } from '../lib/local/engine.ts';
import { LOCAL_CREDENTIALS, LOCAL_REGION } from '../lib/local/local-account.ts';
import * as Random from '../lib/local/replay/random.ts';
import { createTables } from '../lib/local/tables.ts';
import type { Store } from '../lib/ports.ts';
import { systemClock } from '../lib/runtime/system.ts';
import { type Watch, watchWire } from './wire-count.ts';

/** Everything a part needs. */
export type Rig = {
  readonly endpoint: string;
  readonly client: DynamoDBClient;
  readonly store: Store;
  readonly deps: Deps;
  /** Counts what the store's client sends. */
  readonly watch: Watch;
  readonly stop: () => Promise<void>;
};

/** Names of an engine's tables. */
export const TABLES = { ledger: 'Ledger', control: 'Control' };

/** Starts an engine of its own, in memory, and puts the policy in force. */
export async function startRig(parameters: {
  readonly policySource: string;
  readonly seed: string;
}): Promise<Rig> {
  const { policySource: source, seed } = parameters;
  const engine = await startEngine();
  const { endpoint } = engine;
  const client = createDynamoClient({
    endpoint,
    region: LOCAL_REGION,
    credentials: LOCAL_CREDENTIALS,
  });
  await createTables(client, TABLES);
  const store = createDynamoStore({ client, tables: TABLES, wallClock: systemClock });
  const { decisions, policies, incidents } = store;
  const policy = createPolicyInForce({ decisions, policies, parse: fromCompiled });
  const random = Random.create(`${seed} jitter`);
  const deps: Deps = {
    decisions,
    policy,
    clock: systemClock,
    ids: nodeIds,
    digest: nodeDigest,
    sleep: (ms) => sleep(ms),
    random,
  };
  const command = {
    kind: 'apply-policy',
    commandId: 'bench',
    source,
    hash: nodeDigest.hash(source),
  } as const;
  await operateBreaker({ ...deps, incidents, compilePolicy }, { command, actor: 'bench' });
  await policy.refresh();
  const watch = watchWire(client);
  const stop = async () => {
    client.destroy();
    await engine.stop();
  };
  return { endpoint, client, store, deps, watch, stop };
}

/** Runs something on a rig of its own, and stops the rig whatever happens. */
export async function onRig<T>(
  parameters: Parameters<typeof startRig>[0],
  run: (rig: Rig) => Promise<T>,
): Promise<T> {
  const rig = await startRig(parameters);
  try {
    return await run(rig);
  } finally {
    await rig.stop();
  }
}

/** Stores meters as the items of their scopes; what else the items hold stays. @throws {PrefillError} */
export async function putMeters(
  store: Pick<Store, 'decisions'>,
  meters: ReadonlyMap<Scope.Key, Meter>,
): Promise<void> {
  const atMs = systemClock.nowMs();
  const { items } = await store.decisions.load({ rows: [], items: [...meters.keys()] });
  const writes = [...meters].map(([key, meter]): Ledger.ItemWrite => {
    const stored = items.get(key);
    const expected = stored?.version ?? ('absent' as const);
    const version = expected === 'absent' ? atMs : expected + 1;
    const breaker = stored?.breaker ?? { state: 'closed' as const, epoch: 0 };
    return { key, item: { ...stored, version, meter, breaker }, expected };
  });
  const nothing = { rows: [], incidents: [], causes: [], alerts: [] };
  const changes = { decisionId: nodeIds.decisionId(), atMs, items: writes, ...nothing };
  if ((await store.decisions.commit(changes)) !== 'committed') throw new PrefillError();
}

/** Somebody else wrote the items that were to be filled. */
export class PrefillError extends Error {
  override readonly name = 'Rig.PrefillError';
  constructor() {
    super('the meters could not be stored: something else writes to this engine');
  }
}
