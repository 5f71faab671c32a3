/**
 * The only way to the key: a transaction is signed if a valid admission says exactly what it does.
 *
 * ```ts
 * const sign = createWithdrawalSigner({ account, verifier, nativeAsset: 'eip155:1/slip44:60', feeMaxWei });
 * const result = await sign({ withdrawalId, admission, transaction });
 * ```
 */

import type { AdmissionVerifier, Reason } from 'breakwater/client/admission';
import type { FlagClient } from 'breakwater/client/flag';
import { type Hex, keccak256 } from 'viem';
import type { LocalAccount } from 'viem/accounts';
import { type Movement, readTransfer, type Transfer } from './evm-transfer.ts';

/** An EIP-1559 transaction with every field that the signature covers; amounts are base units. */
export type Transaction = Movement & {
  readonly nonce: number;
  readonly gas: bigint;
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
};

/** What a withdrawal service asks for. */
export type SigningRequest = {
  readonly withdrawalId: string;
  /** The `admission` of an allowed reservation. */
  readonly admission: string;
  readonly transaction: Transaction;
};

/** The serialized signed transaction, ready for `eth_sendRawTransaction`, or why there is none. */
export type Signed =
  | { readonly ok: true; readonly serialized: Hex; readonly hash: Hex }
  | {
      readonly ok: false;
      readonly reason: Reason | 'transaction' | 'fee' | 'flag';
      readonly text: string;
    };

/** What a signer is made of. */
export type Options = {
  readonly account: LocalAccount;
  readonly verifier: AdmissionVerifier;
  /** CAIP-19 of the coin of the one chain that is signed for. */
  readonly nativeAsset: string;
  /** Most that one transaction may burn on gas: no admission covers it, and it goes to whoever builds the block. */
  readonly feeMaxWei: bigint;
  /** Read before each signature where 30 s after a trip are too long. */
  readonly flag?: Pick<FlagClient, 'check'> | undefined;
};

/**
 * Makes the signing function. The expectation comes from the transaction that is about to be signed,
 * never from the admission. The admission is claimed last, so that a refusal for another reason does
 * not use it up.
 * Fail direction: closed. Throws only if KMS does not sign; the admission is used up then.
 */
export function createWithdrawalSigner(
  options: Options,
): (request: SigningRequest) => Promise<Signed> {
  const { account, verifier, nativeAsset, feeMaxWei, flag } = options;
  return async ({ withdrawalId, admission, transaction }) => {
    const reading = readTransfer(transaction, { wallet: account.address, nativeAsset });
    if ('problem' in reading) return refused('transaction', reading.problem);
    const feeWei = transaction.gas * transaction.maxFeePerGas;
    if (feeWei > feeMaxWei) return refused('fee', `it may burn ${feeWei} wei, over ${feeMaxWei}`);
    const { enabled, text } = await readFlag(flag, reading.transfer);
    if (!enabled) return refused('flag', text);
    const verified = await verifier.verify(admission, { withdrawalId, ...reading.transfer });
    if (!verified.ok) return refused(verified.reason, verified.text);
    const serialized = await account.signTransaction(covered(transaction));
    return { ok: true, serialized, hash: keccak256(serialized) };
  };
}

/** Only the fields that were looked at: what else the request carries, an authorization list say, is not signed. */
function covered(transaction: Transaction) {
  const { chainId, nonce, to, value, data, gas, maxFeePerGas, maxPriorityFeePerGas } = transaction;
  const fees = { gas, maxFeePerGas, maxPriorityFeePerGas };
  return { type: 'eip1559', chainId, nonce, to, value, data, ...fees } as const;
}

async function readFlag(
  flag: Options['flag'],
  transfer: Transfer,
): Promise<{ readonly enabled: boolean; readonly text: string }> {
  if (!flag) return { enabled: true, text: '' };
  const { wallet, asset, destination } = transfer;
  return flag.check({ wallet, asset, destination });
}

function refused(reason: Extract<Signed, { ok: false }>['reason'], text: string): Signed {
  return { ok: false, reason, text };
}
