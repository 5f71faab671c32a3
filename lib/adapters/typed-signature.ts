/**
 * Signatures over EIP-712 typed data by externally owned accounts, checked offline with secp256k1. No
 * node is asked: a contract account (ERC-1271) would make whoever answers for the chain part of a quorum.
 */

import { isHex, recoverTypedDataAddress, size, slice } from 'viem';
import type { TypedData } from '../domain/typed-data.ts';
import type { Signatures } from '../ports.ts';

/** r and s of 32 bytes each, then 27 or 28. */
const SIGNATURE_BYTES = 65;
/** Half of the curve's order: of the two signatures that are valid for one key and text, one is below (EIP-2). */
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/** Recovers who signed. Fail direction: closed, what is not exactly one canonical signature has no signer. */
export const typedSignatures: Signatures = {
  recover: async (typedData, signature) => {
    if (!isHex(signature) || size(signature) !== SIGNATURE_BYTES) {
      return { kind: 'malformed', why: 'must be 65 bytes as 0x and 130 hex digits (r, s, v)' };
    }
    const v = Number(slice(signature, 64));
    if (v !== 27 && v !== 28)
      return { kind: 'malformed', why: 'must end with 1b or 1c (v of 27 or 28)' };
    if (BigInt(slice(signature, 32, 64)) > HALF_ORDER) {
      return { kind: 'malleable', why: 'its s is in the upper half of the curve (EIP-2)' };
    }
    try {
      const address = await recoverTypedDataAddress({ ...asViem(typedData), signature });
      return { kind: 'signer', address: address.toLowerCase() };
    } catch {
      return { kind: 'malformed', why: 'is no point of the curve' };
    }
  },
};

/** Typed data with the types that viem infers nothing from. */
export function asViem({ domain, types, primaryType, message }: TypedData) {
  const { EIP712Domain: _, ...own } = types;
  return {
    domain,
    types: own as Record<string, { name: string; type: string }[]>,
    primaryType,
    message,
  };
}
