/** Makes an incident from its tables; what no source states gets a stand-in that says so. */

import type { AccountId, AssetId, ChainId } from '../../domain/caip.ts';
import * as Money from '../../domain/money.ts';
import * as Chains from './chains.ts';
import type { Incident, IncidentOutflow, IncidentWallet, SyntheticField } from './incident.ts';
import * as Assets from './incident-assets.ts';
import {
  type AssetRow,
  type IncidentRow,
  type MilestoneRow,
  type OutflowRow,
  readAssets,
  readIncidents,
  readOutflows,
  readTimeline,
  type Table,
  within,
} from './incident-tables.ts';
import { readMilestones, spreadTimes } from './incident-times.ts';
import { listWallets, walletOf } from './incident-wallets.ts';
import * as Synthetic from './synthetic.ts';

/** The tables of one incident. Only the first is needed; the others hold rows of several incidents. */
export type Tables = {
  /** Incident name, such as `coinex-2023`: selects the rows of the shared tables. */
  readonly name: string;
  readonly outflows: Table;
  readonly timeline?: Table | undefined;
  readonly assets?: Table | undefined;
  readonly incidents?: Table | undefined;
};

/** Everything read, before stand-ins. */
type Source = {
  readonly name: string;
  readonly file: string;
  readonly outflows: readonly OutflowRow[];
  readonly assets: readonly AssetRow[];
  readonly timeline: readonly MilestoneRow[];
  readonly about: Pick<IncidentRow, 'title' | 'entry' | 'key_domain' | 'note'>;
};

/** What every row is completed from. */
type Context = {
  readonly name: string;
  readonly file: string;
  readonly wallets: readonly IncidentWallet[];
  readonly times: ReadonlyMap<number, number>;
  /** pico-USD of one whole token. */
  readonly prices: ReadonlyMap<AssetId, bigint>;
};

/** Asset, base units and micro-USD of one row. */
type Value = {
  readonly identity: Assets.Identity;
  readonly amount: bigint;
  readonly notionalMicroUsd: bigint | undefined;
};

/**
 * Reads an incident. Without `incidents` its outflows enter as observed and unapproved, under the key
 * domain `<name>-hot`; rows without a time are spread between first theft and suspension.
 *
 * @throws {InvalidRowError} a table is malformed, or nothing tells when the first theft was.
 */
export function parseIncident(tables: Tables): Incident {
  const source = read(tables);
  const { name, file, about } = source;
  const keyDomain = about.key_domain;
  const milestones = readMilestones(source);
  const wallets = listWallets({ ...source, keyDomain });
  const times = spreadTimes({ ...source, milestones });
  const context = { name, file, wallets, times, prices: Assets.prices(source) };
  const outflows = source.outflows
    .map((row) => toOutflow(context, row))
    .sort((a, b) => a.atMs - b.atMs || a.line - b.line);
  const assets = Assets.listAssets(source);
  const { title, note, entry } = about;
  return { name, title, note, entry, keyDomain, milestones, wallets, assets, outflows };
}

function read(tables: Tables): Source {
  const { name } = tables;
  const mine = (row: { readonly incident: string }) => row.incident === name;
  const about = tables.incidents ? readIncidents(tables.incidents).find(mine) : undefined;
  const keyDomain = `${name.replaceAll('_', '-')}-hot`;
  return {
    name,
    file: tables.outflows.file,
    outflows: readOutflows(tables.outflows),
    assets: tables.assets ? readAssets(tables.assets).filter(mine) : [],
    timeline: tables.timeline ? readTimeline(tables.timeline).filter(mine) : [],
    about: about ?? { title: name, entry: 'outflow.observed', key_domain: keyDomain, note: '' },
  };
}

function toOutflow(context: Context, row: OutflowRow): IncidentOutflow {
  const label = `${context.name} line ${row.line}`;
  const value = measure(context, row);
  const { chain, asset, decimals } = value.identity;
  const wallet = walletOf(context.wallets, { from: row.from, chain });
  return {
    line: row.line,
    atMs: context.times.get(row.line) ?? 0,
    wallet: wallet.name,
    account: wallet.account,
    asset,
    symbol: row.asset,
    decimals,
    destination: destinationOf(row, { file: context.file, chain, label }),
    amount: value.amount,
    notionalMicroUsd: value.notionalMicroUsd,
    transaction: row.tx_hash || Synthetic.transaction(chain, label),
    place: asset.includes('/erc20:') ? 'log:0' : 'top',
    aggregate: row.precision === 'aggregate',
    precision: row.precision,
    sourceUrl: row.source_url,
    synthetic: syntheticFields(row, value.identity),
  };
}

/** Amount and size: as published where published; else the one from the other and a price, rounded up. */
function measure(context: Context, row: OutflowRow): Value {
  const { file, prices } = context;
  const { line } = row;
  const identity = Assets.identify(file, row);
  const { decimals } = identity;
  const price = prices.get(identity.asset);
  const usd = () =>
    within({ file, line, field: 'amount_usd' }, () => Money.parseUsd(row.amount_usd));
  if (Assets.isUsdOnly(row, price)) {
    const amount = usd();
    return { identity: Assets.identifyUsd(row), amount, notionalMicroUsd: amount };
  }
  if (row.amount === '' && price !== undefined) {
    const notionalMicroUsd = usd();
    const amount = (notionalMicroUsd * 10n ** BigInt(decimals + 6) + price - 1n) / price;
    return { identity, amount, notionalMicroUsd };
  }
  const place = { file, line, field: 'amount' };
  const amount = within(place, () => Money.parseUnits(row.amount, decimals));
  if (row.amount_usd !== '') return { identity, amount, notionalMicroUsd: usd() };
  if (price === undefined) return { identity, amount, notionalMicroUsd: undefined };
  const notionalMicroUsd = Money.notionalMicroUsd({ amount, decimals, pricePicoUsd: price });
  return { identity, amount, notionalMicroUsd };
}

function syntheticFields(row: OutflowRow, identity: Assets.Identity): readonly SyntheticField[] {
  const fields: readonly (readonly [SyntheticField, boolean])[] = [
    ['time', row.time_utc === ''],
    ['wallet', row.from === ''],
    ['destination', row.to === ''],
    ['transaction', row.tx_hash === ''],
    // The place of a token's log within its transaction is in none of the sources.
    ['place', row.tx_hash === '' || identity.asset.includes('/erc20:')],
    ['amount', row.amount === ''],
    ['decimals', identity.decimalsAssumed],
  ];
  return fields.filter(([, isSynthetic]) => isSynthetic).map(([field]) => field);
}

function destinationOf(
  row: OutflowRow,
  place: { readonly file: string; readonly chain: ChainId; readonly label: string },
): AccountId {
  const { file, chain, label } = place;
  if (row.to === '') return Synthetic.address(chain, `${label} destination`);
  return within({ file, line: row.line, field: 'to' }, () => Chains.account(chain, row.to));
}
