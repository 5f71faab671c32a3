import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { type AssetCode, Code } from 'aws-cdk-lib/aws-lambda';
import { buildSync } from 'esbuild';

/** Which handler to bundle. */
export type BundleSource = {
  /** Absolute path of the folder with the entry files. */
  readonly lambdaFolder: string;
  /** Entry file without `.ts`, or `.js` where only what was built from it is installed. */
  readonly name: string;
};

// A bundle in ESM has no `require`; CommonJS packages inside it still ask for one.
const REQUIRE =
  "import { createRequire as topLevelCreateRequire } from 'node:module';" +
  'const require = topLevelCreateRequire(import.meta.url);';

/**
 * The code of one function: its entry file and all it imports, as one ES module.
 *
 * esbuild runs in this process: no Docker, no shell, no network. An entry that is missing or does
 * not build stops the synth.
 */
export function bundledCode(source: BundleSource): AssetCode {
  return Code.fromAsset(source.lambdaFolder, {
    // By what came out: a comment changed in a source deploys nothing.
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Required by the type, never pulled: the local bundler below always answers.
      image: DockerImage.fromRegistry('none'),
      // Part of the key by which CDK recognises an asset that it has bundled before.
      command: [source.name],
      local: {
        tryBundle: (outputFolder) => {
          bundle(source, outputFolder);
          return true;
        },
      },
    },
  });
}

/** In an installed package the functions are JavaScript, since they import what is. */
function entryOf({ lambdaFolder, name }: BundleSource): string {
  const built = join(lambdaFolder, `${name}.js`);
  return existsSync(built) ? built : join(lambdaFolder, `${name}.ts`);
}

function bundle(source: BundleSource, outputFolder: string): void {
  buildSync({
    entryPoints: [entryOf(source)],
    absWorkingDir: dirname(source.lambdaFolder),
    outfile: join(outputFolder, 'index.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: { js: REQUIRE },
    minify: true,
    keepNames: true,
    sourcemap: true,
    sourcesContent: false,
    // The SDK of the lock file goes in, not the runtime's: retries and errors are tested with it.
    external: [],
    // What goes wrong is in the error that is thrown.
    logLevel: 'silent',
  });
}
