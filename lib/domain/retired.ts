/**
 * What earlier versions of a policy said of addresses and assets, so that no edit gives budget back: for 33
 * days after it was last named, an address keeps its wallet and its key domain, and an asset its budget.
 */

import * as Money from './money.ts';
import * as Pattern from './pattern.ts';
import { overlaps } from './pattern-overlap.ts';
import type * as Policy from './policy.ts';

/** How long it is kept, ms: longer than any window reaches back. */
export const RETIRED_MS = 33 * 86_400_000;

type Address = Extract<Policy.Retired, { kind: 'address' }>;
type Asset = Extract<Policy.Retired, { kind: 'asset' }>;

/** An edit that would take money away from what it has been counted in, for people. */
export type Move = { readonly field: string; readonly why: string };

/**
 * What the next policy has to remember: everything that the one in force names and the next one does not, as
 * named until now, and what was remembered already and is not too old.
 */
export function carried(
  both: { readonly before: Policy.Policy; readonly after: Policy.Policy },
  atMs: number,
): readonly Policy.Retired[] {
  const named = new Set(namedBy(both.after, atMs).map(keyOf));
  return known(both.before, atMs).filter((one) => !named.has(keyOf(one)));
}

/** Every address and asset that the next policy names elsewhere than they count. Empty: nothing moves. */
export function moves(
  both: { readonly before: Policy.Policy; readonly after: Policy.Policy },
  atMs: number,
): readonly Move[] {
  const before = known(both.before, atMs);
  const after = namedBy(both.after, atMs);
  return [
    ...after.filter(isAddress).flatMap((one) => addressMove(before.filter(isAddress), one)),
    ...assetMoves({ before: before.filter(isAsset), after: after.filter(isAsset) }),
  ];
}

/** Wallet and key domain in which the money of an address that is not named any more still counts. */
export function ownerOf(policy: Policy.Policy, account: string): Address | undefined {
  return policy.retired?.filter(isAddress).find(({ address }) => address === account);
}

/** What was said of an asset that is not named any more: its budget, and how it was valued at least. */
export function assetOf(policy: Policy.Policy, asset: string): Asset | undefined {
  return Pattern.mostSpecific(policy.retired?.filter(isAsset) ?? [], asset);
}

/** Amount of a retired asset in the units of the budget that it uses. */
export function rescaled(rule: Asset, amount: bigint): bigint {
  const { sameAs, decimals } = rule;
  return sameAs ? Money.rescale(amount, { from: decimals, to: sameAs.decimals }) : amount;
}

/** What a policy names, and what it remembers. */
function known(policy: Policy.Policy, atMs: number): readonly Policy.Retired[] {
  const named = namedBy(policy, atMs);
  const keys = new Set(named.map(keyOf));
  const remembered = (policy.retired ?? []).filter(
    (one) => !keys.has(keyOf(one)) && atMs - one.lastNamedMs < RETIRED_MS,
  );
  return [...named, ...remembered];
}

function namedBy({ wallets, assets }: Policy.Policy, atMs: number): readonly Policy.Retired[] {
  return [
    ...wallets.flatMap(({ name: wallet, keyDomain, addresses }) =>
      addresses.map((address): Address => {
        return { kind: 'address', address, wallet, keyDomain, lastNamedMs: atMs };
      }),
    ),
    ...assets.map(({ pattern, decimals, sameAs, floorPricePicoUsd }): Asset => {
      const budget = assets.find((other) => other.pattern === sameAs);
      const shared = sameAs && {
        sameAs: { asset: sameAs, decimals: budget?.decimals ?? decimals },
      };
      const floor = floorPricePicoUsd === undefined ? {} : { floorPricePicoUsd };
      return { kind: 'asset', pattern, decimals, ...floor, ...shared, lastNamedMs: atMs };
    }),
  ];
}

function addressMove(before: readonly Address[], next: Address): readonly Move[] {
  const was = before.find(({ address }) => address === next.address);
  if (!was || (was.wallet === next.wallet && was.keyDomain === next.keyDomain)) return [];
  const place = `wallet ${was.wallet} in key domain ${was.keyDomain}`;
  return [
    {
      field: `wallets.${next.wallet}.addresses`,
      why: `${next.address} counts in ${place} ${until(was)}; give the other wallet another address`,
    },
  ];
}

/** Exact ids are held against what spoke of them; patterns that are new or gone against those they share ids with. */
function assetMoves(both: {
  readonly before: readonly Asset[];
  readonly after: readonly Asset[];
}): readonly Move[] {
  const { before, after } = both;
  const exact = [...before, ...after].filter(({ pattern }) => !pattern.includes('*'));
  const ofIds = [...new Set(exact.map(({ pattern }) => pattern))].flatMap((id) =>
    moved(id, Pattern.mostSpecific(before, id), Pattern.mostSpecific(after, id)),
  );
  const stays = (one: Asset, all: readonly Asset[]) =>
    all.some((other) => other.pattern === one.pattern && budgetOf(other) === budgetOf(one));
  const ofPatterns = after.filter(isPattern).flatMap((is) =>
    before.filter(isPattern).flatMap((was) => {
      const isOld = stays(is, before) && stays(was, after);
      return !isOld && overlaps(was.pattern, is.pattern) ? moved(is.pattern, was, is) : [];
    }),
  );
  return [...ofIds, ...ofPatterns];
}

function moved(id: string, was: Asset | undefined, is: Asset | undefined): readonly Move[] {
  if (!was || !is || budgetOf(was) === budgetOf(is)) return [];
  const budget = was.sameAs?.asset ?? 'its own budget';
  return [
    {
      field: `assets.${is.pattern}.sameAs`,
      why: `${id} counts in ${budget} ${until(was)}; what has left would count nowhere`,
    },
  ];
}

function until({ lastNamedMs }: Policy.Retired): string {
  return `until 33 days after it was last named so (${new Date(lastNamedMs + RETIRED_MS).toISOString().slice(0, 16)}Z at the earliest)`;
}

function budgetOf({ sameAs }: Asset): string | undefined {
  return sameAs?.asset;
}

function keyOf(one: Policy.Retired): string {
  return one.kind === 'address' ? `address ${one.address}` : `asset ${one.pattern}`;
}

function isAddress(one: Policy.Retired): one is Address {
  return one.kind === 'address';
}

function isAsset(one: Policy.Retired): one is Asset {
  return one.kind === 'asset';
}

function isPattern({ pattern }: Asset): boolean {
  return pattern.includes('*');
}
