/** Makes alerts and mirrors match what the Control table says. It can run twice; its failures never hold up a decision. */

import * as Page from '../domain/page.ts';
import type { Clock, ControlRecord, IncidentStore, Notifier, ProjectionStore } from '../ports.ts';

/** What projecting needs. */
export type Deps = {
  readonly incidents: IncidentStore;
  readonly projections: ProjectionStore;
  readonly notifier: Notifier;
  readonly clock: Clock;
};

/** Incidents looked at for the mirror. */
const INCIDENTS_MAX = 1_000;

/** A message with the id under which it is told once. */
type Told = { readonly pageId: string; readonly page: Page.Message };

/**
 * Tells people what a record says, once, and renews the mirror of open breakers; neither waits for
 * the other or fails with it. The message goes out before it is marked as sent: a crash between the
 * two repeats it and never loses it.
 *
 * @throws what the notifier or the store throws; the record is delivered again.
 */
export async function projectState(deps: Deps, record: ControlRecord): Promise<void> {
  const message = messageOf(record);
  const mirrors = record.type === 'incident-opened' || record.type === 'incident-closed';
  const effects = await Promise.allSettled([
    ...(message ? [tell(deps, message)] : []),
    ...(mirrors ? [mirrorOpenBreakers(deps)] : []),
  ]);
  for (const effect of effects) if (effect.status === 'rejected') throw effect.reason;
}

async function tell(deps: Deps, message: Told): Promise<void> {
  if (await deps.projections.isPaged(message.pageId)) return;
  await deps.notifier.send(message.page);
  await deps.projections.markPaged(message.pageId, deps.clock.nowMs());
}

function messageOf(record: ControlRecord): Told | undefined {
  switch (record.type) {
    case 'incident-opened':
      return { pageId: `opened:${record.incident.incidentId}`, page: Page.opened(record.incident) };
    case 'incident-closed':
      return { pageId: `closed:${record.incident.incidentId}`, page: Page.closed(record.incident) };
    case 'alert-raised':
      return { pageId: `alert:${record.alert.alertId}`, page: Page.alert(record.alert) };
    case 'policy-applied':
      return { pageId: `policy:${record.policy.version}`, page: Page.policy(record.policy) };
    case 'cause-added':
    case 'ignored':
      return undefined;
    default:
      return record satisfies never;
  }
}

async function mirrorOpenBreakers(deps: Deps): Promise<void> {
  const incidents = await deps.incidents.list(INCIDENTS_MAX);
  const open = incidents
    .filter((incident) => incident.state === 'open')
    .map(({ scope, incidentId, openedAtMs }) => ({ scope, incidentId, sinceMs: openedAtMs }));
  await deps.projections.putFlag({ atMs: deps.clock.nowMs(), open });
}
