import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';

// The linter has the same fences, and shows them in the editor. It cannot see types that are imported
// inside an expression, nor what an import reaches through others, and an override may undo it.

/** A file of this repository (`lib/ports.ts`), or a package (`npm:zod`), or Node itself (`node:fs`). */
type Target = string;

/** Beginnings of targets: `only` is what an area may import itself, `never` what it may not. */
type Fence = {
  readonly area: string;
  readonly only?: readonly string[];
  readonly never?: readonly string[];
  /** What it may not come to through other files either. */
  readonly neverReaches?: readonly string[];
};

type Edge = { readonly file: string; readonly specifier: string; readonly target: Target };

const ROOT = dirname(import.meta.dirname);
const HANDLERS_AND_ENTRIES = ['lambdas/', 'bin/'];
const TOOLS = ['lib/infra/', 'lib/local/', 'lib/cli/', 'npm:aws-cdk-lib', 'npm:constructs'];
const CDK = ['npm:aws-cdk-lib', 'npm:constructs', 'npm:cdk-nag', 'npm:esbuild', 'node:'];

const FENCES: readonly Fence[] = [
  { area: 'lib/domain/', only: ['lib/domain/'] },
  { area: 'lib/ports.ts', only: ['lib/domain/'] },
  { area: 'lib/actions/', only: ['lib/actions/', 'lib/domain/', 'lib/ports.ts'] },
  { area: 'lib/adapters/', never: ['lib/actions/', 'lib/infra/', 'lib/local/', 'lib/cli/'] },
  {
    area: 'lib/infra/',
    only: ['lib/infra/', 'lib/runtime/environment.ts', 'cdk.json', ...CDK],
    neverReaches: ['lib/domain/', 'npm:@aws-sdk/'],
  },
  { area: 'lib/client/', never: ['lib/runtime/'], neverReaches: [...TOOLS, 'lambdas/', 'bin/'] },
  { area: 'lambdas/', never: HANDLERS_AND_ENTRIES, neverReaches: TOOLS },
  // The embedded runtime loads the handlers, as Lambda does; nobody else may.
  { area: 'lib/local/', never: ['bin/'] },
  ...['domain', 'actions', 'adapters', 'runtime', 'infra', 'client', 'cli'].map((each) => ({
    area: `lib/${each}/`,
    never: HANDLERS_AND_ENTRIES,
  })),
  { area: 'bin/', never: ['lambdas/'] },
];

// Import and export statements with `from`, imports for their effect, and `import('…')` or
// `require('…')` anywhere, in a type too.
const CLAUSE = String.raw`(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\}|\w+(?:\s*,\s*(?:\{[^}]*\}|\*\s+as\s+\w+))?)`;
const PATTERNS = [
  new RegExp(String.raw`^\s*(?:import|export)\s+${CLAUSE}\s+from\s*['"]([^'"]+)['"]`, 'gm'),
  /^\s*import\s*['"]([^'"]+)['"]/gm,
  /\b(?:import|require)\(\s*['"`]([^'"`]+)['"`]/g,
];

function importsOf(file: string, text: string): Edge[] {
  const specifiers = PATTERNS.flatMap((each) =>
    [...text.matchAll(each)].map((hit) => hit[1] ?? ''),
  );
  return specifiers.map((specifier) => ({ file, specifier, target: targetOf(file, specifier) }));
}

function targetOf(file: string, specifier: string): Target {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(file), specifier);
  return specifier.startsWith('node:') ? specifier : `npm:${specifier}`;
}

function startsWithAny(target: Target, beginnings: readonly string[]): boolean {
  return beginnings.some((each) => target.startsWith(each));
}

/** Every breach of a fence by these sources, each with the file, its import and the area. */
function findBreaches(sources: ReadonlyMap<string, string>): string[] {
  const edges = [...sources].flatMap(([file, text]) => importsOf(file, text));
  return FENCES.flatMap((fence) =>
    edges
      .filter((edge) => edge.file.startsWith(fence.area))
      .flatMap((edge) => [...directBreaches(fence, edge), ...reachedBreaches(fence, edge, edges)]),
  );
}

function directBreaches(fence: Fence, edge: Edge): string[] {
  const inside = fence.only === undefined || startsWithAny(edge.target, fence.only);
  if (inside && !startsWithAny(edge.target, fence.never ?? [])) return [];
  return [`${edge.file} imports '${edge.specifier}', which ${fence.area} must not`];
}

function reachedBreaches(fence: Fence, start: Edge, edges: readonly Edge[]): string[] {
  const forbidden = fence.neverReaches ?? [];
  const seen = new Set<Target>();
  const waiting = [{ target: start.target, path: `${start.file} imports '${start.specifier}'` }];
  for (const { target, path } of waiting) {
    if (startsWithAny(target, forbidden))
      return [`${path}: ${fence.area} must not reach ${target}`];
    if (seen.has(target)) continue;
    seen.add(target);
    for (const next of edges.filter((edge) => edge.file === target)) {
      waiting.push({ target: next.target, path: `${path}, which imports '${next.specifier}'` });
    }
  }
  return [];
}

function readSources(): Map<string, string> {
  const files = globSync('{lib,lambdas,bin}/**/*.{ts,js}', { cwd: ROOT });
  const posixFiles = files.map((each) => each.replaceAll('\\', '/'));
  return new Map(posixFiles.map((each) => [each, readFileSync(join(ROOT, each), 'utf8')]));
}

describe('findBreaches', () => {
  test('default', () => {
    expect(findBreaches(readSources())).toEqual([]);
  });

  test('behavior: reads every import of the real sources', () => {
    const sources = readSources();
    const edges = [...sources].flatMap(([file, text]) => importsOf(file, text));
    const files = edges.filter((edge) => !/^(?:npm|node):/.test(edge.target));
    expect(files.length).toBeGreaterThan(sources.size / 2);
    expect(files.filter((edge) => !existsSync(join(ROOT, edge.target)))).toEqual([]);
  });

  test.each([
    ['lib/domain/a.ts', `import { createHash } from 'node:crypto';`],
    ['lib/domain/a.ts', `import {\n  type Store,\n  load,\n} from '../ports.ts';`],
    ['lib/domain/a.ts', `type Store = import('../ports.ts').Store;`],
    ['lib/domain/a.ts', `import 'zod';`],
    ['lib/ports.ts', `export type { Item } from './adapters/dynamodb.ts';`],
    ['lib/actions/a.ts', `import * as Store from '../adapters/memory.ts';`],
    ['lib/actions/a.ts', `import sns, { type Topic } from '@aws-sdk/client-sns';`],
    ['lib/adapters/a.ts', `import { record } from '../actions/record.ts';`],
    ['lib/infra/a.ts', `import type { Policy } from '../domain/policy.ts';`],
    ['lib/infra/a.ts', `import { SNSClient } from '@aws-sdk/client-sns';`],
    ['lib/client/a.ts', `export * from '../runtime/environment.ts';`],
    ['lib/client/a.ts', `import { Stack } from 'aws-cdk-lib';`],
    ['lib/cli/a.ts', `const handler = await import('../../lambdas/tick.ts');`],
    ['lib/local/a.ts', `import { app } from '../../bin/app.ts';`],
    ['lambdas/a.ts', `import { handler } from './tick.ts';`],
    ['bin/a.ts', `import { handler } from '../lambdas/tick.ts';`],
  ])('error: %s: %s', (file, text) => {
    expect(findBreaches(new Map([[file, text]]))).toContainEqual(
      expect.stringMatching(`^${file} imports '`),
    );
  });

  test('error: a breach through another file', () => {
    const sources = new Map([
      ['lambdas/tick.ts', `import { compose } from '../lib/runtime/compose.ts';`],
      ['lib/runtime/compose.ts', `import { stack } from '../infra/stack.ts';`],
    ]);
    expect(findBreaches(sources)).toMatchInlineSnapshot(`
      [
        "lambdas/tick.ts imports '../lib/runtime/compose.ts', which imports '../infra/stack.ts': lambdas/ must not reach lib/infra/stack.ts",
      ]
    `);
  });

  test('behavior: what the layout allows', () => {
    const sources = new Map([
      ['lib/domain/a.ts', `import * as Money from './money.ts';`],
      ['lib/actions/a.ts', `import type { Deps } from '../ports.ts';`],
      ['lib/infra/a.ts', `import { ENV } from '../runtime/environment.ts';`],
      ['lib/local/a.ts', `import { handler } from '../../lambdas/tick.ts';`],
      ['lambdas/tick.ts', `import { compose } from '../lib/runtime/compose.ts';`],
      ['bin/app.ts', `import { BreakwaterStack } from '../lib/infra/stack.ts';`],
    ]);
    expect(findBreaches(sources)).toEqual([]);
  });
});
