/**
 * What KMS answers, as Ethereum wants it. KMS gives `SEQUENCE { INTEGER r, INTEGER s }` in DER
 * (RFC 3279, section 2.2.3); a transaction carries r, s and the parity of R's y coordinate (EIP-1559),
 * and since EIP-2 (Homestead) only an s in the lower half of the curve's order.
 */

import { type Address, type Hex, recoverAddress, type Signature } from 'viem';

/** Order of secp256k1 (SEC 2, section 2.4.1). */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const SEQUENCE = 0x30;
const INTEGER = 0x02;
/** A zero byte before 32 others that begin with a bit. */
const INTEGER_BYTES_MAX = 33;

/**
 * Turns a DER signature over `hash` into the one that a node accepts from `address`.
 *
 * @throws {UnusableSignatureError} anything but DER of two numbers below the order, and a signature of
 * another key: what the network would reject is never handed out.
 */
export async function toEthereumSignature(
  der: Uint8Array,
  signed: { readonly hash: Hex; readonly address: Address },
): Promise<Signature> {
  const { r, s } = readDer(der);
  const low = s > ORDER / 2n ? ORDER - s : s;
  for (const yParity of [0, 1]) {
    const signature = { r: toWord(r), s: toWord(low), yParity };
    // One of the two points may not exist; then it is not this one.
    const signer = await recoverAddress({ hash: signed.hash, signature }).catch(() => undefined);
    if (signer === signed.address) return signature;
  }
  throw new UnusableSignatureError({ why: `is not of ${signed.address}` });
}

function readDer(der: Uint8Array): { readonly r: bigint; readonly s: bigint } {
  if (der[0] !== SEQUENCE || der[1] !== der.length - 2) {
    throw new UnusableSignatureError({ why: 'is no DER sequence' });
  }
  const r = readInteger(der, 2);
  const s = readInteger(der, r.endsAt);
  if (s.endsAt !== der.length) throw new UnusableSignatureError({ why: 'has bytes after s' });
  return { r: r.value, s: s.value };
}

function readInteger(
  der: Uint8Array,
  at: number,
): { readonly value: bigint; readonly endsAt: number } {
  const length = der[at + 1] ?? 0;
  const bytes = der.subarray(at + 2, at + 2 + length);
  const [first = 0x80] = bytes;
  if (der[at] !== INTEGER || bytes.length !== length || length > INTEGER_BYTES_MAX || first >= 0x80)
    throw new UnusableSignatureError({ why: 'lacks a positive integer' });
  const value = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  if (value === 0n || value >= ORDER) {
    throw new UnusableSignatureError({ why: 'has a number that the curve does not have' });
  }
  return { value, endsAt: at + 2 + length };
}

function toWord(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`;
}

/** A signature cannot be used on Ethereum. */
export class UnusableSignatureError extends Error {
  override readonly name = 'EthereumSignature.UnusableSignatureError';
  constructor(details: { readonly why: string }) {
    super(`the signature ${details.why}`);
  }
}
