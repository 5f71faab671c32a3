/** SQS batch → domain events → outcomes → partial batch failures. */

import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { noteStuck } from '../actions/note-stuck.ts';
import { type Entry, type Recorded, recordBatch } from '../actions/record-batch.ts';
import { reportBalance } from '../actions/snapshot-balances.ts';
import {
  type Balance,
  type Event,
  InvalidEventError,
  parseEnvelope,
} from '../adapters/wire/event.ts';
import * as Batch from '../domain/batch.ts';
import { canonicalBody } from '../domain/withdrawal.ts';
import { pipeline } from './pipeline.ts';
import type { World } from './world.ts';

/** Receives after which a failed record waits out the queue's own visibility: a long outage must not use them all up. */
const SOON_RECEIVES_MAX = 10;

type Counted = Exclude<Event, Balance>;
type Readable = { readonly record: SQSRecord; readonly event: Counted };
type Told = { readonly record: SQSRecord; readonly balance: Balance };
type Unreadable = { readonly record: SQSRecord; readonly error: unknown };

/**
 * The function behind the events queue. What cannot be read goes to the reject queue with its
 * reason, after the money was counted; what could not be committed is reported as failed and comes
 * back, within a second at first. A heartbeat that failed does not: the next one is on its way.
 * Fail direction: closed, a time-out reports the whole batch as failed.
 */
export function ingestEvents(world: World) {
  return pipeline((event: SQSEvent) => ingest(world, event), {
    name: 'ingest-events',
    log: world.log,
    onTimeout: (): SQSBatchResponse => {
      throw new TimeoutError();
    },
  });
}

async function ingest(world: World, event: SQSEvent): Promise<SQSBatchResponse> {
  const { readable, balances, unreadable } = parseAll(event.Records);
  const failed = new Set<string>();
  const deps = { ...world.decision, alerts: world.store.alerts };
  const entries = toEntries(world, readable);
  const recorded = await recordBatch(deps, entries);
  for (const [position, result] of recorded.entries()) {
    const { record, event: parsed } = readable[position] ?? {};
    const comesBack = result.kind === 'failed' && parsed?.kind !== 'heartbeat';
    if (record && comesBack) failed.add(record.messageId);
    report(world, result);
  }
  measure(world, { entries, recorded, rejected: unreadable.length });
  await tellStuck(world, entries, recorded);
  const unknown = await noteBalances(world, balances, failed);
  await Promise.all(
    [...unreadable, ...unknown].map(async (one) => {
      if (!(await putAside(world, one))) failed.add(one.record.messageId);
    }),
  );
  await askAgainSoon(
    world,
    event.Records.filter(({ messageId }) => failed.has(messageId)),
  );
  return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };
}

/** How long the oldest of it had waited, and what became of it. Heartbeats are measured by the tick. */
function measure(
  { metrics }: World,
  batch: {
    readonly entries: readonly Entry[];
    readonly recorded: readonly Recorded[];
    readonly rejected: number;
  },
): void {
  const { entries, recorded, rejected } = batch;
  const lags = entries.flatMap((one) => (one.kind === 'transfer' ? [one.lagMs] : []));
  const failed = recorded.filter(({ kind }) => kind === 'failed').length;
  if (lags.length === 0 && failed === 0 && rejected === 0) return;
  metrics.measure({
    EventsDecided: lags.length,
    EventsFailed: failed,
    EventsRejected: rejected,
    ...(lags.length > 0 && { OldestEventMs: Math.max(...lags) }),
  });
}

/** Where even that cannot be written, heartbeats are not either, and the leases run out by themselves. */
async function tellStuck(
  world: World,
  entries: readonly Entry[],
  recorded: readonly Recorded[],
): Promise<void> {
  const { clock, store, log } = world;
  try {
    await noteStuck({ health: store.health, clock }, entries, recorded);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    log.error('stuck event not noted', { reason });
  }
}

function parseAll(records: readonly SQSRecord[]): {
  readonly readable: readonly Readable[];
  readonly balances: readonly Told[];
  readonly unreadable: readonly Unreadable[];
} {
  const readable: Readable[] = [];
  const balances: Told[] = [];
  const unreadable: Unreadable[] = [];
  for (const record of records) {
    try {
      const event = parseEnvelope(record.body);
      if (event.kind === 'balance') balances.push({ record, balance: event });
      else readable.push({ record, event });
    } catch (error) {
      unreadable.push({ record, error });
    }
  }
  return { readable, balances, unreadable };
}

/** Notes what was reported, one after the other; what could not be put comes again. Gives back those of no wallet. */
async function noteBalances(
  world: World,
  told: readonly Told[],
  failed: Set<string>,
): Promise<readonly Unreadable[]> {
  const { balances, alerts } = world.store;
  const { policy } = world.decision;
  const deps = { balances, alerts, policy, clock: world.clock };
  const unknown: Unreadable[] = [];
  for (const { record, balance } of told) {
    try {
      if ((await reportBalance(deps, balance)) === 'noted') continue;
      const problems = ['detail: no wallet or asset of the policy, or dated in the future'];
      unknown.push({ record, error: new InvalidEventError({ problems }) });
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown';
      world.log.error('balance not noted', { messageId: record.messageId, reason });
      failed.add(record.messageId);
    }
  }
  return unknown;
}

/** What is unreadable says nothing about how long money waits, so it is no part of the proof. */
function toEntries(world: World, readable: readonly Readable[]): readonly Entry[] {
  const nowMs = world.clock.nowMs();
  const oldestWaitingMs = Math.max(0, ...readable.map(({ record }) => waitedMs(record, nowMs)));
  return readable.map(({ record, event }): Entry => {
    switch (event.kind) {
      case 'heartbeat': {
        const { sentAtMs } = event;
        return { kind: 'heartbeat', heartbeat: { sentAtMs, receivedAtMs: nowMs, oldestWaitingMs } };
      }
      case 'withdrawal':
      case 'outflow': {
        const bodyHash = world.digest.hash(canonicalBody(event.transfer));
        return { kind: 'transfer', event, bodyHash, lagMs: waitedMs(record, nowMs) };
      }
      case 'batch': {
        const { kind, ...batch } = event;
        const bodyHash = world.digest.hash(Batch.canonicalBody(batch));
        return { kind, batch, bodyHash };
      }
      default:
        return { kind: 'outcome', outcome: event };
    }
  });
}

/** How long a message waited, by the queue's own clock; never negative. */
function waitedMs(record: SQSRecord, nowMs: number): number {
  const sentAtMs = Number(record.attributes.SentTimestamp);
  return Number.isFinite(sentAtMs) ? Math.max(0, nowMs - sentAtMs) : 0;
}

/** Puts an unreadable message aside; `false` when it must come again: not put aside, or not understood why. */
async function putAside(world: World, { record, error }: Unreadable): Promise<boolean> {
  const { messageId, body } = record;
  const reason = error instanceof Error ? error.message : 'unknown';
  world.log.error('event rejected', { messageId, reason });
  if (!(error instanceof InvalidEventError)) return false;
  try {
    await world.rejects.send({ body, reason });
    return true;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unknown';
    world.log.error('event not put aside', { messageId, reason: why });
    return false;
  }
}

function report(world: World, result: Recorded): void {
  if (result.kind === 'failed') {
    const error = result.error instanceof Error ? result.error : new Error('unknown');
    world.log.error('event not committed', { error: error.name, reason: error.message });
    return;
  }
  if (result.kind === 'closed') {
    const { kind: what, ...said } = result.result;
    const givenBack = 'givenBack' in said ? { givenBack: said.givenBack.toString() } : {};
    world.log.info('outcome decided', { ...said, ...givenBack, result: what });
    return;
  }
  const { rowId, result: what, notional, trips, wouldTrip } = result.outcome;
  if (what === 'heartbeat') return;
  world.log.info('event decided', {
    rowId,
    result: what,
    notional: notional.toString(),
    trips,
    wouldTrip,
  });
}

async function askAgainSoon(world: World, records: readonly SQSRecord[]): Promise<void> {
  const soon = records.filter(
    ({ attributes }) => !(Number(attributes.ApproximateReceiveCount) > SOON_RECEIVES_MAX),
  );
  await Promise.allSettled(soon.map((record) => world.redelivery.soon(record.receiptHandle)));
}

/** Time ran out; the whole batch comes again and its committed part is recognised. */
export class TimeoutError extends Error {
  override readonly name = 'IngestEvents.TimeoutError';
  constructor() {
    super('time ran out before the batch was decided; all of it is delivered again');
  }
}
