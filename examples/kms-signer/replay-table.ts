/** Used admissions in a DynamoDB table of the signer's own: every instance of the function shares it. */

import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { ReplayStore } from 'breakwater/client/replay-store';

/** Ids are kept for this long after they expire, in case a clock is set back. */
const KEEP_AFTER_S = 60;

/**
 * A store over a table with the partition key `pk` (text) and `expiresAtS` as its time to live.
 * Fail direction: closed, what DynamoDB does not answer is thrown, and the verifier then refuses.
 */
export function createReplayTable(dynamo: DynamoDBClient, table: string): ReplayStore {
  return {
    claim: async (jti, expiresAtMs) => {
      const expiresAtS = Math.ceil(expiresAtMs / 1_000) + KEEP_AFTER_S;
      const put = new PutItemCommand({
        TableName: table,
        Item: { pk: { S: `used:${jti}` }, expiresAtS: { N: `${expiresAtS}` } },
        ConditionExpression: 'attribute_not_exists(pk)',
      });
      try {
        await dynamo.send(put);
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },
  };
}
