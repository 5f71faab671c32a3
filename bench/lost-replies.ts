/** Loses answers: the engine has done what was asked, and the caller does not hear of it. */

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Random } from '../lib/local/replay/random.ts';

/** A client whose answers get lost, until that stops. */
export type LostReplies = { readonly lost: () => number; readonly stop: () => void };

const NAME = 'benchLostReplies';

/** Loses this share of the answers to requests that were carried out, below whatever tries again. */
export function loseReplies(
  client: DynamoDBClient,
  parameters: { readonly share: number; readonly random: Random },
): LostReplies {
  let lost = 0;
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      if (parameters.random() >= parameters.share) return result;
      lost += 1;
      throw Object.assign(new Error('the answer got lost'), { name: 'TimeoutError' });
    },
    { step: 'deserialize', priority: 'high', name: NAME, override: true },
  );
  const stop = () => {
    client.middlewareStack.remove(NAME);
  };
  return { lost: () => lost, stop };
}
