/** The audit chain at rest: `b` as canonical JSON; on ends also `v`, the sequence number. */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import type * as Audit from '../../domain/audit.ts';
import * as Canonical from '../../domain/canonical.ts';
import * as Attributes from './attributes.ts';
import * as Keys from './keys.ts';

type Item = Record<string, AttributeValue>;

const StoredEntry: z.ZodMiniType<Audit.Entry> = z.object({
  entryId: z.string(),
  atMs: z.int(),
  who: z.string(),
  what: z.string(),
  scope: z.exactOptional(z.string()),
  before: z.string(),
  after: z.string(),
  reason: z.string(),
});

const Head = { sequence: z.int(), hash: z.string() };
const StoredHead: z.ZodMiniType<Audit.Head> = z.object(Head);

const StoredLink: z.ZodMiniType<Audit.Link> = z.object({
  ...Head,
  previousHash: z.string(),
  entry: StoredEntry,
});

const StoredSeal: z.ZodMiniType<Audit.Seal> = z.object({
  ...Head,
  jws: z.string(),
  jwk: z.object({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: z.string(),
    y: z.string(),
    kid: z.string(),
    alg: z.literal('ES256'),
    use: z.literal('sig'),
  }),
});

/** Writes an entry that no other row tells. */
export function toEntry(entry: Audit.Entry): Item {
  return item(Keys.entryKey('entry', entry.entryId), { ...entry });
}

/** Writes an entry that waits for the chain. */
export function toWaiting(entry: Audit.Entry): Item {
  return item(Keys.entryKey('audit-wait', entry.entryId), { ...entry });
}

/** Reads either. @throws {Store.UnreadableError} */
export function fromEntry(attributes: Attributes.Attributes): Audit.Entry {
  return Attributes.jsonOf(attributes, 'b', StoredEntry);
}

/** Writes a link. */
export function toLink(link: Audit.Link): Item {
  return item(Keys.linkKey(link.sequence), { ...link });
}

/** Reads a link. @throws {Store.UnreadableError} */
export function fromLink(attributes: Attributes.Attributes): Audit.Link {
  return Attributes.jsonOf(attributes, 'b', StoredLink);
}

/** Writes that an entry is in the chain, and where. */
export function toMarker({ entry, sequence }: Audit.Link): Item {
  return item(Keys.entryKey('audit-entry', entry.entryId), { sequence });
}

/** Writes the end of the chain. */
export function toHead(head: Audit.Head): Item {
  return ended(item(Keys.headKey('current'), { ...head }), head.sequence);
}

/** Reads the end of the chain. @throws {Store.UnreadableError} */
export function fromHead(attributes: Attributes.Attributes): Audit.Head {
  return Attributes.jsonOf(attributes, 'b', StoredHead);
}

/** Writes a signed head. */
export function toSeal(seal: Audit.Seal): Item {
  return ended(item(Keys.headKey('sealed'), { ...seal }), seal.sequence);
}

/** Reads a signed head. @throws {Store.UnreadableError} */
export function fromSeal(attributes: Attributes.Attributes): Audit.Seal {
  return Attributes.jsonOf(attributes, 'b', StoredSeal);
}

/** Writes up to where the chain was copied. */
export function toCopied(sequence: number): Item {
  return ended(item(Keys.headKey('copied'), { sequence }), sequence);
}

function item({ pk, sk }: Keys.ControlKey, value: Canonical.Json): Item {
  return { pk: { S: pk }, sk: { S: sk }, b: { S: Canonical.text(value) } };
}

function ended(stored: Item, sequence: number): Item {
  return { ...stored, v: { N: sequence.toString() } };
}
