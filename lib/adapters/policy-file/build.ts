/** A checked policy file as the domain's policy. */

import type { AssetId } from '../../domain/caip.ts';
import * as Money from '../../domain/money.ts';
import type * as Policy from '../../domain/policy.ts';
import type * as Price from '../../domain/price.ts';
import { readAllowed } from './allowed.ts';
import type * as Schema from './schema.ts';

/** Builds the policy of a file that has passed every check. A limit that is `unlimited` is left out. */
export function buildPolicy(file: Schema.PolicyFile): Policy.Policy {
  return {
    name: file.name,
    mode: file.mode,
    chains: file.chains.map(chainRule),
    assets: file.assets.map((asset) => assetRule(file, asset)),
    wallets: file.wallets.map((wallet) => walletRule(file, wallet)),
    limits: file.limits.flatMap((limit) => limitRule(file, limit)),
    unknown: file.unknown,
    unmatched: file.unmatched,
    conflict: file.conflict,
    matching: {
      deductedFeeMax: file.matching.deductedFeeMaxUsd,
      graceMs: file.matching.grace,
      unseenMs: file.matching.unseen,
    },
    own: file.own ?? [],
    operators: (file.operators ?? []).map(operator),
    resume: resumeOf(file.resume),
    changes: { delayMs: file.changes.delay },
    contacts: (file.contacts ?? []).map(({ assets, ...contact }) => ({
      ...contact,
      ...(assets && { assets }),
    })),
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

function operator({ name, address, roles, contact, iam }: Schema.Operator): Policy.Operator {
  return {
    name,
    address,
    roles,
    ...(contact === undefined ? {} : { contact }),
    ...(iam === undefined ? {} : { iam }),
  };
}

function resumeOf(resume: Schema.Resume): Policy.Resume {
  if (resume === 'trial') return { kind: 'trial', steps: [], budget: 0n };
  const { quorum, pauserCounts } = resume;
  const steps = (resume.steps ?? []).map(({ share: shareBps, for: forMs, chains, assets }) => ({
    shareBps,
    forMs,
    ...(chains && { chains }),
    ...(assets && { assets }),
  }));
  const staged = { steps, budget: resume.budgetUsd ?? 0n };
  return quorum === undefined
    ? { kind: 'trial', ...staged }
    : { kind: 'quorum', quorum, pauserCounts: pauserCounts === 'true', ...staged };
}

function chainRule({ id: pattern, name, watch, observed }: Schema.Chain): Policy.ChainRule {
  const told = observed === 'true' ? { observed: true as const } : {};
  if (!watch) return { pattern, name, ...told };
  const { confirmations, blindAfter: blindAfterMs } = watch;
  return { pattern, name, watch: { confirmations, blindAfterMs }, ...told };
}

function walletRule(file: Schema.PolicyFile, wallet: Schema.Wallet): Policy.Wallet {
  const { name, keyDomain, addresses, admission: admissionMs } = wallet;
  const floors = wallet.floors?.map(({ asset, amount }) => {
    const decimals = file.assets.find(({ id }) => id === asset)?.decimals ?? 0;
    return { asset, amount: Money.parseUnits(amount, decimals) };
  });
  return {
    name,
    keyDomain,
    addresses,
    ...(admissionMs === undefined ? {} : { admissionMs }),
    ...(floors && { floors }),
    ...(wallet.canary === 'true' && { canary: true as const }),
  };
}

/** The same money has the same price: an asset without one takes that of the asset it is the same as, floor and feeds each. */
function assetRule(file: Schema.PolicyFile, asset: Schema.Asset): Policy.AssetRule {
  const { id, symbol, decimals, sameAs } = asset;
  const twin = file.assets.find((other) => other.id === sameAs);
  const floorPricePicoUsd = asset.floorPriceUsd ?? twin?.floorPriceUsd;
  const price = asset.price ?? twin?.price;
  return {
    pattern: id,
    symbol,
    decimals,
    ...(floorPricePicoUsd === undefined ? {} : { floorPricePicoUsd }),
    ...(price && { sources: sourcesOf(price) }),
    ...(sameAs === undefined ? {} : { sameAs: sameAs as AssetId }),
  };
}

/** A price is never given up before people were told of its age. */
function sourcesOf({ chainlink, http, keep }: NonNullable<Schema.Asset['price']>) {
  const sources: Price.Source[] = [];
  if (chainlink) {
    const { chain, feed: address, maxAge: maxAgeMs } = chainlink;
    const feed = { kind: 'chainlink', chain, address } as const;
    sources.push({ feed, maxAgeMs, keepMs: Math.max(keep, maxAgeMs) });
  }
  if (http) {
    const { id, maxAge: maxAgeMs } = http;
    sources.push({ feed: { kind: 'http', id }, maxAgeMs, keepMs: Math.max(keep, maxAgeMs) });
  }
  return sources;
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
