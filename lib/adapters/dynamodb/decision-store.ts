/** The decision path on DynamoDB: one strong BatchGetItem, one TransactWriteItems. */

import type {
  AttributeValue,
  KeysAndAttributes,
  TransactWriteItemsCommandInput,
} from '@aws-sdk/client-dynamodb';
import { BatchGetItemCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import * as Ledger from '../../domain/ledger.ts';
import * as Queue from '../../domain/queue.ts';
import type { DecisionStore, Keys } from '../../ports.ts';
import { BrokenError, TooManyChangesError, UnavailableError } from '../store-errors.ts';
import type { Attributes } from './attributes.ts';
import type { Connection, Settled } from './connection.ts';
import { call, settle, toError } from './connection.ts';
import { fromHeld } from './control-codec.ts';
import { factKeys, factsFrom } from './fact-codec.ts';
import { classify } from './failures.ts';
import { fromItem } from './item-codec.ts';
import { CONTROL_PK, heldPrefix, itemKey, rowKey } from './keys.ts';
import { queryControl } from './reads.ts';
import { decisionOf, fromRow } from './row-codec.ts';
import { toTransaction } from './transaction.ts';

/** Keys of one BatchGetItem, at most (DynamoDB's limit). */
const BATCH_KEYS_MAX = 100;
/** Keys of one load, at most; far more than one transaction could write. */
const KEYS_MAX = 2_000;

type Key = Record<string, AttributeValue>;
type Failed = Extract<Settled<unknown>, { kind: 'failed' }>;

/** The decision path's store over one pair of tables. */
export function createDecisionStore(connection: Connection): DecisionStore {
  return {
    ...createDecisionReader(connection),
    commit: (changes) => commit(connection, changes),
  };
}

/** Its reading half, for those who never write: a bundle with it alone carries no writer. */
export function createDecisionReader(connection: Connection): Pick<DecisionStore, 'load'> {
  return { load: (keys) => load(connection, keys) };
}

async function load(connection: Connection, keys: Keys): Promise<Ledger.Loaded> {
  const rowIds = new Map(keys.rows.map((rowId) => [rowKey(rowId).pk, rowId]));
  const scopes = new Map(keys.items.map((scope) => [itemKey(scope).pk, scope]));
  const pks = [...rowIds.keys(), ...scopes.keys(), ...factKeys(keys.facts)];
  if (pks.length > KEYS_MAX) {
    const why = `${pks.length} keys in one load`;
    throw new BrokenError({ operation: 'load', reason: 'TooManyKeys', why });
  }
  const batches: string[][] = [];
  for (let at = 0; at < pks.length; at += BATCH_KEYS_MAX) {
    batches.push(pks.slice(at, at + BATCH_KEYS_MAX));
  }
  const found = await Promise.all(batches.map((batch) => getBatch(connection, batch)));
  const rows = new Map<string, Ledger.Row>();
  const items = new Map<string, Ledger.Item>();
  for (const attributes of found.flat()) {
    const pk = attributes.pk?.S ?? '';
    const rowId = rowIds.get(pk);
    const scope = scopes.get(pk);
    if (rowId !== undefined) rows.set(rowId, fromRow(rowId, attributes));
    if (scope !== undefined) items.set(scope, fromItem(attributes));
  }
  for (const [scope, item] of await loadGates(connection, keys)) items.set(scope, item);
  const queues = await loadQueues(connection, keys, items);
  const facts = keys.facts && factsFrom(keys.facts, found.flat());
  return { rows, items, ...(queues.size === 0 ? {} : { queues }), ...(facts && { facts }) };
}

/** A BatchGetItem is no instant: what nobody writes under a condition is read when the others are known. */
async function loadGates(
  connection: Connection,
  { gates = [], items: known }: Keys,
): Promise<readonly (readonly [string, Ledger.Item])[]> {
  const scopes = new Map(gates.map((scope) => [itemKey(scope).pk, scope]));
  for (const scope of known) scopes.delete(itemKey(scope).pk);
  if (scopes.size === 0) return [];
  if (scopes.size > BATCH_KEYS_MAX) {
    const why = `${scopes.size} gates in one load`;
    throw new BrokenError({ operation: 'load', reason: 'TooManyKeys', why });
  }
  const found = await getBatch(connection, [...scopes.keys()]);
  return found.flatMap((attributes) => {
    const scope = scopes.get(attributes.pk?.S ?? '');
    return scope === undefined ? [] : [[scope, fromItem(attributes)] as const];
  });
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
      const query = {
        pk: CONTROL_PK.held,
        prefix: heldPrefix(queue),
        order: 'ascending',
        limit: Queue.LOOKED_AT_MAX,
      } as const;
      const stored = await queryControl(connection, 'queue', query);
      return [queue, stored.map(fromHeld)] as const;
    }),
  );
  return new Map(found);
}

/** Reads up to 100 keys; those that the table leaves unprocessed are asked for again, a few times. */
async function getBatch(
  connection: Connection,
  pks: readonly string[],
): Promise<readonly Attributes[]> {
  const { client, tables, retry } = connection;
  const found: Attributes[] = [];
  let keys: Key[] = pks.map((pk) => ({ pk: { S: pk } }));
  for (let attempt = 1; attempt <= retry.attemptsMax; attempt += 1) {
    const request: KeysAndAttributes = { Keys: keys, ConsistentRead: true };
    const answer = await call(connection, 'load', () =>
      client.send(new BatchGetItemCommand({ RequestItems: { [tables.ledger]: request } })),
    );
    found.push(...(answer.Responses?.[tables.ledger] ?? []));
    keys = answer.UnprocessedKeys?.[tables.ledger]?.Keys ?? [];
    if (keys.length === 0) return found;
    if (attempt < retry.attemptsMax) await retry.sleep(retry.delayMs(attempt));
  }
  const reason = 'UnprocessedKeys';
  throw new UnavailableError({ operation: 'load', reason, attempts: retry.attemptsMax });
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
