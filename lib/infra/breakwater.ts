import { join } from 'node:path';
import { Duration, Stack } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { type FunctionUrl, FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ENV } from '../runtime/environment.ts';
import { AdmissionKeys, FIRST_KEY } from './admission-keys.ts';
import { Alerts } from './alerts.ts';
import { allow, allowUrl } from './allow.ts';
import { AuditLog, type AuditRetention } from './audit-log.ts';
import { BreakwaterFunction, type FunctionSettings } from './breakwater-function.ts';
import { parkingQueue } from './breakwater-queue.ts';
import { ChainWatcher, type WatchProps } from './chain-watcher.ts';
import { ControlTable } from './control-table.ts';
import { EventsIngress, INGEST_TIMEOUT } from './events-ingress.ts';
import { LedgerTable } from './ledger-table.ts';
import { tableKey } from './table-key.ts';
import { VitalAlarms } from './vital-alarms.ts';
import { type WebhookProps, WebhookReceiver } from './webhook-receiver.ts';

/** The functions of a Breakwater, by the name of their entry file. */
export type FunctionName =
  | 'ingest-events'
  | 'reserve-withdrawal'
  | 'close-withdrawal'
  | 'project-state'
  | 'operate-breaker'
  | 'tick';

/** How a Breakwater is set up. Every property has a default that is safe to deploy. */
export type BreakwaterProps = {
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
   * Absolute path of the folder with the functions' entry files.
   * @default - `lambdas` of this package
   */
  readonly lambdaFolder?: string;
};

const LAMBDA_FOLDER = join(import.meta.dirname, '..', '..', 'lambdas');

/**
 * A circuit-breaker for withdrawals: tables, ingress, functions, topics and vital alarms.
 *
 * Fails closed: whatever of it stops, the leases run out and the flag reads "not enabled".
 */
export class Breakwater extends Construct {
  readonly ledger: LedgerTable;
  readonly control: ControlTable;
  readonly ingress: EventsIngress;
  readonly alerts: Alerts;
  readonly admission: AdmissionKeys;
  readonly audit: AuditLog;
  /** Takes reservations as JSON from callers who sign with IAM. */
  readonly reserveUrl: FunctionUrl;
  /** Takes outcomes of withdrawals as JSON from callers who sign with IAM. */
  readonly closeUrl: FunctionUrl;
  /** Takes commands as JSON from callers who sign with IAM. */
  readonly operateUrl: FunctionUrl;
  /** Takes deliveries that their providers signed, from anybody. Absent unless a provider is set up. */
  readonly webhookUrl: FunctionUrl | undefined;
  readonly #props: BreakwaterProps;

  constructor(scope: Construct, id: string, props: BreakwaterProps = {}) {
    super(scope, id);
    this.#props = props;
    const key = tableKey(this);
    this.ledger = new LedgerTable(this, 'Ledger', { key });
    this.control = new ControlTable(this, 'Control', { key });
    this.ingress = new EventsIngress(this, 'Ingress', {
      producerAccountIds: props.producerAccountIds ?? [],
      eventReceivesMax: props.eventReceivesMax ?? 30,
      ingestConcurrencyMax: props.ingestConcurrencyMax ?? 5,
    });
    this.alerts = new Alerts(this, 'Alerts', { alertEmails: props.alertEmails ?? [] });
    this.admission = new AdmissionKeys(this, 'Admission', {
      audience: props.admissionAudience ?? 'signer',
      names: props.admissionKeys ?? [FIRST_KEY],
    });
    this.audit = new AuditLog(this, 'Audit', {
      retention: props.auditRetention ?? { mode: 'governance', for: Duration.days(7 * 365) },
      encryptionKey: key,
    });
    const failedProjections = parkingQueue(this, 'FailedProjections');
    this.#ingestEvents();
    this.reserveUrl = this.#reserveWithdrawal();
    this.closeUrl = this.#closeWithdrawal();
    const projection = this.#projectState(failedProjections);
    this.operateUrl = this.#operateBreaker();
    this.#tick();
    this.webhookUrl = this.#receiveWebhooks();
    const watcher = this.#watchChains();
    this.#alarm({ projection, failedProjections, watcher });
  }

  /** Lets a producer of this account report withdrawals and outflows. */
  grantReport(grantee: IGrantable): void {
    this.ingress.grantReport(grantee);
  }

  /**
   * Lets whoever knows how withdrawals end say so: the signer's or the node's side, never what asks
   * for withdrawals, since a failed withdrawal gives its budget back. By events, or by the function
   * URL, which answers.
   */
  grantClose(grantee: IGrantable): void {
    this.ingress.grantClose(grantee);
    allowUrl(grantee, this.closeUrl.functionArn);
  }

  /**
   * Lets a withdrawal service of this account reserve, by the function URL, and read the public
   * keys there.
   */
  grantReserve(grantee: IGrantable): void {
    allowUrl(grantee, this.reserveUrl.functionArn);
  }

  /**
   * Lets a signer of this account read the public keys of admissions from KMS, without the right to
   * reserve: a function URL cannot be granted by path.
   */
  grantVerify(grantee: IGrantable): void {
    this.admission.grantVerify(grantee);
  }

  /**
   * Lets a withdrawal service of this account read the flag: meters with their breakers, leases and
   * the policy in force, and nothing else.
   */
  grantReadFlag(grantee: IGrantable): void {
    this.ledger.grantReadFlag(grantee);
    this.control.grantReadPolicy(grantee);
  }

  /**
   * Lets an operator give commands, by the function URL or the control topic.
   */
  grantOperate(grantee: IGrantable): void {
    const { functionArn } = this.operateUrl;
    allow(grantee, { actions: ['lambda:GetFunctionUrlConfig'], resources: [functionArn] });
    allowUrl(grantee, functionArn);
    // The CLI finds the URL and the bus by the stack's name.
    allow(grantee, {
      actions: ['cloudformation:DescribeStacks'],
      resources: [Stack.of(this).stackId],
    });
    this.alerts.grantCommand(grantee);
  }

  #ingestEvents(): void {
    const fn = this.#function('IngestEvents', {
      name: 'ingest-events',
      description: 'Counts reported withdrawals and observed outflows, and trips breakers',
      timeout: INGEST_TIMEOUT,
    });
    this.ledger.grantDecide(fn);
    this.control.grantDecide(fn);
    this.ingress.feed(fn);
  }

  #reserveWithdrawal(): FunctionUrl {
    const fn = this.#function('ReserveWithdrawal', {
      name: 'reserve-withdrawal',
      description: 'Decides on withdrawals before they are signed, and signs admissions',
      // Callers wait: what is not decided by then is a block, half a second before.
      timeout: Duration.seconds(8),
    });
    this.ledger.grantDecide(fn);
    this.control.grantDecide(fn);
    this.admission.grantSign(fn);
    return fn.fn.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM });
  }

  #closeWithdrawal(): FunctionUrl {
    const fn = this.#function('CloseWithdrawal', {
      name: 'close-withdrawal',
      description: 'Records what became of withdrawals, and gives back what evidence allows',
      timeout: Duration.seconds(8),
    });
    this.ledger.grantDecide(fn);
    this.control.grantDecide(fn);
    return fn.fn.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM });
  }

  #projectState(failures: Queue): BreakwaterFunction {
    const fn = this.#function('ProjectState', {
      name: 'project-state',
      description: 'Makes flag and alerts match the breakers, and appends to the audit chain',
      timeout: Duration.seconds(30),
    });
    this.control.grantProject(fn);
    this.audit.grantAppend(fn);
    this.control.streamTo(fn, failures);
    this.alerts.grantAlert(fn);
    return fn;
  }

  #operateBreaker(): FunctionUrl {
    const fn = this.#function('OperateBreaker', {
      name: 'operate-breaker',
      description: 'Carries out commands of operators: pause, resume, status, policy',
      timeout: Duration.seconds(20),
    });
    this.ledger.grantDecide(fn);
    this.ledger.grantListOpen(fn);
    this.control.grantOperate(fn);
    this.ingress.grantCountDeadLetters(fn);
    this.alerts.sendCommandsTo(fn);
    return fn.fn.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM });
  }

  #tick(): void {
    const fn = this.#function('Tick', {
      name: 'tick',
      description:
        'Renews the leases while heartbeats arrive, and lets go what is held where there is room',
      // A minute of loops, and time to finish the last one.
      timeout: Duration.seconds(70),
    });
    this.ledger.grantDecide(fn);
    this.ledger.grantListOpen(fn);
    this.control.grantDecide(fn);
    this.ingress.grantProbe(fn);
    this.alerts.grantAlert(fn);
    fn.setEnvironment(ENV.tickLoopMs, String(this.#props.tickLoopMs ?? 5000));
    // Never tried again: the next minute brings the next tick, and a late one proves nothing.
    fn.fn.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(1) });
    new Rule(this, 'EveryMinute', {
      description: 'Breakwater: tick',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(fn.fn, { retryAttempts: 0, maxEventAge: Duration.minutes(1) })],
    });
  }

  #receiveWebhooks(): FunctionUrl | undefined {
    const { webhooks } = this.#props;
    if (webhooks === undefined) return undefined;
    const { ledger, control, ingress } = this;
    const settings = this.#settings();
    const parts = { webhooks, ledger, control, ingress, settings };
    return new WebhookReceiver(this, 'Webhooks', parts).url;
  }

  #settings(): FunctionSettings {
    return {
      lambdaFolder: this.#props.lambdaFolder ?? LAMBDA_FOLDER,
      logRetention: this.#props.logRetention ?? RetentionDays.ONE_YEAR,
    };
  }

  #watchChains(): BreakwaterFunction | undefined {
    const { watch } = this.#props;
    if (watch === undefined) return undefined;
    const { ledger, control } = this;
    const settings = this.#settings();
    return new ChainWatcher(this, 'Watch', { watch, ledger, control, settings }).watcher;
  }

  #alarm(parts: {
    readonly projection: BreakwaterFunction;
    readonly failedProjections: Queue;
    readonly watcher: BreakwaterFunction | undefined;
  }): void {
    const { projection, failedProjections, watcher } = parts;
    new VitalAlarms(this, 'Alarms', {
      alerts: this.alerts,
      projection,
      watcher,
      queues: {
        EventsUncounted: {
          queue: this.ingress.deadLetters,
          meaning:
            'Events could not be counted and lie in the dead-letter queue. Leases are not renewed ' +
            'until they are sent on (SQS: start message move task) or cleared by a person.',
        },
        EventsRejected: {
          queue: this.ingress.rejects,
          meaning:
            'A producer sends events that cannot be parsed; none was counted, nobody is paused. ' +
            'Each message of the reject queue holds the event and the reason.',
        },
        ProjectionsFailed: {
          queue: failedProjections,
          meaning:
            'project-state gave up on a change: a page may be missing. Compare status with the ' +
            'alerts received; each message names the records.',
        },
        CommandsFailed: {
          queue: this.alerts.failedCommands,
          meaning: 'A command of the control topic was not carried out. Look at status, repeat it.',
        },
      },
    });
  }

  #function(
    id: string,
    props: {
      readonly name: FunctionName;
      readonly description: string;
      readonly timeout: Duration;
    },
  ): BreakwaterFunction {
    return new BreakwaterFunction(this, id, {
      ...props,
      settings: this.#settings(),
      reservedConcurrency: this.#props.reservedConcurrency?.[props.name],
    });
  }
}
