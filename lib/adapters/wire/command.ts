/** Commands and questions as the CLI and the control topic send them, one JSON object each. */

import * as z from 'zod/mini';
import * as Caip from '../../domain/caip.ts';
import type * as Command from '../../domain/command.ts';
import { commandId as id, incidentId, parsed, reason, scope, text } from './fields.ts';
import * as Identifier from './identifier.ts';
import { POLICY_LENGTH_MAX, PROPOSAL_REQUESTS } from './proposal.ts';
import { readJson } from './read.ts';

/** Further incidents of one resume. */
const ALSO_MAX = 20;
/** Longest id of a withdrawal, as events may have it. */
const WITHDRAWAL_ID_LENGTH_MAX = 256;
const withdrawalId = z.string().check(
  z.minLength(1),
  z.maxLength(WITHDRAWAL_ID_LENGTH_MAX),
  z.refine(
    (value) => value.isWellFormed() && !/\p{Cc}/u.test(value),
    'must have no control characters',
  ),
);
/** One way: what spans its fields is checked as for the events that it is held against. */
const movement = z
  .strictObject({
    command: z.literal('movement.declare'),
    commandId: id,
    wallet: parsed(Identifier.parseAccount),
    asset: parsed(Identifier.parseAsset),
    destination: parsed(Identifier.parseAccount),
    memo: z.optional(withdrawalId),
    max: z.string().check(z.regex(/^(0|[1-9]\d{0,76})$/, 'must be base units as a decimal string')),
    until: z.iso.datetime({ offset: true }),
    reason,
  })
  .check(({ value, issues }) => {
    const chain = Caip.chainOf(value.wallet);
    for (const field of ['asset', 'destination'] as const) {
      if (Caip.chainOf(value[field]) === chain) continue;
      const message = `is on ${Caip.chainOf(value[field])}, but the wallet is on ${chain}`;
      issues.push({ code: 'custom', path: [field], message, input: value[field] });
    }
    if (value.memo !== undefined && chain.startsWith('eip155:')) {
      const message = 'accounts on eip155 chains have no memo or tag';
      issues.push({ code: 'custom', path: ['memo'], message, input: value.memo });
    }
  });

const request = z.discriminatedUnion('command', [
  z.strictObject({
    command: z.literal('pause'),
    commandId: id,
    scope,
    reason,
    expiresAt: z.optional(z.iso.datetime({ offset: true })),
  }),
  z.strictObject({
    command: z.literal('resume'),
    commandId: id,
    incidentId,
    also: z.optional(z.array(incidentId).check(z.maxLength(ALSO_MAX))),
    reason,
    expiresAt: z.optional(z.iso.datetime({ offset: true })),
  }),
  z.strictObject({
    command: z.literal('policy.apply'),
    commandId: id,
    source: z.string().check(z.maxLength(POLICY_LENGTH_MAX)),
    reason: z.optional(reason),
  }),
  z.strictObject({
    command: z.literal('withdrawal.close'),
    withdrawalId,
    outcome: z.enum(['failed', 'cancelled']),
    reason,
  }),
  z.strictObject({ command: z.literal('withdrawal.release'), withdrawalId, reason }),
  z.strictObject({ command: z.literal('withdrawal.show'), withdrawalId }),
  z.strictObject({ command: z.literal('withdrawal.held') }),
  z.strictObject({ command: z.literal('withdrawal.open') }),
  movement,
  ...PROPOSAL_REQUESTS,
  z.strictObject({ command: z.literal('drill.reset'), commandId: id, incidentId }),
  z.strictObject({ command: z.literal('doctor') }),
  z.strictObject({ command: z.literal('policy.show') }),
  z.strictObject({ command: z.literal('status') }),
  z.strictObject({ command: z.literal('limits'), scope: z.optional(scope) }),
  z.strictObject({ command: z.literal('incidents') }),
  z.strictObject({ command: z.literal('incident'), incidentId }),
  z.strictObject({ command: z.literal('incident.pack'), incidentId }),
  z.strictObject({ command: z.literal('audit.links'), from: z.int().check(z.gte(1)) }),
  z.strictObject({ command: z.literal('audit.check') }),
  z.strictObject({
    command: z.literal('flag'),
    wallet: text,
    chain: z.optional(text),
    asset: z.optional(text),
    destination: z.optional(text),
    memo: z.optional(text),
    actor: z.optional(text),
  }),
]);

/** A command or a question, as it travels. */
export type Request = z.infer<typeof request>;
/** A request that changes breakers or the policy, once by its `commandId`. */
export type Change = Extract<Request, { command: 'pause' | 'resume' | 'policy.apply' }>;

/** A request that only looks at the whole stack. */
export type Question = Extract<
  Request,
  {
    command:
      | 'doctor'
      | 'policy.show'
      | 'status'
      | 'limits'
      | 'incidents'
      | 'incident'
      | 'incident.pack'
      | 'audit.links'
      | 'audit.check'
      | 'flag';
  }
>;

/**
 * Reads a request.
 *
 * @throws {InvalidCommandError} with field and reason.
 */
export function parseRequest(body: string): Request {
  const reading = readJson(request, body, { under: '', whole: 'command' });
  if ('problems' in reading) throw new InvalidCommandError(reading);
  return reading.value;
}

/** Longest name of a command that is repeated to people. */
const NAME_LENGTH_MAX = 40;

/** What a body asks for, as far as it can be told: also of one that cannot be read. */
export function nameOf(body: string): string {
  try {
    const { command } = JSON.parse(body);
    const isName = typeof command === 'string' && /^[\w.-]+$/.test(command);
    return isName ? command.slice(0, NAME_LENGTH_MAX) : 'unreadable';
  } catch {
    return 'unreadable';
  }
}

/** Questions by name: whoever asks one wrongly has commanded nothing. */
const QUESTIONS: ReadonlySet<string> = new Set([
  'policy.show',
  'status',
  'limits',
  'incidents',
  'incident',
  'incident.pack',
  'audit.links',
  'audit.check',
  'flag',
  'withdrawal.show',
  'withdrawal.held',
  'withdrawal.open',
] satisfies Request['command'][]);

/** Whether this name is one of a question. */
export function isQuestionName(name: string): boolean {
  return QUESTIONS.has(name);
}

/** Whether a request changes breakers or the policy. */
export function isChange(parsed: Request): parsed is Change {
  return (
    parsed.command === 'pause' || parsed.command === 'resume' || parsed.command === 'policy.apply'
  );
}

/** Narrows a change to the domain's command. */
export function toCommand(change: Change, hash: (text: string) => string): Command.Command {
  const { commandId } = change;
  switch (change.command) {
    case 'pause':
      return { kind: 'pause', commandId, scope: change.scope, reason: change.reason };
    case 'resume': {
      const { incidentId, also, reason } = change;
      return { kind: 'resume', commandId, incidentId, also, reason };
    }
    case 'policy.apply': {
      const { source, reason: why } = change;
      const apply = { kind: 'apply-policy', commandId, source, hash: hash(source) } as const;
      return why === undefined ? apply : { ...apply, reason: why };
    }
    default:
      return change satisfies never;
  }
}

/** A request cannot be read. Nothing was done. */
export class InvalidCommandError extends Error {
  override readonly name = 'Command.InvalidCommandError';
  readonly problems: readonly string[];
  constructor(details: { readonly problems: readonly string[] }) {
    super(details.problems.join('; '));
    this.problems = details.problems;
  }
}
