import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CUSTOMER, EXPECTED, HOT, issuer } from '../client/tokens.ts';

const ROOT = dirname(dirname(import.meta.dirname));
/** What the build and the tarball are made from. A copy: the repository itself stays without a build. */
const SOURCES = [
  ...['package.json', 'tsconfig.json', 'tsconfig.build.json', 'README.md', 'LICENSE'],
  ...['bin', 'examples', 'lambdas', 'lib', 'schemas', 'scripts'],
];
const CLIENT = {
  admission: ['InvalidOptionError', 'createAdmissionVerifier'],
  flag: ['InvalidOptionError', 'createFlagClient'],
  'flag-reader': ['createFlagReader'],
  guard: ['InvalidOptionError', 'guardWithdrawals'],
  openfeature: ['FLAG_KEY', 'createBreakwaterProvider'],
  'replay-store': ['FullError', 'createMemoryReplayStore'],
  reserve: ['InvalidOptionError', 'createReserveClient'],
  'reserve-http': ['FailedError', 'RefusedError', 'createHttpSend'],
  withdrawal: ['UnreadableNoticeError', 'createWithdrawalReader'],
};
const NODE_MAJOR_MIN = 20;

const folder = mkdtempSync(join(tmpdir(), 'breakwater-package-'));
const project = join(folder, 'project');
const installed = join(project, 'node_modules', 'breakwater');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

function run(command: string, args: readonly string[], cwd = project): SpawnSyncReturns<string> {
  // Without registry and without the files that npm keeps for itself.
  const npm = { npm_config_offline: 'true', npm_config_cache: join(folder, 'npm-cache') };
  const env = { ...process.env, ...npm, NODE_OPTIONS: '', CDK_OUTDIR: join(project, 'cdk.out') };
  return spawnSync(command, args, { cwd, env, encoding: 'utf8' });
}

function pack(): string {
  const stage = join(folder, 'stage');
  mkdirSync(stage);
  for (const each of SOURCES) cpSync(join(ROOT, each), join(stage, each), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(stage, 'node_modules'));
  const packed = run('npm', ['pack', '--pack-destination', folder], stage);
  expect(`${packed.status} ${packed.stderr}`).toMatch(/^0 /);
  return join(folder, `breakwater-${manifest.version}.tgz`);
}

/** As npm would, with what the package declares to need and nothing else, from the repository. */
function install(tarball: string): void {
  mkdirSync(join(project, 'node_modules'), { recursive: true });
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  expect(run('tar', ['xzf', tarball, '-C', join(project, 'node_modules')]).status).toBe(0);
  renameSync(join(project, 'node_modules', 'package'), installed);
  const { dependencies, peerDependencies, optionalDependencies } = manifest;
  const needed = { ...dependencies, ...peerDependencies, ...optionalDependencies };
  for (const name of [...Object.keys(needed), '@types/node']) {
    const from = join(ROOT, 'node_modules', name);
    const to = join(project, 'node_modules', name);
    mkdirSync(dirname(to), { recursive: true });
    if (existsSync(from)) symlinkSync(from, to);
  }
}

function put(name: string, lines: readonly string[]): string {
  writeFileSync(join(project, name), lines.join('\n'));
  return name;
}

/** A Node of this machine that is older than the one which runs the tests, but not too old. */
function olderNode(): string | undefined {
  const file = process.platform === 'win32' ? 'node.exe' : 'node';
  const own = Number.parseInt(process.versions.node, 10);
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((each) => join(each, file))
    .filter((each) => existsSync(each) && realpathSync(each) !== realpathSync(process.execPath))
    .find((each) => {
      const major = Number.parseInt(run(each, ['--version'], folder).stdout.replace('v', ''), 10);
      return major >= NODE_MAJOR_MIN && major < own;
    });
}

const older = olderNode();
if (older === undefined)
  console.log('no older Node on this machine: the package is tried under one');
const nodes: readonly (readonly [string, string])[] = [
  ['this Node', process.execPath],
  ...(older === undefined ? [] : [['an older Node', older] as const]),
];

beforeAll(() => install(pack()));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('npm pack', () => {
  test('default: the tarball holds JavaScript with its types, and what the CLI reads', () => {
    const files = globSync('**/*', { cwd: installed, withFileTypes: true })
      .filter((each) => each.isFile())
      .map((each) => join(each.parentPath, each.name).slice(installed.length + 1));
    const other = files.filter(
      (each) => !/^dist\/(?:lib|lambdas|bin)\/.+\.(?:js|d\.ts)$/.test(each),
    );
    const data = readdirSync(join(ROOT, 'examples', 'incidents')).map(
      (each) => `incidents/${each}`,
    );
    const policies = readdirSync(join(ROOT, 'examples', 'policies')).map(
      (each) => `policies/${each}`,
    );
    const examples = [...data, ...policies].map((each) => `dist/examples/${each}`);
    const rest = [
      'bin/breakwater.js',
      'scripts/node24.mjs',
      'scripts/verify-audit.mjs',
      'schemas/policy.schema.json',
    ];
    const always = ['LICENSE', 'README.md', 'package.json', 'dist/package.json'];
    expect(other.sort()).toEqual([...examples, ...rest, ...always].sort());
    // Each module with its types, and the functions that the construct bundles.
    const modules = files.filter((each) => each.startsWith('dist/') && each.endsWith('.js'));
    expect(modules.filter((each) => !files.includes(each.replace(/\.js$/, '.d.ts')))).toEqual([]);
    const functions = readdirSync(join(ROOT, 'lambdas')).map((each) => each.replace('.ts', '.js'));
    expect(functions.filter((each) => !files.includes(`dist/lambdas/${each}`))).toEqual([]);
  });

  test('behavior: every target of the exports is there', () => {
    const targets = Object.values<string | Record<string, string>>(manifest.exports);
    const paths = targets.flatMap((each) =>
      typeof each === 'string' ? [each] : Object.values(each),
    );
    expect(paths.filter((each) => !existsSync(join(installed, each)))).toEqual([]);
  });
});

describe('breakwater/client, installed', () => {
  test.each(nodes)(
    'behavior: %s imports every export, and verifies an admission',
    async (_, node) => {
      const { jwk, sign } = await issuer();
      const nowS = Math.floor(Date.now() / 1_000);
      const token = await sign({ iat: nowS, exp: nowS + 30 });
      const expected = { ...EXPECTED, amount: String(EXPECTED.amount) };
      const program = put('use.js', [
        `import { createAdmissionVerifier } from 'breakwater/client/admission';`,
        `const exported = {};`,
        `for (const name of ${JSON.stringify(Object.keys(CLIENT))})`,
        `  exported[name] = Object.keys(await import('breakwater/client/' + name)).sort();`,
        `const options = { jwks: { keys: [${JSON.stringify(jwk)}] }, audience: 'signer-1', issuer: 'breakwater' };`,
        `const verify = (expected) => createAdmissionVerifier(options).verify('${token}', expected);`,
        `const expected = ${JSON.stringify(expected)};`,
        `const right = await verify(expected);`,
        `const wrong = await verify({ ...expected, amount: '2' });`,
        `console.log(JSON.stringify({ exported, right: right.ok, wrong: wrong.reason }));`,
      ]);
      const { stdout, stderr } = run(node, [program]);
      expect(stderr).toBe('');
      const told = JSON.parse(stdout);
      expect(told).toEqual({ exported: CLIENT, right: true, wrong: 'amount' });
    },
  );

  test.each(['nodenext', 'bundler'])('behavior: types, moduleResolution %s', (resolution) => {
    const module = resolution === 'bundler' ? 'esnext' : 'nodenext';
    const program = put('use.ts', [
      `import { createReserveClient, type Verdict } from 'breakwater/client/reserve';`,
      `import { Breakwater } from 'breakwater/cdk';`,
      `const withdrawal = { withdrawalId: 'w-1', wallet: '${HOT}', asset: 'eip155:1/slip44:60', destination: '${CUSTOMER}', amount: 1n };`,
      `const client = createReserveClient({ url: 'http://localhost:4780/reserve' });`,
      `export const verdict: Promise<Verdict> = client.reserve(withdrawal);`,
      `export const wrong: Promise<number> = client.reserve({ ...withdrawal, amount: true });`,
      `export const props: ConstructorParameters<typeof Breakwater>[2] = { alertEmails: 7 };`,
    ]);
    const args = [
      '--noEmit',
      '--strict',
      '--target',
      'es2022',
      '--types',
      'node',
      '--skipLibCheck',
    ];
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const options = [...args, '--module', module, '--moduleResolution', resolution];
    const { stdout } = run(process.execPath, [tsc, ...options, program]);
    const errors = stdout.split('\n').filter((line) => line.includes('error TS'));
    expect(errors.map((line) => line.replace(/,\d+\): error (TS\d+).*/s, ' $1'))).toEqual([
      'use.ts(6 TS2322',
      'use.ts(6 TS2322',
      'use.ts(7 TS2322',
    ]);
  });
});

describe('breakwater/cdk, installed', () => {
  test('behavior: an app of six lines synthesizes, with all functions bundled', () => {
    const program = put('app.js', [
      `import { App, Stack } from 'aws-cdk-lib';`,
      `import { Breakwater } from 'breakwater/cdk';`,
      `const app = new App();`,
      `const props = { webhooks: { genericSecretName: 'g' }, watch: { rpcSecretName: 'r' } };`,
      `new Breakwater(new Stack(app, 'Mine'), 'Breakwater', props);`,
      `app.synth();`,
    ]);
    const { status, stderr } = run(process.execPath, [program]);
    expect(`${status} ${stderr}`).toMatch(/^0 /);
    const bundles = globSync('asset.*/index.mjs', { cwd: join(project, 'cdk.out') });
    expect(bundles).toHaveLength(readdirSync(join(ROOT, 'lambdas')).length);
    const template = readFileSync(join(project, 'cdk.out', 'Mine.template.json'), 'utf8');
    expect(template).toContain('-reserve-withdrawal');
  });
});

describe('breakwater, installed', () => {
  test.each(nodes)('behavior: started by %s', (_, node) => {
    const cli = join(installed, 'bin', 'breakwater.js');
    const version = run(node, [cli, '--version']);
    expect(`${version.stdout}${version.stderr}`).toBe(`${manifest.version}\n`);
    const policy = join(installed, 'dist', 'examples', 'policies', 'starter.yaml');
    const checked = run(node, [cli, 'policy', 'check', policy]);
    expect(`${checked.status} ${checked.stderr}`).toBe('0 ');
  });
});
