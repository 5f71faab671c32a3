/** What the soak is about: a policy of wallets, one of which is on a real chain of this machine. */

import { privateKeyToAccount } from 'viem/accounts';
import type { AccountId } from '../../lib/domain/caip.ts';
import { WELL_KNOWN_KEYS } from '../../lib/local/chain-node.ts';
import { idOf, NATIVE } from '../adapters/evm/chain-world.ts';
import * as Build from '../support/builders.ts';

const [KEY = '0x'] = WELL_KNOWN_KEYS;

/** The wallet on the chain, by a key that everybody knows. */
export const HOT = privateKeyToAccount(KEY);
/** The same wallet, as the policy names it. */
export const HOT_ID = idOf(HOT.address);

/** Wallets that nobody watches a chain for: their chain has no watcher. */
const WALLETS = ['1', '2', '3'].map((digit) => `${Build.OTHER_CHAIN}:0x${digit.repeat(40)}`);
const CUSTOMERS = 400;

/** A customer's address on a chain. */
export function customer(chain: string, number: number): AccountId {
  const digits = ((number % CUSTOMERS) + 0xc000).toString(16).padStart(40, '0');
  return `${chain}:0x${digits}` as AccountId;
}

/** Limits that this load never reaches: whatever trips is a mistake. */
export const POLICY = `
version: 1
name: soak
mode: enforce
resume: trial
chains:
  - { id: "${Build.CHAIN}", name: Ethereum, watch: { confirmations: 0, blindAfter: 60s } }
  - { id: "${Build.OTHER_CHAIN}", name: BNB Chain }
assets:
  - { id: "${NATIVE}", symbol: ETH, decimals: 18, floorPriceUsd: "1500" }
  - { id: "${Build.WRAPPED_ETH}", symbol: WETH, decimals: 8, floorPriceUsd: "1500" }
wallets:
  - { name: chain, keyDomain: vault-c, addresses: ["${HOT_ID}"] }
  - { name: hot-1, keyDomain: vault-a, addresses: ["${WALLETS[0]}"] }
  - { name: hot-2, keyDomain: vault-a, addresses: ["${WALLETS[1]}"] }
  - { name: hot-3, keyDomain: vault-b, addresses: ["${WALLETS[2]}"] }
limits:
  - { id: wallet-hour, scope: wallet, metric: notional, window: 1h, limit: "1000000", action: pause }
unmatched: { scope: key-domain }
conflict: { scope: wallet }
timing: { lease: 30s }
`;

/** A report of a payment on the chain that nobody watches. */
export function reportOf(number: number) {
  return {
    'detail-type': 'withdrawal.reported',
    detail: {
      withdrawalId: `soak-${number}`,
      wallet: WALLETS[number % WALLETS.length],
      asset: Build.WRAPPED_ETH,
      destination: customer(Build.OTHER_CHAIN, number),
      actor: `customer-${number % CUSTOMERS}`,
      amount: `${1_000 + number}`,
    },
  };
}

/** A withdrawal that is asked for, and then really paid. */
export function payoutOf(number: number) {
  return {
    withdrawalId: `chain-${number}`,
    wallet: HOT_ID,
    asset: NATIVE,
    destination: customer(Build.CHAIN, number),
    actor: `customer-${number % CUSTOMERS}`,
    amount: `${1_000_000_000_000 + number}`,
  };
}
