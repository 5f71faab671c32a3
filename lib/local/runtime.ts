/**
 * The embedded runtime: the functions as they are deployed, over a DynamoDB-compatible engine in a
 * child process, with queue, bus, stream and topics as AWS would have them, on loopback only.
 */

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { operateBreaker as apply } from '../actions/operate-breaker.ts';
import { orUnread } from '../actions/policy-in-force.ts';
import type { Message } from '../domain/page.ts';
import * as Scope from '../domain/scope.ts';
import { systemClock } from '../runtime/system.ts';
import type { Log, OperatorWorld, World } from '../runtime/world.ts';
import { connectFunctions } from './functions.ts';
import { type HttpServer, type HttpServerParameters, startHttpServer } from './http-server.ts';
import { createLocalWorld, type Local } from './local-world.ts';
import { routes } from './routes.ts';
import { announce, withdraw } from './runtime-file.ts';
import type { Services } from './services.ts';
import { proveHealth, tickLoop } from './ticking.ts';
import { notingTrips, type Trips } from './trips.ts';
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts';
import { startWatching } from './watching.ts';

/** One event to submit. */
export type Submission = {
  readonly detailType: string;
  readonly detail: unknown;
  readonly source?: string | undefined;
};

/** A running embedded Breakwater. */
export type Runtime = {
  /** Where it listens, for example `http://127.0.0.1:4780`. */
  readonly url: string;
  readonly folder: string;
  /** Where SDK clients find the bus, the queues and the topics, as they would on AWS. */
  readonly aws: { readonly endpoint: string; readonly controlTopicArn: string };
  readonly clock: VirtualClock;
  readonly world: OperatorWorld;
  /** Bus, queues and topics: what connects the functions, and can be cut. */
  readonly services: Services;
  /** Sends events through the bus and the queue; resolves when they are kept. */
  readonly submit: (submissions: readonly Submission[]) => Promise<void>;
  /** Resolves when everything taken so far is decided and projected. */
  readonly idle: () => Promise<void>;
  /** One heartbeat through the ingress, and the leases that it proves. */
  readonly tick: () => Promise<void>;
  /** Steps along every watched chain until nothing is new; nothing without nodes. */
  readonly watch: () => Promise<void>;
  /** `performance.now()` right after the commit of the last decision that tripped something. */
  readonly lastTripAtMs: () => number | undefined;
  /** Ends everything that was started, by process id. A temporary folder is removed. */
  readonly stop: () => Promise<void>;
};

/** How to start. */
export type Options = {
  /** Where state is kept; absent: a temporary folder, removed at the end. */
  readonly folder?: string | undefined;
  /** Absent: 4780 if it is free, else a free one. */
  readonly port?: number | undefined;
  /** Absent: real time. */
  readonly clock?: { readonly startMs: number; readonly speed: number } | undefined;
  /** Put in force unless it is already. */
  readonly policySource?: string | undefined;
  /** Ticks by itself this often; 0: only when asked to. */
  readonly tickEveryMs?: number | undefined;
  /** File with the secrets of webhooks; absent: no provider has a path. */
  readonly webhookSecrets?: string | undefined;
  /** File with the nodes of each chain; absent: no chain is watched. */
  readonly rpc?: string | undefined;
  /** Looks at the chains by itself this often; 0 or absent: only when asked to. */
  readonly watchEveryMs?: number | undefined;
  readonly onPage?: ((message: Message) => void) | undefined;
  readonly log?: Log | undefined;
};

const PORT_DEFAULT = 4780;
const QUIET: Log = { info: () => undefined, error: () => undefined };

/** Starts the runtime. On any error everything started so far is stopped again. */
export async function startRuntime(options: Options = {}): Promise<Runtime> {
  const temporary = options.folder === undefined;
  const folder = temporary
    ? await mkdtemp(join(tmpdir(), 'breakwater-'))
    : resolve(options.folder ?? '');
  const ending: (() => Promise<void>)[] = [];
  if (temporary) ending.push(() => rm(folder, { recursive: true, force: true }));
  const stop = once(() => endAll(ending));
  try {
    return await start({ options, folder, ending, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

type Starting = {
  readonly options: Options;
  readonly folder: string;
  /** What has to be ended, in reverse order. */
  readonly ending: (() => Promise<void>)[];
  readonly stop: () => Promise<void>;
};

async function start({ options, folder, ending, stop }: Starting): Promise<Runtime> {
  const { startMs = systemClock.nowMs(), speed = 1 } = options.clock ?? {};
  const clock = createVirtualClock({ startMs, speed, wall: systemClock });
  const trips: Trips = { lastAtMs: undefined };
  const log = notingTrips(options.log ?? QUIET, trips);
  const local = await createLocalWorld({ folder, clock, log, onPage: options.onPage, ending });
  await resumeClock(local.world, clock);
  await putInForce(local.world, options.policySource);
  const functions = await connectFunctions(local, {
    folder,
    webhookSecrets: options.webhookSecrets,
  });
  ending.push(functions.stop);
  const submit = (submissions: readonly Submission[]) => put(local, submissions);
  const { world } = local;
  const served = {
    routes: routes({ world, submit, tables: local.tables, ...functions }),
    onError: failed(log),
  };
  const http = await listen(served, options.port);
  ending.push(http.stop);
  await announce(http.endpoint);
  ending.push(() => withdraw(http.endpoint));
  const tick = () => proveHealth(local, submit);
  ending.push(tickLoop(world, { everyMs: options.tickEveryMs ?? 0, speed }));
  const watcher = await startWatching(world, {
    file: options.rpc,
    everyMs: options.watchEveryMs ?? 0,
  });
  ending.push(watcher.stop);
  const aws = { endpoint: local.awsEndpoint, controlTopicArn: local.services.control.arn };
  return {
    url: http.endpoint,
    folder,
    aws,
    clock,
    world,
    services: local.services,
    submit,
    idle: functions.idle,
    tick,
    watch: watcher.catchUp,
    lastTripAtMs: () => trips.lastAtMs,
    stop,
  };
}

/**
 * A runtime that starts on kept state never begins before what it has already counted, nor before
 * its last proof of health: earlier, that proof and its leases would be worth more than they are.
 */
async function resumeClock(world: World, clock: VirtualClock): Promise<void> {
  const { decisions, health } = world.store;
  const { items } = await decisions.load({ rows: [], items: [Scope.GLOBAL_KEY] });
  clock.advanceTo(items.get(Scope.GLOBAL_KEY)?.meter.newestMs ?? 0);
  clock.advanceTo((await health.heartbeat())?.receivedAtMs ?? 0);
}

async function putInForce(world: OperatorWorld, source: string | undefined): Promise<void> {
  if (source === undefined) return;
  const hash = world.digest.hash(source);
  // One that cannot be read is replaced.
  if ((await orUnread(world.decision.policy).current()).hash === hash) return;
  const { incidents } = world.store;
  const deps = { ...world.decision, incidents, compilePolicy: world.compilePolicy };
  const command = { kind: 'apply-policy', commandId: randomUUID(), source, hash } as const;
  await apply(deps, { command, actor: 'local:start' });
}

async function put(local: Local, submissions: readonly Submission[]): Promise<void> {
  const results = await local.services.bus.putEvents(
    submissions.map(({ detailType, detail, source = 'local' }) => ({
      source,
      detailType,
      detail: JSON.stringify(detail),
    })),
  );
  const failed = results.find((result) => 'errorCode' in result);
  if (failed) throw new NotTakenError({ reason: failed.errorMessage });
}

async function listen(
  served: Pick<HttpServerParameters, 'routes' | 'onError'>,
  port: number | undefined,
): Promise<HttpServer> {
  if (port !== undefined) return startHttpServer({ ...served, port });
  try {
    return await startHttpServer({ ...served, port: PORT_DEFAULT });
  } catch {
    return startHttpServer(served);
  }
}

function failed(log: Log): (error: unknown) => void {
  return (error) => {
    const reason = error instanceof Error ? error.message : 'unknown';
    log.error('local runtime', { where: 'http', reason });
  };
}

async function endAll(ending: (() => Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const end of ending.toReversed()) {
    await end().catch((error: unknown) => errors.push(error));
  }
  if (errors.length > 0) throw new AggregateError(errors, 'the runtime did not end cleanly');
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= run();
    return running;
  };
}

/** The bus did not keep an event; nothing of it was counted. */
export class NotTakenError extends Error {
  override readonly name = 'Runtime.NotTakenError';
  constructor(details: { readonly reason: string }) {
    super(`an event was not taken: ${details.reason}`);
  }
}
