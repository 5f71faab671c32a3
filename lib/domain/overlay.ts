/**
 * A tightening of a scope that needs nobody else: every limit there allows only a share of itself,
 * until the people who may resume lift it. It can make limits lower and never higher.
 */

import * as Breaker from './breaker.ts';
import * as Draft from './draft.ts';
import type * as Scope from './scope.ts';

/** What became of it. `already`: a share as low or lower is in force; it was added to its incident. */
export type Set =
  | {
      readonly kind: 'tightened' | 'already';
      readonly incidentId: string;
      readonly shareBps: number;
    }
  | { readonly kind: 'refused'; readonly why: string };

/**
 * Tightens a scope. The lower share wins in any order; the first one opens an incident, whose breaker
 * stays as it is, and further ones are causes of the same. The item must have been loaded.
 *
 * @param to.shareBps 0 (nothing flows) to 9 999.
 * @param to.rowId what it was ordered by; the caller lets it act once.
 */
export function set(
  draft: Draft.Draft,
  to: {
    readonly scope: Scope.Key;
    readonly shareBps: number;
    readonly by: string;
    readonly reason: string;
    readonly rowId: string;
  },
): Set {
  const { scope, shareBps, by, reason, rowId } = to;
  if (!Number.isSafeInteger(shareBps) || shareBps < 0 || shareBps >= 10_000) {
    return { kind: 'refused', why: 'an overlay allows 0% to 99.99% of each limit' };
  }
  const { atMs } = draft;
  const text = `tightened to ${shareBps / 100}% of each limit by ${by}: ${reason}`;
  const cause = { kind: 'operator' as const, atMs, rowId, text, notional: 0n, actor: by };
  const item = Draft.item(draft, scope);
  const { overlay } = item;
  if (!overlay) {
    const incidentId = draft.context.newIncidentId();
    const { policyVersion } = draft.context;
    const { epoch } = item.breaker;
    const opened = { incidentId, scope, epoch, openedAtMs: atMs, first: cause, policyVersion };
    draft.incidents.push({ ...opened, state: 'open', overlay: shareBps });
    draft.items.set(scope, { ...item, overlay: { shareBps, incidentId, by, atMs, causes: 1 } });
    return { kind: 'tightened', incidentId, shareBps };
  }
  const { incidentId } = overlay;
  const causes = overlay.causes + 1;
  const isLower = shareBps < overlay.shareBps;
  const next = isLower ? { ...overlay, shareBps, by, atMs, causes } : { ...overlay, causes };
  draft.items.set(scope, { ...item, overlay: next });
  if (isLower || causes <= Breaker.CAUSES_MAX) {
    draft.causes.push({ incidentId, number: causes, cause });
  }
  return { kind: isLower ? 'tightened' : 'already', incidentId, shareBps: next.shareBps };
}
