/** A checked policy file as the domain's policy. */

import type { AssetId } from '../../domain/caip.ts';
import type * as Policy from '../../domain/policy.ts';
import { readAllowed } from './allowed.ts';
import type * as Schema from './schema.ts';

/** Builds the policy of a file that has passed every check. A limit that is `unlimited` is left out. */
export function buildPolicy(file: Schema.PolicyFile): Policy.Policy {
  return {
    name: file.name,
    mode: file.mode,
    chains: file.chains.map(({ id, name }) => ({ pattern: id, name })),
    assets: file.assets.map((asset) => assetRule(file, asset)),
    wallets: file.wallets.map(walletRule),
    limits: file.limits.flatMap((limit) => limitRule(file, limit)),
    unknown: file.unknown,
    unmatched: file.unmatched,
    conflict: file.conflict,
    resume: { kind: file.resume },
    outstandingMax: file.reservations.outstandingPerActor,
    overdueMs: file.reservations.overdue,
    timing: timingOf(file.timing),
  };
}

/** The file's times under the domain's names. */
export function timingOf(timing: Schema.Timing): Policy.Timing {
  return {
    clockToleranceMs: timing.clockTolerance,
    admissionMs: timing.admission,
    commitDelayMs: timing.commitDelay,
    leaseMs: timing.lease,
  };
}

function walletRule(wallet: Schema.Wallet): Policy.Wallet {
  const { name, keyDomain, addresses, admission: admissionMs } = wallet;
  return { name, keyDomain, addresses, ...(admissionMs === undefined ? {} : { admissionMs }) };
}

/** The same money has the same price: an asset without one takes that of the asset it is the same as. */
function assetRule(file: Schema.PolicyFile, asset: Schema.Asset): Policy.AssetRule {
  const { id, symbol, decimals, sameAs } = asset;
  const twin = file.assets.find((other) => other.id === sameAs);
  const floorPricePicoUsd = asset.floorPriceUsd ?? twin?.floorPriceUsd;
  return {
    pattern: id,
    symbol,
    decimals,
    ...(floorPricePicoUsd === undefined ? {} : { floorPricePicoUsd }),
    ...(sameAs === undefined ? {} : { sameAs: sameAs as AssetId }),
  };
}

function limitRule(file: Schema.PolicyFile, limit: Schema.Limit): readonly Policy.Limit[] {
  const allowed = readAllowed(limit, file.assets);
  if (allowed.kind !== 'allowed') return [];
  const { id, scope, where = {}, metric, window: windowMs = 0, warn, mode } = limit;
  return [
    {
      limitId: id,
      scope,
      where,
      metric,
      windowMs,
      allowed: allowed.value,
      ...(warn === undefined ? {} : { warnBps: warn }),
      action: action(limit),
      ...(limit.tripOnRefusal === 'true' ? { tripOnRefusal: true } : {}),
      mode,
    },
  ];
}

function action(limit: Schema.Limit): Policy.Action {
  if (limit.action === 'pause') return { kind: 'pause', scope: limit.scope };
  return typeof limit.action === 'string'
    ? { kind: limit.action }
    : { kind: 'pause', scope: limit.action.pause };
}
