/**
 * Identifiers as people and other systems write them. An EVM address in mixed case carries its own
 * checksum (EIP-55, https://eips.ethereum.org/EIPS/eip-55): one that does not hold is a typing error,
 * and money that is watched under a mistyped address is not watched at all.
 */

import { isAddress } from 'viem/utils';
import * as Caip from '../../domain/caip.ts';

const ADDRESS_AT_END = /0x[0-9a-fA-F]{40}$/;

/** Reads a CAIP-10 account. @throws {Caip.InvalidIdError} @throws {ChecksumError} */
export function parseAccount(text: string): Caip.AccountId {
  const account = Caip.parseAccount(text);
  assertChecksum(text);
  return account;
}

/** Reads a CAIP-19 asset. @throws {Caip.InvalidIdError} @throws {ChecksumError} */
export function parseAsset(text: string): Caip.AssetId {
  const asset = Caip.parseAsset(text);
  assertChecksum(text);
  return asset;
}

/** All lower or all upper case carries no checksum and passes. */
function assertChecksum(text: string): void {
  if (!text.startsWith('eip155:')) return;
  const address = ADDRESS_AT_END.exec(text)?.[0];
  if (address === undefined) return;
  const digits = address.slice(2);
  const carriesNone = digits === digits.toLowerCase() || digits === digits.toUpperCase();
  if (!carriesNone && !isAddress(address, { strict: true })) throw new ChecksumError({ address });
}

/** The letters of a mixed-case EVM address do not fit its digits. */
export class ChecksumError extends Error {
  override readonly name = 'Identifier.ChecksumError';
  constructor(details: { readonly address: string }) {
    super(
      `"${details.address}" fails its EIP-55 checksum: one of its characters is wrong; check it, or write it in lower case`,
    );
  }
}
