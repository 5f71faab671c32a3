/** What the service answers about proposals, read into the domain's types: it is computed again before anybody signs. */

import * as z from 'zod/mini';
import type * as Proposal from '../domain/proposal.ts';

const text = z.string();
const atMs = z.number().check(z.int(), z.gte(-8.64e15), z.lte(8.64e15));
const count = z.int().check(z.gte(0));
const units = z.pipe(
  text.check(z.regex(/^\d{1,80}$/)),
  z.transform((digits: string) => BigInt(digits)),
);
const opening = { incidentId: text, scope: text, epoch: z.int() };

const step = z.object({
  shareBps: z.int(),
  forMs: z.int(),
  chains: z.exactOptional(z.array(text)),
  assets: z.exactOptional(z.array(text)),
});

const action: z.ZodMiniType<Proposal.Action> = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('resume'),
    order: z.object({
      ...opening,
      steps: z.array(step),
      budget: units,
      rebase: z.array(z.object({ limitId: text, scope: text })),
      also: z.array(z.object(opening)),
    }),
  }),
  z.object({
    kind: z.literal('policy'),
    hash: text,
    revokes: z.boolean(),
    changes: z.array(text),
    delayMs: z.int(),
  }),
  z.object({
    kind: z.literal('allowance'),
    limitId: text,
    scope: text,
    extraBps: z.int(),
    untilMs: atMs,
  }),
  z.object({ kind: z.literal('maintenance'), scope: text }),
]);

const signature = { operator: text, address: text, signature: text, atMs, round: z.int() };

const proposal: z.ZodMiniType<Proposal.Proposal> = z.object({
  proposalId: text,
  action,
  policyHash: text,
  notBeforeMs: atMs,
  expiresAtMs: atMs,
  reason: text,
  proposedBy: text,
  proposedAtMs: atMs,
  round: z.int(),
  approvals: z.array(z.object(signature)),
  vetoes: z.array(z.object({ ...signature, reason: text })),
  state: z.enum(['open', 'approved', 'done', 'void']),
  dueAtMs: z.exactOptional(atMs),
  ended: z.exactOptional(z.object({ atMs, why: text })),
});

/** Typed data as it travels and as files hold it. */
export const TYPED_DATA = z.object({
  domain: z.object({ name: text, version: text, salt: z.templateLiteral(['0x', z.string()]) }),
  types: z.record(text, z.array(z.object({ name: text, type: text }))),
  primaryType: text,
  message: z.record(text, z.union([text, z.number()])),
});

/** Answer to `proposal.show`. */
export const SHOWN = z.object({
  proposal,
  signed: z.array(text),
  quorum: count,
  may: z.array(text),
  typedData: TYPED_DATA,
  over: z.optional(text),
});

/** Answer to `proposal.list`. */
export const LISTED = z.object({
  quorum: count,
  proposals: z.array(z.object({ proposal, signed: z.array(text), over: z.optional(text) })),
});

/** Answer to what makes a proposal. */
export const PROPOSED = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('proposed'), proposal }),
  z.object({ kind: z.literal('duplicate'), proposalId: text }),
]);

/** Answer to a signature or an objection. A refused one comes with another status and never reaches this. */
export const SIGNED = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('approved'), proposal, signed: count, quorum: count }),
  z.object({ kind: z.literal('carried-out'), proposal }),
  z.object({ kind: z.literal('vetoed'), proposal }),
]);

/** Answer to a panic command. */
export const SOUNDED = z.discriminatedUnion('kind', [
  z.object({
    kind: z.enum(['paused', 'tightened']),
    scope: text,
    incidentId: text,
    already: z.boolean(),
  }),
  z.object({ kind: z.literal('duplicate') }),
]);

/** One proposal as the service shows it. */
export type Shown = z.output<typeof SHOWN>;
/** Proposals in a list. */
export type Listed = z.output<typeof LISTED>;
/** One of them. */
export type ListedOne = Listed['proposals'][number];
/** What became of a signature. */
export type Signed = z.output<typeof SIGNED>;
/** Typed data that arrays and records may be taken from. */
export type WireTypedData = z.output<typeof TYPED_DATA>;
