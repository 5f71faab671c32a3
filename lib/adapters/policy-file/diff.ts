/** What changes from one policy to the next, for the people who have to agree to it. */

import { duration } from '../../domain/explain.ts';
import * as Money from '../../domain/money.ts';
import type * as Policy from '../../domain/policy.ts';
import * as Price from '../../domain/price.ts';

/** One change. `before` and `after` are for people; {@link ABSENT} stands for what is not there. */
export type Change = { readonly path: string; readonly before: string; readonly after: string };

/** What a change shows for something that is not there. */
export const ABSENT = '(none)';

const SECTIONS = ['chains', 'assets', 'wallets', 'limits'];

/** The fields of one entry by name, in order. */
type Fields = ReadonlyMap<string, string>;

/**
 * The changes between two policies. Entries are recognised by id (limits), name (wallets) or pattern
 * (chains, assets), so their order does not matter. An entry that is new or gone is one change, and
 * one that stays shows each field that differs. Amounts are exact, never rounded.
 */
export function diffPolicies(before: Policy.Policy, after: Policy.Policy): readonly Change[] {
  const [old, next] = [entries(before), entries(after)];
  const keys = [...new Set([...next.keys(), ...old.keys()])];
  const sorted = keys.sort((left, right) => rank(left) - rank(right));
  return sorted.flatMap((key) => changes(key, { before: old.get(key), after: next.get(key) }));
}

/** Place of an entry's section; within a section entries keep their order, those that are gone come last. */
function rank(key: string): number {
  return SECTIONS.findIndex((section) => key.startsWith(`${section}[`));
}

function changes(
  key: string,
  entry: { readonly before: Fields | undefined; readonly after: Fields | undefined },
): readonly Change[] {
  const { before, after } = entry;
  if (!before || !after) return [{ path: key, before: summary(before), after: summary(after) }];
  const fields = new Set([...before.keys(), ...after.keys()]);
  return [...fields].flatMap((field) => {
    const change = {
      path: key === '' ? field : `${key}.${field}`,
      before: before.get(field) ?? ABSENT,
      after: after.get(field) ?? ABSENT,
    };
    return change.before === change.after ? [] : [change];
  });
}

function summary(fields: Fields | undefined): string {
  return fields ? [...fields].map(([field, value]) => `${field} ${value}`).join(', ') : ABSENT;
}

function entries(policy: Policy.Policy): ReadonlyMap<string, Fields> {
  return new Map([
    ['', head(policy)],
    ...policy.chains.map(({ pattern, name }) => entry(`chains[${pattern}]`, { name })),
    ...policy.assets.map((asset) => entry(`assets[${asset.pattern}]`, assetFields(asset))),
    ...policy.wallets.flatMap(walletEntries),
    ...policy.limits.map((limit) => entry(`limits[${limit.limitId}]`, limitFields(policy, limit))),
  ]);
}

function entry(
  key: string,
  fields: Readonly<Record<string, string | undefined>>,
): [string, Fields] {
  const given = Object.entries(fields).flatMap(([field, value]) =>
    value === undefined ? [] : [[field, value] as const],
  );
  return [key, new Map(given)];
}

function head(policy: Policy.Policy): Fields {
  const { name, mode, resume, unknown, unmatched, conflict, outstandingMax, overdueMs, timing } =
    policy;
  const rules = (['wallet', 'asset', 'chain', 'price'] as const).map((what) => {
    const { withdrawal, outflow, scope } = unknown[what];
    return [
      `unknown.${what}`,
      `withdrawal ${withdrawal}, outflow ${outflow}, scope ${scope}`,
    ] as const;
  });
  return new Map([
    ['name', name],
    ['mode', mode],
    ['resume', resume.kind],
    ...rules,
    ['unmatched.scope', unmatched.scope],
    ['conflict.scope', conflict.scope],
    ['reservations.outstandingPerActor', outstandingMax.toString()],
    ['reservations.overdue', duration(overdueMs)],
    ['timing.clockTolerance', `${timing.clockToleranceMs} ms`],
    ['timing.admission', `${timing.admissionMs} ms`],
    ['timing.commitDelay', `${timing.commitDelayMs} ms`],
    ['timing.lease', `${timing.leaseMs} ms`],
  ]);
}

function assetFields(asset: Policy.AssetRule): Readonly<Record<string, string | undefined>> {
  const { symbol, decimals, floorPricePicoUsd, sources, sameAs } = asset;
  const floorPriceUsd =
    floorPricePicoUsd === undefined ? undefined : Money.formatUnits(floorPricePicoUsd, 12);
  return {
    symbol,
    decimals: decimals.toString(),
    floorPriceUsd,
    price: sourcesText(sources),
    sameAs,
  };
}

/** Each address is an entry of its own: one more among hundreds has to be seen. */
function walletEntries(wallet: Policy.Wallet): readonly [string, Fields][] {
  const key = `wallets[${wallet.name}]`;
  return [
    entry(key, {
      keyDomain: wallet.keyDomain,
      admission: lifeText(wallet),
      floors: floorsText(wallet),
    }),
    ...wallet.addresses.map((address) =>
      entry(`${key}.addresses[${address}]`, { address: 'watched' }),
    ),
  ];
}

function floorsText({ floors }: Policy.Wallet): string | undefined {
  return floors?.map(({ asset, amount }) => `${amount} base units of ${asset}`).join(' and ');
}

function sourcesText(sources: Policy.AssetRule['sources']): string | undefined {
  return sources
    ?.map(({ feed, maxAgeMs, keepMs }) => {
      return `${Price.feedId(feed)}, maxAge ${maxAgeMs} ms, keep ${keepMs} ms`;
    })
    .join(' and ');
}

function lifeText({ admissionMs }: Policy.Wallet): string | undefined {
  return admissionMs === undefined ? undefined : `${admissionMs} ms`;
}

function limitFields(
  policy: Policy.Policy,
  limit: Policy.Limit,
): Readonly<Record<string, string | undefined>> {
  const { scope, where, metric, windowMs, warnBps, action, tripOnRefusal, mode } = limit;
  const narrowed = Object.entries(where).flatMap(([field, pattern]) =>
    pattern === undefined ? [] : [`${field} ${pattern}`],
  );
  return {
    scope,
    where: narrowed.length === 0 ? undefined : narrowed.sort().join(' and '),
    metric,
    window: windowMs === 0 ? undefined : duration(windowMs),
    limit: size(policy, limit),
    warn: warnBps === undefined ? undefined : `${Money.formatUnits(BigInt(warnBps), 2)}%`,
    action: action.kind === 'pause' ? `pause ${action.scope}` : action.kind,
    tripOnRefusal: tripOnRefusal ? 'true' : undefined,
    mode,
  };
}

/** Exact, unlike what alerts show: two limits that differ never look the same. */
function size(policy: Policy.Policy, limit: Policy.Limit): string {
  const { metric, allowed } = limit;
  if (metric === 'count' || metric === 'assets') return allowed.toString();
  if (metric === 'share') return `${Money.formatUnits(allowed, 2)}%`;
  if (metric !== 'amount') return `${Money.formatUnits(allowed, 6)} USD`;
  const asset = policy.assets.find(({ pattern }) => pattern === limit.where.asset);
  return asset
    ? `${Money.formatUnits(allowed, asset.decimals)} ${asset.symbol}`
    : `${allowed} base units`;
}
