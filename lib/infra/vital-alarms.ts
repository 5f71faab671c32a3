import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Alerts } from './alerts.ts';
import type { BreakwaterFunction } from './breakwater-function.ts';

// The flag must follow a trip in seconds. Half a minute behind is a projection that stands still.
const ITERATOR_AGE_MAX_MS = 30_000;

/** What the alarms watch. */
export type VitalAlarmsProps = {
  readonly alerts: Alerts;
  /** Queues whose first message a person must look at, by alarm id, with what it means. */
  readonly queues: Readonly<Record<string, { readonly queue: Queue; readonly meaning: string }>>;
  readonly projection: BreakwaterFunction;
  /** Absent where no chain is watched. */
  readonly watcher?: BreakwaterFunction | undefined;
};

/** The few alarms without which a failure would go unseen. Each tells what it means. */
export class VitalAlarms extends Construct {
  readonly #alerts: Alerts;

  constructor(scope: Construct, id: string, props: VitalAlarmsProps) {
    super(scope, id);
    this.#alerts = props.alerts;
    for (const [name, { queue, meaning }] of Object.entries(props.queues)) {
      this.#alarm(name, {
        metric: queue.metricApproximateNumberOfMessagesVisible({
          period: Duration.minutes(1),
          statistic: 'Maximum',
        }),
        aboveMax: 0,
        meaning,
      });
    }
    this.#watchProjection(props.projection);
    if (props.watcher) this.#watchWatcher(props.watcher);
  }

  // A chain that it does not see pages by itself, through its lease; this tells of a function that breaks.
  #watchWatcher(watcher: BreakwaterFunction): void {
    this.#alarm('WatcherErrors', {
      metric: watcher.fn.metricErrors({ period: Duration.minutes(1), statistic: 'Sum' }),
      aboveMax: 0,
      meaning: 'watch-chain failed: the chains get no lease while nobody sees them. See its log.',
    });
  }

  #watchProjection(projection: BreakwaterFunction): void {
    this.#alarm('ProjectionErrors', {
      metric: projection.fn.metricErrors({ period: Duration.minutes(1), statistic: 'Sum' }),
      aboveMax: 0,
      meaning: 'project-state failed: flags and alerts may be behind the breakers. See its log.',
    });
    this.#alarm('ProjectionBehind', {
      metric: projection.fn.metric('IteratorAge', {
        period: Duration.minutes(1),
        statistic: 'Maximum',
      }),
      aboveMax: ITERATOR_AGE_MAX_MS,
      meaning: 'project-state is behind its stream: a trip shows late in the flag. See its log.',
    });
  }

  #alarm(
    id: string,
    props: { readonly metric: IMetric; readonly aboveMax: number; readonly meaning: string },
  ): void {
    const alarm = new Alarm(this, id, {
      metric: props.metric,
      threshold: props.aboveMax,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 1,
      alarmDescription: props.meaning,
      // Idle queues and functions send no data; that is the good case here.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    this.#alerts.raise(alarm);
  }
}
