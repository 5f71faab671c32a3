/** The full meters that the parts share: filled once a run, since a month of charges takes a second each. */

import { nodeDigest } from '../lib/adapters/node-digest.ts';
import type { Meter } from '../lib/domain/meter.ts';
import type { Key } from '../lib/domain/scope.ts';
import { type Order, scopesOf } from './events.ts';
import { type Draw, drawEth, drawUsdc, drawWei, fullMeter, ofAssets, ofEth } from './full-meters.ts';
import { ETH, USDC } from './sample-policy.ts';

/** Full meters, by what was charged to them. */
export type FullSet = {
  /** One asset: ETH to 8 fraction digits, USDC, ETH to the last wei. */
  readonly eth: Meter;
  readonly usdc: Meter;
  readonly wei: Meter;
  /** Several assets, so without amounts: ETH and USDC, and with 18 or 58 others. */
  readonly assets2: Meter;
  readonly assets20: Meter;
  readonly assets60: Meter;
};

/** Fills all of them up to `endMs`. */
export function fillSet(parameters: { readonly seed: string; readonly endMs: number }): FullSet {
  const { seed, endMs } = parameters;
  const full = (name: string, draw: Draw) => fullMeter({ seed: `${seed} ${name}`, endMs, draw });
  const others = Array.from({ length: 58 }, (_, index) => `other asset ${index}`);
  const hashes = (count: number) => [ETH, USDC, ...others].slice(0, count).map(nodeDigest.shortHash);
  return {
    eth: full('eth', ofEth(drawEth)),
    usdc: full('usdc', (random) => {
      const amount = drawUsdc(random);
      return { notional: amount, amount, count: 1, assets: [] };
    }),
    wei: full('wei', ofEth(drawWei)),
    assets2: full('2 assets', ofAssets(hashes(2))),
    assets20: full('20 assets', ofAssets(hashes(20))),
    assets60: full('60 assets', ofAssets(hashes(60))),
  };
}

/** Full meters for the eight scopes of an order: one for the scopes of its asset, one for the others. */
export function metersOf(
  order: Pick<Order, 'wallet' | 'customer' | 'asset'>,
  meters: { readonly ofAsset: Meter; readonly others: Meter },
): ReadonlyMap<Key, Meter> {
  return new Map(
    Object.entries(scopesOf(order)).map(([kind, key]) => [
      key,
      kind === 'asset' || kind === 'wallet-asset' ? meters.ofAsset : meters.others,
    ]),
  );
}
