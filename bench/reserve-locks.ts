/**
 * Locks as DynamoDB has them, put in front of an engine that has none: a transaction on an item that
 * another transaction is at work on is cancelled at once, and is not told what the item holds.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type {
  DynamoDBClient,
  TransactWriteItem,
  TransactWriteItemsCommandInput,
} from '@aws-sdk/client-dynamodb';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { REQUEST_COUNTER } from './wire-count.ts';

/** Items that a transaction is at work on; one of these for all clients of an engine. */
export type Locks = {
  /** How long a transaction holds what it writes, ms. */
  readonly holdMs: number;
  readonly held: Set<string>;
};

/** No item is held. */
export function createLocks(holdMs: number): Locks {
  return { holdMs, held: new Set() };
}

/**
 * Lets the transactions of a client whose wire is watched take locks. They are held for their whole time and until the engine
 * has answered, whatever it answers. Reads are not hindered: a strong read of a held item gives what
 * was committed before.
 */
export function obeyLocks(client: DynamoDBClient, { held, holdMs }: Locks): void {
  client.middlewareStack.addRelativeTo(
    <Args extends { readonly input: object }, Result>(
      next: (args: Args) => Promise<Result>,
      context: { readonly commandName?: string },
    ) =>
      async (args: Args): Promise<Result> => {
        if (context.commandName !== 'TransactWriteItemsCommand') return next(args);
        const { TransactItems = [] } = args.input as Partial<TransactWriteItemsCommandInput>;
        const keys = TransactItems.map(keyOf);
        if (keys.some((key) => held.has(key))) throw cancelled(keys.map((key) => held.has(key)));
        for (const key of keys) held.add(key);
        try {
          await sleep(holdMs);
          return await next(args);
        } finally {
          for (const key of keys) held.delete(key);
        }
      },
    // Nearer to the wire than the counter: a transaction that is cancelled was sent.
    { name: 'benchLocks', relation: 'after', toMiddleware: REQUEST_COUNTER, override: true },
  );
}

function keyOf({ Put, Update, Delete, ConditionCheck }: TransactWriteItem): string {
  const key = Put?.Item ?? Update?.Key ?? Delete?.Key ?? ConditionCheck?.Key ?? {};
  const table = (Put ?? Update ?? Delete ?? ConditionCheck)?.TableName;
  return JSON.stringify([table, key.pk, key.sk]);
}

function cancelled(conflicts: readonly boolean[]): TransactionCanceledException {
  const codes = conflicts.map((isHeld) => (isHeld ? 'TransactionConflict' : 'None'));
  return new TransactionCanceledException({
    message: `Transaction cancelled, please refer cancellation reasons [${codes.join(', ')}]`,
    CancellationReasons: codes.map((Code) => ({ Code })),
    $metadata: { httpStatusCode: 400 },
  });
}
