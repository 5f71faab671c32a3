import type { Duration } from 'aws-cdk-lib';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { AuditRetention } from './audit-log.ts';
import type { Network } from './breakwater-function.ts';
import type { WatchProps } from './chain-watcher.ts';
import type { DrillProps } from './drill-schedule.ts';
import type { WebhookProps } from './webhook-receiver.ts';

/** The functions of a Breakwater, by the name of their entry file. */
export type FunctionName =
  | 'ingest-events'
  | 'reserve-withdrawal'
  | 'close-withdrawal'
  | 'project-state'
  | 'operate-breaker'
  | 'tick'
  | 'run-drill';

/** How a Breakwater is set up. Every property has a default that is safe to deploy. */
export type BreakwaterProps = {
  /**
   * Name of this cell: functions, bus, key aliases, metrics and dashboard carry it, so that several
   * Breakwaters share an account and a Region. 1 to 40 letters, digits and "-", a letter first.
   * @default - the name of the stack
   */
  readonly cellName?: string;
  /**
   * Addresses that receive every alert. Each must confirm a mail from SNS.
   * @default - none: subscribe to the alert topic yourself before arming
   */
  readonly alertEmails?: readonly string[];
  /**
   * Other accounts that may report withdrawals and outflows on the bus.
   * @default - none: only principals of this account that hold events:PutEvents
   */
  readonly producerAccountIds?: readonly string[];
  /**
   * Other accounts that may reserve withdrawals, by the function URL and with their own IAM.
   * @default - none
   */
  readonly reserverAccountIds?: readonly string[];
  /**
   * Other accounts that may read the flag and the public keys of admissions: whoever signs there. They
   * see meters, leases and policies, and no ledger row.
   * @default - none
   */
  readonly signerAccountIds?: readonly string[];
  /**
   * Other accounts whose operators may give commands, by the function URL and with their own IAM.
   * @default - none
   */
  readonly operatorAccountIds?: readonly string[];
  /**
   * ARNs of the only principals that may publish to the control topic, beside what IAM grants them.
   * @default - everybody of this account whom a policy allows it
   */
  readonly commandPublisherArns?: readonly string[];
  /**
   * How often an event is tried before it is set aside, 1 to 1,000: ten times within seconds, then
   * every 90 s. With the default an outage of DynamoDB may last half an hour before people must send
   * events on by hand.
   * @default 30
   */
  readonly eventReceivesMax?: number;
  /**
   * How many batches of events are decided on at the same time, 2 to 1,000. Every decision touches
   * the global meter, so more of them meet there and try again.
   * @default 5
   */
  readonly ingestConcurrencyMax?: number;
  /**
   * Who may accept the admissions of reservations that name nobody: what the signer calls itself.
   * @default signer
   */
  readonly admissionAudience?: string;
  /**
   * Names of the keys that sign admissions, one at least. The first signs; the public parts of all
   * are published. To rotate, one deployment each: append a new name; ten minutes later put it
   * first; once the last admission of the old key has expired take the old name out. No step
   * replaces a key, and a key that is named no more is kept (`docs/client.md`, Admission).
   * @default - one key, named first
   */
  readonly admissionKeys?: readonly string[];
  /**
   * How often `tick` renews the leases within its minute, in milliseconds.
   * @default 5000
   */
  readonly tickLoopMs?: number;
  /**
   * Custodians and node providers that send webhooks. Opens a URL to the world.
   * @default - none: no such function, no such URL
   */
  readonly webhooks?: WebhookProps;
  /**
   * Watches the chains that the policy wants to be watched, through the nodes that a secret names.
   * @default - none: no such function, and a chain that the policy wants to be watched gets no lease
   */
  readonly watch?: WatchProps;
  /**
   * Executions kept free for a function, which are also its maximum.
   * @default - none: an account with a small pool could otherwise not deploy
   */
  readonly reservedConcurrency?: Readonly<Partial<Record<FunctionName, number>>>;
  /**
   * Execution environments kept warm for a function, which are paid for by the hour. Where a cold
   * start (half a second) must not delay a pause: `ingest-events`, `operate-breaker`.
   * @default - none
   */
  readonly provisionedConcurrency?: Readonly<Partial<Record<FunctionName, number>>>;
  /**
   * Puts every function into these subnets. They must reach DynamoDB, SQS, SNS, EventBridge, KMS,
   * Secrets Manager, Lambda URLs and, for the watcher, its nodes.
   * @default - no VPC: the functions need nothing that is in one
   */
  readonly network?: Network;
  /**
   * How often the keys of tables and topics are rotated, 90 to 2560 days. Keys that sign admissions
   * are rotated by name (`admissionKeys`).
   * @default Duration.days(365)
   */
  readonly keyRotation?: Duration;
  /**
   * The weekly drill: a canary outflow through the real ingress, its pause read back and reset. The
   * policy must mark a canary wallet.
   * @default - Tuesdays at 09:30 UTC, objective 30 s; `false` schedules none
   */
  readonly drill?: DrillProps | false;
  /**
   * How long the functions' logs are kept.
   * @default RetentionDays.ONE_YEAR
   */
  readonly logRetention?: RetentionDays;
  /**
   * How long nobody can delete the copy of the audit chain. In compliance mode nothing, not even
   * closing the account within its notice, takes a copy away before: choose it when the first weeks went well.
   * @default - governance, seven years
   */
  readonly auditRetention?: AuditRetention;
  /**
   * Where the runbooks are that alarms name, without a slash at the end: a URL that the people on
   * call can open.
   * @default - `docs/runbooks`, the folder of this package's repository
   */
  readonly runbooks?: string;
  /**
   * Absolute path of the folder with the functions' entry files.
   * @default - `lambdas` of this package
   */
  readonly lambdaFolder?: string;
};
