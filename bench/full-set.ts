/** The full meters that the parts share: filled once a run, since a month of charges takes a second each. */

import { nodeDigest } from '../lib/adapters/node-digest.ts';
import type { Meter } from '../lib/domain/meter.ts';
import type { Key } from '../lib/domain/scope.ts';
import { type Order, scopesOf } from './events.ts';
import {
  type Draw,
  drawEth,
  drawUsdc,
  drawWei,
  fullMeter,
  ofAssets,
  ofEth,
} from './full-meters.ts';
import { ETH, USDC } from './sample-policy.ts';

/** Full meters, by what was charged to them. */
export type FullSet = {
  /** One asset: ETH to 8 fraction digits, USDC, ETH to the last wei. */
  readonly eth: Meter;
  readonly usdc: Meter;
  readonly wei: Meter;
  /** Several assets, so without amounts: ETH and USDC, and with others; CoinEx had 737. */
  readonly assets2: Meter;
  readonly assets20: Meter;
  readonly assets60: Meter;
  readonly assets737: Meter;
};

/** Fills all of them up to `endMs`. */
export function fillSet(parameters: { readonly seed: string; readonly endMs: number }): FullSet {
  const { seed, endMs } = parameters;
  const full = (name: string, draw: Draw) => fullMeter({ seed: `${seed} ${name}`, endMs, draw });
  const others = Array.from({ length: 735 }, (_, index) => `other asset ${index}`);
  const hashes = (count: number) =>
    [ETH, USDC, ...others].slice(0, count).map(nodeDigest.shortHash);
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
    assets737: full('737 assets', ofAssets(hashes(737))),
  };
}

/** Full meters for the eight scopes of an order: ETH and two assets, unless told otherwise for the asset's own and for the wide scopes. */
export function metersOf(
  order: Pick<Order, 'wallet' | 'customer' | 'asset'>,
  full: FullSet,
  others: { readonly ofAsset?: Meter; readonly wide?: Meter } = {},
): ReadonlyMap<Key, Meter> {
  const { ofAsset = full.eth, wide = full.assets2 } = others;
  return new Map(
    Object.entries(scopesOf(order)).map(([kind, key]) => {
      if (kind === 'asset' || kind === 'wallet-asset') return [key, ofAsset];
      // A customer moves few assets, whatever the wallet holds.
      return [key, kind === 'actor' || kind === 'destination' ? full.assets2 : wide];
    }),
  );
}
