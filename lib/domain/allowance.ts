/**
 * More of a limit for a while, for bad days that are legitimate: a bank run, a listing. It ends by
 * itself, and an overlay goes before it.
 */

import * as Draft from './draft.ts';
import type * as Scope from './scope.ts';

/** At most one more limit. */
export const EXTRA_BPS_MAX = 10_000;
/** Longest time that one holds. */
export const UNTIL_MAX_MS = 24 * 3_600_000;

/** What became of it; `refused` changes nothing. */
export type Granted =
  | { readonly kind: 'granted'; readonly untilMs: number }
  | { readonly kind: 'refused'; readonly why: string };

/**
 * Lets a limit allow more of itself in a scope until a time; one at a time for each limit. Who had to
 * agree is decided before. The scope's item must have been loaded.
 * Fail direction: closed, what is not wholly within these bounds is refused.
 */
export function grant(
  draft: Draft.Draft,
  more: {
    readonly limitId: string;
    readonly scope: Scope.Key;
    readonly extraBps: number;
    readonly untilMs: number;
  },
): Granted {
  const why = whyNot(draft, more);
  if (why !== undefined) return { kind: 'refused', why };
  const { limitId, scope, extraBps, untilMs } = more;
  const item = Draft.item(draft, scope);
  const others = running(draft, scope);
  const allowances = [...others, { limitId, extraBps, untilMs }];
  draft.items.set(scope, { ...item, allowances });
  return { kind: 'granted', untilMs };
}

/** Ends the allowance of a limit now; whether there was one. */
export function revoke(
  draft: Draft.Draft,
  of: { readonly limitId: string; readonly scope: Scope.Key },
): boolean {
  const before = running(draft, of.scope);
  const left = before.filter(({ limitId }) => limitId !== of.limitId);
  if (left.length === before.length) return false;
  const { allowances: _, ...rest } = Draft.item(draft, of.scope);
  draft.items.set(of.scope, left.length === 0 ? rest : { ...rest, allowances: left });
  return true;
}

function running(draft: Draft.Draft, scope: Scope.Key) {
  const { allowances = [] } = Draft.item(draft, scope);
  return allowances.filter(({ untilMs }) => untilMs > draft.atMs);
}

function whyNot(draft: Draft.Draft, more: Parameters<typeof grant>[1]): string | undefined {
  const { limitId, scope, extraBps, untilMs } = more;
  const limit = draft.context.policy.limits.find((each) => each.limitId === limitId);
  if (!limit) return `the policy has no limit ${limitId}`;
  const isOn = scope === limit.scope || scope.startsWith(`${limit.scope}:`);
  if (!isOn) return `limit ${limitId} does not speak about ${scope}`;
  if (!Number.isSafeInteger(extraBps) || extraBps < 1 || extraBps > EXTRA_BPS_MAX) {
    return 'an allowance adds 0.01% to 100% of its limit';
  }
  const isTimely = untilMs > draft.atMs && untilMs <= draft.atMs + UNTIL_MAX_MS;
  if (!Number.isSafeInteger(untilMs) || !isTimely) {
    return 'an allowance ends in the future, after 24 hours at most';
  }
  const isTaken = running(draft, scope).some((each) => each.limitId === limitId);
  return isTaken ? `limit ${limitId} has an allowance on ${scope} already` : undefined;
}
