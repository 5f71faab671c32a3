/**
 * What a decision knows of the world beside the ledger: prices and balances. They are read with it
 * and carry no condition: one that is a moment old is as good.
 */

import type * as Balance from './balance.ts';
import type * as Policy from './policy.ts';
import type * as Price from './price.ts';
import type * as Scope from './scope.ts';

/** What was read. What is absent is not known. */
export type Facts = {
  readonly quotes: Price.Quotes;
  /** By key of the `wallet-asset` scope. */
  readonly balances: ReadonlyMap<Scope.Key, Balance.Balance>;
};

/** What to read. */
export type Keys = { readonly prices: boolean; readonly balances: readonly Scope.Key[] };

/** Nothing is known: prices are the floors, and a share of any balance is nothing. */
export const NONE: Facts = { quotes: new Map(), balances: new Map() };

/** What a decision over these items has to know; absent where the policy needs nothing beside the ledger. */
export function keys(policy: Policy.Policy, items: readonly Scope.Key[]): Keys | undefined {
  const prices = policy.assets.some(({ sources }) => sources !== undefined);
  const hasShares = policy.limits.some(({ metric }) => metric === 'share');
  const balances = hasShares ? items.filter((key) => key.startsWith('wallet-asset:')) : [];
  return prices || balances.length > 0 ? { prices, balances } : undefined;
}
