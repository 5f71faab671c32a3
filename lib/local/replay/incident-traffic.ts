/** Ordinary traffic over the wallets and assets of an incident's victim. */

import * as Money from '../../domain/money.ts';
import type { Incident } from './incident.ts';
import { generateTraffic, type TrafficAsset, type TrafficEvent } from './traffic.ts';
import { type Quantile, RATE_PER_DAY } from './traffic-calibration.ts';

/** A span of ordinary traffic. */
export type Span = {
  readonly seed: string;
  readonly startMs: number;
  readonly durationMs: number;
  /** {@link RATE_PER_DAY} by default. */
  readonly ratePerDay?: number | undefined;
  readonly sizes?: readonly Quantile[] | undefined;
};

/**
 * Ordinary withdrawals of the incident's victim, in order of time. Assets move by their
 * `trafficWeight`; where none has any, each token with a price moves equally; where no token has a
 * price there is no ordinary traffic at all.
 */
export function incidentTraffic(incident: Incident, span: Span): Iterable<TrafficEvent> {
  const assets = trafficAssets(incident);
  if (assets.length === 0) return [];
  const { seed, startMs, durationMs, sizes, ratePerDay = RATE_PER_DAY } = span;
  const { wallets } = incident;
  return generateTraffic({ seed, startMs, durationMs, sizes, ratePerDay, wallets, assets });
}

/** The assets that ordinary traffic of an incident moves; ids that only count micro-USD never. */
export function trafficAssets(incident: Incident): readonly TrafficAsset[] {
  const isWeighted = incident.assets.some((asset) => asset.trafficWeight > 0);
  return incident.assets.flatMap((asset) => {
    const weight = isWeighted ? asset.trafficWeight : 1;
    if (weight === 0 || asset.floorPriceUsd === undefined || asset.priceSource === 'unit')
      return [];
    const pricePicoUsd = Money.parsePrice(asset.floorPriceUsd);
    return [
      { asset: asset.asset, chain: asset.chain, decimals: asset.decimals, pricePicoUsd, weight },
    ];
  });
}
