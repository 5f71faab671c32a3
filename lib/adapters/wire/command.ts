/** Commands and questions as the CLI and the control topic send them, one JSON object each. */

import * as z from 'zod/mini';
import * as Caip from '../../domain/caip.ts';
import type * as Command from '../../domain/command.ts';
import * as Identifier from './identifier.ts';
import { readJson } from './read.ts';
import { parseScopeKey } from './scope-key.ts';

const id = z
  .string()
  .check(z.regex(/^[\w.:-]{8,64}$/, 'must be 8 to 64 letters, digits, ".", ":", "_" or "-"'));
const reason = z.string().check(
  z.minLength(1),
  z.maxLength(500),
  z.refine(
    (value) => value.isWellFormed() && !/\p{Cc}/u.test(value),
    'must have no control characters',
  ),
);
const text = z.string().check(z.minLength(1), z.maxLength(600));
function parsed<T extends string>(parse: (value: string) => T) {
  return z.pipe(
    text,
    z.transform((value: string, context): T => {
      try {
        return parse(value);
      } catch (error) {
        context.issues.push({ code: 'custom', message: (error as Error).message, input: value });
        return z.NEVER;
      }
    }),
  );
}

const scope = z.pipe(
  text,
  z.transform((value: string, context): string => {
    try {
      return parseScopeKey(value);
    } catch (error) {
      context.issues.push({ code: 'custom', message: (error as Error).message, input: value });
      return z.NEVER;
    }
  }),
);
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
const incidentId = z
  .string()
  .check(
    z.regex(
      /^[0-9A-Z]{8,32}$/,
      'must be an incident id such as "1HA4VYR80K2M3"; `breakwater incidents` lists them',
    ),
  );
/** Longest policy text, characters. */
const POLICY_LENGTH_MAX = 200_000;

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
    reason,
    expiresAt: z.optional(z.iso.datetime({ offset: true })),
  }),
  z.strictObject({
    command: z.literal('policy.apply'),
    commandId: id,
    source: z.string().check(z.maxLength(POLICY_LENGTH_MAX)),
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
  z.strictObject({ command: z.literal('drill.reset'), commandId: id, incidentId }),
  z.strictObject({ command: z.literal('doctor') }),
  z.strictObject({ command: z.literal('policy.show') }),
  z.strictObject({ command: z.literal('status') }),
  z.strictObject({ command: z.literal('limits'), scope: z.optional(scope) }),
  z.strictObject({ command: z.literal('incidents') }),
  z.strictObject({ command: z.literal('incident'), incidentId }),
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
  { command: 'doctor' | 'policy.show' | 'status' | 'limits' | 'incidents' | 'incident' | 'flag' }
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
    case 'resume':
      return { kind: 'resume', commandId, incidentId: change.incidentId, reason: change.reason };
    case 'policy.apply':
      return { kind: 'apply-policy', commandId, source: change.source, hash: hash(change.source) };
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
