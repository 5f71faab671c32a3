/** Withdrawals that nobody speaks of any more: admitted and without an outcome, or sent and never seen. */

import type * as Ledger from './ledger.ts';
import * as Scope from './scope.ts';
import * as Withdrawal from './withdrawal.ts';

/** A withdrawal that waits, since when. */
export type Open = { readonly withdrawalId: string; readonly chargedAtMs: number };

/** How old they are at least, and how many were counted at most. */
export type At = { readonly nowMs: number; readonly ageMs: number; readonly countMax: number };

/** Withdrawals that one alert names. */
export const NAMED_MAX = 5;

/**
 * What people are told of admitted withdrawals without an outcome: once for each such age that goes
 * by while there are any. `open` is oldest first and may be cut short at `countMax`.
 */
export function alert(open: readonly Open[], at: At): Ledger.Alert | undefined {
  return tell(open, at, {
    kind: 'overdue',
    what: 'admitted withdrawals have had no outcome',
    ask: 'were they sent? See: breakwater withdrawal open',
  });
}

/** As {@link alert}, for approved withdrawals whose outflow was not seen on a chain that is watched. */
export function unseenAlert(open: readonly Open[], at: At): Ledger.Alert | undefined {
  return tell(open, at, {
    kind: 'unseen',
    what: 'approved withdrawals were not seen on their chain',
    ask: 'were they sent, and does the watcher see everything?',
  });
}

function tell(
  open: readonly Open[],
  { nowMs, ageMs, countMax }: At,
  about: { readonly kind: 'overdue' | 'unseen'; readonly what: string; readonly ask: string },
): Ledger.Alert | undefined {
  const [oldest] = open;
  if (!oldest) return undefined;
  const { kind, what, ask } = about;
  const count = open.length >= countMax ? `${countMax} or more` : `${open.length}`;
  const named = open.slice(0, NAMED_MAX).map(({ withdrawalId }) => withdrawalId);
  const more = open.length > NAMED_MAX ? ', …' : '';
  return {
    alertId: `${kind}|${Math.floor(nowMs / ageMs)}`,
    kind,
    atMs: nowMs,
    scope: Scope.GLOBAL_KEY,
    rowId: Withdrawal.withdrawalRowId(oldest.withdrawalId),
    text: `${count} ${what} for over ${hours(ageMs)} (${named.join(', ')}${more}): ${ask}`,
  };
}

function hours(spanMs: number): string {
  const minutes = Math.round(spanMs / 60_000);
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${minutes} min`;
}
