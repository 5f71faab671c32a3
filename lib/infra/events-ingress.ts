import { Duration, Stack } from 'aws-cdk-lib';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { AccountPrincipal, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ENV } from '../runtime/environment.ts';
import { type Allowance, allow, statementOf } from './allow.ts';
import type { BreakwaterFunction } from './breakwater-function.ts';
import { breakwaterQueue, parkingQueue } from './breakwater-queue.ts';
import { cellOf } from './cell.ts';

/**
 * Detail types that producers send; only `tick` may send `heartbeat`. Whoever may report a withdrawal
 * approves money already, so a batch, which says whom approved money is paid through, asks no more.
 */
const REPORT_DETAIL_TYPES = ['withdrawal.reported', 'batch.declared', 'outflow.observed'] as const;

// They give budget back: whoever asks for withdrawals must not also say how they ended, or one leaked
// key could reserve, sign and claim failure for ever.
const OUTCOME_DETAIL_TYPES = [
  'withdrawal.settled',
  'withdrawal.failed',
  'withdrawal.cancelled',
  'withdrawal.replaced',
] as const;

/** The longest that `ingest-events` may run. Six of them fit into the queue's visibility. */
export const INGEST_TIMEOUT = Duration.seconds(15);

const INGEST_BATCH_SIZE_MAX = 25;

/** How events come in. */
export type EventsIngressProps = {
  /** Other accounts that may send events; none when empty. */
  readonly producerAccountIds: readonly string[];
  /** How often one event is tried before it is set aside, 1 to 1,000. */
  readonly eventReceivesMax: number;
  /** How many batches are decided on at the same time, 2 to 1,000. */
  readonly ingestConcurrencyMax: number;
};

/**
 * The way of an event: bus → rule → events queue → function.
 *
 * An event that fails again and again, or that the rule cannot deliver, ends in `deadLetters`:
 * it is uncounted, so the lease is not renewed while it lies there. What is malformed ends in
 * `rejects`, which only alarms.
 */
export class EventsIngress extends Construct {
  readonly bus: EventBus;
  readonly events: Queue;
  readonly deadLetters: Queue;
  readonly rejects: Queue;
  readonly #concurrencyMax: number;

  constructor(scope: Construct, id: string, props: EventsIngressProps) {
    super(scope, id);
    this.#concurrencyMax = props.ingestConcurrencyMax;
    this.bus = new EventBus(this, 'Bus', {
      eventBusName: `${cellOf(this)}-events`,
      description: 'Breakwater: withdrawals reported and outflows observed',
    });
    this.deadLetters = breakwaterQueue(this, 'DeadLetters');
    this.rejects = parkingQueue(this, 'Rejects');
    this.events = breakwaterQueue(this, 'Events', {
      visibilityTimeout: Duration.seconds(6 * INGEST_TIMEOUT.toSeconds()),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: props.eventReceivesMax },
    });
    this.#openTo(props.producerAccountIds);
    this.#route(props.producerAccountIds);
  }

  /** Feeds the events queue to `fn`, which may also hand events back early or reject them. */
  feed(fn: BreakwaterFunction): void {
    allow(fn, {
      actions: [
        'sqs:ChangeMessageVisibility',
        'sqs:DeleteMessage',
        'sqs:GetQueueAttributes',
        'sqs:ReceiveMessage',
      ],
      resources: [this.events.queueArn],
    });
    allow(fn, { actions: ['sqs:SendMessage'], resources: [this.rejects.queueArn] });
    fn.setEnvironment(ENV.eventsQueueUrl, this.events.queueUrl);
    fn.setEnvironment(ENV.rejectQueueUrl, this.rejects.queueUrl);
    fn.target.addEventSourceMapping('Events', {
      eventSourceArn: this.events.queueArn,
      batchSize: INGEST_BATCH_SIZE_MAX,
      maxBatchingWindow: Duration.seconds(0),
      reportBatchItemFailures: true,
      // Not reserved concurrency: a throttled poller would use up the events' receives.
      maxConcurrency: this.#concurrencyMax,
    });
  }

  /** Lets `fn` send heartbeats, and see whether events lie uncounted. */
  grantProbe(fn: BreakwaterFunction): void {
    allow(fn, {
      actions: ['events:PutEvents'],
      resources: [this.bus.eventBusArn],
      conditions: { StringEquals: { 'events:detail-type': ['heartbeat'] } },
    });
    this.grantCountDeadLetters(fn);
    fn.setEnvironment(ENV.eventBusName, this.bus.eventBusName);
  }

  /** See how many events lie uncounted. */
  grantCountDeadLetters(fn: BreakwaterFunction): void {
    allow(fn, { actions: ['sqs:GetQueueAttributes'], resources: [this.deadLetters.queueArn] });
    fn.setEnvironment(ENV.eventsDlqUrl, this.deadLetters.queueUrl);
  }

  /** Lets `fn` tell of an outflow as an observer does: for `run-drill`. */
  grantObserve(fn: BreakwaterFunction): void {
    allow(fn, this.#putting(['outflow.observed']));
    fn.setEnvironment(ENV.eventBusName, this.bus.eventBusName);
  }

  /** Lets a producer of this account report withdrawals, batches and outflows, and no heartbeats. */
  grantReport(grantee: IGrantable): void {
    allow(grantee, this.#putting(REPORT_DETAIL_TYPES));
  }

  /** Lets whoever knows how withdrawals end say so; it reports and reserves nothing. */
  grantClose(grantee: IGrantable): void {
    allow(grantee, this.#putting(OUTCOME_DETAIL_TYPES));
  }

  /**
   * Lets `fn` pass on what others have seen leaving, and set aside what it cannot read. `mayClose`:
   * also that a withdrawal will not leave, which gives budget back.
   */
  grantPassOn(fn: BreakwaterFunction, { mayClose }: { readonly mayClose: boolean }): void {
    const closing = mayClose ? ['withdrawal.failed', 'withdrawal.cancelled'] : [];
    allow(fn, this.#putting(['outflow.observed', ...closing]));
    allow(fn, { actions: ['sqs:SendMessage'], resources: [this.rejects.queueArn] });
    fn.setEnvironment(ENV.eventBusName, this.bus.eventBusName);
    fn.setEnvironment(ENV.rejectQueueUrl, this.rejects.queueUrl);
  }

  #openTo(accountIds: readonly string[]): void {
    if (accountIds.length === 0) return;
    const statement = statementOf(this.#putting(REPORT_DETAIL_TYPES));
    statement.sid = 'ProducerAccounts';
    statement.addPrincipals(...accountIds.map((id) => new AccountPrincipal(id)));
    this.bus.addToResourcePolicy(statement);
  }

  #putting(detailTypes: readonly string[]): Allowance {
    return {
      actions: ['events:PutEvents'],
      resources: [this.bus.eventBusArn],
      conditions: { StringEquals: { 'events:detail-type': [...detailTypes] } },
    };
  }

  // Every detail type is routed: a misspelt one must be seen among the rejects, not vanish here.
  #route(producerAccountIds: readonly string[]): void {
    new Rule(this, 'ToQueue', {
      eventBus: this.bus,
      description: 'Breakwater: every event of the bus to the events queue',
      eventPattern: { account: [Stack.of(this).account, ...producerAccountIds] },
      targets: [new SqsQueue(this.events, { deadLetterQueue: this.deadLetters })],
    });
  }
}
