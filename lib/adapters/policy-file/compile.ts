/** A policy file's text as everybody who decides will read it. */

import type * as Policy from '../../domain/policy.ts';
import { fromCompiled, toCompiled } from '../compiled-policy.ts';
import { parsePolicy } from './parse.ts';
import { InvalidPolicyError } from './problem.ts';

/**
 * Largest policy as it is stored: source and compiled form as JSON texts in one DynamoDB item, which
 * holds 400 kB with its other attributes and with what earlier versions said (60 kB at most).
 */
const STORED_BYTES_MAX = 320_000;

/**
 * Reads a policy and writes its compiled form. Fail direction: closed, a file with any problem, and one
 * whose compiled form could not be read or stored, is no policy at all.
 *
 * @throws {InvalidPolicyError} with every problem: its line, its field and what is allowed there.
 * @throws {CompiledPolicy.InvalidCompiledPolicyError} a mistake of this program: its readers would refuse it.
 */
export function compilePolicy(source: string): Policy.Compiled {
  const compiled = toCompiled(parsePolicy(source));
  const storedBytes = Buffer.byteLength(JSON.stringify({ source, compiled }));
  if (storedBytes > STORED_BYTES_MAX) throw tooLarge(storedBytes);
  // What was read back, not what was written: whoever compiles sees what readers see.
  return { policy: fromCompiled(compiled), compiled };
}

function tooLarge(storedBytes: number): InvalidPolicyError {
  const kb = (bytes: number) => Math.ceil(bytes / 1_000);
  const message = `takes ${kb(storedBytes)} kB with its compiled form, more than the ${kb(STORED_BYTES_MAX)} kB that can be stored; merge entries by pattern`;
  return new InvalidPolicyError({ problems: [{ line: 1, path: '', message }] });
}
