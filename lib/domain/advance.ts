/** Steps of a resume that are over: the next one begins, or the breaker closes with its incident. */

import * as Breaker from './breaker.ts';
import * as Draft from './draft.ts';
import type * as Ledger from './ledger.ts';
import * as Meter from './meter.ts';

/** What became of one. `closed`: the last step is over. */
export type Advanced = {
  readonly scope: string;
  readonly incidentId: string;
  readonly now: 'next-step' | 'closed';
};

/** What became of it with what it changes; both absent where its step still runs. */
export type Decided = { readonly advanced?: Advanced; readonly changes?: Ledger.Changes };

/**
 * Moves the breaker of an incident on by one step if its step is over by the worker's own clock: with
 * a new mark, so that the next step counts from now on. No step is skipped, a late call prolongs.
 * The breaker decides. An incident that is gone or closed already holds nothing up; one that tells of
 * an older resume has been read before the newest, and is read again.
 *
 * @param scope the incident's; its item must have been loaded.
 * @param incident as it is stored now.
 */
export function advance(
  draft: Draft.Draft,
  {
    scope,
    incidentId,
    incident,
  }: {
    readonly scope: string;
    readonly incidentId: string;
    readonly incident: Breaker.Incident | undefined;
  },
): Decided {
  const item = Draft.item(draft, scope);
  const { breaker } = item;
  if (breaker.state !== 'half-open' || breaker.incidentId !== incidentId) return {};
  const { nowMs } = draft.context;
  const next = Breaker.advance(breaker, { mark: Meter.mark(item.meter, draft.atMs), nowMs });
  if (!next) return {};
  const isOpen = incident?.state === 'open';
  if (isOpen && (incident.resuming?.epoch ?? breaker.epoch) < breaker.epoch) return {};
  draft.items.set(scope, { ...item, breaker: next });
  if (next.state === 'half-open') {
    Draft.alert(draft, movedOn(draft, scope, next));
    const advanced = { scope, incidentId, now: 'next-step' } as const;
    return { advanced, changes: Draft.changes(draft) };
  }
  const { actors = [], reason = '' } = incident?.resuming ?? {};
  const closed = { atMs: draft.atMs, actor: actors.join(', '), reason };
  const incidents = isOpen
    ? [{ incident: { ...incident, state: 'closed' as const, closed }, expected: 'open' as const }]
    : [];
  const advanced = { scope, incidentId, now: 'closed' } as const;
  return { advanced, changes: { ...Draft.changes(draft), incidents } };
}

/** People hear of each step, once. */
function movedOn(draft: Draft.Draft, scope: string, breaker: Breaker.HalfOpen): Ledger.Alert {
  const { incidentId, epoch, step, steps } = breaker;
  const share = (steps[step]?.shareBps ?? 0) / 100;
  const until = new Date(Breaker.stepEndsAtMs(breaker)).toISOString();
  return {
    alertId: `step|${incidentId}|${epoch}|${step}`,
    kind: 'step',
    atMs: draft.atMs,
    scope,
    rowId: `incident:${incidentId}`,
    text: `${step + 1} of ${steps.length} of resuming ${scope}: ${share}% of the limits until ${until}, incident ${incidentId}`,
  };
}
