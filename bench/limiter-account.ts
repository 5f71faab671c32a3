/** rate-limiter-flexible's DynamoDB limiter, set up for five windows of one scope. */

import { DynamoDB } from '@aws-sdk/client-dynamodb';
import { RateLimiterDynamo } from 'rate-limiter-flexible';
import { LOCAL_CREDENTIALS, LOCAL_REGION } from '../lib/local/local-account.ts';
import { WINDOWS_MS } from './one-scope.ts';

/** Five limiters on one key. */
export type LimiterAccount = {
  readonly client: DynamoDB;
  /** Adds to all five windows at once, which is the fastest way to use it. */
  readonly consume: (points: number) => Promise<void>;
  /** What the five windows hold, on average. */
  readonly consumed: () => Promise<number>;
  readonly stop: () => void;
};

const KEY = 'wallet:hot-0';
/** Never reached: what a consumption costs is measured, not a refusal. */
const POINTS = Number.MAX_SAFE_INTEGER;
const SECOND_MS = 1_000;

/** Makes the limiter's table, with the SDK's own retries, as its manual says. */
export async function openLimiter(endpoint: string, tableName: string): Promise<LimiterAccount> {
  const client = new DynamoDB({ endpoint, region: LOCAL_REGION, credentials: LOCAL_CREDENTIALS });
  const limiters: RateLimiterDynamo[] = [];
  for (const windowMs of WINDOWS_MS) {
    const tableCreated = limiters.length > 0;
    limiters.push(await openWindow({ client, tableName, tableCreated, windowMs }));
  }
  return {
    client,
    consume: async (points) => {
      await Promise.all(limiters.map((limiter) => limiter.consume(KEY, points)));
    },
    consumed: async () => {
      const results = await Promise.all(limiters.map((limiter) => limiter.get(KEY)));
      return results.reduce((sum, each) => sum + (each?.consumedPoints ?? 0), 0) / results.length;
    },
    stop: () => client.destroy(),
  };
}

function openWindow(parameters: {
  readonly client: DynamoDB;
  readonly tableName: string;
  readonly tableCreated: boolean;
  readonly windowMs: number;
}): Promise<RateLimiterDynamo> {
  const { client: storeClient, tableName, tableCreated, windowMs } = parameters;
  const { promise, resolve, reject } = Promise.withResolvers<RateLimiterDynamo>();
  const options = { storeClient, tableName, tableCreated, points: POINTS };
  const duration = windowMs / SECOND_MS;
  const limiter = new RateLimiterDynamo(
    { ...options, duration, keyPrefix: `${duration}s` },
    (error?: Error) => (error ? reject(error) : resolve(limiter)),
  );
  return promise;
}
