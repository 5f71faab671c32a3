import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const BREAKWATER = join(import.meta.dirname, '../../bin/breakwater.ts');
const REPLAY_MAX_MS = 180_000;

let cwd = '';
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'breakwater-replay-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

/** Runs the CLI as a process of its own in an empty folder. */
function start(args: readonly string[]) {
  const child = spawn(process.execPath, [BREAKWATER, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: '1' },
  });
  const parts: string[] = [];
  child.stdout.on('data', (part: Buffer) => parts.push(part.toString()));
  child.stderr.on('data', (part: Buffer) => parts.push(part.toString()));
  const ended = new Promise<{ readonly code: number | null; readonly signal: string | null }>(
    (resolve) => child.once('close', (code, signal) => resolve({ code, signal })),
  );
  const text = () => parts.join('');
  const untilSaid = async (words: string) => {
    while (!text().includes(words) && child.exitCode === null) await sleep(20);
  };
  return { child, ended, text, untilSaid };
}

describe('demo', () => {
  test(
    'args: --auto-resume --json: trips, pages, resumes and flows again over the real functions',
    async () => {
      const { ended, text } = start(['demo', '--auto-resume', '--json']);
      expect(await ended).toEqual({ code: 0, signal: null });
      const report = JSON.parse(text());
      expect(report.tripped).toMatchObject({ scope: 'key-domain:coinex-hot', cause: 'unmatched' });
      expect(report.tripped.toTripMs).toBeGreaterThan(0);
      expect(report.tripped.toFlagMs).toBeGreaterThan(0);
      expect(report.page.subject).toContain(report.tripped.incidentId);
      expect(report.tally).toMatchObject({ stolenBefore: 1, stolenAfter: 17, refused: 50 });
      expect(report.falsePauses.days).toBe(82);
      expect(report.resumed).toMatchObject({ flagEnabled: true, nextFlows: true });
      expect(existsSync(join(cwd, '.breakwater', 'runtime.json'))).toBe(false);
    },
    REPLAY_MAX_MS,
  );

  test(
    'behavior: an operator resumes it from another process',
    async () => {
      const replay = start(['replay', 'ronin-2022', '--fast']);
      await replay.untilSaid('WAITING FOR AN OPERATOR');
      const [, incidentId = 'none'] =
        / resume (\w+) --reason/.exec(replay.text().slice(-900)) ?? [];
      const resume = start(['resume', incidentId, '--reason', 'checked by hand']);
      expect(await resume.ended).toEqual({ code: 0, signal: null });
      expect(await replay.ended).toEqual({ code: 0, signal: null });
      expect(replay.text()).toContain('RESUMED  wallet:ronin-ethereum by local:');
      expect(replay.text()).toContain('"checked by hand"');
    },
    REPLAY_MAX_MS,
  );

  test(
    'behavior: Ctrl-C ends it by that signal and leaves nothing behind',
    async () => {
      const { child, ended, untilSaid } = start(['demo']);
      await untilSaid('Ordinary traffic');
      child.kill('SIGINT');
      expect(await ended).toEqual({ code: null, signal: 'SIGINT' });
      expect(existsSync(join(cwd, '.breakwater', 'runtime.json'))).toBe(false);
    },
    REPLAY_MAX_MS,
  );
});
