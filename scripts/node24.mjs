#!/usr/bin/env node
// Plain JavaScript for Node >= 18: it has to run on whatever Node a machine has, before any tool.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 24;
const EXIT_CODE_CANNOT_START = 69;
const KILL_GRACE_MS = 500;

/** The folder that holds package.json and node_modules. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * The Node of this machine as `findNode` takes it; every field can be replaced in a test.
 *
 * @returns {{ root: string, execPath: string, version: string, platform: string, arch: string }}
 */
export function thisMachine() {
  const { execPath, version, platform, arch } = process;
  return { root: ROOT, execPath, version, platform, arch };
}

/**
 * Finds a Node of at least version 24: the running one, or the one that `npm ci` brought.
 *
 * @param {{ root: string, execPath: string, version: string, platform: string, arch: string }} machine
 * @returns {{ node: string } | { problem: string }} the executable, or what the user has to do
 */
export function findNode({ root, execPath, version, platform, arch }) {
  // Without the packages nothing starts under any Node, so this is the first thing to say.
  const folders = packageFolders(root).filter((each) => existsSync(each));
  if (folders.length === 0) {
    return {
      problem: `The packages are not installed yet. Run this first:\n\n  cd ${root} && npm ci`,
    };
  }
  if (majorOf(version) >= NODE_MAJOR_MIN) return { node: execPath };

  // npm's package for Windows is called "win"; node's platform is "win32".
  const name = `node-${platform === 'win32' ? 'win' : platform}-${arch}`;
  const file = platform === 'win32' ? 'node.exe' : 'node';
  const node = folders
    .map((each) => join(each, name, 'bin', file))
    .find((each) => existsSync(each));
  if (node !== undefined) return { node };
  return {
    problem: [
      `Breakwater needs Node ${NODE_MAJOR_MIN} or newer; this is ${version}, and node_modules/${name} is not there.`,
      '',
      '  Linux (x64, arm64) and Windows (x64): `npm ci --include=optional` brings Node 24 along.',
      '  Every other platform: install Node 24 or newer from https://nodejs.org and run this again.',
    ].join('\n'),
  };
}

/**
 * Finds the script behind a command such as `vitest` among the packages of package.json.
 * It does not use `.bin`, which holds shell scripts on Windows.
 *
 * @param {{ root: string, name: string }} parameters
 * @returns {string | undefined} the script's path; undefined if no installed package has it
 */
export function findBin({ root, name }) {
  const project = readJson(join(root, 'package.json'));
  const packages = Object.keys({ ...project.dependencies, ...project.devDependencies });
  for (const each of packages) {
    const folder = join(root, 'node_modules', each);
    if (!existsSync(join(folder, 'package.json'))) continue;
    const { bin } = readJson(join(folder, 'package.json'));
    const bins = typeof bin === 'string' ? { [each.split('/').pop()]: bin } : (bin ?? {});
    if (bins[name] !== undefined) return join(folder, bins[name]);
  }
  return undefined;
}

/**
 * Turns the arguments of this launcher into those of Node: `--bin vitest run` becomes the path of
 * vitest's script and `run`; anything else stays as it is.
 *
 * @param {{ root: string, args: readonly string[] }} parameters
 * @returns {{ args: readonly string[] } | { problem: string }}
 */
export function resolveArgs({ root, args }) {
  if (args[0] !== '--bin') return { args };
  const [, name, ...rest] = args;
  const script = name === undefined ? undefined : findBin({ root, name });
  if (script !== undefined) return { args: [script, ...rest] };
  return { problem: `No package of package.json has the command "${name ?? ''}". Run \`npm ci\`.` };
}

/**
 * The environment for a child: the folder of Node 24 comes first in PATH, so that whatever the
 * child starts by the name `node` (the CDK app, say) gets the same Node.
 *
 * @param {{ node: string, env: Record<string, string | undefined> }} parameters
 * @returns {Record<string, string | undefined>}
 */
export function environmentFor({ node, env }) {
  // Windows calls it "Path", and two spellings in one environment are one too many.
  const key = Object.keys(env).find((each) => each.toUpperCase() === 'PATH') ?? 'PATH';
  const rest = env[key];
  return { ...env, [key]: rest ? `${dirname(node)}${delimiter}${rest}` : dirname(node) };
}

/**
 * Runs Node 24 with the arguments in place of this process: same streams, same signals, same end.
 * Without a Node 24 or without the command it says on stderr what to do and exits with 69.
 *
 * @param {readonly string[]} args what Node gets, or `--bin <command> …`
 * @returns {void}
 */
export function launch(args) {
  const found = findNode(thisMachine());
  if ('problem' in found) return refuse(found.problem);
  const resolved = resolveArgs({ root: ROOT, args });
  if ('problem' in resolved) return refuse(resolved.problem);

  const env = environmentFor({ node: found.node, env: process.env });
  const child = spawn(found.node, resolved.args, { stdio: 'inherit', env });
  forwardSignals(child);
  child.on('error', (error) => refuse(`${found.node} does not start: ${error.message}`));
  child.on('exit', endLikeChild);
}

/** Where npm puts the dependencies of this package: in it, or beside it where it is installed itself. */
function packageFolders(root) {
  const inside = join(root, 'node_modules');
  const beside = dirname(root);
  return basename(beside) === 'node_modules' ? [inside, beside] : [inside];
}

function forwardSignals(child) {
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  // A terminal sends Ctrl-C to the whole process group: the child has it already, and a second one
  // could be taken for "stop at once". Without a terminal nobody but this process got it.
  const terminal = [process.stdin, process.stdout, process.stderr].some((each) => each.isTTY);
  process.on('SIGINT', () => terminal || child.kill('SIGINT'));
}

function endLikeChild(code, signal) {
  if (signal === null) process.exit(code ?? 1);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // Some signals do not end a process (and on Windows none is delivered): then by exit code.
  setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), KILL_GRACE_MS);
}

function refuse(problem) {
  console.error(problem);
  process.exit(EXIT_CODE_CANNOT_START);
}

function majorOf(version) {
  return Number.parseInt(version.replace(/^v/, ''), 10);
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

const startedAs = process.argv[1];
if (startedAs !== undefined && realpathSync(startedAs) === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  if (args.length > 0) launch(args);
  else
    refuse('usage: node24.mjs <file> [arguments]\n       node24.mjs --bin <command> [arguments]');
}
