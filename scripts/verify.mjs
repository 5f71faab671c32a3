#!/usr/bin/env node
// All checks of the project, in order, each one even after another has failed. Plain JavaScript for
// the same reason as node24.mjs: it starts on the Node that the machine has.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './node24.mjs';

/** The scripts of package.json that make up the verification, in their order. */
export const STEPS = ['typecheck', 'lint', 'unused', 'test', 'synth'];

/**
 * Counts what one run of vitest says. A test file that did not load has no tests to count and counts
 * as one failure, and so does a run that fails without naming a test, or leaves no report: a broken
 * run never counts as a smaller one.
 *
 * @param {{ report: object | undefined, exitCode: number }} parameters vitest's JSON report, and its exit code
 * @returns {{ passed: number, failed: number, skipped: number }}
 */
export function countTests({ report, exitCode }) {
  const files = report?.testResults ?? [];
  const tests = files.flatMap((file) => file.assertionResults);
  const broken = files.filter(
    (file) =>
      file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const passed = tests.filter((test) => test.status === 'passed').length;
  const failed = tests.filter((test) => test.status === 'failed').length;
  const skipped = tests.length - passed - failed;
  const unexplained = exitCode !== 0 || report === undefined ? 1 : 0;
  return { passed, failed: failed + broken.length || unexplained, skipped };
}

/**
 * Counts a step that is not the tests: one check, passed or failed.
 *
 * @param {{ exitCode: number }} parameters
 * @returns {{ passed: number, failed: number, skipped: number }}
 */
export function countStep({ exitCode }) {
  return { passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1, skipped: 0 };
}

/**
 * Renders the results as a table; its last line is `N passed, N failed` over everything.
 *
 * @param {readonly { name: string, durationMs: number, passed: number, failed: number, skipped: number }[]} results
 * @returns {string}
 */
export function renderSummary(results) {
  const rows = results.map((each) => [
    each.name,
    each.failed === 0 ? 'ok' : 'FAILED',
    `${(each.durationMs / 1000).toFixed(1)} s`,
    String(each.passed),
    String(each.failed),
    String(each.skipped),
  ]);
  const lines = [['step', 'result', 'time', 'passed', 'failed', 'skipped'], ...rows].map(
    ([name, result, ...numbers]) =>
      `${name.padEnd(12)}${result.padEnd(8)}${numbers.map((each) => each.padStart(9)).join('')}`,
  );
  return `${lines.join('\n')}\n\n${total(results, 'passed')} passed, ${total(results, 'failed')} failed`;
}

function total(results, key) {
  return results.reduce((sum, each) => sum + each[key], 0);
}

async function verify() {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-verify-'));
  const results = [];
  try {
    for (const name of STEPS) results.push(await runStep({ name, folder }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`\n${renderSummary(results)}`);
  process.exitCode = total(results, 'failed') === 0 ? 0 : 1;
}

async function runStep({ name, folder }) {
  const reportFile = join(folder, 'vitest.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  console.log(`\n=== ${name}\n`);
  const startedAtMs = performance.now();
  const exitCode = await run([...argumentsOf(name), ...(name === 'test' ? reporters : [])]);
  const durationMs = performance.now() - startedAtMs;
  const counts =
    name === 'test'
      ? countTests({ report: readReport(reportFile), exitCode })
      : countStep({ exitCode });
  return { name, durationMs, ...counts };
}

// Each script is `node <file> <arguments>` without quoting, so it runs without a shell, and the same
// way on Windows.
function argumentsOf(name) {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const [node, ...args] = scripts[name].split(' ');
  if (node !== 'node')
    throw new Error(`The script "${name}" of package.json must start with "node"`);
  return args;
}

function run(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
    const stop = () => {
      child.kill('SIGTERM');
      process.exit(143);
    };
    process.once('SIGTERM', stop);
    child.on('error', () => resolve(1));
    child.on('exit', (code) => {
      process.off('SIGTERM', stop);
      resolve(code ?? 1);
    });
  });
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

const startedAs = process.argv[1];
if (startedAs !== undefined && realpathSync(startedAs) === fileURLToPath(import.meta.url)) {
  await verify();
}
