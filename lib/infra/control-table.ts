import { Duration } from 'aws-cdk-lib';
import { AttributeType, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { FilterCriteria, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ENV } from '../runtime/environment.ts';
import { allow } from './allow.ts';
import type { BreakwaterFunction } from './breakwater-function.ts';
import { allowTable, openKeys } from './table-access.ts';
import { keptTable } from './table-key.ts';

/** Partition keys that `project-state` writes, and that therefore must not wake it. */
const PROJECTION_KEYS = ['flag', 'page'] as const;
/** Those of the audit chain, which `project-state` alone writes. */
export const AUDIT_KEYS = ['audit', 'audit-entry', 'audit-head', 'audit-wait'] as const;
/** Of these, entries that wait for the chain and are then forgotten. */
const AUDIT_WAIT_KEY = 'audit-wait';
/** Partition keys of what waits, held withdrawals and outflows whose report may still come: nobody's news either. */
const WAITING_KEYS = ['held', 'grace'] as const;
/** Partition key of proposals that wait for their time. */
const DUE_KEY = 'due';
/** Partition key of the texts of policies that are proposed. */
const DRAFT_KEY = 'draft';
/** Partition keys that carrying out what people have agreed on puts. */
const CARRY_OUT_KEYS = ['closed', DUE_KEY, 'policy', 'proposal'] as const;
/** Partition key of facts for the audit that no other row tells. */
const ENTRY_KEY = 'entry';
/** Partition keys of what watchers remember, which changes every few seconds, of texts that are proposed, of which their proposals tell, and of what is kept for people: that an incident was closed. */
const SILENT_KEYS = ['watch', DRAFT_KEY, DUE_KEY, 'closed'] as const;

const STREAM_BATCH_SIZE_MAX = 25;
// Long enough to outlast an outage of SNS, or its pages would be lost; not longer, since a record
// that can never be projected holds up the pages behind it. Alarms tell of both within minutes.
const STREAM_RETRIES_MAX = 100;
const STREAM_RECORD_AGE_MAX = Duration.hours(1);

/** The table of incidents, policies and what is projected from them; its stream drives the flag. */
export class ControlTable extends Construct {
  readonly table: Table;
  readonly #key: IKey;

  constructor(scope: Construct, id: string, props: { readonly key: IKey }) {
    super(scope, id);
    this.#key = props.key;
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      stream: StreamViewType.NEW_AND_OLD_IMAGES,
      ...keptTable(props.key),
    });
  }

  /**
   * Read policies, write incidents, and move what waits in and out: for functions that decide.
   *
   * @param keys what `fn` puts besides: partition keys.
   */
  grantDecide(fn: BreakwaterFunction, keys: readonly string[] = []): void {
    this.#grant(fn, { verbs: ['GetItem'] });
    this.#grantDecisions(fn, keys);
    this.#grant(fn, { verbs: ['DeleteItem', 'Query'], partitionKeys: WAITING_KEYS });
  }

  /** As `grantDecide`, and list all, carry out, and take proposals and notes for the audit: for `operate-breaker`. */
  grantOperate(fn: BreakwaterFunction): void {
    this.#grant(fn, { verbs: ['GetItem', 'Query'] });
    this.#grantDecisions(fn, [...CARRY_OUT_KEYS, ENTRY_KEY]);
    this.#grant(fn, { verbs: ['UpdateItem'], partitionKeys: [DRAFT_KEY, ENTRY_KEY] });
    this.#grant(fn, { verbs: ['DeleteItem'], partitionKeys: [...WAITING_KEYS, DUE_KEY] });
  }

  /**
   * As `grantDecide`, and carry out what is due, move resumes on by their steps and close incidents:
   * for `tick`.
   *
   * @param keys what `fn` puts besides: partition keys.
   */
  grantCarryOut(fn: BreakwaterFunction, keys: readonly string[]): void {
    this.grantDecide(fn, [...CARRY_OUT_KEYS, ...keys]);
    this.#grant(fn, { verbs: ['Query'], partitionKeys: ['incident'] });
    this.#grant(fn, { verbs: ['DeleteItem', 'Query'], partitionKeys: [DUE_KEY] });
  }

  /** Read what a drill waits for, and write nothing: for `run-drill`. */
  grantDrill(fn: BreakwaterFunction): void {
    this.#grant(fn, { verbs: ['GetItem'], partitionKeys: ['incident', 'page', 'policy'] });
  }

  /** Read the state, write flags, pages and the audit chain and nothing else: for `project-state`. */
  grantProject(fn: BreakwaterFunction): void {
    this.#grant(fn, { verbs: ['GetItem', 'Query'] });
    this.#grant(fn, { verbs: ['PutItem'], partitionKeys: [...PROJECTION_KEYS, ...AUDIT_KEYS] });
    this.#grant(fn, { verbs: ['DeleteItem'], partitionKeys: [AUDIT_WAIT_KEY] });
  }

  /** As `grantReadPolicy`, for principals of other accounts, who need IAM of their own as well. */
  openPolicyTo(accountIds: readonly string[]): void {
    this.table.addToResourcePolicy(
      openKeys({ accountIds, verbs: ['GetItem'], partitionKeys: ['policy'] }),
    );
  }

  /** Read policies and nothing else: for withdrawal services that read the flag. */
  grantReadPolicy(grantee: IGrantable): void {
    const access = { verbs: ['GetItem'], partitionKeys: ['policy'] };
    allowTable(grantee, { table: this.table, key: this.#key, ...access });
  }

  /**
   * Feeds the stream to `fn`, which holds `grantProject`; what cannot be projected is named in
   * `failures`. A projection's own writes do not wake it again.
   */
  streamTo(fn: BreakwaterFunction, failures: IQueue): void {
    const eventSourceArn = this.table.tableStreamArn;
    if (eventSourceArn === undefined) throw new Error('The control table has no stream.');
    this.#grantStream(fn, eventSourceArn);
    allow(fn, { actions: ['sqs:SendMessage'], resources: [failures.queueArn] });
    fn.target.addEventSourceMapping('ControlStream', {
      eventSourceArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: STREAM_BATCH_SIZE_MAX,
      maxBatchingWindow: Duration.seconds(0),
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      retryAttempts: STREAM_RETRIES_MAX,
      maxRecordAge: STREAM_RECORD_AGE_MAX,
      onFailure: { bind: () => ({ destination: failures.queueArn }) },
      filters: [notProjected()],
    });
  }

  #grantDecisions(fn: BreakwaterFunction, keys: readonly string[]): void {
    this.#grant(fn, {
      verbs: ['PutItem'],
      partitionKeys: ['alert', 'incident', ...WAITING_KEYS, ...keys],
    });
    this.#grant(fn, { verbs: ['UpdateItem'], partitionKeys: ['alert', 'cause#*'] });
  }

  #grantStream(fn: BreakwaterFunction, streamArn: string): void {
    allow(fn, {
      actions: [
        'dynamodb:DescribeStream',
        'dynamodb:GetRecords',
        'dynamodb:GetShardIterator',
        'dynamodb:ListStreams',
      ],
      resources: [streamArn],
    });
  }

  #grant(
    fn: BreakwaterFunction,
    access: { readonly verbs: readonly string[]; readonly partitionKeys?: readonly string[] },
  ): void {
    allowTable(fn, { table: this.table, key: this.#key, ...access });
    fn.setEnvironment(ENV.controlTable, this.table.tableName);
  }
}

const NO_NEWS = [...PROJECTION_KEYS, ...AUDIT_KEYS, ...WAITING_KEYS, ...SILENT_KEYS];

/** Every change except those that the projection itself makes, and those of what waits. */
function notProjected() {
  return FilterCriteria.filter({
    dynamodb: {
      Keys: { pk: { S: [{ 'anything-but': NO_NEWS }] } },
    },
  });
}
