/** A withdrawal that a limit refuses: which limit, with which numbers, and who hears of it. */

import * as Draft from './draft.ts';
import * as Enforce from './enforce.ts';
import * as Explain from './explain.ts';
import * as Hold from './hold.ts';
import type * as Ledger from './ledger.ts';
import type * as Policy from './policy.ts';
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
    /** A person let it go: limits that only hold have been asked about. */
    readonly isReleased: boolean;
  },
): Misfit | undefined {
  const { withdrawalId, resolved, uncharged, isReleased } = about;
  const passed = Enforce.passed(draft, resolved, uncharged);
  // A step's budget asks nobody, and nobody lets one go beyond it.
  const refuses = ({ breach: { level, limit } }: Enforce.Passed) =>
    level === 'breach' &&
    limit.action.kind !== 'alert' &&
    !(isReleased && limit.action.kind === 'hold' && !limit.step);
  const [by] = passed.filter(refuses).sort((left, right) => rank(left) - rank(right));
  const acts = by?.breach.limit.mode === 'enforce' && draft.context.policy.mode !== 'shadow';
  const misfitOf = (each: Enforce.Passed): Misfit => ({
    by: each,
    notional: Enforce.notionalOf(resolved),
    acts,
    refusal: refusalOf(draft, { withdrawalId, by: each, resolved, uncharged }),
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
    readonly resolved: Policy.Resolved;
    readonly uncharged: ReadonlyMap<Scope.Key, Ledger.Item>;
  },
): Refusal {
  const { withdrawalId, by, resolved, uncharged } = about;
  const { limit, scope } = by.breach;
  const need = Hold.need(draft, resolved, { limit, scope });
  return {
    kind: limit.action.kind === 'hold' ? 'hold' : 'block',
    withdrawalId,
    reason: 'limit',
    text: `does not fit: ${Explain.limit(draft.context.policy, by.breach).text}`,
    provisional: true,
    scope: Scope.key(scope),
    ...(limit.step ? { incidentId: limit.step.incidentId } : {}),
    ...Hold.numbers(draft, { limit, scope }, { need, uncharged }),
  };
}

/**
 * People hear of a refusal once per limit and window; a limit marked for it trips at once. What a
 * step refuses trips nothing.
 */
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
  const { step } = limit;
  const window = Math.floor(atMs / (limit.windowMs || Explain.DAY_MS));
  const period = step ? `step|${step.epoch}|${step.step}` : window;
  const scope = Scope.key(by.breach.scope);
  const rowId = Withdrawal.withdrawalRowId(refusal.withdrawalId);
  const alertId = `${acts ? 'refused' : 'would-refuse'}|${limit.limitId}|${scope}|${period}`;
  const what = refusal.kind === 'hold' ? 'held' : 'refused';
  const text = `a withdrawal ${acts ? 'was' : 'would have been'} ${what}, it ${refusal.text}`;
  // Who resumes in steps expects it: nobody is woken.
  return { alertId, kind: step ? 'step' : what, atMs, scope, rowId, text };
}
