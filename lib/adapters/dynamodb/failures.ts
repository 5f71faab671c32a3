/** What the SDK's errors mean to a store. The only place that knows their names. */

import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import type { Attributes } from './attributes.ts';

/**
 * `condition`: a condition did not hold, nothing was written; with the stored items that were sent along.
 * `contended`: another transaction was at work on the same item, nothing was written.
 * `transient`: overloaded, down or unheard; it may have been done.
 * `broken`: refused, and it would be refused again.
 */
export type Failure =
  | { readonly kind: 'condition'; readonly stored: readonly Attributes[] }
  | { readonly kind: 'contended'; readonly reason: string }
  | { readonly kind: 'transient'; readonly reason: string }
  | { readonly kind: 'broken'; readonly reason: string; readonly why: string };

const CONDITION = 'ConditionalCheckFailed';
const CONFLICT = 'TransactionConflict';

/** Errors and cancellation reasons after which the same request may be sent again. */
const TRANSIENT: ReadonlySet<string> = new Set([
  'AbortError',
  'InternalFailure',
  'InternalServerError',
  'ProvisionedThroughputExceeded',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestTimeout',
  'RequestTimeoutException',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'ThrottlingError',
  'ThrottlingException',
  'TimeoutError',
  'TransactionInProgressException',
]);

/**
 * Sorts an error of the SDK. Fail direction: closed, an error that is not known for certain to be a
 * lost condition is never taken for one.
 */
export function classify(error: unknown): Failure {
  if (error instanceof TransactionCanceledException) return classifyCancelled(error);
  if (error instanceof ConditionalCheckFailedException) {
    return { kind: 'condition', stored: error.Item ? [error.Item] : [] };
  }
  if (error instanceof TransactionConflictException) {
    return { kind: 'contended', reason: error.name };
  }
  if (!(error instanceof Error)) return { kind: 'broken', reason: 'Error', why: String(error) };
  const code = systemCodeOf(error);
  const reason = code !== undefined && error.name === 'Error' ? code : error.name;
  if (TRANSIENT.has(error.name) || code !== undefined || isServerSide(error)) {
    return { kind: 'transient', reason };
  }
  return { kind: 'broken', reason, why: error.message };
}

function classifyCancelled(error: TransactionCanceledException): Failure {
  const reasons = error.CancellationReasons ?? [];
  const codes = reasons.flatMap(({ Code }) => (Code && Code !== 'None' ? [Code] : []));
  const unknown = codes.find(
    (code) => ![CONDITION, CONFLICT].includes(code) && !TRANSIENT.has(code),
  );
  if (unknown !== undefined) {
    const why = reasons.find(({ Code }) => Code === unknown)?.Message ?? error.message;
    return { kind: 'broken', reason: unknown, why };
  }
  if (codes.includes(CONDITION)) {
    return { kind: 'condition', stored: reasons.flatMap(({ Item }) => (Item ? [Item] : [])) };
  }
  const transient = codes.find((code) => TRANSIENT.has(code));
  if (transient === undefined && codes.length > 0) return { kind: 'contended', reason: CONFLICT };
  return { kind: 'transient', reason: transient ?? error.name };
}

/** The code of an error of the network, such as `ECONNRESET`; not of Node's own mistakes (`ERR_…`). */
function systemCodeOf(error: Error): string | undefined {
  if (!('code' in error) || typeof error.code !== 'string') return undefined;
  return /^E(?!RR_)[A-Z_]+$/.test(error.code) ? error.code : undefined;
}

function isServerSide(error: Error): boolean {
  if (!('$metadata' in error)) return false;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata))
    return false;
  const status = metadata.httpStatusCode;
  return typeof status === 'number' && (status >= 500 || status === 429);
}
