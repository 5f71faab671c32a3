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
import { BreakwaterFunction, type FunctionSettings } from './breakwater-function.ts';
import { parkingQueue } from './breakwater-queue.ts';
import { nameCell } from './cell.ts';
import { ChainWatcher, type WatchProps } from './chain-watcher.ts';
import { ControlTable } from './control-table.ts';
import { BreakwaterDashboard } from './dashboard.ts';
import { EventsIngress, INGEST_TIMEOUT } from './events-ingress.ts';
import { LedgerTable } from './ledger-table.ts';
import { tableKey } from './table-key.ts';
import { VitalAlarms } from './vital-alarms.ts';
import { type WebhookProps, WebhookReceiver } from './webhook-receiver.ts';

/** The functions of a Breakwater, by the name of their entry file. */
export type FunctionName =
  | 'ingest-events'
  | 'reserve-withdrawal'
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

/** Longest from the canary outflow of a drill until its pause is read back. */
const DRILL_OBJECTIVE = Duration.seconds(30);
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
  /** Takes reservations as JSON from callers who sign with IAM. */
  readonly reserveUrl: FunctionUrl;
  /** Takes commands as JSON from callers who sign with IAM. */
  readonly operateUrl: FunctionUrl;
  /** Takes deliveries that their providers signed, from anybody. Absent unless a provider is set up. */
  readonly webhookUrl: FunctionUrl | undefined;
  readonly #props: BreakwaterProps;
  readonly #functions = new Map<string, BreakwaterFunction>();

  constructor(scope: Construct, id: string, props: BreakwaterProps = {}) {
    super(scope, id);
    this.#props = props;
    nameCell(this);
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
    const failedProjections = parkingQueue(this, 'FailedProjections');
    this.#ingestEvents();
    this.reserveUrl = this.#reserveWithdrawal();
    this.#projectState(failedProjections);
    this.operateUrl = this.#operateBreaker();
    this.#tick();
    this.webhookUrl = this.#receiveWebhooks();
    this.#watchChains();
    this.#watch(failedProjections);
  }

  /** Lets a producer of this account report withdrawals and outflows. */
  grantReport(grantee: IGrantable): void {
    this.ingress.grantReport(grantee);
  }

  /**
   * Lets whoever knows how withdrawals end say so: the signer's or the node's side, never what asks
   * for withdrawals, since a failed withdrawal gives its budget back.
   */
  grantClose(grantee: IGrantable): void {
    this.ingress.grantClose(grantee);
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

  #projectState(failures: Queue): void {
    const fn = this.#function('ProjectState', {
      name: 'project-state',
      description: 'Makes the flag and the alerts match the state of the breakers',
      timeout: Duration.seconds(30),
    });
    this.control.grantProject(fn);
    this.control.streamTo(fn, failures);
    this.alerts.grantAlert(fn);
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

  #watchChains(): void {
    const { watch } = this.#props;
    if (watch === undefined) return;
    const { ledger, control } = this;
    const settings = this.#settings();
    const { watcher } = new ChainWatcher(this, 'Watch', { watch, ledger, control, settings });
    this.#functions.set('watch-chain', watcher);
  }

  #watch(failedProjections: Queue): void {
    const { alerts, control, ingress, ledger } = this;
    const { events, deadLetters, rejects } = ingress;
    const alarms = new VitalAlarms(this, 'Alarms', {
      alerts,
      runbooks: this.#props.runbooks ?? 'docs/runbooks',
      tables: { ledger: ledger.table, control: control.table },
      queues: {
        events,
        deadLetters,
        rejects,
        failedProjections,
        failedCommands: alerts.failedCommands,
      },
      functions: {
        projection: this.#named('project-state'),
        reserve: this.#named('reserve-withdrawal'),
        all: [...this.#functions.values()],
        watcher: this.#functions.get('watch-chain'),
      },
      drillObjective: DRILL_OBJECTIVE,
    });
    new BreakwaterDashboard(this, 'Dashboard', {
      alarms: alarms.all,
      durations: [...this.#functions.values()].map(({ fn }) =>
        fn.metricDuration({ period: Duration.minutes(1), statistic: 'p99' }),
      ),
    });
  }

  #named(name: string): BreakwaterFunction {
    const found = this.#functions.get(name);
    if (!found) throw new Error(`There is no function ${name}.`);
    return found;
  }

  #function(
    id: string,
    props: {
      readonly name: FunctionName;
      readonly description: string;
      readonly timeout: Duration;
    },
  ): BreakwaterFunction {
    const made = new BreakwaterFunction(this, id, {
      ...props,
      settings: this.#settings(),
      reservedConcurrency: this.#props.reservedConcurrency?.[props.name],
    });
    this.#functions.set(props.name, made);
    return made;
  }
}
