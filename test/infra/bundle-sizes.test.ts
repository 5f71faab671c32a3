import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';

const ROOT = dirname(dirname(import.meta.dirname));

/** Bytes of an entry with everything that it imports, minified, without the AWS SDK. */
async function bytesOf(entry: string): Promise<number> {
  const { metafile } = await build({
    entryPoints: [join(ROOT, entry)],
    absWorkingDir: ROOT,
    outdir: 'out',
    bundle: true,
    minify: true,
    metafile: true,
    write: false,
    logLevel: 'silent',
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    external: ['@aws-sdk/*', '@smithy/*'],
  });
  const [output] = Object.values(metafile.outputs);
  return output?.bytes ?? 0;
}

describe('bundles', () => {
  test.each([
    // What reads a chain: viem, zod, curves and all of `adapters/evm`.
    ['lib/adapters/evm/chain-reader.ts', 150_000],
    // The whole function decides and commits as the ingest does, and has its store and log.
    ['lambdas/watch-chain.ts', 320_000],
    ['lambdas/receive-webhook.ts', 200_000],
  ])('behavior: %s is at most %i bytes', async (entry, bytesMax) => {
    const bytes = await bytesOf(entry);
    console.log(`${entry}: ${bytes} bytes`);
    expect(bytes).toBeLessThanOrEqual(bytesMax);
  });
});
