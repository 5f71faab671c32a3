/** A client with its tables, and how often it is asked again. */

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Clock } from '../../ports.ts';
import { BrokenError, ClockError, UnavailableError } from '../store-errors.ts';
import type { Failure } from './failures.ts';
import { classify } from './failures.ts';

/** Names of the two tables. */
export type TableNames = { readonly ledger: string; readonly control: string };

/** How often, how soon and how long the same bytes are sent again. */
export type Retry = {
  readonly attemptsMax: number;
  /** Nothing is sent again once this much time has gone by since the first attempt. */
  readonly budgetMs: number;
  /** Wait before the attempt after this one, counted from 1. */
  readonly delayMs: (attempt: number) => number;
  readonly sleep: (delayMs: number) => Promise<void>;
};

/** What every store of this folder works with. */
export type Connection = {
  readonly client: DynamoDBClient;
  readonly tables: TableNames;
  readonly wallClock: Clock;
  readonly retry: Retry;
};

/** What came of it, in the end. */
export type Settled<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly attempts: number };

const DELAY_BASE_MS = 25;
const DELAY_MAX_MS = 500;

/** Up to 5 attempts within 3 s, with full jitter: with the client's time-outs at most 6 s in all. */
export const RETRY: Retry = {
  attemptsMax: 5,
  budgetMs: 3_000,
  delayMs: (attempt) => Math.random() * Math.min(DELAY_BASE_MS * 2 ** attempt, DELAY_MAX_MS),
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
};

/**
 * Tries until it is done, or refused, or the attempts or the time are used up.
 *
 * @throws {Store.ClockError}
 */
export async function settle<T>(
  connection: Connection,
  attempt: () => Promise<T>,
): Promise<Settled<T>> {
  const { retry, wallClock } = connection;
  const startedAtMs = wallClock.nowMs();
  for (let attempts = 1; ; attempts += 1) {
    try {
      return { kind: 'done', value: await attempt() };
    } catch (error) {
      if (error instanceof ClockError) throw error;
      const failure = classify(error);
      const final = failure.kind === 'condition' || failure.kind === 'broken';
      const over = wallClock.nowMs() - startedAtMs >= retry.budgetMs;
      if (final || over || attempts >= retry.attemptsMax)
        return { kind: 'failed', failure, attempts };
    }
    await retry.sleep(retry.delayMs(attempts));
  }
}

/**
 * Does something that is safe to do twice and has no condition.
 *
 * @throws {Store.UnavailableError | Store.BrokenError | Store.ClockError}
 */
export async function call<T>(
  connection: Connection,
  operation: string,
  attempt: () => Promise<T>,
): Promise<T> {
  const settled = await settle(connection, attempt);
  if (settled.kind === 'done') return settled.value;
  throw toError(operation, settled);
}

/** The error for a call that failed. */
export function toError(
  operation: string,
  failed: Extract<Settled<unknown>, { kind: 'failed' }>,
): UnavailableError | BrokenError {
  const { failure, attempts } = failed;
  switch (failure.kind) {
    case 'transient':
    case 'contended':
      return new UnavailableError({ operation, reason: failure.reason, attempts });
    case 'broken':
      return new BrokenError({ operation, reason: failure.reason, why: failure.why });
    case 'condition':
      return new BrokenError({ operation, reason: 'ConditionalCheckFailed', why: 'unexpected' });
    default:
      return failure satisfies never;
  }
}
