/**
 * Signatures of P-256 in their two forms. KMS answers DER, `SEQUENCE { INTEGER r, INTEGER s }`
 * (RFC 3279, section 2.2.3); a JWS wants r and s side by side, 32 bytes each (RFC 7518, section 3.4).
 */

const SEQUENCE = 0x30;
const INTEGER = 0x02;
/** Length of r and of s in a JWS, bytes. */
const HALF_BYTES = 32;
/** Two integers of 33 bytes, each with tag and length; lengths above 127 have another form. */
const CONTENT_MAX_BYTES = 70;

/**
 * Turns DER into the 64 bytes of a JWS. An integer with its highest bit set has a zero byte before
 * it in DER, a small one has fewer bytes than 32: here both have exactly 32.
 *
 * @throws {MalformedSignatureError} anything but the one DER form of two positive numbers of at most 256 bits.
 */
export function toRawSignature(der: Uint8Array): Buffer {
  const length = der[1] ?? 0;
  if (der[0] !== SEQUENCE) throw malformed('is no sequence');
  if (length > CONTENT_MAX_BYTES || der.length !== 2 + length)
    throw malformed('has a wrong length');
  const r = readInteger(der, 2);
  const s = readInteger(der, r.endsAt);
  if (s.endsAt !== der.length) throw malformed('has bytes after s');
  const raw = Buffer.alloc(2 * HALF_BYTES);
  raw.set(r.digits, HALF_BYTES - r.digits.length);
  raw.set(s.digits, 2 * HALF_BYTES - s.digits.length);
  return raw;
}

/** The integer at this place without its leading zero, and where it ends. */
function readInteger(
  der: Uint8Array,
  at: number,
): { readonly digits: Uint8Array; readonly endsAt: number } {
  const length = der[at + 1] ?? 0;
  const endsAt = at + 2 + length;
  if (der[at] !== INTEGER || length === 0 || endsAt > der.length)
    throw malformed('lacks an integer');
  const bytes = der.subarray(at + 2, endsAt);
  const [first = 0, second = 0] = bytes;
  if (first >= 0x80) throw malformed('has a negative number');
  if (first === 0 && second < 0x80) throw malformed('has zero, or a number with too many zeros');
  const digits = first === 0 ? bytes.subarray(1) : bytes;
  if (digits.length > HALF_BYTES) throw malformed('has a number of more than 256 bits');
  return { digits, endsAt };
}

function malformed(why: string): MalformedSignatureError {
  return new MalformedSignatureError({ why });
}

/** A signature is not what ECDSA on P-256 gives. */
export class MalformedSignatureError extends Error {
  override readonly name = 'EcdsaSignature.MalformedSignatureError';
  constructor(details: { readonly why: string }) {
    super(`the DER signature ${details.why}`);
  }
}
