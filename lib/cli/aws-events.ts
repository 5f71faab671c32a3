/** Events to the bus of a deployed stack, as any producer sends them. */

import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { awsStopped } from './aws-errors.ts';
import { EXIT, StoppedError } from './exit-code.ts';
import type { EventToSend } from './transport.ts';

/** Events in one request to EventBridge. */
export const EVENTS_MAX = 10;
/** Source of an event that names none. */
const SOURCE = 'breakwater.cli';
/** Attempts for the entries of one request that the bus did not take, the first included. */
const ATTEMPTS_MAX = 4;
/** Wait before the second attempt; doubled before each further one. */
const RETRY_WAIT_MS = 200;

/**
 * Puts at most {@link EVENTS_MAX} events on a bus; what it did not take is tried again.
 *
 * @throws {StoppedError} `unreachable` when some were not taken to the last: send all again, an event counts once.
 */
export async function putEvents(
  deps: {
    readonly client: EventBridgeClient;
    readonly bus: string;
    readonly sleep: (ms: number) => Promise<void>;
  },
  events: readonly EventToSend[],
): Promise<void> {
  let waiting = events;
  let code: string | undefined;
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const results = await put(deps, waiting);
    code = results.find((result) => result.ErrorCode)?.ErrorCode;
    waiting = waiting.filter((_, position) => results[position]?.EventId === undefined);
    if (waiting.length === 0) return;
    if (attempt < ATTEMPTS_MAX) await deps.sleep(RETRY_WAIT_MS * 2 ** (attempt - 1));
  }
  throw new StoppedError({
    exitCode: EXIT.unreachable,
    message: `The event bus ${deps.bus} did not take ${waiting.length} events (${code ?? 'no reason given'}).`,
    hint: 'Send the same again: an event counts once.',
  });
}

async function put(
  deps: { readonly client: EventBridgeClient; readonly bus: string },
  events: readonly EventToSend[],
) {
  const entries = events.map((event) => ({
    EventBusName: deps.bus,
    Source: event.source ?? SOURCE,
    DetailType: event['detail-type'],
    Detail: JSON.stringify(event.detail),
  }));
  try {
    const { Entries } = await deps.client.send(new PutEventsCommand({ Entries: entries }));
    return Entries ?? [];
  } catch (error) {
    throw awsStopped(error, `The event bus ${deps.bus} did not answer`);
  }
}
