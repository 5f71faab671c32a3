/** The metrics of a deployed function: one line of CloudWatch's embedded metric format for each measurement. */

import { MetricUnit, Metrics as Powertools } from '@aws-lambda-powertools/metrics';
import { type Metrics, NAMESPACE, type Values } from './metrics.ts';

/**
 * Writes each measurement at once, so that none is lost with a function that dies and none is carried
 * into the next invocation. A measurement that cannot be written is left out: it is no reason to fail.
 *
 * @param cell dimension `service` of every metric: which Breakwater of the account it is.
 */
export function createMetrics(cell: string): Metrics {
  return {
    measure: (values, dimensions = {}) => {
      try {
        publish(cell, values, dimensions);
      } catch {
        // A name that CloudWatch refuses: the decision that it would have told of stands.
      }
    },
  };
}

function publish(cell: string, values: Values, dimensions: Readonly<Record<string, string>>): void {
  const metrics = new Powertools({ namespace: NAMESPACE, serviceName: cell });
  if (Object.keys(dimensions).length > 0) metrics.addDimensions({ ...dimensions });
  for (const [name, value] of Object.entries(values)) {
    metrics.addMetric(name, unitOf(name), value);
  }
  metrics.publishStoredMetrics();
}

function unitOf(name: string) {
  if (name.endsWith('Ms')) return MetricUnit.Milliseconds;
  return name.endsWith('Percent') ? MetricUnit.Percent : MetricUnit.Count;
}
