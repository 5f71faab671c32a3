/** One wallet with room for half of what is asked of it, and processes that reserve from it. */

import { createDynamoClient } from '../lib/adapters/dynamodb/client.ts';
import { createDynamoStore } from '../lib/adapters/dynamodb/store.ts';
import { nodeDigest } from '../lib/adapters/node-digest.ts';
import { nodeIds } from '../lib/adapters/node-ids.ts';
import type { Ask } from '../lib/domain/reservation.ts';
import { canonicalBody } from '../lib/domain/withdrawal.ts';
import { createKeySigner, newSigningKey } from '../lib/local/file-signer.ts';
import { LOCAL_CREDENTIALS, LOCAL_REGION } from '../lib/local/local-account.ts';
import * as Random from '../lib/local/replay/random.ts';
import { sleep, systemClock } from '../lib/runtime/system.ts';
import { createWorld, type World } from '../lib/runtime/world.ts';
import { withdrawal } from './events.ts';
import { type Locks, obeyLocks } from './reserve-locks.ts';
import { type Rig, TABLES } from './rig.ts';
import { CHAIN, policySource, USDC } from './sample-policy.ts';
import { type Watch, watchWire } from './wire-count.ts';

/** Withdrawals that are asked for, all of one size. */
export const ASKED = 320;
/** Of these the wallet has room for. */
export const ROOM = ASKED / 2;

/** A process: a client, a store and caches of its own, as another Lambda has them. */
export type Process = {
  readonly world: World;
  readonly watch: Watch;
  readonly stop: () => void;
};

const USD_EACH = 1_000;
const USDC_UNITS = 10n ** 6n;
const HOUR_MS = 3_600_000;
const HOST = {
  clock: systemClock,
  ids: nodeIds,
  digest: nodeDigest,
  signer: createKeySigner({ privateKey: newSigningKey(), issuer: 'bench' }),
  sleep,
};
/** Services that reserving does not use. */
const NOBODY = {
  notifier: { send: async () => {} },
  events: { send: async () => {} },
  rejects: { send: async () => {} },
  redelivery: { soon: async () => {} },
  deadLetters: { count: async () => 0 },
  log: { info: () => {}, error: () => {} },
};

/** The benchmark's policy with one more limit, the only one within reach: {@link ROOM} withdrawals an hour from the wallet. */
export function reservePolicySource(): string {
  const policy = JSON.parse(policySource(1));
  const room = {
    id: 'room',
    scope: 'wallet',
    metric: 'notional',
    window: '1h',
    limit: `${ROOM * USD_EACH}`,
    action: 'pause',
  };
  return JSON.stringify({ ...policy, limits: [...policy.limits, room] });
}

/** One of the withdrawals, each of another customer. */
export function askOf(number: number): Ask {
  const amount = BigInt(USD_EACH) * USDC_UNITS;
  const event = withdrawal({ id: `reserve-${number}`, amount, customer: number, asset: USDC });
  return { withdrawal: event, bodyHash: nodeDigest.hash(canonicalBody(event.transfer)) };
}

/** Proves the chain's health for an hour. */
export async function proveHealth({ store }: Rig): Promise<void> {
  const nowMs = systemClock.nowMs();
  await store.health.renew({ [CHAIN]: nowMs + HOUR_MS }, nowMs);
}

/** Starts a process on the rig's engine and reads what a warm one knows: policy and leases. */
export async function startProcess(
  rig: Rig,
  parameters: { readonly seed: string; readonly locks?: Locks | undefined },
): Promise<Process> {
  const { endpoint } = rig;
  const { seed, locks } = parameters;
  const account = { region: LOCAL_REGION, credentials: LOCAL_CREDENTIALS };
  const client = createDynamoClient({ endpoint, ...account });
  const world = createWorld({
    store: createDynamoStore({ client, tables: TABLES, wallClock: systemClock }),
    ...HOST,
    ...NOBODY,
    random: Random.create(`${seed} jitter`),
  });
  await world.reserve.policy.refresh();
  await world.reserve.leases.of([CHAIN]);
  const watch = watchWire(client);
  if (locks) obeyLocks(client, locks);
  return { world, watch, stop: () => client.destroy() };
}
