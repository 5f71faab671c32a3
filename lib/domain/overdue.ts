/** Reservations whose outcome stays open: signed and lost, or a service that does not say how they end. */

import type * as Ledger from './ledger.ts';
import * as Scope from './scope.ts';
import * as Withdrawal from './withdrawal.ts';

/** A reservation whose outcome is open. */
export type Open = { readonly withdrawalId: string; readonly chargedAtMs: number };

/** Reservations that one alert names. */
export const NAMED_MAX = 5;

/**
 * What people are told of reservations that are open for longer than `overdueMs`: once for each such
 * time that goes by while there are any. `open` is oldest first and may be cut short at `countMax`.
 */
export function alert(
  open: readonly Open[],
  at: { readonly nowMs: number; readonly overdueMs: number; readonly countMax: number },
): Ledger.Alert | undefined {
  const [oldest] = open;
  if (!oldest) return undefined;
  const { nowMs, overdueMs, countMax } = at;
  const count = open.length >= countMax ? `${countMax} or more` : `${open.length}`;
  const named = open.slice(0, NAMED_MAX).map(({ withdrawalId }) => withdrawalId);
  const more = open.length > NAMED_MAX ? ', …' : '';
  return {
    alertId: `overdue|${Math.floor(nowMs / overdueMs)}`,
    kind: 'overdue',
    atMs: nowMs,
    scope: Scope.GLOBAL_KEY,
    rowId: Withdrawal.withdrawalRowId(oldest.withdrawalId),
    text: `${count} admitted withdrawals have had no outcome for over ${hours(overdueMs)} (${named.join(', ')}${more}): were they sent? See: breakwater withdrawal open`,
  };
}

function hours(spanMs: number): string {
  const minutes = Math.round(spanMs / 60_000);
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${minutes} min`;
}
