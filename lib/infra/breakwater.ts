import { join } from 'node:path';
import { Duration, Stack } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { type FunctionUrl, FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ENV } from '../runtime/environment.ts';
import { AdmissionKeys, FIRST_KEY } from './admission-keys.ts';
import { Alerts } from './alerts.ts';
import { allow, allowUrl } from './allow.ts';
import { AuditLog } from './audit-log.ts';
import { BreakwaterFunction, type FunctionSettings } from './breakwater-function.ts';
import type { BreakwaterProps, FunctionName } from './breakwater-props.ts';
import { parkingQueue } from './breakwater-queue.ts';
import { nameCell } from './cell.ts';
import { ChainWatcher } from './chain-watcher.ts';
import { ControlTable } from './control-table.ts';
import { openToAccounts } from './cross-account.ts';
import { BreakwaterDashboard } from './dashboard.ts';
import { DrillSchedule } from './drill-schedule.ts';
import { EventsIngress, INGEST_TIMEOUT } from './events-ingress.ts';
import { handOut } from './hand-outs.ts';
import { LedgerTable, PROPOSAL_ROWS } from './ledger-table.ts';
import { protectTables } from './protections.ts';
import { tableKey } from './table-key.ts';
import { VitalAlarms } from './vital-alarms.ts';
import { WebhookReceiver } from './webhook-receiver.ts';

export type { BreakwaterProps, FunctionName } from './breakwater-props.ts';

const LAMBDA_FOLDER = join(import.meta.dirname, '..', '..', 'lambdas');
/** Longest from the canary outflow of a drill until its pause is read back. */
const DRILL_OBJECTIVE = Duration.seconds(30);

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
  /** Encrypts both tables. */
  readonly tableKey: Key;
  /** Takes reservations as JSON from callers who sign with IAM. */
  readonly reserveUrl: FunctionUrl;
  /** Takes outcomes of withdrawals as JSON from callers who sign with IAM. */
  readonly closeUrl: FunctionUrl;
  /** Takes commands as JSON from callers who sign with IAM. */
  readonly operateUrl: FunctionUrl;
  /** Takes deliveries that their providers signed, from anybody. Absent unless a provider is set up. */
  readonly webhookUrl: string | undefined;
  readonly #props: BreakwaterProps;
  readonly #functions = new Map<string, BreakwaterFunction>();

  constructor(scope: Construct, id: string, props: BreakwaterProps = {}) {
    super(scope, id);
    this.#props = props;
    nameCell(this, props.cellName);
    const key = tableKey(this, props.keyRotation);
    this.tableKey = key;
    this.ledger = new LedgerTable(this, 'Ledger', { key });
    this.control = new ControlTable(this, 'Control', { key });
    this.ingress = new EventsIngress(this, 'Ingress', {
      producerAccountIds: props.producerAccountIds ?? [],
      eventReceivesMax: props.eventReceivesMax ?? 30,
      ingestConcurrencyMax: props.ingestConcurrencyMax ?? 5,
    });
    this.alerts = new Alerts(this, 'Alerts', {
      alertEmails: props.alertEmails ?? [],
      keyRotation: props.keyRotation,
    });
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
    this.#projectState(failedProjections);
    this.operateUrl = this.#operateBreaker(failedProjections);
    this.#tick();
    this.webhookUrl = this.#receiveWebhooks();
    this.#watchChains();
    this.#drill();
    this.#protect();
    this.#watch(failedProjections);
    openToAccounts(this, props);
    handOut(this);
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
    this.ledger.grantDecide(fn, ['balance#*', 'heartbeat', 'stuck']);
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
    return fn.target.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM });
  }

  #closeWithdrawal(): FunctionUrl {
    const fn = this.#function('CloseWithdrawal', {
      name: 'close-withdrawal',
      description: 'Records what became of withdrawals, and gives back what evidence allows',
      timeout: Duration.seconds(8),
    });
    this.ledger.grantDecide(fn);
    this.control.grantDecide(fn);
    return fn.target.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM });
  }

  #projectState(failures: Queue): void {
    const fn = this.#function('ProjectState', {
      name: 'project-state',
      description: 'Makes flag and alerts match the breakers, and appends to the audit chain',
      timeout: Duration.seconds(30),
    });
    this.control.grantProject(fn);
    this.audit.grantAppend(fn);
    this.control.streamTo(fn, failures);
    this.alerts.grantAlert(fn);
  }

  #operateBreaker(failedProjections: Queue): FunctionUrl {
    const fn = this.#function('OperateBreaker', {
      name: 'operate-breaker',
      description: 'Carries out commands of operators: pause, resume, status, policy',
      timeout: Duration.seconds(20),
    });
    this.ledger.grantDecide(fn, [PROPOSAL_ROWS]);
    this.ledger.grantListOpen(fn);
    this.control.grantOperate(fn);
    this.ingress.grantCountDeadLetters(fn);
    this.#grantDiagnose(fn, failedProjections);
    this.alerts.sendCommandsTo(fn);
    return fn.target.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM });
  }

  /** What `breakwater doctor` looks at beside the tables: how full queues are, whether keys answer. */
  #grantDiagnose(fn: BreakwaterFunction, failedProjections: Queue): void {
    const { events, rejects } = this.ingress;
    const queues = [
      [ENV.eventsQueueUrl, events],
      [ENV.rejectQueueUrl, rejects],
      [ENV.failedProjectionsUrl, failedProjections],
      [ENV.failedCommandsUrl, this.alerts.failedCommands],
    ] as const;
    const resources = queues.map(([, queue]) => queue.queueArn);
    allow(fn, { actions: ['sqs:GetQueueAttributes'], resources });
    for (const [name, queue] of queues) fn.setEnvironment(name, queue.queueUrl);
    this.admission.grantInspect(fn);
  }

  #tick(): void {
    const fn = this.#function('Tick', {
      name: 'tick',
      description:
        'Renews the leases while heartbeats arrive, and lets go what is held where there is room',
      // A minute of loops, and time to finish the last one.
      timeout: Duration.seconds(70),
    });
    this.ledger.grantDecide(fn, ['leases', PROPOSAL_ROWS]);
    this.ledger.grantListOpen(fn);
    this.control.grantCarryOut(fn, ['page']);
    this.ingress.grantProbe(fn);
    this.alerts.grantAlert(fn);
    fn.setEnvironment(ENV.tickLoopMs, String(this.#props.tickLoopMs ?? 5000));
    // Never tried again: the next minute brings the next tick, and a late one proves nothing.
    fn.target.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(1) });
    new Rule(this, 'EveryMinute', {
      description: 'Breakwater: tick',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [
        new LambdaFunction(fn.target, { retryAttempts: 0, maxEventAge: Duration.minutes(1) }),
      ],
    });
  }

  #receiveWebhooks(): string | undefined {
    const { webhooks } = this.#props;
    if (webhooks === undefined) return undefined;
    const { ledger, control, ingress } = this;
    const settings = this.#settings();
    const parts = { webhooks, ledger, control, ingress, settings };
    const receiver = new WebhookReceiver(this, 'Webhooks', parts);
    this.#functions.set('receive-webhook', receiver.receiver);
    return receiver.url;
  }

  #settings(): FunctionSettings {
    return {
      lambdaFolder: this.#props.lambdaFolder ?? LAMBDA_FOLDER,
      logRetention: this.#props.logRetention ?? RetentionDays.ONE_YEAR,
      network: this.#props.network,
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

  #drill(): void {
    const { drill } = this.#props;
    if (drill === false) return;
    const fn = this.#function('RunDrill', {
      name: 'run-drill',
      description: 'Sends a canary outflow and sees that it is paused, weekly',
      timeout: Duration.minutes(3),
    });
    const { alerts, control, ingress, ledger, operateUrl } = this;
    const objective = this.#drillObjective();
    new DrillSchedule(this, 'Drill', {
      ...{ fn, alerts, control, ingress, ledger, operateUrl, objective },
      schedule: drill?.schedule,
    });
  }

  #drillObjective(): Duration {
    const { drill } = this.#props;
    return (drill === false ? undefined : drill?.objective) ?? DRILL_OBJECTIVE;
  }

  #protect(): void {
    const { alerts, control, ledger } = this;
    const named = (name: string) => this.#named(name);
    const all = (names: readonly string[]) =>
      names.flatMap((name) => this.#functions.get(name) ?? []);
    protectTables(
      { ledger, control },
      {
        deciders: all([
          'ingest-events',
          'reserve-withdrawal',
          'close-withdrawal',
          'operate-breaker',
          'tick',
          'watch-chain',
        ]),
        ceremony: all(['operate-breaker', 'tick']),
        ingest: named('ingest-events'),
        operate: named('operate-breaker'),
        project: named('project-state'),
        tick: named('tick'),
      },
    );
    alerts.closeTo({
      alerting: all(['project-state', 'tick', 'run-drill']),
      commanding: this.#props.commandPublisherArns ?? [],
    });
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
        close: this.#named('close-withdrawal'),
        all: [...this.#functions.values()],
        watcher: this.#functions.get('watch-chain'),
        drill: this.#functions.get('run-drill'),
      },
      drillObjective: this.#drillObjective(),
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
      provisionedConcurrency: this.#props.provisionedConcurrency?.[props.name],
    });
    this.#functions.set(props.name, made);
    return made;
  }
}
