/** Pays a withdrawal that is allowed: signs, broadcasts, waits for the receipt, and reports. */

import type { ShadowVerdict, Verdict } from 'breakwater/client/reserve';
import { type Hex, keccak256 } from 'viem';
import { accountId, ETH } from './ethereum.ts';
import type { Deps, Order, Outcome } from './withdraw.ts';

/** An `allow`; in shadow mode perhaps without an admission. */
type Allowed = Extract<Verdict | ShadowVerdict, { readonly verdict: 'allow' }>;

/** What the signer says of the moment, and not of the withdrawal. */
const PASSING = new Set([
  'node',
  'flag',
  'expired',
  'not-yet-valid',
  'keys-unavailable',
  'replay-store',
]);
const NO_NODE = { ok: false, reason: 'node', text: 'the node does not answer' } as const;
const BROADCASTS_MAX = 3;
const RECEIPT_MAX_MS = 60_000;
/** After an admission has expired; clocks may differ. */
const NEVER_SIGNED_AFTER_MS = 5_000;

/**
 * Pays once. In production the signed bytes go to the database before they go out: after a crash the
 * same bytes are sent again, and nothing is signed a second time.
 * Fail direction: nothing leaves without the signer, and what was signed is never taken for unsigned.
 */
export async function pay(deps: Deps, order: Order, verdict: Allowed): Promise<Outcome> {
  const { signer, tell } = deps;
  const { id: withdrawalId, destination: to, amount: value } = order;
  const { admission, wouldBe, text = '' } = verdict;
  if (wouldBe)
    tell(order, { state: 'pending', text: `shadow mode; enforced: ${wouldBe}, ${text}` });
  // Signed and sent in turn, or two transfers would take the same nonce.
  const signed = await deps.inTurn(async () => {
    const nonce = await nextNonce(deps);
    if (nonce === undefined) return NO_NODE;
    const answer = await signer.sign({ withdrawalId, admission, transfer: { to, value, nonce } });
    if (answer.ok) await broadcast(deps, answer.serialized);
    return answer;
  });
  if (!signed.ok) return notSigned(deps, order, { ...signed, expiresAt: verdict.expiresAt });
  const transaction = keccak256(signed.serialized);
  tell(order, { state: 'sent', text: 'waiting for its block', transaction });
  return await settle(deps, order, { transaction, isReserved: admission !== undefined });
}

function nextNonce({ node, signer: { address } }: Deps): Promise<number | undefined> {
  return node.getTransactionCount({ address, blockTag: 'pending' }).catch(() => undefined);
}

/** The same bytes again where the node did not answer, never others: they may be on their way. */
async function broadcast({ node, sleep }: Deps, serializedTransaction: Hex): Promise<void> {
  for (let attempt = 1; attempt <= BROADCASTS_MAX; attempt += 1) {
    try {
      await node.sendRawTransaction({ serializedTransaction });
      return;
    } catch {
      await sleep(200 * attempt);
    }
  }
}

function notSigned(
  deps: Deps,
  order: Order,
  answer: {
    readonly reason: string;
    readonly text: string;
    readonly expiresAt?: string | undefined;
  },
): Outcome {
  const { reason, expiresAt } = answer;
  const text = `not signed: ${answer.text}`;
  if (PASSING.has(reason)) return { state: 'pending', text, againInMs: deps.askAgainMs };
  // Something was signed with it, perhaps in a call whose answer was lost: it may be on its way.
  if (reason === 'reused') return { state: 'unclear', text };
  if (expiresAt !== undefined) void giveBack(deps, order.id, { reason, expiresAt });
  return { state: 'refused', text };
}

/** Not before the admission has expired: until then it could still be signed. */
async function giveBack(
  { sleep, report }: Deps,
  withdrawalId: string,
  { reason, expiresAt }: { readonly reason: string; readonly expiresAt: string },
): Promise<void> {
  const evidence = { kind: 'never-signed', reference: `signer: ${reason}` };
  try {
    await sleep(Date.parse(expiresAt) - Date.now() + NEVER_SIGNED_AFTER_MS);
    await report({ 'detail-type': 'withdrawal.failed', detail: { withdrawalId, evidence } });
  } catch {
    // The service stops: the charge stays, until its windows have passed.
  }
}

async function settle(
  { node, signer, report }: Deps,
  { id: withdrawalId, customer, destination, amount }: Order,
  sent: { readonly transaction: Hex; readonly isReserved: boolean },
): Promise<Outcome> {
  const { transaction: hash, isReserved } = sent;
  const receipt = await node
    .waitForTransactionReceipt({ hash, timeout: RECEIPT_MAX_MS })
    .catch(() => undefined);
  // It may leave yet: it stays charged, and nothing is reported.
  if (!receipt) return { state: 'unclear', text: 'no receipt', transaction: hash };
  // The receipt can be that of another transaction: the one that took its nonce.
  const { status, transactionHash: reference } = receipt;
  if (status !== 'success' || reference !== hash) {
    const detail = { withdrawalId, evidence: { kind: 'nonce-spent', reference } };
    void report({ 'detail-type': 'withdrawal.failed', detail });
    return { state: 'failed', text: `${reference} spent its nonce`, transaction: hash };
  }
  const settled = { 'detail-type': 'withdrawal.settled', detail: { withdrawalId } };
  // In shadow mode, what left without Breakwater's knowledge is counted now.
  const wallet = accountId(signer.address);
  const money = { wallet, asset: ETH, destination: accountId(destination), actor: customer };
  const detail = { withdrawalId, ...money, amount: `${amount}` };
  const reported = isReserved ? [] : [{ 'detail-type': 'withdrawal.reported', detail }];
  void report(...reported, settled);
  return { state: 'settled', text: 'paid', transaction: hash };
}
