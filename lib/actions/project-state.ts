/** Makes alerts and mirrors match what the Control table says. It can run twice; its failures never hold up a decision. */

import type { Cause, Incident } from '../domain/breaker.ts';
import * as Page from '../domain/page.ts';
import * as ProposalPage from '../domain/proposal-page.ts';
import type { Clock, ControlRecord, IncidentStore, Notifier, ProjectionStore } from '../ports.ts';

/** What projecting needs. */
export type Deps = {
  readonly incidents: IncidentStore;
  readonly projections: ProjectionStore;
  readonly notifier: Notifier;
  readonly clock: Clock;
};

/** Open breakers in the mirror, and characters of their scopes: it is one row of at most 400 KB. */
const MIRRORED_MAX = 1_000;
const SCOPES_LENGTH_MAX = 200_000;

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
  const mirrors = record.type === 'incident-opened' || record.type === 'incident-closed';
  const effects = await Promise.allSettled([
    tell(deps, record),
    ...(mirrors ? [mirrorOpenBreakers(deps)] : []),
  ]);
  for (const effect of effects) if (effect.status === 'rejected') throw effect.reason;
}

/** The period in which people hear once that the audit chain is behind, ms. */
const AUDIT_TOLD_EVERY_MS = 3_600_000;

/**
 * Tells people, once an hour, that the audit chain is behind. It is made up for by itself.
 *
 * @throws what the notifier or the store throws.
 */
export async function tellOfAudit(
  deps: Pick<Deps, 'projections' | 'notifier' | 'clock'>,
  reasons: readonly string[],
): Promise<void> {
  const hour = Math.floor(deps.clock.nowMs() / AUDIT_TOLD_EVERY_MS);
  await sendOnce(deps, { pageId: `audit:${hour}`, page: Page.audit(reasons) });
}

async function tell(deps: Deps, record: ControlRecord): Promise<void> {
  const message = record.type === 'cause-added' ? await ofCause(deps, record) : messageOf(record);
  if (message) await sendOnce(deps, message);
}

async function sendOnce(
  deps: Pick<Deps, 'projections' | 'notifier' | 'clock'>,
  message: Told,
): Promise<void> {
  if (await deps.projections.isPaged(message.pageId)) return;
  await deps.notifier.send(message.page);
  await deps.projections.markPaged(message.pageId, deps.clock.nowMs());
}

/** Once for each kind of cause in an incident that people know for another reason, and whenever it opens again. */
async function ofCause(
  deps: Deps,
  { incidentId, cause }: Extract<ControlRecord, { type: 'cause-added' }>,
): Promise<Told | undefined> {
  if (!showsOnce(cause.kind) && cause.reopened === undefined) return undefined;
  const incident = await deps.incidents.get(incidentId);
  if (incident && cause.reopened !== undefined) {
    const pageId = `again:${incidentId}:${cause.reopened}`;
    return { pageId, page: Page.openedAgain(incident, cause) };
  }
  if (!incident || !(await isNews(deps, incident, cause.kind))) return undefined;
  return { pageId: `${cause.kind}:${incidentId}`, page: Page.joined(incident, cause) };
}

/** Limits and pauses show again by themselves; everything else is told now or never. */
function showsOnce(kind: Cause['kind']): boolean {
  return kind !== 'limit' && kind !== 'operator';
}

/**
 * Of one that was stopped beside another, people have heard with that one only. Once that is resumed and
 * this is not, a theft here is news again.
 */
async function isNews(
  { incidents }: Pick<Deps, 'incidents'>,
  { first: { kind: first }, quarantinedBy }: Incident,
  kind: Cause['kind'],
): Promise<boolean> {
  if (!showsOnce(first) || (kind === 'unmatched' && first !== 'unmatched')) return true;
  if (quarantinedBy === undefined) return false;
  return (await incidents.get(quarantinedBy))?.state !== 'open';
}

function messageOf(record: Exclude<ControlRecord, { type: 'cause-added' }>): Told | undefined {
  switch (record.type) {
    case 'incident-opened':
      // Told with the incident beside which it was stopped.
      if (record.incident.quarantinedBy !== undefined) return undefined;
      return { pageId: `opened:${record.incident.incidentId}`, page: Page.opened(record.incident) };
    case 'incident-closed':
      return { pageId: `closed:${record.incident.incidentId}`, page: Page.closed(record.incident) };
    case 'incident-resuming': {
      const { incident } = record;
      const pageId = `resuming:${incident.incidentId}:${incident.resuming?.epoch}`;
      return { pageId, page: Page.resuming(incident) };
    }
    case 'alert-raised':
      return { pageId: `alert:${record.alert.alertId}`, page: Page.alert(record.alert) };
    case 'policy-applied':
      return { pageId: `policy:${record.policy.version}`, page: Page.policy(record.policy) };
    case 'proposal-changed': {
      const { proposal } = record;
      return { pageId: ProposalPage.pageIdOf(proposal), page: ProposalPage.proposed(proposal) };
    }
    case 'incident-changed':
    case 'entry-added':
    case 'ignored':
      return undefined;
    default:
      return record satisfies never;
  }
}

async function mirrorOpenBreakers(deps: Deps): Promise<void> {
  const all = await deps.incidents.listOpen(MIRRORED_MAX + 1);
  // One that tightened limits has opened no breaker.
  const incidents = all.filter(({ overlay }) => overlay === undefined);
  let lengthSoFar = 0;
  const mirrored = incidents.filter(({ scope }, position) => {
    lengthSoFar += scope.length;
    return position < MIRRORED_MAX && lengthSoFar <= SCOPES_LENGTH_MAX;
  });
  const open = mirrored.map(({ scope, incidentId, openedAtMs }) => ({
    scope,
    incidentId,
    sinceMs: openedAtMs,
  }));
  const isWhole = mirrored.length === incidents.length && all.length <= MIRRORED_MAX;
  const atMs = deps.clock.nowMs();
  await deps.projections.putFlag({ atMs, open, ...(isWhole ? {} : { truncated: true }) });
}
