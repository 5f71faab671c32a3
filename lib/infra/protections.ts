import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { BreakwaterFunction } from './breakwater-function.ts';
import { AUDIT_KEYS, type ControlTable } from './control-table.ts';
import { type LedgerTable, PROPOSAL_ROWS } from './ledger-table.ts';

/** Partition keys that only these functions may write, whatever anybody else was granted. */
type Protection = {
  readonly sid: string;
  readonly keys: readonly string[];
  readonly writers: readonly BreakwaterFunction[];
};

/** Everything by which an item can be written or taken away. */
const WRITE_VERBS = [
  'dynamodb:BatchWriteItem',
  'dynamodb:DeleteItem',
  'dynamodb:PartiQLDelete',
  'dynamodb:PartiQLInsert',
  'dynamodb:PartiQLUpdate',
  'dynamodb:PutItem',
  'dynamodb:UpdateItem',
];

/** Who writes what decides. */
export type Writers = {
  /** Count, deduplicate and trip. */
  readonly deciders: readonly BreakwaterFunction[];
  /** Carry out what people have agreed on: close incidents, put policies in force. */
  readonly ceremony: readonly BreakwaterFunction[];
  readonly ingest: BreakwaterFunction;
  readonly operate: BreakwaterFunction;
  readonly project: BreakwaterFunction;
  readonly tick: BreakwaterFunction;
};

/**
 * Denies everybody else of the account, administrators included, to write breakers, leases, incidents,
 * policies, proposals and the audit chain: in the tables' own policies, so that no grant elsewhere can widen it. Who really has to
 * must change the table's policy first, which CloudTrail shows.
 *
 * IAM sees keys, not what is in an item: a breaker and its meter are one item, so whoever counts could
 * also close. That only two functions do is shown by the `closed` row that closing writes beside it,
 * which only they may, and by `breakwater doctor`, which finds a breaker that was closed without.
 */
export function protectTables(
  tables: { readonly ledger: LedgerTable; readonly control: ControlTable },
  writers: Writers,
): void {
  const { deciders, ceremony, ingest, operate, project, tick } = writers;
  const ledger: readonly Protection[] = [
    { sid: 'OnlyDecisionsWriteBreakers', keys: ['item#*'], writers: deciders },
    { sid: 'OnlyIngestProvesHealth', keys: ['heartbeat'], writers: [ingest] },
    { sid: 'OnlyTickRenewsLeases', keys: ['leases'], writers: [tick] },
    { sid: 'OnlyPeopleDecideProposals', keys: [PROPOSAL_ROWS], writers: ceremony },
  ];
  const control: readonly Protection[] = [
    { sid: 'OnlyDecisionsOpenIncidents', keys: ['incident', 'cause#*'], writers: deciders },
    { sid: 'OnlyPeopleCloseIncidents', keys: ['closed'], writers: ceremony },
    { sid: 'OnlyPeopleChangePolicies', keys: ['policy'], writers: ceremony },
    { sid: 'OnlyPeopleMoveProposals', keys: ['due', 'proposal'], writers: ceremony },
    { sid: 'OnlyPeopleDraftPolicies', keys: ['draft'], writers: [operate] },
    { sid: 'OnlyCommandsNoteFacts', keys: ['entry'], writers: [operate] },
    { sid: 'OnlyProjectionMirrors', keys: ['flag'], writers: [project] },
    { sid: 'OnlyProjectionAppends', keys: [...AUDIT_KEYS], writers: [project] },
  ];
  for (const one of ledger) tables.ledger.table.addToResourcePolicy(denial(one));
  for (const one of control) tables.control.table.addToResourcePolicy(denial(one));
}

function denial({ sid, keys, writers }: Protection): PolicyStatement {
  return new PolicyStatement({
    sid,
    effect: Effect.DENY,
    principals: [new AnyPrincipal()],
    actions: WRITE_VERBS,
    // The table's own ARN would make the table depend on itself; a policy of a table is about it alone.
    resources: ['*'],
    conditions: {
      'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': [...keys] },
      ArnNotEquals: { 'aws:PrincipalArn': writers.map(({ role }) => role.roleArn) },
    },
  });
}
