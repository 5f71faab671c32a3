/** Tells people of reservations whose outcome stays open. */

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

/** Reservations that are counted for one alert. */
const COUNTED_MAX = 100;

/**
 * Raises the alert for reservations that are older than the policy allows; the same one once for
 * each such age. Fail direction: what the store throws is thrown, and told at the next round.
 */
export async function reportOverdue(deps: Deps): Promise<readonly Overdue.Open[]> {
  const { policy } = await deps.policy.current();
  const { overdueMs } = policy;
  const nowMs = deps.clock.nowMs();
  const open = await deps.openReservations.before(nowMs - overdueMs, COUNTED_MAX);
  const alert = Overdue.alert(open, { nowMs, overdueMs, countMax: COUNTED_MAX });
  if (alert) await deps.alerts.raise(alert);
  return open;
}
