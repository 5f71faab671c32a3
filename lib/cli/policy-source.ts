/** Policies that the CLI compares: from a file, or the one in force. */

import { nodeDigest } from '../adapters/node-digest.ts';
import { parsePolicy } from '../adapters/policy-file/parse.ts';
import { InvalidPolicyError, problemText } from '../adapters/policy-file/problem.ts';
import type { Policy } from '../domain/policy.ts';
import { POLICY } from './answers.ts';
import { ask } from './ask.ts';
import { EXIT, StoppedError } from './exit-code.ts';
import { readInput } from './read-input.ts';
import type { Session } from './session.ts';
import type { Transport } from './transport.ts';

/** A policy with the text that it was read from. */
export type Sourced = {
  /** Where it comes from, for people. */
  readonly label: string;
  readonly source: string;
  /** Hash of the text, as the service computes it. */
  readonly hash: string;
  readonly policy: Policy;
};

/** The policy in force. `sourced` is absent before any was applied. */
export type InForce = { readonly version: number; readonly sourced?: Sourced };

/**
 * Reads a policy file.
 *
 * @throws {StoppedError} `usage`: it cannot be read, or it is none; the message names every line and field.
 */
export async function readPolicyFile(session: Session, file: string): Promise<Sourced> {
  const source = await readInput(session.io, file);
  try {
    return sourced(file, source);
  } catch (cause) {
    if (!(cause instanceof InvalidPolicyError)) throw cause;
    const message = [`${file} is no valid policy:`, ...cause.problems.map(problemText)];
    throw new StoppedError({
      exitCode: EXIT.usage,
      message: message.join('\n  '),
      hint: 'Fields and what they allow: docs/policy.md. A policy to start from: examples/policies/starter.yaml.',
      answer: { ok: false, problems: cause.problems },
      cause,
    });
  }
}

/** Reads the policy in force. @throws {StoppedError} */
export async function readInForce(transport: Transport): Promise<InForce> {
  const { value } = await ask(transport, { command: 'policy.show' }, POLICY);
  if (value.source === undefined) return { version: value.version };
  const label = `version ${value.version} on ${transport.target}`;
  return { version: value.version, sourced: sourced(label, value.source) };
}

function sourced(label: string, source: string): Sourced {
  return { label, source, hash: nodeDigest.hash(source), policy: parsePolicy(source) };
}
