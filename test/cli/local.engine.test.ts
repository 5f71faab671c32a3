import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { event } from './events.ts';
import { run } from './run.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const BIN = join(ROOT, 'bin', 'breakwater.ts');
const STARTER = join(ROOT, 'examples', 'policies', 'starter.yaml');
const WALLET = 'eip155:1:0x1111111111111111111111111111111111111111';

let folder: string;
let running: ChildProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-local-'));
});
afterEach(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts `breakwater local` in the folder; gives where it listens. */
async function start(...argv: readonly string[]): Promise<string> {
  const all = [BIN, 'local', '--json', '--folder', 'state', ...argv];
  const child = spawn(process.execPath, all, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  running = child;
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    const { url } = JSON.parse(line) as { readonly url?: string };
    if (url !== undefined) {
      child.stdout.resume();
      return url;
    }
  }
  throw new Error('it ended before it listened');
}

async function stop(): Promise<string | null> {
  const child = running;
  running = undefined;
  if (!child) return null;
  const ended = new Promise<string | null>((resolve) =>
    child.on('exit', (_, signal) => resolve(signal)),
  );
  child.kill('SIGINT');
  return ended;
}

describe('local', () => {
  test('behavior: send, look, pause, resume, and all of it again after a restart', async () => {
    const url = await start('--policy', STARTER);
    const there = { cwd: folder };
    const stdin = JSON.stringify(event(1, { wallet: WALLET }));
    expect((await run(['send'], { ...there, stdin })).code).toBe(0);
    expect((await run(['policy', 'diff', STARTER], there)).out).toContain('The same text.');
    await expect
      .poll(async () => (await run(['limits', '--scope', 'wallet:eth-hot-1'], there)).out)
      .toContain('$1,500');
    const paused = await run(['pause', 'wallet:eth-hot-1', '--reason', 'a test', '--json'], there);
    const { incidentId } = JSON.parse(paused.out) as { readonly incidentId: string };
    expect(paused.err).toContain('SHADOW MODE');
    expect(await stop()).toBe('SIGINT');

    expect((await run(['status', '--url', url], there)).code).toBe(4);
    await start();
    const incident = await run(['incident', incidentId], there);
    expect(incident.out).toContain('OPEN');
    const resumed = await run(['resume', incidentId, '--reason', 'it was one'], {
      ...there,
      commandId: 'second-command',
    });
    expect(resumed.out).toContain('Done in TRIAL MODE');
    expect((await run(['limits', '--scope', 'wallet:eth-hot-1'], there)).out).toContain('$1,500');
  });

  test('error: a folder in use', async () => {
    await start();
    const other = await run(['local', '--folder', join(folder, 'state')]);
    expect(other.code).toBe(2);
    expect(other.err).toContain('is in use by a runtime that is still running');
  });

  test.each([
    [['--tick', '1h'], 'a time from 500ms to 1m'],
    [['--port', 'http'], 'a number from 1 to 65535'],
    [['--policy', '/nonexistent'], 'there is no such file'],
  ])('error: %j', async (argv, expected) => {
    const { code, err } = await run(['local', ...argv]);
    expect(code).toBe(2);
    expect(err).toContain(expected);
  });
});
