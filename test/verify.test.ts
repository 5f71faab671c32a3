import { describe, expect, test } from 'vitest';
import { countStep, countTests, renderSummary } from '../scripts/verify.mjs';

function file(status: string, ...tests: string[]) {
  return { status, assertionResults: tests.map((each) => ({ status: each })) };
}

describe('countTests', () => {
  test('default', () => {
    const report = { testResults: [file('passed', 'passed', 'passed'), file('passed', 'passed')] };
    expect(countTests({ report, exitCode: 0 })).toEqual({ passed: 3, failed: 0, skipped: 0 });
  });

  test('behavior: a failed test counts once', () => {
    const report = { testResults: [file('failed', 'failed', 'passed', 'skipped', 'todo')] };
    expect(countTests({ report, exitCode: 1 })).toEqual({ passed: 1, failed: 1, skipped: 2 });
  });

  test('behavior: a file that did not load counts as failed', () => {
    const report = { testResults: [file('failed'), file('passed', 'passed')] };
    expect(countTests({ report, exitCode: 1 })).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });

  test('behavior: a failure that names no test counts as failed', () => {
    const report = { testResults: [file('passed', 'passed')] };
    expect(countTests({ report, exitCode: 1 })).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });

  test.each([0, 1])('behavior: no report counts as failed, exit code %i', (exitCode) => {
    expect(countTests({ report: undefined, exitCode })).toEqual({
      passed: 0,
      failed: 1,
      skipped: 0,
    });
  });
});

describe('countStep', () => {
  test('default', () => {
    expect(countStep({ exitCode: 0 })).toEqual({ passed: 1, failed: 0, skipped: 0 });
  });

  test('args: exitCode', () => {
    expect(countStep({ exitCode: 2 })).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});

describe('renderSummary', () => {
  test('default', () => {
    const lint = { name: 'lint', durationMs: 2040, passed: 0, failed: 1, skipped: 0 };
    const tests = { name: 'test', durationMs: 61_500, passed: 128, failed: 0, skipped: 2 };
    expect(renderSummary([lint, tests])).toMatchInlineSnapshot(`
      "step        result       time   passed   failed  skipped
      lint        FAILED      2.0 s        0        1        0
      test        ok         61.5 s      128        0        2

      128 passed, 1 failed"
    `);
  });
});
