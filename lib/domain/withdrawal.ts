/** Money leaving: as the exchange approved it (`Withdrawal`), and as the chain showed it (`Outflow`). */

import type { AccountId, AssetId } from './caip.ts';

/** A network fee that the wallet pays, in base units of the fee's asset. */
export type Fee = { readonly asset: AssetId; readonly amount: bigint };

/** What both forms of money leaving say. Amounts are base units, never negative. */
export type Transfer = {
  /** The wallet's address. */
  readonly account: AccountId;
  readonly asset: AssetId;
  readonly destination: AccountId;
  /** Memo or tag that belongs to the destination. */
  readonly memo?: string | undefined;
  /** The customer or API key behind it. */
  readonly actor?: string | undefined;
  readonly amount: bigint;
  readonly fee?: Fee | undefined;
};

/** What the service says of the transaction that carries a withdrawal. */
export type Sent = {
  readonly transaction?: string | undefined;
  readonly nonce?: number | undefined;
};

/** Money leaving, as approved by the exchange. */
export type Withdrawal = {
  readonly kind: 'withdrawal';
  readonly withdrawalId: string;
  readonly transfer: Transfer;
  readonly sent?: Sent | undefined;
};

/** Money leaving, as seen on chain. */
export type Outflow = {
  readonly kind: 'outflow';
  readonly transaction: string;
  /** Place within the transaction: `top`, `log:<index within the transaction>` or `trace:<path>`. */
  readonly place: string;
  /** The approved withdrawal that the observer believes this to be: a claim, checked by matching. */
  readonly withdrawalId?: string | undefined;
  /** The wallet's nonce, where it signed the transaction. */
  readonly nonce?: number | undefined;
  /**
   * The observer's own count: it grows with each thing that it tells. Of two that contradict each
   * other (seen, removed by a reorg, seen again) the higher one holds.
   */
  readonly sequence?: number | undefined;
  readonly transfer: Transfer;
};

const WITHDRAWAL_PREFIX = 'withdrawal:';

/** Ledger id of a withdrawal: it does not depend on who reported it. */
export function withdrawalRowId(withdrawalId: string): string {
  return `${WITHDRAWAL_PREFIX}${withdrawalId}`;
}

/** The withdrawal that a row is about; the row's own id where it is about none. */
export function withdrawalIdOf(rowId: string): string {
  return rowId.startsWith(WITHDRAWAL_PREFIX) ? rowId.slice(WITHDRAWAL_PREFIX.length) : rowId;
}

/** Ledger id of an outflow: chain, transaction and place, whoever saw it. */
export function outflowRowId(outflow: Outflow): string {
  const [namespace, reference] = outflow.transfer.account.split(':');
  return `outflow:${namespace}:${reference}:${outflow.transaction}:${outflow.place}`;
}

/** Ledger id of an event. */
export function rowId(event: Withdrawal | Outflow): string {
  return event.kind === 'withdrawal' ? withdrawalRowId(event.withdrawalId) : outflowRowId(event);
}

/**
 * The canonical body whose hash tells a duplicate from the same id with other content.
 * Fields in fixed order, JSON-escaped; price, notional and fee (known only later) stay outside.
 */
export function canonicalBody(transfer: Transfer): string {
  return JSON.stringify([
    transfer.account,
    transfer.asset,
    transfer.destination,
    transfer.memo ?? null,
    transfer.amount.toString(),
  ]);
}
