/** Whose accounts shall run whose code (EIP-7702, https://eips.ethereum.org/EIPS/eip-7702). */

import { recoverAuthorizationAddress } from 'viem/utils';
import type { Delegation } from '../../domain/block.ts';
import type { AccountId } from '../../domain/caip.ts';
import { accountAt, type Watch } from './watch.ts';
import type { RawAuthorization, RawTransaction } from './wire.ts';

/**
 * The delegations that watched wallets signed, whoever sends them. One that is meant for another
 * chain has no effect here, and may have been signed for that one: it is void.
 */
export async function readDelegations(
  scope: Watch,
  transaction: RawTransaction,
): Promise<readonly Delegation[]> {
  const list = transaction.authorizationList ?? [];
  const found = await Promise.all(list.map((one) => readDelegation(scope, one)));
  return found.filter((one) => one !== undefined);
}

/**
 * Marks those as void whose nonce was used up before their block: they were signed long ago, and
 * anybody can bring them again. `nonceOf` is the nonce of a wallet before the block, absent where
 * nobody knows it.
 * Fail direction: closed, a delegation whose wallet's nonce is not known has an effect.
 */
export async function markSpent(
  delegations: readonly Delegation[],
  nonceOf: (account: AccountId) => Promise<bigint | undefined>,
): Promise<readonly Delegation[]> {
  return Promise.all(
    delegations.map(async (one): Promise<Delegation> => {
      const nonce = await nonceOf(one.account);
      return nonce !== undefined && one.nonce < nonce ? { ...one, isVoid: true } : one;
    }),
  );
}

async function readDelegation(
  scope: Watch,
  signed: RawAuthorization,
): Promise<Delegation | undefined> {
  const account = await signerOf(signed);
  if (account === undefined || !scope.addresses.has(account)) return undefined;
  return {
    account: accountAt(scope, account),
    delegate: accountAt(scope, signed.address),
    nonce: signed.nonce,
    ...(signed.chainId === 0n || signed.chainId === scope.chainId ? {} : { isVoid: true as const }),
  };
}

/** Nobody signed what cannot be recovered, and the chain skips it too. */
async function signerOf(signed: RawAuthorization): Promise<`0x${string}` | undefined> {
  const hexOf = (value: bigint): `0x${string}` => `0x${value.toString(16).padStart(64, '0')}`;
  try {
    const account = await recoverAuthorizationAddress({
      authorization: {
        address: signed.address,
        chainId: Number(signed.chainId),
        nonce: Number(signed.nonce),
        r: hexOf(signed.r),
        s: hexOf(signed.s),
        yParity: signed.yParity ?? (signed.v ?? 0) % 27,
      },
    });
    return account.toLowerCase() as `0x${string}`;
  } catch {
    return undefined;
  }
}
