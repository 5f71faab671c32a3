/** What stands against a withdrawal whatever it weighs. */

import * as Draft from './draft.ts';
import * as Explain from './explain.ts';
import { type Leases, leaseOf } from './flag.ts';
import type * as Ledger from './ledger.ts';
import type * as Policy from './policy.ts';
import * as Scope from './scope.ts';
import type { Refusal } from './verdict.ts';

/** What stands against it whatever it weighs: an open breaker, or something unknown. */
export function standing(
  draft: Draft.Draft,
  withdrawalId: string,
  resolved: Policy.Resolved,
): Refusal | undefined {
  const { subject, legs } = resolved;
  const assets = new Set(legs.map((leg) => leg.asset));
  const stopping = (kind: Scope.Kind) =>
    [...assets].flatMap((asset) => Scope.stopping(kind, { ...subject, asset }));
  for (const key of new Set(Scope.KINDS.flatMap(stopping).map(Scope.key))) {
    const { breaker } = Draft.item(draft, key);
    if (breaker.state === 'closed') continue;
    const { incidentId, state } = breaker;
    const text = `${key} is ${state === 'open' ? 'tripped' : 'paused'}, incident ${incidentId}`;
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
  return unknown(draft, withdrawalId, resolved);
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
  resolved: Policy.Resolved,
): Refusal | undefined {
  const { policy } = draft.context;
  const ruled = (rule: 'block' | 'hold') =>
    resolved.unknown.find((each) => policy.unknown[each].withdrawal === rule);
  const what = ruled('block') ?? ruled('hold');
  if (what === undefined) return undefined;
  const kind = policy.unknown[what].withdrawal === 'hold' ? 'hold' : 'block';
  const text = Explain.unknown(what, resolved.subject);
  return { kind, withdrawalId, reason: 'unknown', text, provisional: true };
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
  if (subject.actor === undefined || row?.money?.subject.actor === subject.actor) return undefined;
  const scope = Scope.key(Scope.of('actor', subject));
  const { outstanding = 0 } = Draft.item(draft, scope);
  const { outstandingMax } = draft.context.policy;
  if (outstanding < outstandingMax) return undefined;
  const text = `${scope} has ${outstanding} reservations whose outcome is open, of ${outstandingMax} allowed`;
  return { kind: 'block', withdrawalId, reason: 'outstanding', text, provisional: true, scope };
}
