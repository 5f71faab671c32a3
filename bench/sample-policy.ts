/** The benchmark's policy: about twenty limits over all scopes, wide enough that only an unapproved outflow trips. */

import type { AccountId, AssetId, ChainId } from '../lib/domain/caip.ts';
import { ETH_USD } from './full-meters.ts';

/** The only chain. */
export const CHAIN: ChainId = 'eip155:1';
/** 18 decimals. */
export const ETH: AssetId = 'eip155:1/slip44:60';
/** 6 decimals, 1 USD. */
export const USDC: AssetId = 'eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48';

/** USD and withdrawals that nothing here reaches. */
const OUT_OF_REACH = '1000000000000';
const WINDOWS = ['5m', '15m', '1h', '6h', '24h'];

/** The account of a wallet by its number. */
export function walletAccount(index: number): AccountId {
  return `eip155:1:0x${(index + 1).toString(16).padStart(40, '0')}`;
}

/** The name of a wallet by its number. */
export function walletName(index: number): string {
  return `hot-${index}`;
}

/** An account of a customer by its number. */
export function customerAccount(index: number): AccountId {
  return `eip155:1:0xc${index.toString(16).padStart(39, '0')}`;
}

/** The source of the policy, with this many wallets. An outflow that nobody approved opens its wallet. */
export function policySource(wallets: number): string {
  const floorPriceUsd = ETH_USD.toString();
  return JSON.stringify({
    version: 1,
    name: 'bench',
    mode: 'enforce',
    resume: 'trial',
    chains: [{ id: CHAIN, name: 'Ethereum' }],
    assets: [
      { id: ETH, symbol: 'ETH', decimals: 18, floorPriceUsd },
      { id: USDC, symbol: 'USDC', decimals: 6, floorPriceUsd: '1' },
    ],
    wallets: Array.from({ length: wallets }, (_, index) => ({
      name: walletName(index),
      keyDomain: `vault-${index}`,
      addresses: [walletAccount(index)],
    })),
    limits: limits(),
    unmatched: { scope: 'wallet' },
    conflict: { scope: 'wallet' },
  });
}

function limits(): readonly unknown[] {
  const rows: readonly (readonly [string, string, readonly string[]])[] = [
    ['wallet', 'notional', WINDOWS],
    ['wallet', 'count', WINDOWS],
    ['global', 'notional', ['1h', '24h', '7d']],
    ['key-domain', 'notional', ['1h', '24h']],
    ['chain', 'notional', ['1h']],
    ['actor', 'notional', ['24h']],
    ['destination', 'count', ['1h']],
  ];
  const common = { limit: OUT_OF_REACH, action: 'pause' };
  const sums = rows.flatMap(([scope, metric, windows]) =>
    windows.map((window) => ({
      id: `${scope}-${metric}-${window}`,
      scope,
      metric,
      window,
      ...common,
    })),
  );
  const amount = {
    id: 'eth-hour',
    scope: 'wallet-asset',
    where: { asset: ETH },
    metric: 'amount',
    window: '1h',
  };
  const assets = {
    id: 'assets',
    scope: 'wallet',
    metric: 'assets',
    window: '15m',
    limit: 50,
    action: 'pause',
  };
  const single = { id: 'single', scope: 'wallet', metric: 'single', ...common };
  return [...sums, { ...amount, ...common }, assets, single];
}
