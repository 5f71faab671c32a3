import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENABLED } from './answers.ts';
import { type FakeRuntime, startFakeRuntime } from './fake-runtime.ts';
import { run } from './run.ts';

let runtime: FakeRuntime;
/** Where nobody listens any more. */
let closedUrl: string;
let folder: string;
beforeAll(async () => {
  runtime = await startFakeRuntime();
  runtime.answers.set('status', { status: 200, body: ENABLED });
  const closed = await startFakeRuntime();
  await closed.close();
  closedUrl = closed.url;
  folder = mkdtempSync(join(tmpdir(), 'breakwater-cli-'));
  mkdirSync(join(folder, '.breakwater'));
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

function writeRuntimeFile(content: unknown) {
  writeFileSync(join(folder, '.breakwater', 'runtime.json'), JSON.stringify(content));
}

describe('runProgram', () => {
  test('default', async () => {
    const { code, out } = await run(['--help'], { terminal: 80 });
    expect(code).toBe(0);
    const look = ['status', 'limits', 'incidents', 'flag'];
    for (const command of [
      ...look,
      'pause',
      'resume',
      'send',
      'withdrawal',
      'movement',
      'policy',
      'panic',
      'proposal',
      'allowance',
      'maintenance',
    ]) {
      expect(out).toMatch(new RegExp(`^  ${command} `, 'm'));
    }
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test('args: --version', async () => {
    expect(await run(['--version'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\./),
    });
  });

  test('behavior: options before and after the command', async () => {
    const before = await run(['--json', '--url', runtime.url, 'status']);
    const after = await run(['status', '--json', '--url', runtime.url]);
    expect(before).toEqual(after);
    expect(before.code).toBe(0);
  });

  test.each([[[]], [['stats']], [['status', '--chek']], [['status', 'more']], [['policy']]])(
    'error: usage: %j',
    async (argv) => {
      const { code, out, err } = await run(argv);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).not.toBe('');
    },
  );

  test('error: nobody there', async () => {
    const { code, out, err } = await run(['status', '--url', closedUrl]);
    expect({ code, out }).toEqual({ code: 4, out: '' });
    expect(err.replace(closedUrl, 'URL')).toMatchInlineSnapshot(`
      "No answer from URL (ECONNREFUSED).
      Start one with \`breakwater local\`, or name another with --url URL or --stack NAME.
      "
    `);
  });
});

describe('connect', () => {
  test('args: BREAKWATER_URL', async () => {
    expect((await run(['status'], { env: { BREAKWATER_URL: runtime.url } })).code).toBe(0);
  });

  test('behavior: an option wins over the environment', async () => {
    const env = { BREAKWATER_URL: 'http://127.0.0.1:9' };
    expect((await run(['status', '--url', runtime.url], { env })).code).toBe(0);
  });

  test('behavior: the runtime of this folder', async () => {
    writeRuntimeFile({ url: runtime.url, pid: process.pid });
    expect((await run(['status'], { cwd: folder })).code).toBe(0);
  });

  test('behavior: says that the runtime of this folder has ended', async () => {
    writeRuntimeFile({ url: 'http://127.0.0.1:9', pid: 2 ** 22 + 1 });
    const { code, err } = await run(['status'], { cwd: folder });
    expect(code).toBe(4);
    expect(err).toContain('The runtime of this folder (process 4194305) has ended.');
  });

  test.each([
    [['--url', 'http://127.0.0.1:1', '--stack', 'Breakwater'], {}, '--url and --stack'],
    [[], { BREAKWATER_URL: 'http://127.0.0.1:1', BREAKWATER_STACK: 'B' }, 'BREAKWATER_URL and'],
    [['--profile', 'prod'], {}, 'belong to a stack'],
    [['--region', 'eu-west-1', '--url', 'http://127.0.0.1:1'], {}, 'belong to a stack'],
    [['--url', 'localhost:4780'], {}, 'plain http or https'],
    [['--url', 'nonsense'], {}, 'plain http or https'],
  ])('error: %j %j', async (argv, env, expected) => {
    const { code, err } = await run(['pause', 'global', '--reason', 'odd', ...argv], { env });
    expect(code).toBe(2);
    expect(err).toContain(expected);
  });

  test('error: credentials in a URL are not repeated', async () => {
    const { code, out, err } = await run(['status', '--url', 'http://ada:secret@127.0.0.1:1']);
    expect(code).toBe(2);
    expect(out + err).not.toContain('secret');
  });
});
