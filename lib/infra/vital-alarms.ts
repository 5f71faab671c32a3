import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { type AlarmParts, alarmsOf } from './alarm-list.ts';
import type { Alerts } from './alerts.ts';

/** What an alarm says is wrong, and what it says where nothing is measured. */
export type AlarmSpec = {
  /** `page` wakes somebody; `notice` waits for the morning. */
  readonly severity: 'page' | 'notice';
  readonly metric: IMetric;
  /** In alarm when a value is above this, or with `below` at most this. */
  readonly above?: number;
  readonly atMost?: number;
  /** Periods of the metric that are looked at together. @default 1 */
  readonly periods?: number;
  /** How many of these periods have to be bad. @default all */
  readonly bad?: number;
  /** What no data means. Chosen one by one: a silent meter is not a healthy one. */
  readonly missing: 'breaching' | 'notBreaching' | 'ignore';
  /** Page in `docs/runbooks`, without `.md`. */
  readonly runbook: string;
  /** What it means, in a sentence or two. */
  readonly meaning: string;
};

/** What the alarms watch, where they alarm and where their runbooks are. */
export type VitalAlarmsProps = AlarmParts & {
  readonly alerts: Alerts;
  /** Where the runbooks are, without a slash at the end. */
  readonly runbooks: string;
};

/**
 * Every alarm, with its severity, its runbook and its own answer to missing data.
 *
 * They stand beside the pages that the functions send, so that a page is not lost with the function
 * that should have sent it.
 */
export class VitalAlarms extends Construct {
  /** By id. */
  readonly all: ReadonlyMap<string, Alarm>;

  constructor(scope: Construct, id: string, props: VitalAlarmsProps) {
    super(scope, id);
    const { alerts, runbooks } = props;
    const all = new Map<string, Alarm>();
    for (const [name, spec] of Object.entries(alarmsOf(this, props))) {
      const alarm = this.#alarm(name, spec, runbooks);
      alerts.raise(alarm, spec.severity);
      all.set(name, alarm);
    }
    this.all = all;
  }

  #alarm(id: string, spec: AlarmSpec, runbooks: string): Alarm {
    const { metric, above, atMost, periods = 1, bad = periods, severity, meaning, runbook } = spec;
    const isBelow = atMost !== undefined;
    return new Alarm(this, id, {
      metric,
      threshold: atMost ?? above ?? 0,
      comparisonOperator: isBelow
        ? ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD
        : ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: periods,
      datapointsToAlarm: bad,
      alarmDescription: `[${severity}] ${meaning} Runbook: ${runbooks}/${runbook}.md`,
      treatMissingData: MISSING[spec.missing],
    });
  }
}

const MISSING = {
  breaching: TreatMissingData.BREACHING,
  notBreaching: TreatMissingData.NOT_BREACHING,
  ignore: TreatMissingData.IGNORE,
} as const;
