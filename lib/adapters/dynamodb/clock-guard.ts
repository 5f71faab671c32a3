/** Checks this host's clock against the `Date` header of every answer. */

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Clock } from '../../ports.ts';
import { ClockError } from '../store-errors.ts';

/** Name of the guard among the client's middleware. */
export const CLOCK_GUARD = 'clockGuard';

const SECOND_MS = 1_000;
/** How far this clock and DynamoDB's may be apart. */
const TOLERANCE_MS = 2_000;

/** When a request went out and when its answer came, by this host's clock. */
export type Exchange = { readonly sentAtMs: number; readonly receivedAtMs: number };

/**
 * Puts the guard on a client; on one that has it already, it takes this clock instead. Every call
 * through the client then throws {@link ClockError} if the clocks are apart.
 *
 * @param onDeviation told before it is thrown.
 */
export function guardClock(
  client: DynamoDBClient,
  wallClock: Clock,
  onDeviation: () => void = () => undefined,
): void {
  client.middlewareStack.addRelativeTo(
    <Request, Result extends { readonly response: unknown }>(
      next: (request: Request) => Promise<Result>,
    ) =>
      async (request: Request): Promise<Result> => {
        const sentAtMs = wallClock.nowMs();
        const result = await next(request);
        try {
          checkClock(dateOf(result.response), { sentAtMs, receivedAtMs: wallClock.nowMs() });
        } catch (error) {
          onDeviation();
          throw error;
        }
        return result;
      },
    {
      name: CLOCK_GUARD,
      relation: 'after',
      toMiddleware: 'deserializerMiddleware',
      override: true,
    },
  );
}

/**
 * Compares the second that a header names with the time of its exchange. The header is cut to whole
 * seconds, so the second before sending is fine too.
 *
 * Fail direction: closed, an answer without a readable date is refused like a wrong one, and so is a
 * host that knows no time.
 *
 * @throws {Store.ClockError} more than 2 s before sending (less the cut second) or after receiving.
 */
export function checkClock(date: string | undefined, exchange: Exchange): void {
  const answeredAtMs = Date.parse(date ?? '');
  if (Number.isNaN(answeredAtMs)) throw new ClockError({ deviationMs: undefined });
  // A host without a time compares with nothing, and would pass every check below.
  const isKnown = Number.isFinite(exchange.sentAtMs) && Number.isFinite(exchange.receivedAtMs);
  if (!isKnown) throw new ClockError({ deviationMs: undefined });
  const earliestMs = exchange.sentAtMs - SECOND_MS;
  const latestMs = exchange.receivedAtMs;
  if (answeredAtMs < earliestMs - TOLERANCE_MS) {
    throw new ClockError({ deviationMs: answeredAtMs - earliestMs });
  }
  if (answeredAtMs > latestMs + TOLERANCE_MS) {
    throw new ClockError({ deviationMs: answeredAtMs - latestMs });
  }
}

function dateOf(response: unknown): string | undefined {
  if (typeof response !== 'object' || response === null || !('headers' in response))
    return undefined;
  const { headers } = response;
  if (typeof headers !== 'object' || headers === null || !('date' in headers)) return undefined;
  return typeof headers.date === 'string' ? headers.date : undefined;
}
