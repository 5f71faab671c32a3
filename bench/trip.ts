/** Event → trip → flag → page, through the embedded runtime: bus, queue, the deployed handlers, engine, stream. */

import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPolicyInForce } from '../lib/actions/policy-in-force.ts';
import { readFlag } from '../lib/actions/read-flag.ts';
import { fromCompiled } from '../lib/adapters/compiled-policy.ts';
import { createDynamoClient } from '../lib/adapters/dynamodb/client.ts';
import { createDynamoStore } from '../lib/adapters/dynamodb/store.ts';
import type { Flag } from '../lib/domain/flag.ts';
import type { Meter } from '../lib/domain/meter.ts';
import type { Key } from '../lib/domain/scope.ts';
import { startEngine } from '../lib/local/engine.ts';
import { LOCAL_CREDENTIALS, LOCAL_REGION } from '../lib/local/local-account.ts';
import { type Runtime, startRuntime } from '../lib/local/runtime.ts';
import { ENV } from '../lib/runtime/environment.ts';
import { systemClock } from '../lib/runtime/system.ts';
import { scopesOf } from './events.ts';
import { type FullSet, metersOf } from './full-set.ts';
import { percentile } from './percentile.ts';
import { putMeters } from './rig.ts';
import { customerAccount, ETH, policySource, walletAccount, walletName } from './sample-policy.ts';
import type { Cell, Section } from './section.ts';

const WARM_UP = 20;
const TRIPS = 200;
/** The runtime's tables. */
const TABLES = { ledger: 'breakwater-ledger', control: 'breakwater-control' };
const AMOUNT = 10n ** 18n;
const READS_MAX = 100;
const WAIT_MAX_MS = 5_000;
/** Items of one transaction that fills meters. */
const FILLED_MAX = 90;

/** Times of one trip, ms. */
export type Trip = {
  readonly toTripMs: number;
  readonly toFlagMs: number;
  readonly toPageMs: number;
};

/** Trips of fresh wallets, one after another. */
export async function measureTrips(full: FullSet): Promise<Section> {
  const wallets = WARM_UP + TRIPS;
  const trips = await onStage(wallets, async (stage) => {
    await fill(stage.runtime, { full, wallets });
    const measured: Trip[] = [];
    for (let wallet = 0; wallet < wallets; wallet += 1) measured.push(await stage.trip(wallet));
    return measured.slice(WARM_UP);
  });
  const row = (name: string, id: string, samples: readonly number[]): readonly Cell[] => [
    name,
    { id: `trip.${id}.p50`, value: percentile(samples, 0.5), unit: 'ms', digits: 1 },
    { id: `trip.${id}.p99`, value: percentile(samples, 0.99), unit: 'ms', digits: 1 },
    { id: `trip.${id}.max`, value: percentile(samples, 1), unit: 'ms', digits: 1 },
  ];
  return {
    title: `From an unapproved outflow to a pause, ${TRIPS} trips of fresh wallets, meters full`,
    columns: ['', 'p50', 'p99', 'slowest'],
    rows: [
      row(
        'event → trip committed',
        'event-to-trip',
        trips.map(({ toTripMs }) => toTripMs),
      ),
      row(
        'trip → a reader of the flag is told no',
        'trip-to-flag',
        trips.map(({ toFlagMs }) => toFlagMs),
      ),
      row(
        'trip → the operator has the page',
        'trip-to-page',
        trips.map(({ toPageMs }) => toPageMs),
      ),
    ],
    notes: [
      'event: handed to the bus; trip: the commit has been answered; flag: strong reads by a client of its own, from the trip on',
      'embedded runtime: no network, no Lambda start, no queue polling of AWS in these figures',
    ],
  };
}

/** A runtime with a reader of its flag. */
export type TripStage = {
  readonly runtime: Runtime;
  /** Lets an unapproved outflow leave a wallet, and waits for what follows. @throws {NotTrippedError} */
  readonly trip: (wallet: number) => Promise<Trip>;
};

/** Runs something on a runtime with wallets that are enabled, and ends it whatever happens. */
export async function onStage<T>(
  wallets: number,
  run: (stage: TripStage) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-bench-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  const engine = await startEngine({ folder: join(folder, 'engine') });
  const moments = createMoments();
  // The runtime announces itself in the current folder, and must not displace one that is at work there.
  const home = process.cwd();
  process.chdir(folder);
  process.env[ENV.dynamodbEndpoint] = engine.endpoint;
  try {
    const runtime = await startRuntime({
      folder: join(folder, 'runtime'),
      policySource: policySource(wallets),
      log: { info: moments.onLog, error: () => undefined },
      onPage: ({ body }) => moments.note(`page ${scopeOf(body)}`),
    });
    const reader = openReader(engine.endpoint);
    try {
      await runtime.tick();
      return await run({ runtime, trip: (wallet) => trip({ runtime, reader, moments }, wallet) });
    } finally {
      await runtime.stop();
      reader.stop();
    }
  } finally {
    delete process.env[ENV.dynamodbEndpoint];
    process.chdir(home);
    await engine.stop();
    process.off('exit', remove);
    remove();
  }
}

/** Full meters for everything that the wallets touch. */
async function fill(
  runtime: Runtime,
  parameters: { readonly full: FullSet; readonly wallets: number },
): Promise<void> {
  const { full, wallets } = parameters;
  const meters = new Map<Key, Meter>();
  for (let wallet = 0; wallet < wallets; wallet += 1) {
    const more = metersOf({ wallet }, full);
    for (const [key, meter] of more) meters.set(key, meter);
  }
  const all = [...meters];
  for (let at = 0; at < all.length; at += FILLED_MAX) {
    await putMeters(runtime.world.store, new Map(all.slice(at, at + FILLED_MAX)));
  }
}

async function trip(
  on: { readonly runtime: Runtime; readonly reader: Reader; readonly moments: Moments },
  wallet: number,
): Promise<Trip> {
  const { runtime, reader, moments } = on;
  const scope = scopesOf({ wallet }).wallet;
  const before = await reader.read(walletName(wallet));
  if (!before.enabled) throw new NotTrippedError({ scope, why: `at first ${before.text}` });
  const tripped = moments.wait(`trip ${scope}`);
  const paged = moments.wait(`page ${scope}`);
  // Where the trip fails, nobody waits for its page.
  paged.catch(() => undefined);
  const startedMs = performance.now();
  await runtime.submit([{ detailType: 'outflow.observed', detail: outflow(wallet) }]);
  const trippedMs = await tripped;
  const told = await untilNo(reader, { scope, wallet });
  return {
    toTripMs: trippedMs - startedMs,
    toFlagMs: told - trippedMs,
    toPageMs: (await paged) - trippedMs,
  };
}

async function untilNo(
  reader: Reader,
  asked: { readonly scope: Key; readonly wallet: number },
): Promise<number> {
  for (let read = 0; read < READS_MAX; read += 1) {
    const flag = await reader.read(walletName(asked.wallet));
    if (flag.reason === 'breaker-open' && flag.scope === asked.scope) return performance.now();
  }
  throw new NotTrippedError({ scope: asked.scope, why: 'its flag stayed enabled' });
}

/** An outflow from a wallet that nobody approved, as it travels. */
export function outflow(wallet: number): Readonly<Record<string, string>> {
  return {
    transaction: `0x${wallet.toString(16).padStart(64, '0')}`,
    place: 'top',
    wallet: walletAccount(wallet),
    asset: ETH,
    destination: customerAccount(0),
    amount: AMOUNT.toString(),
    observedAt: new Date(systemClock.nowMs()).toISOString(),
  };
}

type Reader = { readonly read: (wallet: string) => Promise<Flag>; readonly stop: () => void };

/** A withdrawal service's reader: another client, another policy cache. */
function openReader(endpoint: string): Reader {
  const connection = { endpoint, region: LOCAL_REGION, credentials: LOCAL_CREDENTIALS };
  const client = createDynamoClient(connection);
  const store = createDynamoStore({ client, tables: TABLES, wallClock: systemClock });
  const { decisions, policies, health } = store;
  const policy = createPolicyInForce({ decisions, policies, parse: fromCompiled });
  const deps = { decisions, health, policy, clock: systemClock };
  return { read: (wallet) => readFlag(deps, { wallet }), stop: () => client.destroy() };
}

/** Remembers when something was first told. */
type Moments = {
  readonly note: (name: string) => void;
  readonly onLog: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly wait: (name: string) => Promise<number>;
};

function createMoments(): Moments {
  const waiting = new Map<string, (atMs: number) => void>();
  const note = (name: string) => waiting.get(name)?.(performance.now());
  return {
    note,
    onLog: (_message, { trips }) => {
      if (!Array.isArray(trips)) return;
      for (const { scope } of trips) note(`trip ${scope}`);
    },
    wait: (name) => {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      const why = `${name} was not told of within ${WAIT_MAX_MS} ms`;
      const timer = setTimeout(
        () => reject(new NotTrippedError({ scope: name, why })),
        WAIT_MAX_MS,
      );
      waiting.set(name, (atMs) => {
        clearTimeout(timer);
        resolve(atMs);
      });
      return promise;
    },
  };
}

/** The scope in the first line of a page. */
function scopeOf(body: string): string {
  return /^TRIPPED (\S+) at /m.exec(body)?.[1] ?? '';
}

/** A trip did not happen, or did not show. */
export class NotTrippedError extends Error {
  override readonly name = 'Trip.NotTrippedError';
  constructor(details: { readonly scope: string; readonly why: string }) {
    super(`${details.scope}: ${details.why}`);
  }
}
