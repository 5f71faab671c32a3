/** A signer and copies for audit chains, and chains to export. */

import { nodeDigest } from '../../lib/adapters/node-digest.ts';
import * as Audit from '../../lib/domain/audit.ts';
import * as Export from '../../lib/domain/audit-export.ts';
import { createKeyAuditSigner } from '../../lib/local/file-audit-signer.ts';
import { newSigningKey } from '../../lib/local/file-signer.ts';
import type { Auditing } from '../../lib/runtime/project-state.ts';
import { T0_MS } from './builders.ts';

/** Whose chains these are. */
export const AUDIT_ISSUER = 'breakwater-test';

/** A signer with a fresh key, and the parts that were copied. */
export function testAuditing() {
  const parts: { readonly first: number; readonly last: number; readonly text: string }[] = [];
  const auditing: Auditing = {
    signer: createKeyAuditSigner({ privateKey: newSigningKey(), issuer: AUDIT_ISSUER }),
    copy: { put: async (part) => void parts.push(part) },
  };
  return { auditing, parts };
}

/** An entry with this id. */
export function entry(entryId: string, parts: Partial<Audit.Entry> = {}): Audit.Entry {
  return Audit.entry({
    entryId,
    atMs: T0_MS,
    who: 'ann',
    what: 'command.refused',
    before: 'resume',
    after: 'nothing changed',
    reason: 'it is too early',
    ...parts,
  });
}

/** A chain of entries with its signed end, as a file. */
export async function exported(
  entries: readonly Audit.Entry[],
  signer = testAuditing().auditing.signer,
): Promise<string> {
  const links = Audit.extend(Audit.GENESIS, entries, nodeDigest.hash);
  const seal = await signer.seal(Audit.headAfter(Audit.GENESIS, links), T0_MS);
  return Export.write({ issuer: signer.issuer, links, seal });
}
