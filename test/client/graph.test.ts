import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { describe, expect, test } from 'vitest';

const ROOT = dirname(dirname(import.meta.dirname));
const BYTES_MAX = 60_000;

/** What `breakwater/client/…` exports, by name. */
const ENTRIES = {
  admission: 'lib/client/admission.ts',
  flag: 'lib/client/flag-client.ts',
  'flag-reader': 'lib/client/flag-reader.ts',
  guard: 'lib/client/guard.ts',
  openfeature: 'lib/client/openfeature.ts',
  'replay-store': 'lib/client/replay-store.ts',
  reserve: 'lib/client/reserve-client.ts',
  'reserve-http': 'lib/client/reserve-http.ts',
  withdrawal: 'lib/client/withdrawal.ts',
} as const;
const NAMES = Object.keys(ENTRIES) as (keyof typeof ENTRIES)[];
/** The one that reads DynamoDB itself; the others speak HTTP, or ask what they are given. */
const OVER_HTTP = NAMES.filter((name) => name !== 'flag-reader');

const OURS =
  /^lib\/(?:client|domain|actions|adapters\/(?:dynamodb|store-errors|compiled-policy))\b/;
const PACKAGES = ['jose', 'zod'];

/** Bundles entries as a service would, with the SDKs it has anyway left out. */
async function bundle(names: readonly (keyof typeof ENTRIES)[]) {
  const contents = names.map((name) => `export * from './${ENTRIES[name]}';`).join('\n');
  const { metafile } = await build({
    stdin: { contents, resolveDir: ROOT, sourcefile: 'entry.ts' },
    absWorkingDir: ROOT,
    bundle: true,
    minify: true,
    metafile: true,
    write: false,
    logLevel: 'silent',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['@aws-sdk/*', '@openfeature/*'],
  });
  const [output] = Object.values(metafile.outputs);
  return { bytes: output?.bytes ?? 0, ...graphOf(metafile) };
}

function graphOf({ inputs, outputs }: Metafile) {
  const files = Object.keys(inputs).filter((file) => file !== 'entry.ts');
  const packages = files.map((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]);
  return {
    ours: files.filter((file) => !file.includes('node_modules/')),
    packages: [...new Set(packages.filter((name) => name !== undefined))].sort(),
    outside: [
      ...new Set(Object.values(outputs).flatMap((each) => each.imports.map(({ path }) => path))),
    ].sort(),
  };
}

describe('breakwater/client', () => {
  test.each(NAMES)(
    'behavior: %s has nothing of CDK, Lambdas, CLI or runtime, and is small',
    async (name) => {
      const { bytes, ours, packages, outside } = await bundle([name]);
      console.log(`breakwater/client/${name}: ${bytes} bytes`);
      expect(ours.filter((file) => !OURS.test(file))).toEqual([]);
      expect(packages.filter((each) => !PACKAGES.includes(each))).toEqual([]);
      const sdks = { 'flag-reader': ['@aws-sdk/client-dynamodb', 'node:crypto'] };
      const openfeature = { openfeature: ['@openfeature/server-sdk'] };
      const allowed: Record<string, readonly string[]> = { ...sdks, ...openfeature };
      expect(outside).toEqual(allowed[name] ?? []);
      expect(bytes).toBeLessThanOrEqual(BYTES_MAX);
    },
  );

  test('behavior: all that speaks HTTP is small together', async () => {
    const { bytes } = await bundle(OVER_HTTP);
    console.log(`breakwater/client without flag-reader: ${bytes} bytes`);
    expect(bytes).toBeLessThanOrEqual(BYTES_MAX);
  });

  test('behavior: the package exports these and no other', () => {
    const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      readonly exports: Readonly<Record<string, unknown>>;
    };
    const client = Object.entries(exports).filter(([path]) => path.startsWith('./client'));
    const expected = NAMES.map((name) => {
      const built = `./dist/${ENTRIES[name].replace('.ts', '')}`;
      return [`./client/${name}`, { types: `${built}.d.ts`, default: `${built}.js` }];
    });
    expect(Object.fromEntries(client)).toEqual(Object.fromEntries(expected));
  });
});
