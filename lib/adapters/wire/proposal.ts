/** The shapes of what people send about proposals: making one, signing it, objecting, and stopping alone. */

import * as z from 'zod/mini';
import { commandId, incidentId, instant, reason, scope, text } from './fields.ts';

/** Longest policy text, characters. */
export const POLICY_LENGTH_MAX = 200_000;
/** Fields of one message, and characters of each, at most. */
const MESSAGE_VALUE_MAX = 200_000;

const proposalId = z
  .string()
  .check(
    z.regex(/^[0-9A-Z]{8,32}$/, 'must be a proposal id; `breakwater resume status` lists them'),
  );
const signature = z
  .string()
  .check(z.regex(/^0x[0-9a-fA-F]{130}$/, 'must be 65 bytes as 0x and 130 hex digits (r, s, v)'));
const limitId = text;
const share = z.int().check(z.gte(0), z.lt(10_000));

/** What a signature is over, as `eth_signTypedData_v4` was given it. */
const typedData = z.object({
  domain: z.object({
    name: z.string(),
    version: z.string(),
    salt: z.templateLiteral(['0x', z.string()]),
  }),
  types: z.record(z.string(), z.array(z.object({ name: z.string(), type: z.string() }))),
  primaryType: z.string(),
  message: z.record(
    z.string(),
    z.union([z.string().check(z.maxLength(MESSAGE_VALUE_MAX)), z.number()]),
  ),
});

const times = {
  notBefore: z.optional(instant),
  expires: z.optional(instant),
  /** Until when the message itself may act. */
  expiresAt: z.optional(instant),
};
const signed = { proposalId, signature, signed: z.optional(typedData) };

/** Everything that concerns proposals; members of the one union of requests. */
export const PROPOSAL_REQUESTS = [
  z.strictObject({
    command: z.literal('resume.propose'),
    commandId,
    incidentId,
    mode: z._default(z.enum(['steps', 'at-once']), 'steps'),
    rebase: z._default(z.array(z.strictObject({ limitId, scope })), []),
    also: z._default(z.array(incidentId), []),
    reason,
    ...times,
  }),
  z.strictObject({
    command: z.literal('policy.propose'),
    commandId,
    source: z.string().check(z.maxLength(POLICY_LENGTH_MAX)),
    reason,
    ...times,
  }),
  z.strictObject({
    command: z.literal('allowance.propose'),
    commandId,
    limitId,
    scope,
    extraBps: z.int().check(z.gte(1), z.lte(10_000)),
    until: instant,
    reason,
    ...times,
  }),
  z.strictObject({
    command: z.literal('maintenance.propose'),
    commandId,
    scope,
    reason,
    ...times,
  }),
  z.strictObject({ command: z.literal('resume.approve'), ...signed }),
  z.strictObject({ command: z.literal('proposal.approve'), ...signed }),
  z.strictObject({ command: z.literal('proposal.veto'), ...signed, reason }),
  z.strictObject({
    command: z.literal('panic'),
    commandId,
    scope,
    shareBps: z.optional(share),
    reason,
    expires: instant,
    signature,
  }),
  z.strictObject({ command: z.literal('proposal.show'), proposalId }),
  z.strictObject({ command: z.literal('proposal.list') }),
] as const;
