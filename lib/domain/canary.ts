/** The canary wallet, and the made-up outflow by which a drill trips it. */

import type { Cause } from './breaker.ts';
import type { AccountId, AssetId, ChainId } from './caip.ts';
import { chainOf } from './caip.ts';
import type { Policy, Wallet } from './policy.ts';
import * as Scope from './scope.ts';

/** How the transaction of a drill's outflow is called; no chain has such a hash. */
const TRANSACTION_PREFIX = 'drill:';
/** One base unit: the smallest thing that can leave. */
const AMOUNT = 1n;

/** The canary wallet of a policy: its drills trip it alone, and only it may be reset by one. */
export function canaryOf(policy: Pick<Policy, 'wallets'>): Wallet | undefined {
  return policy.wallets.find(({ canary }) => canary);
}

/** The scope that a drill opens: the canary wallet, whatever the policy's scope for unmatched outflows. */
export function scopeOf(canary: Wallet): Scope.Key {
  const { name: wallet, keyDomain } = canary;
  const [account = 'none:none:none' as AccountId] = canary.addresses;
  const asset = `${chainOf(account)}/none:none` as AssetId;
  const chain = chainOf(account);
  return Scope.key(Scope.of('wallet', { wallet, keyDomain, chain, asset, destination: account }));
}

/** An outflow as an observer would tell it. */
export type Outflow = {
  readonly transaction: string;
  readonly place: 'top';
  readonly wallet: AccountId;
  readonly asset: AssetId;
  readonly destination: AccountId;
  readonly amount: string;
};

/**
 * The canary outflow of a drill; `undefined` where the policy lists no asset on the canary's chain.
 *
 * @param id of this drill: letters, digits and `-`.
 */
export function outflowOf(policy: Policy, canary: Wallet, id: string): Outflow | undefined {
  const [wallet] = canary.addresses;
  if (wallet === undefined) return undefined;
  const listed = policy.assets.filter(
    ({ pattern }) => pattern.startsWith(`${chainOf(wallet)}/`) && !pattern.includes('*'),
  );
  // One with a price: a second cause, that the price is unknown, would keep the drill from its reset.
  const rule = listed.find(({ floorPricePicoUsd }) => floorPricePicoUsd !== undefined) ?? listed[0];
  if (!rule) return undefined;
  return {
    transaction: `${TRANSACTION_PREFIX}${id}`,
    place: 'top',
    wallet,
    asset: rule.pattern as AssetId,
    destination: sinkOn(chainOf(wallet)),
    amount: AMOUNT.toString(),
  };
}

/**
 * Whether an event is the made-up outflow of a drill: of the canary, under a transaction that no chain
 * has. A real outflow of the canary, or anything of another wallet, is none and pages as ever.
 */
export function isDrill(
  policy: Pick<Policy, 'wallets'>,
  event: { readonly wallet: string; readonly rowId: string },
): boolean {
  const canary = canaryOf(policy);
  if (canary?.name !== event.wallet) return false;
  return canary.addresses.some((account) => {
    const chain = chainOf(account);
    return event.rowId.startsWith(`outflow:${chain}:${TRANSACTION_PREFIX}`);
  });
}

/** Whether a cause is a drill's that opens this scope: only then is its incident marked. */
export function opens(
  policy: Pick<Policy, 'wallets'>,
  scope: Scope.Key,
  cause: Pick<Cause, 'kind' | 'rowId'>,
): boolean {
  const canary = canaryOf(policy);
  if (!canary || cause.kind !== 'unmatched' || scope !== scopeOf(canary)) return false;
  return isDrill(policy, { wallet: canary.name, rowId: cause.rowId });
}

/** An address that is nobody's, and not the exchange's own: what goes there is approved by nobody. */
function sinkOn(chain: ChainId): AccountId {
  const address = chain.startsWith('eip155:')
    ? '0x000000000000000000000000000000000000dead'
    : 'breakwater-drill';
  return `${chain}:${address}` as AccountId;
}
