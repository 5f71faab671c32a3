/** Nobody is left to trip: how long each client still lets money leave after something broke. */

import { setTimeout as sleep } from 'node:timers/promises';
import { LOCAL_CREDENTIALS } from '../lib/local/local-account.ts';
import { type Ask, attachClients, type Clients } from './lease-clients.ts';
import { type Fault, type LeaseStage, onLeaseStage } from './lease-stage.ts';
import { policySource } from './sample-policy.ts';
import type { Section } from './section.ts';

/** How often the tick goes round, and how fast its clock runs. */
export type Schedule = { readonly id: string; readonly everyMs: number; readonly speed: number };

/** What one client did after the fault. */
export type Outcome = {
  /** When it was last asked with success, ms after the fault on the runtime's clock; 0: never again. */
  readonly lastAllowedMs: number;
  /** Answers that money may leave which came after a refusal. */
  readonly reopened: number;
};

const LOOPING: Schedule = { id: 'looping', everyMs: 5_000, speed: 1 };
/** Twelve times as fast, so that a minute takes the 5 s of the other. */
const EACH_MINUTE: Schedule = { id: 'each-minute', everyMs: 60_000, speed: 12 };
const LEASE_ROUNDS = 3;
const FAULTS: Readonly<Record<Fault, string>> = {
  tick: 'tick stopped',
  ingest: 'ingest stopped',
  engine: 'engine killed',
  runtime: 'runtime killed',
};
/** Faults that show in nothing but the lease. */
const SILENT: readonly Fault[] = ['tick', 'ingest'];
const PROBE_MS = 50;
/** How long after the lease's end the clients are still asked, real ms. */
const STAYS_MS = 4_000;
const READY_MAX_MS = 30_000;

/** Two tables: with a tick that loops within its minute, and with one tick a minute. */
export async function measureLease(): Promise<readonly Section[]> {
  return withCredentials(async () => [
    await measureSchedule(LOOPING, Object.keys(FAULTS) as Fault[]),
    await measureSchedule(EACH_MINUTE, SILENT),
  ]);
}

async function measureSchedule(schedule: Schedule, faults: readonly Fault[]): Promise<Section> {
  // At the same time: they mostly wait.
  const runs = await Promise.all(faults.map((fault) => measureFault(schedule, fault)));
  const leaseS = (LEASE_ROUNDS * schedule.everyMs) / 1_000;
  const names = [...(runs[0]?.keys() ?? [])];
  const reopened = runs.flatMap((run) => [...run.values()].map((each) => each.reopened));
  return {
    title: `How long after a fault money may still leave, rounds of the tick of ${schedule.everyMs / 1_000} s, leases of ${leaseS} s`,
    columns: ['', ...faults.map((fault) => FAULTS[fault])],
    rows: names.map((name) => [
      name,
      ...faults.map((fault, at) => ({
        id: `lease.${schedule.id}.${fault}.${name.replace(/\W+/g, '-')}`,
        value: (runs[at]?.get(name)?.lastAllowedMs ?? Number.POSITIVE_INFINITY) / 1_000,
        unit: 's',
        digits: 1,
        max: leaseS,
      })),
    ]),
    notes: [
      'the last question that was answered with yes; the fault comes right after the leases were renewed, when they are worth most',
      `asked every ${PROBE_MS} ms until ${STAYS_MS / 1_000} s after the lease; answers with yes after one with no: ${reopened.reduce((sum, each) => sum + each, 0)}`,
      ...(schedule.speed === 1
        ? []
        : [`seconds of a clock that runs ${schedule.speed} times as fast`]),
    ],
  };
}

/** Breaks one stage and asks its clients. @throws {NotReadyError} */
export async function measureFault(
  schedule: Schedule,
  fault: Fault,
): Promise<ReadonlyMap<string, Outcome>> {
  const { everyMs, speed } = schedule;
  const task = { policySource: policySource(1), everyMs, speed };
  return onLeaseStage(task, async (stage) => {
    const clients = await attachClients(stage, `${schedule.id}-${fault}`);
    try {
      await ready(clients);
      await renewed(clients);
      await stage.break(fault);
      return await watch(stage, clients, LEASE_ROUNDS * everyMs + STAYS_MS * speed);
    } finally {
      await clients.close();
    }
  });
}

async function watch(
  stage: LeaseStage,
  clients: Clients,
  durationMs: number,
): Promise<ReadonlyMap<string, Outcome>> {
  const fromMs = stage.clock.nowMs();
  const untilMs = fromMs + durationMs;
  const follow = async (ask: Ask): Promise<Outcome> => {
    let lastAllowedMs = 0;
    let reopened = 0;
    let isRefused = false;
    for (let askedMs = fromMs; askedMs < untilMs; askedMs = stage.clock.nowMs()) {
      const mayLeave = await ask();
      if (mayLeave) lastAllowedMs = askedMs - fromMs;
      if (mayLeave && isRefused) reopened += 1;
      isRefused ||= !mayLeave;
      await sleep(PROBE_MS);
    }
    return { lastAllowedMs, reopened };
  };
  const outcomes = [...clients.asks].map(async ([name, ask]) => [name, await follow(ask)] as const);
  return new Map(await Promise.all(outcomes));
}

/** Every client lets money leave at first, or what follows would show nothing. */
async function ready(clients: Clients): Promise<void> {
  const deadlineMs = performance.now() + READY_MAX_MS;
  for (const [name, ask] of clients.asks) {
    while (!(await ask())) {
      if (performance.now() > deadlineMs) throw new NotReadyError({ what: name });
      await sleep(PROBE_MS);
    }
  }
}

async function renewed(clients: Clients): Promise<void> {
  const deadlineMs = performance.now() + READY_MAX_MS;
  const beforeMs = await clients.inForceUntilMs();
  while ((await clients.inForceUntilMs()) === beforeMs) {
    if (performance.now() > deadlineMs) throw new NotReadyError({ what: 'a renewal' });
    await sleep(PROBE_MS);
  }
}

/** The reader of the tables takes its credentials where every client of the SDK does. */
async function withCredentials<T>(run: () => Promise<T>): Promise<T> {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = process.env;
  process.env.AWS_ACCESS_KEY_ID = LOCAL_CREDENTIALS.accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = LOCAL_CREDENTIALS.secretAccessKey;
  try {
    return await run();
  } finally {
    restore('AWS_ACCESS_KEY_ID', id);
    restore('AWS_SECRET_ACCESS_KEY', secret);
  }
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

/** A stage did not come to the state in which something can be broken. */
export class NotReadyError extends Error {
  override readonly name = 'Lease.NotReadyError';
  constructor(details: { readonly what: string }) {
    super(`${details.what} did not come within ${READY_MAX_MS} ms`);
  }
}
