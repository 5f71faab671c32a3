/** The decision path on DynamoDB: one strong BatchGetItem, one TransactWriteItems. */

import type { TransactWriteItemsCommandInput } from '@aws-sdk/client-dynamodb';
import { TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import * as Ledger from '../../domain/ledger.ts';
import * as Queue from '../../domain/queue.ts';
import type * as Scope from '../../domain/scope.ts';
import type { DecisionStore, Keys } from '../../ports.ts';
import { TooManyChangesError } from '../store-errors.ts';
import type { Connection, Settled } from './connection.ts';
import { settle, toError } from './connection.ts';
import { fromHeld } from './control-codec.ts';
import { factKeys, factsFrom } from './fact-codec.ts';
import { classify } from './failures.ts';
import { getAll, itemsOf } from './item-reader.ts';
import { CONTROL_PK, heldPrefix, itemKey, rowKey } from './keys.ts';
import { queryControl } from './reads.ts';
import { decisionOf, fromRow } from './row-codec.ts';
import { toTransaction } from './transaction.ts';
import { heldBehind } from './waiting-store.ts';

type Failed = Extract<Settled<unknown>, { kind: 'failed' }>;

/** The decision path's store over one pair of tables. */
export function createDecisionStore(connection: Connection): DecisionStore {
  return {
    load: (keys) => load(connection, keys),
    commit: (changes) => commit(connection, changes),
  };
}

async function load(connection: Connection, keys: Keys): Promise<Ledger.Loaded> {
  const rowIds = new Map(keys.rows.map((rowId) => [rowKey(rowId).pk, rowId]));
  const { gates = [] } = keys;
  const early = keys.items.filter((scope) => !gates.includes(scope));
  const scopes = new Map(early.map((scope) => [itemKey(scope).pk, scope]));
  const found = await getAll(connection, [
    ...rowIds.keys(),
    ...scopes.keys(),
    ...factKeys(keys.facts),
  ]);
  const rows = new Map<string, Ledger.Row>();
  for (const attributes of found) {
    const rowId = rowIds.get(attributes.pk?.S ?? '');
    if (rowId !== undefined) rows.set(rowId, fromRow(rowId, attributes));
  }
  const last = await loadGates(connection, gates);
  const items = new Map([...itemsOf(found, scopes), ...last]);
  const queues = await loadQueues(connection, keys, items);
  const facts = keys.facts && factsFrom(keys.facts, found);
  return { rows, items, ...(queues.size === 0 ? {} : { queues }), ...(facts && { facts }) };
}

/** A BatchGetItem is no instant: what may not be written under a condition is read when the others are known. */
async function loadGates(
  connection: Connection,
  gates: readonly Scope.Key[],
): Promise<ReadonlyMap<Scope.Key, Ledger.Item>> {
  if (gates.length === 0) return new Map();
  const scopes = new Map(gates.map((scope) => [itemKey(scope).pk, scope]));
  return itemsOf(await getAll(connection, [...scopes.keys()]), scopes);
}

/** The first of each queue that the items speak of. */
async function loadQueues(
  connection: Connection,
  { queues = [] }: Keys,
  items: Ledger.Loaded['items'],
): Promise<Queue.Queues> {
  const used = queues.filter(({ scope, limitId }) => Queue.waiting(items.get(scope), limitId) > 0);
  const found = await Promise.all(
    used.map(async (place) => {
      const queue = Queue.key(place);
      return [queue, await loadQueue(connection, queue)] as const;
    }),
  );
  return new Map(found);
}

/** One read, and another one where all that it gave are stopped and more stand behind them. */
async function loadQueue(connection: Connection, queue: Queue.Key): Promise<readonly Queue.Held[]> {
  const limit = Queue.LOOKED_AT_MAX;
  const query = {
    pk: CONTROL_PK.held,
    prefix: heldPrefix(queue),
    order: 'ascending',
    limit,
  } as const;
  const first = (await queryControl(connection, 'queue', query)).map(fromHeld);
  const last = first[limit - 1];
  if (!last || !first.every(Queue.isStopped)) return first;
  const behind = await heldBehind(connection, last, Queue.SEARCHED_MAX);
  return Queue.lookedAt([...first, ...behind]);
}

async function commit(
  connection: Connection,
  changes: Ledger.Changes,
): Promise<'committed' | 'conflict'> {
  const size = Ledger.size(changes);
  if (size > Ledger.CHANGES_MAX) throw new TooManyChangesError({ size });
  const input = {
    TransactItems: toTransaction(connection.tables, changes),
    ClientRequestToken: changes.decisionId,
  };
  const settled = await settle(connection, () => attempt(connection, input));
  return settled.kind === 'done' ? settled.value : judge(changes.decisionId, settled);
}

/**
 * Sends it once. Whoever holds an item is about to change what was decided on: the same bytes would
 * be refused, so that a held item is a conflict at once. One that holds it for an earlier attempt of
 * this decision is found by its row when all is read again.
 */
async function attempt(
  { client }: Connection,
  input: TransactWriteItemsCommandInput,
): Promise<'committed' | 'conflict'> {
  try {
    await client.send(new TransactWriteItemsCommand(input));
    return 'committed';
  } catch (error) {
    if (classify(error).kind === 'contended') return 'conflict';
    throw error;
  }
}

/**
 * What a failed transaction means. A row of this very decision in the way is an earlier attempt whose
 * answer was lost: all of it was written. Fail direction: closed, only a condition that certainly did
 * not hold is a conflict.
 */
function judge(decisionId: string, failed: Failed): 'committed' | 'conflict' {
  const { failure } = failed;
  if (failure.kind !== 'condition') throw toError('commit', failed);
  const own = failure.stored.some((row) => decisionOf(row) === decisionId);
  return own ? 'committed' : 'conflict';
}
