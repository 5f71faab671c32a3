/** What often comes before a theft: somebody was given a way to the money without moving any yet. */

import * as Approval from './approval.ts';
import { type AccountId, chainOf } from './caip.ts';
import * as Draft from './draft.ts';
import * as Enforce from './enforce.ts';
import * as Policy from './policy.ts';
import * as Quarantine from './quarantine.ts';
import type { Risk } from './risk.ts';
import * as Scope from './scope.ts';

/** Row that keeps a risk from acting twice. */
export function rowIdOf({ riskId }: Risk): string {
  return `risk:${riskId}`;
}

/** Rows that a risk is judged by: its own, and what operators declared for the way that it opens. */
export function rowIds(risk: Risk): readonly string[] {
  return [rowIdOf(risk), Approval.endsId(wayOf(risk))];
}

/** Scopes whose breakers it may open, or open again. */
export function keys(policy: Policy.Policy, risk: Risk): readonly Scope.Key[] {
  return Quarantine.allKeys(policy, Policy.resolve(policy, wayOf(risk)).subject);
}

/**
 * Trips where a wallet itself gave somebody a way to its money that nobody declared. What a foreign
 * contract merely claims is told and stops nothing, or anybody could pause an exchange.
 *
 * @returns what it set off; nothing where this risk is known already.
 */
export function raise(draft: Draft.Draft, risk: Risk): Enforce.Effect | undefined {
  const { policy } = draft.context;
  const rowId = rowIdOf(risk);
  if (Draft.row(draft, rowId)) return undefined;
  const effect = Enforce.noEffect();
  const { text } = risk;
  Draft.putNote(draft, { rowId, bodyHash: '', note: text });
  const way = wayOf(risk);
  const { subject } = Policy.resolve(policy, way);
  const { atMs } = draft;
  if (policy.unmatched.risks === 'pause' && risk.kind !== 'strange' && !isDeclared(draft, risk)) {
    const cause = { kind: 'unmatched' as const, atMs, rowId, notional: 0n, text };
    Enforce.stopTheft(draft, effect, { subject, cause });
    return effect;
  }
  const scope = Scope.key(Scope.of('wallet', subject));
  Draft.alert(draft, { alertId: rowId, kind: 'risk', atMs, scope, rowId, text });
  return effect;
}

/** A way to an address of the exchange's own, or one that operators declared. */
function isDeclared(draft: Draft.Draft, risk: Risk): boolean {
  const { policy } = draft.context;
  const { about } = risk;
  if (about === undefined) return false;
  const isOwn = policy.own.includes(about) || Policy.walletOf(policy, about) !== undefined;
  return (
    isOwn || Approval.movementFor(Approval.at(draft, wayOf(risk)), 0n, draft.atMs) !== undefined
  );
}

/** The transfer that it makes possible. */
function wayOf({ account, asset, about }: Risk) {
  const chain = chainOf(account);
  const nobody: AccountId = `${chain}:0x${'0'.repeat(40)}`;
  return {
    account,
    asset: asset ?? (`${chain}/slip44:60` as const),
    destination: about ?? nobody,
    amount: 0n,
  };
}
