/** A signer of admissions with a key of its own, as the embedded runtime has one. */

import { createKeySigner, newSigningKey } from '../../lib/local/file-signer.ts';
import type { AdmissionSigner } from '../../lib/ports.ts';

/** Who signs in tests. */
export const ISSUER = 'breakwater-test';

/** A signer over a fresh key. */
export function testSigner(): AdmissionSigner {
  return createKeySigner({ privateKey: newSigningKey(), issuer: ISSUER });
}
