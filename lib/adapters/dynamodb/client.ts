/** The DynamoDB client as the stores need it. */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';

const CONNECT_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 2_000;

/**
 * A client that gives up on time and never tries again by itself: what is sent again, and what is
 * not, is the store's to decide.
 */
export function createDynamoClient(options: {
  /** Taken from the environment where absent. */
  readonly region?: string | undefined;
  /** Of the shared configuration files; the SDK's own choice where absent. */
  readonly profile?: string | undefined;
  /** Another DynamoDB-compatible engine. */
  readonly endpoint?: string | undefined;
  /** Taken from the environment where absent. */
  readonly credentials?:
    | { readonly accessKeyId: string; readonly secretAccessKey: string }
    | undefined;
}): DynamoDBClient {
  const { region, profile, endpoint, credentials } = options;
  return new DynamoDBClient({
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      // Without this the SDK only logs that the time is over, and waits on.
      throwOnRequestTimeout: true,
    },
  });
}
