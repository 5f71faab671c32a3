/** The published JSON Schema of policy files, for editors. It says less than {@link parsePolicy} checks. */

import * as z from 'zod/mini';
import { HINTS } from './scalar.ts';
import { POLICY_FILE } from './schema.ts';

/** The JSON Schema of a policy file, as the text of `schemas/policy.schema.json`. */
export function policyJsonSchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(POLICY_FILE, { io: 'input', metadata: HINTS });
  const head = { $schema, title: 'Breakwater policy' };
  return `${JSON.stringify({ ...head, ...schema }, undefined, 2)}\n`;
}
