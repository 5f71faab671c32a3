/** The victim's hot wallets, as far as rows name them, and stand-ins for those that they do not. */

import type { AccountId, ChainId } from '../../domain/caip.ts';
import * as Chains from './chains.ts';
import type { IncidentWallet } from './incident.ts';
import { type AssetRow, type OutflowRow, within } from './incident-tables.ts';
import * as Synthetic from './synthetic.ts';

/** What wallets are read from. */
type Source = {
  readonly name: string;
  readonly file: string;
  readonly keyDomain: string;
  readonly outflows: readonly OutflowRow[];
  readonly assets: readonly AssetRow[];
};

/**
 * One wallet for each chain and paying address, and one for each further chain with ordinary traffic.
 * All are under one key domain, since their keys fell together. Names: `coinex-ethereum`, with `-2` and
 * so on for further addresses on one chain.
 *
 * @throws {InvalidRowError} an address that its chain cannot have.
 */
export function listWallets(source: Source): readonly IncidentWallet[] {
  const wallets: IncidentWallet[] = [];
  const [prefix] = source.name.split(/[-_]/);
  for (const row of [...source.outflows, ...source.assets]) {
    const chain = Chains.byName(row.chain)?.chain;
    if (!chain) continue;
    const siblings = wallets.filter((wallet) => wallet.chain === chain);
    const isTraffic = !('from' in row);
    if (isTraffic && siblings.length > 0) continue;
    const from = isTraffic ? '' : row.from;
    const account = accountOf({ source, chain, from, line: row.line });
    if (siblings.some((wallet) => wallet.account === account)) continue;
    const suffix = siblings.length === 0 ? '' : `-${siblings.length + 1}`;
    const name = `${prefix}-${row.chain}${suffix}`;
    wallets.push({ name, keyDomain: source.keyDomain, chain, account, synthetic: from === '' });
  }
  return wallets;
}

/** The wallet that paid a row: by its address, or the stand-in of that chain where none is stated. */
export function walletOf(
  wallets: readonly IncidentWallet[],
  payer: { readonly from: string; readonly chain: ChainId },
): IncidentWallet {
  const { from, chain } = payer;
  const account = from === '' ? undefined : Chains.account(chain, from);
  const wallet = wallets.find(
    (known) => known.chain === chain && (account ? known.account === account : known.synthetic),
  );
  if (!wallet) throw new RangeError(`no wallet on ${chain} for "${from}"`);
  return wallet;
}

function accountOf(parameters: {
  readonly source: Source;
  readonly chain: ChainId;
  readonly from: string;
  readonly line: number;
}): AccountId {
  const { source, chain, from, line } = parameters;
  if (from === '') return Synthetic.address(chain, `${source.name} hot wallet`);
  return within({ file: source.file, line, field: 'from' }, () => Chains.account(chain, from));
}
