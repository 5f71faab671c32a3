/** What stands against a withdrawal whatever it weighs. */

import type * as Breaker from './breaker.ts';
import * as Draft from './draft.ts';
import * as Explain from './explain.ts';
import { type Leases, leaseOf } from './flag.ts';
import type * as Ledger from './ledger.ts';
import type * as Policy from './policy.ts';
import * as Scope from './scope.ts';
import * as Step from './step.ts';
import type { Refusal } from './verdict.ts';
import * as Withdrawal from './withdrawal.ts';

/** The same thing that people have to look at is told once in this time. */
const TOLD_EVERY_MS = 3_600_000;

/** What stands against it whatever it weighs: an open breaker, one that resumes without it, or something unknown. */
export function standing(
  draft: Draft.Draft,
  withdrawalId: string,
  about: { readonly resolved: Policy.Resolved; readonly isReleased: boolean },
): Refusal | undefined {
  const { subject, legs } = about.resolved;
  const assets = new Set(legs.map((leg) => leg.asset));
  const stopping = (kind: Scope.Kind) =>
    [...assets].flatMap((asset) => Scope.stopping(kind, { ...subject, asset }));
  for (const key of new Set(Scope.KINDS.flatMap(stopping).map(Scope.key))) {
    const { breaker } = Draft.item(draft, key);
    if (breaker.state === 'closed') continue;
    const { incidentId, state } = breaker;
    const notYet = state === 'half-open' ? notResumed(breaker, key, about.resolved) : undefined;
    if (state === 'half-open' && notYet === undefined) continue;
    const text =
      notYet ?? `${key} is ${state === 'open' ? 'tripped' : 'paused'}, incident ${incidentId}`;
    return {
      kind: 'block',
      withdrawalId,
      reason: 'paused',
      text,
      provisional: true,
      scope: key,
      incidentId,
    };
  }
  return unknown(draft, withdrawalId, about);
}

/**
 * Why a scope that resumes in steps lets nothing of this money flow yet. Fail direction: closed, what
 * is not charged to the scope (money with a memo, to its destination as a whole) no budget can bound.
 */
function notResumed(
  breaker: Breaker.HalfOpen,
  key: Scope.Key,
  { subject, legs }: Policy.Resolved,
): string | undefined {
  const charged = legs.flatMap(({ asset }) => Scope.all({ ...subject, asset }).map(Scope.key));
  if (charged.includes(key) && Step.lets(Step.current(breaker), subject)) return undefined;
  const { step, steps, incidentId } = breaker;
  return `${key} is not resumed yet for this money: step ${step + 1} of ${steps.length}, incident ${incidentId}`;
}

/** Without proof that outflow is being counted, nothing is admitted. */
export function unproven(
  draft: Draft.Draft,
  withdrawalId: string,
  about: { readonly resolved: Policy.Resolved; readonly leases: Leases },
): Refusal | undefined {
  const { chain } = about.resolved.subject;
  const untilMs = leaseOf(about.leases, chain);
  if (untilMs !== undefined && untilMs > draft.atMs) return undefined;
  const text = `no proof of health for ${chain}`;
  return { kind: 'block', withdrawalId, reason: 'lease', text, provisional: true };
}

function unknown(
  draft: Draft.Draft,
  withdrawalId: string,
  about: { readonly resolved: Policy.Resolved; readonly isReleased: boolean },
): Refusal | undefined {
  const { policy } = draft.context;
  const { resolved, isReleased } = about;
  const ruled = (rule: 'block' | 'hold') =>
    resolved.unknown.find((each) => policy.unknown[each].withdrawal === rule);
  const what = ruled('block') ?? (isReleased ? undefined : ruled('hold'));
  if (what === undefined) return undefined;
  const kind = policy.unknown[what].withdrawal === 'hold' ? 'hold' : 'block';
  const text = Explain.unknown(what, resolved.subject);
  const scope = Scope.key(Scope.of(policy.unknown[what].scope, resolved.subject));
  return { kind, withdrawalId, reason: 'unknown', text, provisional: true, scope };
}

/** A withdrawal waits for a person, who has to hear of it: once for each cause and hour. */
export function heldAlert(draft: Draft.Draft, refusal: Refusal): Ledger.Alert {
  const { withdrawalId, text, scope = Scope.GLOBAL_KEY } = refusal;
  const { atMs } = draft;
  return {
    alertId: `held|${refusal.reason}|${text}|${scope}|${Math.floor(atMs / TOLD_EVERY_MS)}`,
    kind: 'held',
    atMs,
    scope,
    rowId: Withdrawal.withdrawalRowId(withdrawalId),
    text: `withdrawal ${withdrawalId} is held until a person lets it go: ${text}`,
  };
}

/**
 * Only actors that are named: what names none shares a scope, and would share the cap. One that is
 * asked for again is open already, and is not counted against itself.
 */
export function tooManyOpen(
  draft: Draft.Draft,
  withdrawalId: string,
  about: { readonly subject: Scope.Subject; readonly row: Ledger.Row | undefined },
): Refusal | undefined {
  const { subject, row } = about;
  const isCounted = row?.state === 'reserved' || row?.state === 'held';
  const isOpen = isCounted && row.money?.subject.actor === subject.actor;
  if (subject.actor === undefined || isOpen) return undefined;
  const scope = Scope.key(Scope.of('actor', subject));
  const { outstanding = 0 } = Draft.item(draft, scope);
  const { outstandingMax } = draft.context.policy;
  if (outstanding < outstandingMax) return undefined;
  const text = `${scope} has ${outstanding} reservations whose outcome is open, of ${outstandingMax} allowed`;
  return { kind: 'block', withdrawalId, reason: 'outstanding', text, provisional: true, scope };
}
