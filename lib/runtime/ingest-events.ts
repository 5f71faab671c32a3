/** SQS batch → domain events → outcomes → partial batch failures. */

import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { type Recorded, recordEvents } from '../actions/record-events.ts';
import { type Event, InvalidEventError, parseEnvelope } from '../adapters/wire/event.ts';
import type { Incoming } from '../domain/decision.ts';
import { canonicalBody } from '../domain/withdrawal.ts';
import { pipeline } from './pipeline.ts';
import type { World } from './world.ts';

type Parsed = { readonly record: SQSRecord; readonly incoming: Incoming };

/**
 * The function behind the events queue. What cannot be read goes to the reject queue with its
 * reason; what could not be committed is reported as failed and comes back within a second.
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
  const failed = new Set<string>();
  const parsed: Parsed[] = [];
  const oldestWaitingMs = Math.max(0, ...event.Records.map((record) => waitedMs(world, record)));
  for (const record of event.Records) {
    try {
      const incoming = toIncoming(world, parseEnvelope(record.body), {
        lagMs: waitedMs(world, record),
        oldestWaitingMs,
      });
      parsed.push({ record, incoming });
    } catch (error) {
      if (!(await reject(world, record, error))) failed.add(record.messageId);
    }
  }
  const recorded = await recordEvents(
    world.decision,
    parsed.map(({ incoming }) => incoming),
  );
  for (const [position, result] of recorded.entries()) {
    const record = parsed[position]?.record;
    if (record && result.kind === 'failed') failed.add(record.messageId);
    report(world, result);
  }
  await askAgainSoon(
    world,
    event.Records.filter(({ messageId }) => failed.has(messageId)),
  );
  return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };
}

function toIncoming(
  world: World,
  event: Event,
  waited: { readonly lagMs: number; readonly oldestWaitingMs: number },
): Incoming {
  if (event.kind === 'heartbeat') {
    const { oldestWaitingMs } = waited;
    const receivedAtMs = world.clock.nowMs();
    return {
      kind: 'heartbeat',
      heartbeat: { sentAtMs: event.sentAtMs, receivedAtMs, oldestWaitingMs },
    };
  }
  const bodyHash = world.digest.hash(canonicalBody(event.transfer));
  return { kind: 'transfer', event, bodyHash, lagMs: waited.lagMs };
}

/** How long a message waited, by the queue's own clock; never negative. */
function waitedMs(world: World, record: SQSRecord): number {
  const sentAtMs = Number(record.attributes.SentTimestamp);
  return Number.isFinite(sentAtMs) ? Math.max(0, world.clock.nowMs() - sentAtMs) : 0;
}

/** Puts an unreadable message aside; `false` when even that failed and it must come again. */
async function reject(world: World, record: SQSRecord, error: unknown): Promise<boolean> {
  if (!(error instanceof InvalidEventError)) throw error;
  const reason = error.message;
  world.log.error('event rejected', { messageId: record.messageId, reason });
  try {
    await world.rejects.send({ body: record.body, reason });
    return true;
  } catch {
    return false;
  }
}

function report(world: World, result: Recorded): void {
  if (result.kind === 'failed') {
    const error = result.error instanceof Error ? result.error : new Error('unknown');
    world.log.error('event not committed', { error: error.name, reason: error.message });
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
  await Promise.allSettled(records.map((record) => world.redelivery.soon(record.receiptHandle)));
}

/** Time ran out; the whole batch comes again and its committed part is recognised. */
export class TimeoutError extends Error {
  override readonly name = 'IngestEvents.TimeoutError';
  constructor() {
    super('time ran out before the batch was decided; all of it is delivered again');
  }
}
