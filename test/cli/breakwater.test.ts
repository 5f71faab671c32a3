import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENABLED } from './answers.ts';
import { event } from './events.ts';
import { type FakeRuntime, startFakeRuntime } from './fake-runtime.ts';

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'breakwater.ts');

let runtime: FakeRuntime;
beforeAll(async () => {
  runtime = await startFakeRuntime();
  runtime.answers.set('status', { status: 200, body: ENABLED });
});
afterAll(() => runtime.close());

/** Runs the real executable; `readsOut: false` closes its standard output at once, as `| true` does. */
function execute(argv: readonly string[], given: { stdin?: string; readsOut?: boolean } = {}) {
  const { FORCE_COLOR: _, ...env } = process.env;
  const child = spawn(process.execPath, [BIN, ...argv], {
    env: { ...env, BREAKWATER_URL: runtime.url, NO_COLOR: '1' },
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (data: Buffer) => {
    said.out += data;
  });
  child.stderr.on('data', (data: Buffer) => {
    said.err += data;
  });
  if (given.readsOut === false) child.stdout.destroy();
  child.stdin.end(given.stdin ?? '');
  return new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, ...said }));
  });
}

describe('breakwater', () => {
  test('default', async () => {
    const { code, out, err } = await execute(['status']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^ENABLED\n/);
  });

  test('behavior: reads standard input to its end', async () => {
    const stdin = `${JSON.stringify(event(1))}\n`.repeat(3_000);
    const { code, out } = await execute(['send', '--json'], { stdin });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ accepted: 3_000 });
  });

  test('behavior: a reader that goes away ends it quietly', async () => {
    expect((await execute(['status', '--json'], { readsOut: false })).err).toBe('');
  });

  test('error: ends with its code', async () => {
    expect((await execute(['stats'])).code).toBe(2);
  });
});
