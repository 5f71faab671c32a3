/** Whose balance has to be known, of which assets, and what people are told of it. */

import { type AccountId, type AssetId, chainOf } from './caip.ts';
import * as Explain from './explain.ts';
import type * as Ledger from './ledger.ts';
import * as Money from './money.ts';
import * as Pattern from './pattern.ts';
import * as Policy from './policy.ts';
import * as Scope from './scope.ts';

/** What one address holds of one asset. */
export type Part = {
  readonly account: AccountId;
  readonly asset: AssetId;
  /** Fraction digits, to be brought to those of the asset whose budget it shares. */
  readonly decimals: number;
};

/** What a wallet holds of one asset, under all ids of it and at all of its addresses. */
export type Holding = {
  readonly scope: Scope.Key;
  readonly wallet: string;
  readonly asset: AssetId;
  readonly decimals: number;
  readonly parts: readonly Part[];
  /** Balance below which people are told, base units. */
  readonly floor?: bigint;
};

/** Every wallet and asset that a limit on a share speaks of, or that has a floor. */
export function wanted(policy: Policy.Policy): readonly Holding[] {
  const shares = policy.limits.filter(({ metric }) => metric === 'share');
  return policy.wallets.flatMap((wallet) =>
    budgets(policy).flatMap((rule): readonly Holding[] => {
      const asset = rule.pattern as AssetId;
      const floor = wallet.floors?.find((each) => each.asset === asset)?.amount;
      const isShared = shares.some((limit) => speaksOf(limit.where, { wallet, asset }));
      if (floor === undefined && !isShared) return [];
      const parts = partsOf(policy, { wallet, asset });
      if (parts.length === 0) return [];
      const holding = holdingOf(rule, { wallet: wallet.name, asset, parts });
      return [floor === undefined ? holding : { ...holding, floor }];
    }),
  );
}

/** The holding that a wallet's account and an asset belong to; nothing where the policy does not know them. */
export function of(
  policy: Policy.Policy,
  { account, asset: named }: { readonly account: AccountId; readonly asset: AssetId },
): Holding | undefined {
  const wallet = Policy.walletOf(policy, account);
  const rule = Policy.assetRule(policy, named);
  const asset = rule?.sameAs ?? named;
  const budget = Policy.assetRule(policy, asset);
  if (!wallet || !budget) return undefined;
  const floor = wallet.floors?.find((each) => each.asset === asset)?.amount;
  const parts = partsOf(policy, { wallet, asset });
  const holding = holdingOf(budget, { wallet: wallet.name, asset, parts });
  return floor === undefined ? holding : { ...holding, floor };
}

/** The sum of amounts in the decimals of their budget, rounded down: a balance must not look larger than it is. */
export function sum(holding: Holding, amounts: readonly bigint[]): bigint {
  return holding.parts.reduce((total, { decimals }, position) => {
    const amount = amounts[position] ?? 0n;
    const [from, to] = [BigInt(decimals), BigInt(holding.decimals)];
    return Money.add(total, to >= from ? amount * 10n ** (to - from) : amount / 10n ** (from - to));
  }, 0n);
}

/** What people are told of a balance under its floor, once a day; nothing where it is not. */
export function floorAlert(
  policy: Policy.Policy,
  holding: Holding,
  seen: { readonly amount: bigint; readonly atMs: number },
): Ledger.Alert | undefined {
  const { scope, wallet, asset, floor } = holding;
  const { amount, atMs } = seen;
  if (floor === undefined || amount >= floor) return undefined;
  const text = (value: bigint) => Explain.tokens(policy, asset, value);
  return {
    alertId: `floor|${scope}|${Math.floor(atMs / Explain.DAY_MS)}`,
    kind: 'balance',
    atMs,
    scope,
    rowId: scope,
    text: `wallet ${wallet} holds ${text(amount)}, under its floor of ${text(floor)}`,
  };
}

/** What people are told of balances that could not be read, once an hour. */
export function unreadAlert(
  unread: readonly { readonly holding: Holding; readonly why: string }[],
  nowMs: number,
): Ledger.Alert | undefined {
  const [first] = unread;
  if (!first) return undefined;
  const { scope } = first.holding;
  const more = unread.length > 1 ? ` (and ${unread.length - 1} more)` : '';
  return {
    alertId: `balance|${Math.floor(nowMs / HOUR_MS)}`,
    kind: 'balance',
    atMs: nowMs,
    scope,
    rowId: scope,
    text: `the balance of ${scope} could not be read: ${first.why}${more}. Where none is known at the start of its window, a limit on a share of it lets nothing leave`,
  };
}

const HOUR_MS = 3_600_000;

/** Listed assets with a budget of their own. */
function budgets(policy: Policy.Policy): readonly Policy.AssetRule[] {
  return policy.assets.filter(({ pattern, sameAs }) => !pattern.includes('*') && !sameAs);
}

function holdingOf(
  { decimals }: Policy.AssetRule,
  known: { readonly wallet: string; readonly asset: AssetId; readonly parts: readonly Part[] },
): Holding {
  const { wallet, asset, parts } = known;
  const id = Scope.walletAssetId({ wallet, asset });
  return { scope: Scope.key({ kind: 'wallet-asset', id }), wallet, asset, decimals, parts };
}

function partsOf(
  policy: Policy.Policy,
  of: { readonly wallet: Policy.Wallet; readonly asset: AssetId },
): readonly Part[] {
  const ids = policy.assets.filter(
    ({ pattern, sameAs }) =>
      !pattern.includes('*') && (pattern === of.asset || sameAs === of.asset),
  );
  return of.wallet.addresses.flatMap((account) =>
    ids
      .filter(({ pattern }) => pattern.startsWith(`${chainOf(account)}/`))
      .map(({ pattern, decimals }) => ({ account, asset: pattern as AssetId, decimals })),
  );
}

function speaksOf(
  where: Policy.Where,
  of: { readonly wallet: Policy.Wallet; readonly asset: AssetId },
): boolean {
  const fits = (pattern: string | undefined, value: string) =>
    pattern === undefined || Pattern.matches(pattern, value);
  const { wallet, asset } = of;
  return (
    fits(where.wallet, wallet.name) &&
    fits(where.keyDomain, wallet.keyDomain) &&
    fits(where.asset, asset)
  );
}
