/** Holds a file's raw data against the schema. What is right is kept, so that one mistake hides no other. */

import type * as z from 'zod/mini';
import type { Raw } from './document.ts';
import { nearest } from './nearest.ts';
import type { Finding, Path } from './problem.ts';
import * as Schema from './schema.ts';

/** One entry of a list, with its place in the file. */
export type Entry<Value> = { readonly path: Path; readonly value: Value };

/** The entries of a list that have the right shape; `complete` when all of them have. */
export type Section<Value> = {
  readonly entries: readonly Entry<Value>[];
  readonly complete: boolean;
};

/** The lists of a policy file, as far as they have the right shape. `timing` is absent where it has not. */
export type Sections = {
  readonly chains: Section<Schema.Chain>;
  readonly assets: Section<Schema.Asset>;
  readonly wallets: Section<Schema.Wallet>;
  readonly limits: Section<Schema.Limit>;
  readonly operators: Section<Schema.Operator>;
  /** Absent where it has not the right shape. */
  readonly resume?: Schema.Resume | undefined;
  readonly timing?: Schema.Timing | undefined;
};

/** What the schema says about a file. `file` is absent where there are findings. */
export type Shape = {
  readonly file?: Schema.PolicyFile | undefined;
  readonly sections: Sections;
  readonly findings: readonly Finding[];
};

/** Reads the shape. Never throws: whatever is wrong is in `findings`. */
export function readShape(raw: Raw): Shape {
  const whole = Schema.POLICY_FILE.safeParse(raw);
  const map = isMap(raw) ? raw : {};
  return {
    file: whole.data,
    findings: whole.success ? [] : whole.error.issues.flatMap(findingsOf),
    sections: {
      chains: section(map, { name: 'chains', schema: Schema.CHAIN }),
      assets: section(map, { name: 'assets', schema: Schema.ASSET }),
      wallets: section(map, { name: 'wallets', schema: Schema.WALLET }),
      limits: section(map, { name: 'limits', schema: Schema.LIMIT }),
      operators: section(map, { name: 'operators', schema: Schema.OPERATOR }),
      resume: Schema.POLICY_FILE.shape.resume.safeParse(map.resume).data,
      timing: Schema.TIMING.safeParse(map.timing ?? {}).data,
    },
  };
}

function section<Value>(
  map: Readonly<Record<string, Raw>>,
  parameters: { readonly name: string; readonly schema: z.ZodMiniType<Value> },
): Section<Value> {
  const { name, schema } = parameters;
  const list = map[name];
  if (!Array.isArray(list)) return { entries: [], complete: false };
  const entries = list.flatMap((item: Raw, position): readonly Entry<Value>[] => {
    const result = schema.safeParse(item);
    return result.success ? [{ path: [name, position], value: result.data }] : [];
  });
  return { entries, complete: entries.length === list.length && list.length > 0 };
}

function isMap(raw: Raw): raw is { readonly [key: string]: Raw } {
  return typeof raw === 'object' && !Array.isArray(raw);
}

function findingsOf(issue: z.core.$ZodIssue): readonly Finding[] {
  const path = pathOf(issue.path);
  if (issue.code === 'invalid_union') return [choiceFinding(issue, path)];
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
  return issue.keys.map((key) => {
    const known = issue.message;
    const meant = nearest(key, known.split(', '));
    const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
    return { path: [...path, key], message: `is no field here${hint} (fields: ${known})` };
  });
}

/** What is wrong inside a map (`{ pause: … }`, `{ quorum: … }`) says more than that no choice fits. */
function choiceFinding(issue: z.core.$ZodIssueInvalidUnion, path: Path): Finding {
  const inner = issue.errors
    .flat()
    .find((error) => error.path.length > 0 && error.code !== 'unrecognized_keys');
  return inner
    ? { path: [...path, ...pathOf(inner.path)], message: inner.message }
    : { path, message: issue.message };
}

function pathOf(path: readonly PropertyKey[]): Path {
  return path.map((part) => (typeof part === 'number' ? part : String(part)));
}
