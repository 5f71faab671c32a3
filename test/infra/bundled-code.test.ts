import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { App, Stack } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { bundledCode } from '../../lib/infra/bundled-code.ts';
import { ENV } from '../../lib/runtime/environment.ts';

const NAMES = [
  'ingest-events',
  'reserve-withdrawal',
  'close-withdrawal',
  'project-state',
  'operate-breaker',
  'tick',
];
const lambdaFolder = join(import.meta.dirname, '..', '..', 'lambdas');
const outdir = mkdtempSync(join(tmpdir(), 'bundled-code-'));
// Without it, the function that signs does not even start.
beforeAll(() => {
  vi.stubEnv(ENV.admissionAudience, 'signer');
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(outdir, { recursive: true, force: true });
});

const bundlesOf = (names: readonly string[]): readonly string[] => {
  const stack = new Stack(new App({ outdir }), 'Bundles');
  for (const name of names) {
    bundledCode({ lambdaFolder, name }).bind(new Construct(stack, name));
  }
  const assets = stack.node.findAll().filter((construct) => construct instanceof Asset);
  return assets.map((asset) => join(outdir, asset.assetPath));
};

describe('bundledCode', () => {
  test('default: each entry file becomes one module that loads and exports only handler', async () => {
    const folders = bundlesOf(NAMES);
    expect(new Set(folders).size).toBe(NAMES.length);
    for (const folder of folders) {
      expect(readdirSync(folder).sort()).toEqual(['index.mjs', 'index.mjs.map']);
      const module = await import(pathToFileURL(join(folder, 'index.mjs')).href);
      expect(Object.keys(module)).toEqual(['handler']);
    }
  }, 60_000);

  test('error: an entry file that does not exist stops the synth', () => {
    expect(() => bundlesOf(['no-such-function'])).toThrow(/no-such-function/);
  });
});
