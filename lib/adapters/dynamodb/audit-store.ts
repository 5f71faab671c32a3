/** The audit chain, in the Control table. */

import {
  type AttributeValue,
  DeleteItemCommand,
  PutItemCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import * as Audit from '../../domain/audit.ts';
import { type AuditStore, LINKS_MAX } from '../../ports.ts';
import { TooManyChangesError } from '../store-errors.ts';
import { numberOf } from './attributes.ts';
import * as Codec from './audit-codec.ts';
import { recorded } from './audit-facts.ts';
import type { Connection } from './connection.ts';
import { call, settle, toError } from './connection.ts';
import * as Keys from './keys.ts';
import { getControl, queryControl } from './reads.ts';

type Item = Record<string, AttributeValue>;

/** Characters of a request token, at most. */
const TOKEN_LENGTH = 36;
const ABSENT = 'attribute_not_exists(pk)';

/** The chain over one pair of tables. */
export function createAuditStore(connection: Connection): AuditStore {
  return {
    head: async () => {
      const stored = await getControl(connection, 'audit head', Keys.headKey('current'));
      return stored ? Codec.fromHead(stored) : Audit.GENESIS;
    },
    appended: async (entryIds) => {
      const found = await Promise.all(
        entryIds.map(async (entryId) => {
          const key = Keys.entryKey('audit-entry', entryId);
          return (await getControl(connection, 'audit entry', key)) ? [entryId] : [];
        }),
      );
      return new Set(found.flat());
    },
    append: (links, after) => append(connection, links, after),
    links: async (from, limit) => {
      const { pk, sk } = Keys.linkKey(from);
      const query = { pk, from: sk, order: 'ascending', limit } as const;
      return (await queryControl(connection, 'audit links', query)).map(Codec.fromLink);
    },
    note: (entry) => putIf(connection, Codec.toEntry(entry), { ConditionExpression: ABSENT }),
    ...deferring(connection),
    ...ends(connection),
    recorded: () => recorded(connection),
  };
}

/**
 * Links, a marker for each entry, and the head, whole or not at all. The same links sent twice, for an
 * answer that was lost, are written once.
 */
async function append(
  connection: Connection,
  links: readonly Audit.Link[],
  after: Audit.Head,
): Promise<'appended' | 'conflict'> {
  if (links.length > LINKS_MAX) throw new TooManyChangesError({ size: links.length });
  const { control } = connection.tables;
  const putNew = (Item: Item): TransactWriteItem => ({
    Put: { TableName: control, Item, ConditionExpression: ABSENT },
  });
  const head = Audit.headAfter(after, links);
  const input = {
    TransactItems: [
      { Put: { TableName: control, Item: Codec.toHead(head), ...isAt(after) } },
      ...links.map((link) => putNew(Codec.toLink(link))),
      ...links.map((link) => putNew(Codec.toMarker(link))),
    ],
    ClientRequestToken: head.hash.slice(0, TOKEN_LENGTH),
  };
  const send = () => connection.client.send(new TransactWriteItemsCommand(input));
  const settled = await settle(connection, send);
  if (settled.kind === 'done') return 'appended';
  const { kind } = settled.failure;
  if (kind === 'condition' || kind === 'contended') return 'conflict';
  throw toError('audit append', settled);
}

function isAt({ sequence, hash }: Audit.Head) {
  if (sequence === 0) return { ConditionExpression: ABSENT };
  return {
    ConditionExpression: 'v = :v AND b = :b',
    ExpressionAttributeValues: {
      ':v': { N: sequence.toString() },
      ':b': Codec.toHead({ sequence, hash }).b ?? { NULL: true },
    },
  };
}

function deferring(connection: Connection): Pick<AuditStore, 'defer' | 'deferred' | 'undefer'> {
  const { client, tables } = connection;
  return {
    defer: async (entries) => {
      await Promise.all(entries.map((entry) => putIf(connection, Codec.toWaiting(entry), {})));
    },
    deferred: async (limit) => {
      const query = { pk: Keys.CONTROL_PK.auditWait, order: 'ascending', limit } as const;
      return (await queryControl(connection, 'audit wait', query)).map(Codec.fromEntry);
    },
    undefer: async (entryIds) => {
      const deleted = entryIds.map((entryId) => {
        const { pk, sk } = Keys.entryKey('audit-wait', entryId);
        const input = { TableName: tables.control, Key: { pk: { S: pk }, sk: { S: sk } } };
        return call(connection, 'audit wait', () => client.send(new DeleteItemCommand(input)));
      });
      await Promise.all(deleted);
    },
  };
}

function ends(
  connection: Connection,
): Pick<AuditStore, 'seal' | 'putSeal' | 'copied' | 'markCopied'> {
  return {
    seal: async () => {
      const stored = await getControl(connection, 'audit seal', Keys.headKey('sealed'));
      return stored && Codec.fromSeal(stored);
    },
    putSeal: (seal) => putIf(connection, Codec.toSeal(seal), isNewer(seal.sequence)),
    copied: async () => {
      const stored = await getControl(connection, 'audit copied', Keys.headKey('copied'));
      return stored ? numberOf(stored, 'v') : 0;
    },
    markCopied: (sequence) => putIf(connection, Codec.toCopied(sequence), isNewer(sequence)),
  };
}

function isNewer(sequence: number) {
  return {
    ConditionExpression: `${ABSENT} OR v < :v`,
    ExpressionAttributeValues: { ':v': { N: sequence.toString() } },
  };
}

/** Puts an item; a lost condition is no failure: what it says is there, or something newer. */
async function putIf(
  connection: Connection,
  Item: Item,
  condition: Partial<ReturnType<typeof isNewer>>,
): Promise<void> {
  const input = { TableName: connection.tables.control, Item, ...condition };
  const settled = await settle(connection, () => connection.client.send(new PutItemCommand(input)));
  if (settled.kind === 'failed' && settled.failure.kind !== 'condition') {
    throw toError('audit', settled);
  }
}
