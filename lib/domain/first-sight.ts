/**
 * An outflow that was seen and is not counted yet: it waits to be mined, or its block is not deep
 * enough. One that nobody approved trips now; what it moved is counted once it is confirmed.
 */

import * as Draft from './draft.ts';
import * as Enforce from './enforce.ts';
import * as Matching from './matching.ts';
import * as Outflow from './outflow.ts';
import * as Policy from './policy.ts';
import * as Quarantine from './quarantine.ts';
import * as Reorg from './reorg.ts';
import type * as Scope from './scope.ts';
import * as Withdrawal from './withdrawal.ts';

/** An outflow at first sight, with the hash of its canonical body. */
export type Sighted = { readonly event: Withdrawal.Outflow; readonly bodyHash: string };

/** Row that keeps a first sight from acting twice. */
export function rowIdOf(outflow: Withdrawal.Withdrawal | Withdrawal.Outflow): string {
  return `sighted:${Withdrawal.rowId(outflow)}`;
}

/** Rows that a first sight is judged by: its own, and those that the outflow itself would be. */
export function rowIds(sighted: Sighted): readonly string[] {
  return [rowIdOf(sighted.event), ...Matching.rowIds(sighted)];
}

/** Scopes whose breakers it may open, or open again. */
export function keys(policy: Policy.Policy, { event }: Sighted): readonly Scope.Key[] {
  return Quarantine.allKeys(policy, Policy.resolve(policy, event.transfer).subject);
}

/**
 * Trips for an outflow that nobody approved, or that moves more than was approved. Nothing is charged
 * and no approval is used up: two outflows that look alike both pass here, and the second one trips
 * when it is counted. With a grace for late reports nothing trips before it is counted.
 * Fail direction: closed, whatever matches nothing trips.
 *
 * @returns what it set off; nothing where there is nothing to write.
 */
export function see(
  draft: Draft.Draft,
  sighted: Sighted,
): (Enforce.Effect & { readonly notional: bigint }) | undefined {
  const { policy } = draft.context;
  const { event } = sighted;
  const rowId = rowIdOf(event);
  if (policy.matching.graceMs > 0 || Draft.row(draft, rowId)) return undefined;
  const rules = Outflow.rules(draft, event.transfer);
  // What it takes the place of, or tries to, stays as it is until this one is counted.
  const glimpsed = copyOf(draft);
  Reorg.supersede(glimpsed, { ...event, sequence: event.sequence ?? Number.MAX_SAFE_INTEGER });
  const why = whyUnapproved(Matching.match(sighted, (id) => Draft.row(glimpsed, id), rules));
  if (why === undefined) return undefined;
  const resolved = Policy.resolve(policy, event.transfer);
  const notional = Enforce.notionalOf(resolved);
  const { transfer } = event;
  const { subject } = resolved;
  const effect = Enforce.noEffect();
  Draft.putNote(draft, { rowId, bodyHash: sighted.bodyHash, note: `first sight: ${why}` });
  Enforce.unapproved(draft, effect, { rowId, transfer, subject, notional, why });
  return { ...effect, notional };
}

/** Whether people have heard of this outflow at first sight. Its note must have been loaded. */
export function isTold(draft: Draft.Draft, outflow: Withdrawal.Withdrawal | Withdrawal.Outflow) {
  return Draft.row(draft, rowIdOf(outflow)) !== undefined;
}

/** What is changed in the copy is thrown away with it. */
function copyOf(draft: Draft.Draft): Draft.Draft {
  const { rows, items, queues, held, graces, incidents, causes, alerts } = draft;
  return {
    ...draft,
    rows: new Map(rows),
    items: new Map(items),
    queues: new Map(queues),
    held: new Map(held),
    graces: new Map(graces),
    incidents: [...incidents],
    causes: [...causes],
    alerts: new Map(alerts),
  };
}

function whyUnapproved(match: Matching.Match): string | undefined {
  if (match.kind === 'unmatched-outflow') return `${match.why}; it is not confirmed yet`;
  const isBeyond = match.kind === 'matched-outflow' && match.excess > 0n;
  return isBeyond ? 'it moves more than was approved; it is not confirmed yet' : undefined;
}
