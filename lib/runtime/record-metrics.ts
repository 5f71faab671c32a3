/** What a change of the Control table counts as, for alarms that tell people beside the page. */

import type { Cause, Incident } from '../domain/breaker.ts';
import type { ControlRecord } from '../ports.ts';
import type { Metrics } from './metrics.ts';

/**
 * Counts a change once it has been projected; a redelivery may count it twice. A drill's own trip is
 * counted as such and never as a trip; a breaker that opens again while it resumes is a trip like any.
 */
export function measureRecord(metrics: Metrics, record: ControlRecord): void {
  switch (record.type) {
    case 'incident-opened':
      metrics.measure(ofOpened(record.incident));
      return;
    case 'cause-added':
      if (record.cause.reopened !== undefined) metrics.measure(ofCause(record.cause));
      else if (record.cause.kind === 'parked') metrics.measure({ Parked: 1 });
      return;
    case 'incident-closed':
      metrics.measure(record.incident.drill ? { DrillReset: 1 } : { Resumed: 1 });
      return;
    case 'policy-applied':
      metrics.measure({ PolicyChanged: 1 });
      return;
    case 'alert-raised':
      metrics.measure({ Alerts: 1 }, { kind: record.alert.kind });
      return;
    case 'entry-added':
    case 'incident-changed':
    case 'incident-resuming':
    case 'proposal-changed':
    case 'ignored':
      return;
    default:
      record satisfies never;
  }
}

/** An overlay opens no breaker: the alert of the panic key that set it is counted. */
function ofOpened({ drill, first, overlay }: Incident): Readonly<Record<string, number>> {
  if (drill) return { DrillTripped: 1 };
  return overlay === undefined ? ofCause(first) : { Tightened: 1 };
}

function ofCause({ kind }: Cause): Readonly<Record<string, number>> {
  if (kind === 'operator') return { Paused: 1 };
  return kind === 'parked' ? { Tripped: 1, Parked: 1 } : { Tripped: 1 };
}
