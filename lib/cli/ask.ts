/** Asks, and turns every answer that is no success into an error that says what to do next. */

import type * as z from 'zod/mini';
import { InvalidCommandError, parseRequest, type Request } from '../adapters/wire/command.ts';
import { FAILURE, REFUSED } from './answers.ts';
import { EXIT, type ExitCode, StoppedError } from './exit-code.ts';
import { nextAfter } from './refusals.ts';
import type { Answer, Transport } from './transport.ts';

/** An answer: narrow for rendering, and as it came for `--json`. */
export type Asked<T> = { readonly value: T; readonly raw: unknown };

/**
 * Checks a request as the service would, sends it and reads the answer.
 * Fail direction: closed, an answer that cannot be read is an error.
 *
 * @throws {StoppedError} `usage` before anything was sent; `refused`, `unreachable` or `unexpected` after.
 */
export async function ask<T extends z.ZodMiniType>(
  transport: Transport,
  request: Request,
  shape: T,
): Promise<Asked<z.output<T>>> {
  checkRequest(request);
  const answer = await transport.ask(request);
  if (answer.status !== 200) throw failure(answer, transport, request);
  const reading = shape.safeParse(answer.body);
  if (reading.success) return { value: reading.data, raw: answer.body };
  throw new StoppedError({
    exitCode: EXIT.unexpected,
    message: `The answer of ${transport.target} is not one that this version of breakwater knows.`,
    hint: 'Use the breakwater of the same version; `--json` prints no other answer either.',
    cause: reading.error,
  });
}

/** Commands whose help is under another name. */
const HELP: Readonly<Partial<Record<Request['command'], string>>> = {
  'proposal.approve': 'proposal submit',
  'resume.approve': 'resume submit',
  'proposal.show': 'proposal status',
  'proposal.list': 'proposal status',
};

function checkRequest(request: Request): void {
  try {
    parseRequest(JSON.stringify(request));
  } catch (error) {
    if (!(error instanceof InvalidCommandError)) throw error;
    const hint = `See breakwater ${HELP[request.command] ?? request.command.replace('.', ' ')} --help.`;
    throw new StoppedError({ exitCode: EXIT.usage, message: error.message, hint, cause: error });
  }
}

function failure(answer: Answer, transport: Transport, { command }: Request): StoppedError {
  const { status, body } = answer;
  const refused = REFUSED.safeParse(body);
  if (refused.success) {
    const { why, code } = refused.data;
    const message = `Refused${code === undefined ? '' : ` (${code})`}: ${why}.`;
    const hint = nextAfter(code);
    return new StoppedError({ exitCode: EXIT.refused, message, hint, answer: body });
  }
  const said = FAILURE.safeParse(body);
  const text = said.success ? (said.data.error ?? said.data.Message) : undefined;
  const why = text ?? `HTTP ${status}`;
  const { exitCode, hint } = meaningOf(status, command);
  return new StoppedError({ exitCode, message: `${transport.target}: ${why}`, hint });
}

/** Where the ids of something are listed. */
const LISTS: Readonly<Partial<Record<Request['command'], string>>> = {
  incident: 'incidents',
  'proposal.show': 'proposal status',
};

function meaningOf(
  status: number,
  command: Request['command'],
): { readonly exitCode: ExitCode; readonly hint?: string } {
  switch (status) {
    case 400:
      return { exitCode: EXIT.usage };
    case 401:
    case 403:
      return {
        exitCode: EXIT.refused,
        hint: 'The caller may not give commands: attach the policy of the stack output OperatorPolicyArn.',
      };
    case 404:
      return {
        exitCode: EXIT.refused,
        hint: `List what there is: breakwater ${LISTS[command] ?? 'withdrawal held'}`,
      };
    default:
      return {
        exitCode: status === 429 || status >= 500 ? EXIT.unreachable : EXIT.unexpected,
        hint: 'Whether anything was done is not known; look first: breakwater status',
      };
  }
}
