/** Which assets an incident names, and what one of each was worth. */

import { type AssetId, parseAsset } from '../../domain/caip.ts';
import * as Money from '../../domain/money.ts';
import * as Chains from './chains.ts';
import type { IncidentAsset } from './incident.ts';
import { type AssetRow, type OutflowRow, within } from './incident-tables.ts';

/** Decimals of a token of which no source states them, the commonest on EVM chains. */
const DECIMALS_ASSUMED = 18;
/** Decimals of an id that counts micro-USD. */
const DECIMALS_USD = 6;
const PICO = 10n ** 12n;

/** An asset as a row names it. */
export type Identity = Pick<IncidentAsset, 'asset' | 'chain' | 'symbol' | 'decimals'> & {
  readonly decimalsAssumed: boolean;
  /** Its base unit is a micro-USD and no part of a token. */
  readonly isUnit: boolean;
};

/** What rows say about an asset, with the place for errors. */
type Named = Pick<OutflowRow | AssetRow, 'line' | 'chain' | 'asset' | 'token_address' | 'decimals'>;
type Tables = {
  readonly file: string;
  readonly outflows: readonly OutflowRow[];
  readonly assets: readonly AssetRow[];
};

/**
 * The token that a row names: contract, native asset, or `<chain>/symbol:<name>` where neither is
 * known (`symbol` is this project's own namespace). @throws {InvalidRowError}
 */
export function identify(file: string, row: Named): Identity {
  const chain = chainOf(row);
  const isNative = row.token_address === '' && row.asset === chain.native.symbol;
  const decimals = row.decimals ?? (isNative ? chain.native.decimals : undefined);
  const place = { file, line: row.line, field: row.token_address ? 'token_address' : 'asset' };
  return {
    asset: within(place, () => tokenId(row, chain)),
    chain: chain.chain,
    symbol: row.asset,
    decimals: decimals ?? DECIMALS_ASSUMED,
    decimalsAssumed: decimals === undefined,
    isUnit: false,
  };
}

/**
 * The id for a row of which only USD is known: `<chain>/mixed:usd` for a sum over several assets,
 * `<chain>/usd:<name>` for one. Its base unit is a micro-USD; both namespaces are this project's own.
 */
export function identifyUsd(row: Named): Identity {
  const { chain } = chainOf(row);
  const reference = isMixed(row) ? 'mixed:usd' : `usd:${plain(row.asset)}`;
  const asset = parseAsset(`${chain}/${reference}`);
  const decimals = DECIMALS_USD;
  return { asset, chain, symbol: row.asset, decimals, decimalsAssumed: false, isUnit: true };
}

/** Whether a row is a sum over several assets. */
export function isMixed(row: Named): boolean {
  return /^mixed\b/.test(row.asset);
}

/** Whether a row can only be counted in USD: a sum over assets, or one without amount and without price. */
export function isUsdOnly(row: OutflowRow, price: bigint | undefined): boolean {
  return isMixed(row) || (row.amount === '' && price === undefined);
}

/**
 * pico-USD for one whole token, for every asset of which a price is known: the lowest that rows with
 * amount and USD state, else the one in `assets.csv`. Rounded down, so that amount × price, which
 * rounds up, comes back to the published sum.
 *
 * @throws {InvalidRowError}
 */
export function prices(tables: Tables): ReadonlyMap<AssetId, bigint> {
  const { file } = tables;
  const stated = new Map<AssetId, bigint>();
  for (const row of tables.outflows) {
    if (row.amount === '' || row.amount_usd === '' || isMixed(row)) continue;
    const { asset, decimals } = identify(file, row);
    const place = { file, line: row.line, field: 'amount' };
    const amount = within(place, () => Money.parseUnits(row.amount, decimals));
    const pico = (parsePico(file, row) * 10n ** BigInt(decimals)) / amount;
    const known = stated.get(asset);
    if (pico > 0n && (known === undefined || pico < known)) stated.set(asset, pico);
  }
  const approximated = tables.assets
    .filter((row) => row.price_usd !== '')
    .map((row) => [identify('assets.csv', row).asset, Money.parsePrice(row.price_usd)] as const);
  return new Map([...approximated, ...stated]);
}

/** Every asset of an incident once: what left, then what only ordinary traffic moves. @throws {InvalidRowError} */
export function listAssets(tables: Tables): readonly IncidentAsset[] {
  const book = prices(tables);
  const stated = prices({ ...tables, assets: [] });
  const traffic = tables.assets.map((row) => ({ row, identity: identify('assets.csv', row) }));
  const weights = new Map(traffic.map(({ row, identity }) => [identity.asset, row.traffic_weight]));
  const stolen = tables.outflows.map((row) => {
    const token = identify(tables.file, row);
    return isUsdOnly(row, book.get(token.asset)) ? identifyUsd(row) : token;
  });
  const listed = new Map<AssetId, IncidentAsset>();
  for (const identity of [...stolen, ...traffic.map((entry) => entry.identity)]) {
    const { decimalsAssumed: _, isUnit, ...rest } = identity;
    const price = isUnit ? PICO : book.get(rest.asset);
    const known = stated.has(rest.asset) ? 'stated' : 'approximated';
    listed.set(rest.asset, {
      ...rest,
      floorPriceUsd: price === undefined ? undefined : Money.formatUnits(price, 12),
      priceSource: isUnit ? 'unit' : price === undefined ? 'none' : known,
      trafficWeight: weights.get(rest.asset) ?? 0,
    });
  }
  return [...listed.values()];
}

/** The published USD of a row in pico-USD. */
function parsePico(file: string, row: OutflowRow): bigint {
  const place = { file, line: row.line, field: 'amount_usd' };
  return within(place, () => Money.parseUsd(row.amount_usd)) * (PICO / 10n ** 6n);
}

function tokenId(row: Named, chain: Chains.Chain): AssetId {
  if (row.token_address !== '') {
    const namespace = chain.chain.startsWith('eip155:') ? 'erc20' : 'token';
    return parseAsset(`${chain.chain}/${namespace}:${row.token_address}`);
  }
  if (row.asset === chain.native.symbol) return chain.native.asset;
  return parseAsset(`${chain.chain}/symbol:${plain(row.asset)}`);
}

/** A name in the characters that CAIP-19 allows. */
function plain(name: string): string {
  return name.replace(/[^.a-zA-Z0-9]+/g, '-').replace(/^-|-$/g, '');
}

function chainOf(row: Named): Chains.Chain {
  const chain = Chains.byName(row.chain);
  if (!chain) throw new RangeError(`chain ${row.chain} passed the table's check but is not listed`);
  return chain;
}
