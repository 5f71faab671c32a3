import { Duration } from 'aws-cdk-lib';
import { type IMetric, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { cellOf } from './cell.ts';

/** As `lib/runtime/metrics.ts` has it; a test compares the two. */
export const NAMESPACE = 'Breakwater';

/** A metric that the functions measure (`lib/runtime`): by name, statistic and further dimensions. */
export function measured(
  scope: Construct,
  of: {
    readonly name: string;
    readonly statistic: 'Sum' | 'Maximum' | 'Minimum' | 'Average' | 'p99';
    readonly period?: Duration;
    readonly dimensions?: Readonly<Record<string, string>>;
  },
): IMetric {
  const { name: metricName, statistic, period = Duration.minutes(1), dimensions = {} } = of;
  return new Metric({
    namespace: NAMESPACE,
    metricName,
    statistic,
    period,
    dimensionsMap: { service: cellOf(scope), ...dimensions },
  });
}
