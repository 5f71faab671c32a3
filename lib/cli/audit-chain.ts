/** The audit chain of a Breakwater, read part by part. */

import { nodeTools } from '../adapters/audit-jws.ts';
import type * as Audit from '../domain/audit.ts';
import * as Export from '../domain/audit-export.ts';
import { AUDIT_LINKS } from './answers.ts';
import { ask } from './ask.ts';
import type { Transport } from './transport.ts';

/** Parts of a chain that are asked for, at most: half a million links. */
const PAGES_MAX = 1_000;

/**
 * The chain up to the head that was signed when the first part was read, as a file; nothing where no
 * head was ever signed. `unsigned`: links that came after it. Whether it is whole, verifying tells.
 *
 * @throws {StoppedError} as asking does.
 */
export async function fetchChain(
  transport: Transport,
): Promise<{ readonly text: string; readonly unsigned: number } | undefined> {
  const links: Audit.Link[] = [];
  let first: { readonly seal: Audit.Seal; readonly newest: number } | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const request = { command: 'audit.links' as const, from: links.length + 1 };
    const { value } = await ask(transport, request, AUDIT_LINKS);
    const { seal, newest } = value;
    if (!seal) return undefined;
    first ??= { seal, newest };
    links.push(...value.links);
    if (links.length >= first.seal.sequence || value.links.length === 0) break;
  }
  if (!first) return undefined;
  const { seal, newest } = first;
  const upTo = links.slice(0, seal.sequence);
  const text = Export.write({ issuer: issuerOf(seal), links: upTo, seal });
  return { text, unsigned: newest - seal.sequence };
}

/** Who signed says whose chain it is; whether that is true, verifying tells. */
function issuerOf(seal: Audit.Seal): string {
  const [, payload = ''] = seal.jws.split('.');
  try {
    const { iss } = JSON.parse(nodeTools.decode(payload));
    return typeof iss === 'string' ? iss : '';
  } catch {
    return '';
  }
}
