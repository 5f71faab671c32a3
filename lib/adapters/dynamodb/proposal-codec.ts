/** A proposal at rest, as JSON: on its row in the Ledger, and as a copy in the Control table for those who look. */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import type * as Ledger from '../../domain/ledger.ts';
import type * as Proposal from '../../domain/proposal.ts';
import * as Attributes from './attributes.ts';
import * as Keys from './keys.ts';

const text = z.string();
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
      budget: Attributes.Units,
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
    untilMs: z.int(),
  }),
  z.object({ kind: z.literal('maintenance'), scope: text }),
]);

const signature = { operator: text, address: text, signature: text, atMs: z.int(), round: z.int() };

/** A proposal as it is stored. */
export const StoredProposal: z.ZodMiniType<Proposal.Proposal> = z.object({
  proposalId: text,
  action,
  policyHash: text,
  notBeforeMs: z.int(),
  expiresAtMs: z.int(),
  reason: text,
  proposedBy: text,
  proposedAtMs: z.int(),
  round: z.int(),
  approvals: z.array(z.object(signature)),
  vetoes: z.array(z.object({ ...signature, reason: text })),
  state: z.enum(['open', 'approved', 'done', 'void']),
  dueAtMs: z.exactOptional(z.int()),
  ended: z.exactOptional(z.object({ atMs: z.int(), why: text })),
});

const StoredDraft: z.ZodMiniType<Ledger.DraftPolicy> = z.object({
  hash: text,
  source: text,
  compiled: text,
});

/** A proposal that waits for its time. */
export type Due = { readonly proposalId: string; readonly dueAtMs: number };
const StoredDue: z.ZodMiniType<Due> = z.object({ proposalId: text, dueAtMs: z.int() });

/** Writes the copy of a proposal; `st` is its state. */
export function toProposal(proposal: Proposal.Proposal): Record<string, AttributeValue> {
  const { pk, sk } = Keys.proposalKey(proposal.proposalId);
  return {
    pk: { S: pk },
    sk: { S: sk },
    st: { S: proposal.state },
    b: Attributes.toJson(proposal),
  };
}

/** Reads the copy of a proposal. @throws {Store.UnreadableError} */
export function fromProposal(attributes: Attributes.Attributes): Proposal.Proposal {
  return Attributes.jsonOf(attributes, 'b', StoredProposal);
}

/** Writes a proposal into the list of those that wait for their time. */
export function toDue(due: Due): Record<string, AttributeValue> {
  const { pk, sk } = Keys.dueKey(due);
  return { pk: { S: pk }, sk: { S: sk }, b: Attributes.toJson(due) };
}

/** Reads one that waits. @throws {Store.UnreadableError} */
export function fromDue(attributes: Attributes.Attributes): Due {
  return Attributes.jsonOf(attributes, 'b', StoredDue);
}

/** Writes the text of a policy that is proposed. */
export function toDraft(draft: Ledger.DraftPolicy): Record<string, AttributeValue> {
  const { pk, sk } = Keys.draftKey(draft.hash);
  return { pk: { S: pk }, sk: { S: sk }, b: Attributes.toJson(draft) };
}

/** Reads the text of a policy that is proposed. @throws {Store.UnreadableError} */
export function fromDraft(attributes: Attributes.Attributes): Ledger.DraftPolicy {
  return Attributes.jsonOf(attributes, 'b', StoredDraft);
}
