/** The changes of one decision as one DynamoDB transaction. */

import type { AttributeValue, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type * as Ledger from '../../domain/ledger.ts';
import * as Proposal from '../../domain/proposal.ts';
import { toEntry } from './audit-codec.ts';
import type { TableNames } from './connection.ts';
import * as Control from './control-codec.ts';
import { toHeartbeat } from './health-codec.ts';
import { toItem } from './item-codec.ts';
import { dueKey, graceKey } from './keys.ts';
import { toPolicy } from './policy-codec.ts';
import * as Proposals from './proposal-codec.ts';
import { toRow } from './row-codec.ts';

type Attributes = Record<string, AttributeValue>;
type Condition = Pick<
  NonNullable<TransactWriteItem['Put']>,
  'ConditionExpression' | 'ExpressionAttributeValues' | 'ReturnValuesOnConditionCheckFailure'
>;

const ABSENT: Condition = { ConditionExpression: 'attribute_not_exists(pk)' };

/**
 * Every write with its condition. A row that stands in the way is sent back, because it tells
 * whether this very decision wrote it.
 */
export function toTransaction(tables: TableNames, changes: Ledger.Changes): TransactWriteItem[] {
  const ledger = (item: Attributes, condition: Condition) => put(tables.ledger, item, condition);
  const control = (item: Attributes, condition: Condition) => put(tables.control, item, condition);
  const { rows, items, incidents, causes, alerts, heartbeat, policy } = changes;
  const { held = [], graces = [], proposals = [], draftPolicy, entries = [] } = changes;
  return [
    ...rows.map(({ row, expected }) =>
      ledger(toRow(row), {
        ...atVersion(expected),
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }),
    ),
    ...items.map(({ key, item, expected }) => ledger(toItem(key, item), atVersion(expected))),
    ...incidents.map(({ incident, expected }) =>
      control(Control.toIncident(incident), expected === 'absent' ? ABSENT : inState(expected)),
    ),
    ...incidents
      .filter(({ incident }) => incident.state === 'closed')
      .map(({ incident }) => control(Control.toClosed(incident), {})),
    ...causes.map((cause) => putOnce(tables.control, Control.toCause(cause))),
    ...alerts.map((alert) => putOnce(tables.control, Control.toAlert(alert))),
    // Whoever changes a queue changes the row under its condition.
    ...held.map((write) =>
      write.change === 'put'
        ? control(Control.toHeld(write.held), {})
        : { Delete: { TableName: tables.control, Key: keyOf(Control.heldKey(write.held)) } },
    ),
    ...graces.map(({ grace, change }) =>
      change === 'put'
        ? control(Control.toGrace(grace), {})
        : { Delete: { TableName: tables.control, Key: keyOf(graceKey(grace)) } },
    ),
    ...(heartbeat ? [ledger(toHeartbeat(heartbeat), {})] : []),
    ...(policy ? [control(toPolicy(policy), ABSENT)] : []),
    // Whoever changes a proposal changes its row under its condition.
    ...proposals.flatMap((write) => toProposal(tables.control, write)),
    ...(draftPolicy ? [putOnce(tables.control, Proposals.toDraft(draftPolicy))] : []),
    ...entries.map((entry) => putOnce(tables.control, toEntry(entry))),
  ];
}

function atVersion(expected: number | 'absent'): Condition {
  if (expected === 'absent') return ABSENT;
  return {
    ConditionExpression: 'v = :expected',
    ExpressionAttributeValues: { ':expected': { N: expected.toString() } },
  };
}

function inState(state: string): Condition {
  return {
    ConditionExpression: 'st = :state',
    ExpressionAttributeValues: { ':state': { S: state } },
  };
}

function toProposal(table: string, write: Ledger.ProposalWrite): TransactWriteItem[] {
  const { proposal } = write;
  const due = Proposal.dueChanges(write).map(({ change, dueAtMs }): TransactWriteItem => {
    const key = { proposalId: proposal.proposalId, dueAtMs };
    return change === 'put'
      ? put(table, Proposals.toDue(key), {})
      : { Delete: { TableName: table, Key: keyOf(dueKey(key)) } };
  });
  return [put(table, Proposals.toProposal(proposal), {}), ...due];
}

function keyOf({ pk, sk }: { readonly pk: string; readonly sk: string }): Attributes {
  return { pk: { S: pk }, sk: { S: sk } };
}

function put(table: string, item: Attributes, condition: Condition): TransactWriteItem {
  return { Put: { TableName: table, Item: item, ...condition } };
}

/** Puts a fact that may be there already and then stays as it is: the stream shows one insert. */
function putOnce(table: string, item: Attributes): TransactWriteItem {
  const { b, ...key } = item;
  return {
    Update: {
      TableName: table,
      Key: key,
      UpdateExpression: 'SET b = if_not_exists(b, :b)',
      ExpressionAttributeValues: b ? { ':b': b } : {},
    },
  };
}
