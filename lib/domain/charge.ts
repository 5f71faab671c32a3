/** Which scopes a piece of money is charged to, and with what. */

import type { Charge } from './meter.ts';
import type * as Policy from './policy.ts';
import * as Scope from './scope.ts';

/** Kinds that hold one asset only: they meter its base units, and have no use for distinct assets. */
const ONE_ASSET: ReadonlySet<Scope.Kind> = new Set(['asset', 'wallet-asset']);

/** Money to charge. */
export type Chargeable = {
  readonly subject: Scope.Subject;
  readonly legs: readonly Policy.Leg[];
  /** Withdrawals that it is: 0 for a fee whose withdrawal was counted before. */
  readonly withdrawals: 0 | 1;
};

/**
 * The charges of some money by scope key. The first leg counts as the withdrawal in every scope that
 * it touches; a fee in another asset adds its size but is no withdrawal of its own.
 *
 * @param shortHash a 32-bit hash of an asset id; equal ids give equal hashes.
 */
export function charges(
  money: Chargeable,
  shortHash: (text: string) => number,
): ReadonlyMap<Scope.Key, Charge> {
  const { subject, legs, withdrawals } = money;
  const result = new Map<Scope.Key, Charge>();
  for (const [position, leg] of legs.entries()) {
    for (const scope of Scope.all({ ...subject, asset: leg.asset })) {
      const key = Scope.key(scope);
      const oneAsset = ONE_ASSET.has(scope.kind);
      const sofar = result.get(key);
      result.set(key, {
        notional: (sofar?.notional ?? 0n) + leg.notional,
        amount: oneAsset ? (sofar?.amount ?? 0n) + leg.amount : 0n,
        count: (sofar?.count ?? 0) + (position === 0 ? withdrawals : 0),
        assets: oneAsset ? [] : [...(sofar?.assets ?? []), shortHash(leg.asset)],
      });
    }
  }
  return result;
}

/** Every scope key that a transfer can touch: what has to be loaded before it is decided on. */
export function keys(resolved: Policy.Resolved): readonly Scope.Key[] {
  const all = resolved.legs.flatMap((leg) =>
    Scope.all({ ...resolved.subject, asset: leg.asset }).map(Scope.key),
  );
  return [...new Set(all)];
}
