/** Policies that the CLI compares: from a file, or the one in force. */

import { nodeDigest } from '../adapters/node-digest.ts';
import { compilePolicy } from '../adapters/policy-file/compile.ts';
import { InvalidPolicyError, problemText } from '../adapters/policy-file/problem.ts';
import type { Policy } from '../domain/policy.ts';
import { POLICY, type StoredPolicy } from './answers.ts';
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
  /** Of the policy in force, with what it remembers of earlier versions. */
  readonly policy: Policy;
  /** What this version compiles the text to. */
  readonly compiled: string;
};

/** The policy in force. `sourced` is absent before any was applied. */
export type InForce = {
  readonly version: number;
  readonly sourced?: Sourced;
  /** What the service decides by; absent where an older one stored the policy. */
  readonly compiled?: string | undefined;
};

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
  const { version, compiled, retired } = value;
  const inForce = sourced(label, value.source);
  const policy = retired ? { ...inForce.policy, retired } : inForce.policy;
  return { version, compiled, sourced: { ...inForce, policy } };
}

/**
 * What speaks against the stored policy being what its text says: the hash, or the compiled form that
 * decisions are made by. Empty where both fit, and where no policy is in force.
 */
export function doubtsOf(stored: StoredPolicy): readonly string[] {
  const { source, hash, compiled, version } = stored;
  if (source === undefined) return [];
  const again = 'Put the policy in force again: breakwater policy apply FILE.';
  if (compiled === undefined) {
    return [
      `Version ${version} was stored by an older service, without its compiled form: nothing is decided by it, and nothing is enabled. ${again}`,
    ];
  }
  const ofHash = `The hash of version ${version} is not that of this text: one of the two was changed after it was applied. ${again}`;
  const ofCompiled = `The service does NOT decide by what this text says, as this version of the command reads it. If the service is of another version, ask with that one; else the compiled form was changed after it was applied: pause, and find out by whom. ${again}`;
  return [
    ...(hash === nodeDigest.hash(source) ? [] : [ofHash]),
    ...(compiled === recompiled(source) ? [] : [ofCompiled]),
  ];
}

/** Nothing where this version does not take the text. */
function recompiled(source: string): string | undefined {
  try {
    return compilePolicy(source).compiled;
  } catch (error) {
    if (error instanceof InvalidPolicyError) return undefined;
    throw error;
  }
}

function sourced(label: string, source: string): Sourced {
  return { label, source, hash: nodeDigest.hash(source), ...compilePolicy(source) };
}
