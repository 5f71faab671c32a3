/** Counts what goes over the wire: every HTTP request of a client, and the capacity its answers report. */

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** What a client has done since it was watched, or since the last `reset`. */
export type WireCount = {
  /** HTTP requests, those sent again included. */
  readonly requests: number;
  /** Among them transactions. */
  readonly transactions: number;
  /** Write units that answers reported. */
  readonly writeUnits: number;
  /** Conditions that did not hold: AWS bills those writes too, and no answer reports them. */
  readonly refusals: number;
  /** Among them transactions: conditions that did not hold, and conflicts with other transactions. */
  readonly cancelled: number;
};

/** Name of the counter of requests among the client's middleware. */
export const REQUEST_COUNTER = 'benchRequests';

/** A counter on a client. */
export type Watch = { readonly read: () => WireCount; readonly reset: () => void };

const NOTHING: WireCount = {
  requests: 0,
  transactions: 0,
  writeUnits: 0,
  refusals: 0,
  cancelled: 0,
};
const WRITES: ReadonlySet<string> = new Set([
  'TransactWriteItemsCommand',
  'UpdateItemCommand',
  'PutItemCommand',
]);
const CANCELLED = 'TransactionCanceled';
const REFUSED = /ConditionalCheckFailed|TransactionCanceled/;

/** Puts a counter on a client, once. Writes are then asked for the capacity they consumed. */
export function watchWire(client: DynamoDBClient): Watch {
  let count = NOTHING;
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const isWrite = WRITES.has(context.commandName ?? '');
      const input = isWrite ? { ...args.input, ReturnConsumedCapacity: 'TOTAL' } : args.input;
      try {
        const result = await next({ ...args, input } as typeof args);
        if (isWrite) count = { ...count, writeUnits: count.writeUnits + unitsOf(result.output) };
        return result;
      } catch (error) {
        const [refused] = error instanceof Error ? (REFUSED.exec(error.name) ?? []) : [];
        const cancelled = count.cancelled + (refused === CANCELLED ? 1 : 0);
        if (refused) count = { ...count, refusals: count.refusals + 1, cancelled };
        throw error;
      }
    },
    { step: 'initialize', name: 'benchUnits', override: true },
  );
  client.middlewareStack.add(
    (next, context) => (args) => {
      const isTransaction = context.commandName === 'TransactWriteItemsCommand';
      const transactions = count.transactions + (isTransaction ? 1 : 0);
      count = { ...count, requests: count.requests + 1, transactions };
      return next(args);
    },
    { step: 'deserialize', priority: 'low', name: REQUEST_COUNTER, override: true },
  );
  return {
    read: () => count,
    reset: () => {
      count = NOTHING;
    },
  };
}

/** Units in an answer: one figure, or one for each table. */
function unitsOf(output: unknown): number {
  if (typeof output !== 'object' || output === null || !('ConsumedCapacity' in output)) return 0;
  return [output.ConsumedCapacity].flat().reduce((sum: number, consumed: unknown) => {
    if (typeof consumed !== 'object' || consumed === null) return sum;
    const units = 'CapacityUnits' in consumed ? consumed.CapacityUnits : 0;
    return sum + (typeof units === 'number' ? units : 0);
  }, 0);
}
