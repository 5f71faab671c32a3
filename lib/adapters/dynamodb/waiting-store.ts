/** What waits: held withdrawals in their queues, and reservations whose outcome is open. */

import { QueryCommand } from '@aws-sdk/client-dynamodb';
import type * as Queue from '../../domain/queue.ts';
import type { GraceStore, HeldStore, OpenReservations } from '../../ports.ts';
import * as Attributes from './attributes.ts';
import type { Connection } from './connection.ts';
import { call } from './connection.ts';
import { fromGrace, fromHeld, heldKey } from './control-codec.ts';
import { CONTROL_PK, heldQueue, OPEN_INDEX, withdrawalOf } from './keys.ts';
import { queryControl } from './reads.ts';

/** Held withdrawals. */
export function createHeldStore(connection: Connection): HeldStore {
  return {
    list: async (limit) => {
      const query = { pk: CONTROL_PK.held, order: 'ascending', limit } as const;
      return (await queryControl(connection, 'held', query)).map(fromHeld);
    },
    heads: async (perQueue, queuesMax, from = '0') => {
      const found = new Map<string, readonly Attributes.Attributes[]>();
      const scan = async (first: string, isDone: (sk: string) => boolean): Promise<void> => {
        let sk: string | undefined = first;
        while (sk !== undefined && found.size < queuesMax) {
          const head = await headFrom(connection, sk, perQueue);
          if (!head || isDone(head.prefix)) return;
          found.set(head.prefix, head.entries);
          sk = head.behind;
        }
      };
      await scan(from, () => false);
      // In a circle: from the beginning up to where it began.
      await scan('0', (prefix) => prefix >= from);
      return [...found.values()].flat().map(fromHeld);
    },
    behind: (held, limit) => heldBehind(connection, held, limit),
  };
}

/** Those that stand behind one in its queue, oldest first. */
export async function heldBehind(
  connection: Connection,
  held: Queue.Held,
  limit: number,
): Promise<readonly Queue.Held[]> {
  const { pk, sk } = heldKey(held);
  const { behind: to } = heldQueue(sk);
  // Itself among them, if it stands there still.
  const query = { pk, from: sk, to, order: 'ascending', limit: limit + 1 } as const;
  const page = await queryControl(connection, 'held', query);
  const others = page.filter((one) => Attributes.textOf(one, 'sk') !== sk);
  return others.slice(0, limit).map(fromHeld);
}

/** The first of the first queue from a sort key on: skips all that stand behind them in one query. */
async function headFrom(
  connection: Connection,
  from: string,
  perQueue: number,
): Promise<
  | (ReturnType<typeof heldQueue> & { readonly entries: readonly Attributes.Attributes[] })
  | undefined
> {
  const query = { pk: CONTROL_PK.held, from, order: 'ascending', limit: perQueue } as const;
  const page = await queryControl(connection, 'held', query);
  const [first] = page;
  if (!first) return undefined;
  const queue = heldQueue(Attributes.textOf(first, 'sk'));
  const entries = page.filter((one) => Attributes.textOf(one, 'sk').startsWith(queue.prefix));
  return { ...queue, entries };
}

/** Outflows whose grace is over, the first first. */
export function createGraceStore(connection: Connection): GraceStore {
  return {
    over: async (nowMs, limit) => {
      const query = { pk: CONTROL_PK.grace, order: 'ascending', limit } as const;
      const stored = (await queryControl(connection, 'grace', query)).map(fromGrace);
      return stored.flatMap(({ rowId, untilMs }) => (untilMs <= nowMs ? [rowId] : []));
    },
  };
}

/** Open reservations, from the sparse index. One page is read: whoever asks wants the oldest. */
export function createOpenReservations(connection: Connection): OpenReservations {
  const { client, tables } = connection;
  const before = async (open: string, atMs: number, limit: number) => {
    const input = {
      TableName: tables.ledger,
      IndexName: OPEN_INDEX.name,
      KeyConditionExpression: '#open = :open AND #since < :before',
      ExpressionAttributeNames: { '#open': OPEN_INDEX.pk, '#since': OPEN_INDEX.sk },
      ExpressionAttributeValues: {
        ':open': { S: open },
        ':before': { N: `${atMs}` },
      },
      Limit: limit,
    };
    const answer = await call(connection, 'open reservations', () =>
      client.send(new QueryCommand(input)),
    );
    return (answer.Items ?? []).map((attributes) => ({
      withdrawalId: withdrawalOf(Attributes.textOf(attributes, 'pk')),
      chargedAtMs: Attributes.numberOf(attributes, OPEN_INDEX.sk),
    }));
  };
  return {
    before: (atMs, limit) => before(OPEN_INDEX.open, atMs, limit),
    unseen: (atMs, limit) => before(OPEN_INDEX.unseen, atMs, limit),
  };
}
