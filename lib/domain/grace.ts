/** Time that a report may come after its outflow, for services that report after they send. */

import * as Draft from './draft.ts';
import * as Enforce from './enforce.ts';
import type * as Ledger from './ledger.ts';
import type * as Policy from './policy.ts';
import * as Quarantine from './quarantine.ts';
import type * as Scope from './scope.ts';

/** Starts the grace of an outflow. The caller puts its row. */
export function begin(draft: Draft.Draft, rowId: string, untilMs: number): void {
  draft.graces.set(key({ rowId, untilMs }), { grace: { rowId, untilMs }, change: 'put' });
}

/** Ends it, if the row says that it runs. The caller puts the row. */
export function end(draft: Draft.Draft, row: Ledger.Row): void {
  const { rowId, graceUntilMs: untilMs } = row;
  if (untilMs === undefined) return;
  draft.graces.set(key({ rowId, untilMs }), { grace: { rowId, untilMs }, change: 'delete' });
}

/** Scopes whose breakers these outflows may open, or open again. */
export function keys(policy: Policy.Policy, rows: readonly Ledger.Row[]): readonly Scope.Key[] {
  return rows.flatMap(({ money }) => (money ? Quarantine.allKeys(policy, money.subject) : []));
}

/**
 * Trips for outflows whose grace is over and whose report has not come. What was reported by now, or
 * whose grace still runs, is left alone.
 *
 * @returns what they set off; nothing where there is nothing to write.
 */
export function expire(draft: Draft.Draft, rowIds: readonly string[]): Enforce.Effect | undefined {
  const all = Enforce.noEffect();
  for (const rowId of rowIds) {
    const row = Draft.row(draft, rowId);
    if (row?.state !== 'unmatched' || !row.money) continue;
    const { graceUntilMs, ...rest } = row;
    if (graceUntilMs === undefined || graceUntilMs > draft.context.nowMs) continue;
    end(draft, row);
    Draft.putRow(draft, rest);
    const { transfer, subject, charged } = row.money;
    const notional = charged.reduce((sum, leg) => sum + leg.notional, 0n);
    const why = 'no report of it has come in time';
    // Each by itself: what one has opened again is not the place for the cause of another.
    const effect = Enforce.noEffect();
    Enforce.unapproved(draft, effect, { rowId, transfer, subject, notional, why });
    all.trips.push(...effect.trips);
    all.wouldTrip.push(...effect.wouldTrip);
  }
  return draft.rows.size > 0 ? all : undefined;
}

/** One that ends and one that begins in the same decision are two. */
function key({ rowId, untilMs }: Ledger.GraceWrite['grace']): string {
  return `${untilMs}|${rowId}`;
}
