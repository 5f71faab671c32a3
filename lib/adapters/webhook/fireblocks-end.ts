/** Withdrawals that will not leave, as Fireblocks tells it, and what proves it. */

import type { Outgoing } from './delivery.ts';
import { given, type Transaction } from './fireblocks-transaction.ts';

/**
 * Sub-statuses of FAILED that arise before a signature exists, from
 * https://developers.fireblocks.com/reference/sub-statuses. Every other one may come after it, and what
 * was signed can still be sent by whoever holds it.
 */
const BEFORE_SIGNATURE: ReadonlySet<string> = new Set([
  'ACTUAL_FEE_TOO_HIGH',
  'ADDRESS_WHITELISTING_SUSPENDED',
  'AMOUNT_TOO_SMALL',
  'AUTHORIZATION_FAILED',
  'AUTHORIZER_NOT_FOUND',
  'ENV_UNSUPPORTED_ASSET',
  'ERROR_UNSUPPORTED_TRANSACTION_TYPE',
  'FAIL_ON_LOW_FEE',
  'INSUFFICIENT_FUNDS',
  'INSUFFICIENT_FUNDS_FOR_FEE',
]);

/** Mined and reverted: the transaction spent its own nonce and moved nothing but its fee. */
const REVERTED = 'SMART_CONTRACT_EXECUTION_FAILED';

type Kept = { readonly why: string };

/**
 * The end of the withdrawal that `externalTxId` names.
 * Fail direction: closed, where Fireblocks does not say that nothing was signed or that it was
 * reverted, nothing is given back: an operator closes it by hand.
 */
export function endOf(transaction: Transaction): Outgoing | Kept {
  const withdrawalId = given(transaction.externalTxId);
  if (withdrawalId === undefined) return { why: 'it names no withdrawal: externalTxId is empty' };
  const { id, status } = transaction;
  const subStatus = given(transaction.subStatus);
  const hash = given(transaction.txHash);
  if (status === 'FAILED' && subStatus === REVERTED && hash !== undefined) {
    const evidence = { kind: 'nonce-spent', reference: hash };
    return { detailType: 'withdrawal.failed', detail: { withdrawalId, evidence } };
  }
  if (hash !== undefined) return { why: 'it was signed and may still be sent; close it by hand' };
  if (status === 'FAILED' && !BEFORE_SIGNATURE.has(subStatus ?? '')) {
    return { why: `FAILED for ${subStatus ?? 'no reason'} may come after the signature` };
  }
  const reference = ['fireblocks', id, status, subStatus].filter(Boolean).join(':').slice(0, 256);
  const detailType = status === 'FAILED' ? 'withdrawal.failed' : 'withdrawal.cancelled';
  return { detailType, detail: { withdrawalId, evidence: { kind: 'never-signed', reference } } };
}
