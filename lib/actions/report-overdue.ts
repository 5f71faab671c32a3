/** Tells people of withdrawals that nobody speaks of any more. */

import * as Overdue from '../domain/overdue.ts';
import type { AlertStore, Clock, OpenReservations } from '../ports.ts';
import type { PolicyInForce } from './policy-in-force.ts';

/** What reporting needs. */
export type Deps = {
  readonly openReservations: OpenReservations;
  readonly alerts: AlertStore;
  readonly policy: PolicyInForce;
  readonly clock: Clock;
};

/** Withdrawals that are counted for one alert. */
const COUNTED_MAX = 100;

/**
 * Raises the alerts for admitted withdrawals without an outcome, and for sent ones that were not
 * seen, that are older than the policy allows; the same one once for each such age. Fail direction:
 * what the store throws is thrown, and told at the next round.
 */
export async function reportOverdue(deps: Deps): Promise<void> {
  const { policy } = await deps.policy.current();
  const nowMs = deps.clock.nowMs();
  const { overdueMs, matching } = policy;
  const { before, unseen } = deps.openReservations;
  const [open, lost] = await Promise.all([
    before(nowMs - overdueMs, COUNTED_MAX),
    unseen(nowMs - matching.unseenMs, COUNTED_MAX),
  ]);
  const at = { nowMs, countMax: COUNTED_MAX };
  const alerts = [
    Overdue.alert(open, { ...at, ageMs: overdueMs }),
    Overdue.unseenAlert(lost, { ...at, ageMs: matching.unseenMs }),
  ];
  for (const alert of alerts) if (alert) await deps.alerts.raise(alert);
}
