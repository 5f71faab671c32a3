/** A policy file's text as the domain's policy, or everything that is wrong with it. */

import type { Policy } from '../../domain/policy.ts';
import { buildPolicy } from './build.ts';
import { checkSections } from './check.ts';
import { type Document, readDocument } from './document.ts';
import { type Finding, InvalidPolicyError, type Problem, pathText, printable } from './problem.ts';
import { readShape } from './shape.ts';

/**
 * Reads a policy (YAML or JSON). Fail direction: closed, a file with any problem is no policy at all;
 * what is in force stays in force.
 *
 * @throws {InvalidPolicyError} with every problem: its line, its field and what is allowed there.
 */
export function parsePolicy(source: string): Policy {
  const document = readDocument(source);
  if (document.raw === undefined) throw invalid(document, document.findings);
  const shape = readShape(document.raw);
  const findings = [...document.findings, ...shape.findings, ...checkSections(shape.sections)];
  if (!shape.file || findings.length > 0) throw invalid(document, findings);
  return buildPolicy(shape.file);
}

function invalid(document: Document, findings: readonly Finding[]): InvalidPolicyError {
  const byPath = new Map<string, Problem>();
  for (const { path, message, line } of findings) {
    const problem: Problem = {
      line: line ?? document.lineOf(path),
      path: printable(pathText(path)),
      message: printable(message),
    };
    // The first finding in a place is the cause; what follows from it would only repeat it.
    const key = JSON.stringify(path);
    if (!byPath.has(key)) byPath.set(key, problem);
  }
  const problems = [...byPath.values()].sort((left, right) => left.line - right.line);
  return new InvalidPolicyError({ problems });
}
