/** A withdrawal that a limit refuses: which limit, with which numbers, and who hears of it. */

import * as Draft from './draft.ts';
import * as Enforce from './enforce.ts';
import * as Evaluate from './evaluate.ts';
import * as Explain from './explain.ts';
import type * as Ledger from './ledger.ts';
import * as Policy from './policy.ts';
import * as Scope from './scope.ts';
import type { Refusal } from './verdict.ts';
import * as Withdrawal from './withdrawal.ts';

/** A refusal with what refused, and whether it acts or, in shadow, would have. */
export type Misfit = {
  readonly refusal: Refusal;
  readonly by: Enforce.Passed;
  readonly notional: bigint;
  readonly acts: boolean;
};

/**
 * The limit that refuses, if one does: that of the narrowest scope, so that a customer is named
 * before the wallet that everybody shares; in one scope one that blocks before one that holds.
 * Where none refuses, people are told what would have been, warn levels and limits that only alert.
 */
export function refused(
  draft: Draft.Draft,
  about: {
    readonly withdrawalId: string;
    readonly resolved: Policy.Resolved;
    readonly uncharged: ReadonlyMap<Scope.Key, Ledger.Item>;
  },
): Misfit | undefined {
  const { withdrawalId, resolved, uncharged } = about;
  const passed = Enforce.passed(draft, resolved, uncharged);
  const refuses = ({ breach: { level, limit } }: Enforce.Passed) =>
    level === 'breach' && limit.action.kind !== 'alert';
  const [by] = passed.filter(refuses).sort((left, right) => rank(left) - rank(right));
  const acts = by?.breach.limit.mode === 'enforce' && draft.context.policy.mode !== 'shadow';
  const misfitOf = (each: Enforce.Passed): Misfit => ({
    by: each,
    notional: Enforce.notionalOf(resolved),
    acts,
    refusal: refusalOf(draft, { withdrawalId, by: each, uncharged }),
  });
  if (by && acts) return misfitOf(by);
  const fact = { atMs: draft.atMs, rowId: Withdrawal.withdrawalRowId(withdrawalId), late: false };
  for (const each of passed) {
    const plain = () => Explain.alert(draft.context.policy, each.breach, fact);
    Draft.alert(draft, refuses(each) ? alertOf(draft, misfitOf(each)) : plain());
  }
  return by && misfitOf(by);
}

/** Order among limits that refuse: what acts, then the narrowest scope, then what blocks. */
function rank({ breach: { limit, scope } }: Enforce.Passed): number {
  const shadow = limit.mode === 'shadow' ? 2 * Scope.KINDS.length : 0;
  return shadow + 2 * Scope.KINDS.indexOf(scope.kind) + (limit.action.kind === 'hold' ? 1 : 0);
}

function refusalOf(
  draft: Draft.Draft,
  about: {
    readonly withdrawalId: string;
    readonly by: Enforce.Passed;
    readonly uncharged: ReadonlyMap<Scope.Key, Ledger.Item>;
  },
): Refusal {
  const { policy } = draft.context;
  const { limit, scope: within } = about.by.breach;
  const scope = Scope.key(within);
  const widenMs = Policy.widenMs(policy.timing);
  const at = { scope, nowMs: draft.atMs, widenMs };
  const { used, headroom } = Evaluate.use(about.uncharged.get(scope), limit, at);
  const { limitId, allowed } = limit;
  return {
    kind: limit.action.kind === 'hold' ? 'hold' : 'block',
    withdrawalId: about.withdrawalId,
    reason: 'limit',
    text: `does not fit: ${Explain.limit(policy, about.by.breach).text}`,
    provisional: true,
    scope,
    limit: { limitId, scope, used, allowed, headroom },
  };
}

/** People hear of a refusal once per limit and window; a limit marked for it trips at once. */
export function told(draft: Draft.Draft, misfit: Misfit): Refusal {
  const { policy } = draft.context;
  const { refusal, by, notional } = misfit;
  const { limit } = by.breach;
  const rowId = Withdrawal.withdrawalRowId(refusal.withdrawalId);
  const { atMs } = draft;
  if (limit.tripOnRefusal && limit.action.kind === 'pause') {
    const { text: over, limit: numbers } = Explain.limit(policy, by.breach);
    const text = `a reservation was refused: ${over}`;
    const cause = { kind: 'limit' as const, atMs, rowId, notional, limit: numbers, text };
    const effect = Enforce.noEffect();
    const { scope: kind } = limit.action;
    const request = { kind, subject: by.subject, cause, mode: 'enforce', shows: 'once' } as const;
    Enforce.open(draft, effect, request);
    const [trip] = effect.trips;
    return trip ? { ...refusal, incidentId: trip.incidentId } : refusal;
  }
  Draft.alert(draft, alertOf(draft, misfit));
  return refusal;
}

function alertOf(draft: Draft.Draft, misfit: Misfit): Ledger.Alert {
  const { refusal, by, acts } = misfit;
  const { limit } = by.breach;
  const { atMs } = draft;
  const period = Math.floor(atMs / (limit.windowMs || Explain.DAY_MS));
  const scope = Scope.key(by.breach.scope);
  const rowId = Withdrawal.withdrawalRowId(refusal.withdrawalId);
  const alertId = `${acts ? 'refused' : 'would-refuse'}|${limit.limitId}|${scope}|${period}`;
  const text = `a withdrawal ${acts ? 'was' : 'would have been'} refused, it ${refusal.text}`;
  return { alertId, kind: 'refused', atMs, scope, rowId, text };
}
