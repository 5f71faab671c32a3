import { Duration } from 'aws-cdk-lib';
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  MathExpression,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { cellOf } from './cell.ts';
import { measured, NAMESPACE } from './measured.ts';

/** What the dashboard shows besides the metrics that the functions measure. */
export type BreakwaterDashboardProps = {
  readonly alarms: ReadonlyMap<string, Alarm>;
  readonly durations: readonly IMetric[];
};

const WIDTH = 12;

/** One page: what is wrong, outflow against limits, decisions, latency, incidents, proof of health. */
export class BreakwaterDashboard extends Construct {
  constructor(scope: Construct, id: string, props: BreakwaterDashboardProps) {
    super(scope, id);
    const sum = (name: string) => measured(this, { name, statistic: 'Sum' });
    const most = (name: string) => measured(this, { name, statistic: 'Maximum' });
    const graph = (title: string, left: readonly IMetric[]): IWidget =>
      new GraphWidget({ title, left: [...left], width: WIDTH });
    new Dashboard(this, 'Page', {
      dashboardName: cellOf(this),
      defaultInterval: Duration.hours(6),
      widgets: [
        [
          new AlarmStatusWidget({
            title: 'What is wrong',
            alarms: [...props.alarms.values()],
            width: 2 * WIDTH,
          }),
        ],
        [
          this.#limits(),
          graph('Decisions', ['Allowed', 'Held', 'Blocked', 'Undecided', 'EventsDecided'].map(sum)),
        ],
        [
          graph('Latency', [
            measured(this, { name: 'ReserveMs', statistic: 'p99' }),
            most('OldestEventMs'),
            ...props.durations,
          ]),
          graph('Incidents', ['Tripped', 'Paused', 'Resumed', 'PolicyChanged', 'Parked'].map(sum)),
        ],
        [
          graph('Proof of health', [
            measured(this, { name: 'LeaseLeftMs', statistic: 'Minimum' }),
            most('HeartbeatAgeMs'),
          ]),
          graph('Drills', [most('DrillDetectMs'), most('DrillTripMs'), most('DrillVerifiedMs')]),
        ],
      ],
    });
  }

  // Which limits there are, the policy says; CloudWatch finds them by their dimension.
  #limits(): IWidget {
    const search = `SEARCH('{${NAMESPACE},limit,service} MetricName="LimitUsedPercent" service="${cellOf(this)}"', 'Maximum', 60)`;
    return new GraphWidget({
      title: 'Outflow against limits, % used',
      left: [new MathExpression({ expression: search, usingMetrics: {}, label: '' })],
      leftYAxis: { min: 0 },
      leftAnnotations: [{ value: 100, label: 'limit' }],
      width: WIDTH,
    });
  }
}
