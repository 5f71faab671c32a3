import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { FunctionUrl } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { ENV } from '../runtime/environment.ts';
import type { Alerts } from './alerts.ts';
import { allowUrl } from './allow.ts';
import type { BreakwaterFunction } from './breakwater-function.ts';
import type { ControlTable } from './control-table.ts';
import type { EventsIngress } from './events-ingress.ts';
import type { LedgerTable } from './ledger-table.ts';

/** When a drill runs, and how fast it must be. */
export type DrillProps = {
  /**
   * At least weekly: an alarm says so when a week has no good drill.
   * @default - Tuesdays at 09:30 UTC, when people are there
   */
  readonly schedule?: Schedule;
  /**
   * Longest from the canary outflow until its pause is read back.
   * @default Duration.seconds(30)
   */
  readonly objective?: Duration;
};

type DrillScheduleProps = {
  readonly fn: BreakwaterFunction;
  readonly alerts: Alerts;
  readonly control: ControlTable;
  readonly ingress: EventsIngress;
  readonly ledger: LedgerTable;
  readonly operateUrl: FunctionUrl;
  readonly objective: Duration;
  readonly schedule: Schedule | undefined;
};

/**
 * Runs `run-drill` by the clock. It has the rights of those whose work it stands for: it observes an
 * outflow, reads the flag as a signer does, and asks for the reset by the operators' URL. It writes no
 * breaker: whether the reset is carried out, `operate-breaker` decides.
 */
export class DrillSchedule extends Construct {
  constructor(scope: Construct, id: string, props: DrillScheduleProps) {
    super(scope, id);
    const { fn, alerts, control, ingress, ledger, operateUrl, objective } = props;
    ledger.grantReadFlag(fn);
    fn.setEnvironment(ENV.ledgerTable, ledger.table.tableName);
    control.grantDrill(fn);
    ingress.grantObserve(fn);
    alerts.grantAlert(fn);
    allowUrl(fn, operateUrl.functionArn);
    fn.setEnvironment(ENV.operateUrl, operateUrl.url);
    fn.setEnvironment(ENV.drillObjectiveMs, String(objective.toMilliseconds()));
    // Never tried again by itself: a person has to see why it failed.
    const once = { retryAttempts: 0, maxEventAge: Duration.minutes(5) };
    fn.target.configureAsyncInvoke(once);
    new Rule(this, 'Weekly', {
      description: 'Breakwater: drill',
      schedule: props.schedule ?? Schedule.cron({ weekDay: 'TUE', hour: '9', minute: '30' }),
      targets: [new LambdaFunction(fn.target, once)],
    });
  }
}
