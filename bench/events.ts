/** Events of the benchmark: withdrawals from numbered wallets to numbered customers. */

import { nodeDigest } from '../lib/adapters/node-digest.ts';
import type { AssetId } from '../lib/domain/caip.ts';
import type { Incoming } from '../lib/domain/decision.ts';
import * as Scope from '../lib/domain/scope.ts';
import {
  canonicalBody,
  type Fee,
  type Outflow,
  type Withdrawal,
} from '../lib/domain/withdrawal.ts';
import { CHAIN, customerAccount, ETH, walletAccount, walletName } from './sample-policy.ts';

/** What a withdrawal is made from. Numbers name wallet and customer. */
export type Order = {
  readonly id: string;
  readonly amount: bigint;
  readonly wallet?: number;
  readonly customer?: number;
  readonly asset?: AssetId;
  readonly fee?: Fee;
};

/** A withdrawal, of ETH from wallet 0 to customer 0 unless told otherwise. */
export function withdrawal(order: Order): Withdrawal {
  const { id, amount, wallet = 0, customer = 0, asset = ETH, fee } = order;
  const destination = customerAccount(customer);
  const actor = `customer-${customer}`;
  const transfer = { account: walletAccount(wallet), asset, destination, actor, amount, fee };
  return { kind: 'withdrawal', withdrawalId: id, transfer };
}

/** The outflow of a withdrawal as the chain shows it, naming it. */
export function outflowOf(approved: Withdrawal): Outflow {
  const { withdrawalId, transfer } = approved;
  const transaction = nodeDigest.hash(withdrawalId);
  return { kind: 'outflow', transaction, place: 'top', withdrawalId, transfer };
}

/** The event as a decision takes it. */
export function incoming(event: Withdrawal | Outflow): Incoming {
  const bodyHash = nodeDigest.hash(canonicalBody(event.transfer));
  return { kind: 'transfer', lagMs: 0, event, bodyHash };
}

/** The keys of the scopes that a withdrawal lies in, by kind. */
export function scopesOf(
  order: Pick<Order, 'wallet' | 'customer' | 'asset'>,
): Readonly<Record<Scope.Kind, Scope.Key>> {
  const { wallet = 0, customer = 0, asset = ETH } = order;
  const subject: Scope.Subject = {
    chain: CHAIN,
    wallet: walletName(wallet),
    keyDomain: `vault-${wallet}`,
    asset,
    destination: customerAccount(customer),
    actor: `customer-${customer}`,
  };
  const keys = Scope.KINDS.map((kind) => [kind, Scope.key(Scope.of(kind, subject))]);
  return Object.fromEntries(keys) as Record<Scope.Kind, Scope.Key>;
}
