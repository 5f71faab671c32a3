import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEngine } from '../../lib/local/engine.ts';
import { freePort } from '../../lib/local/free-port.ts';
import { createTables } from '../../lib/local/tables.ts';

const names = { ledger: 'Ledger', control: 'Control' };
const environment = {};
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'breakwater-engine-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function clientOf(endpoint: string): DynamoDBClient {
  return new DynamoDBClient({
    endpoint,
    region: 'local-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
}

function isAlive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function gone(pid: number | undefined): Promise<boolean> {
  for (let poll = 0; poll < 200 && isAlive(pid); poll++) await sleep(10);
  return !isAlive(pid);
}

/** A parent process that starts an engine, prints its pid and then does `then`. */
function parent(then: string) {
  const script = `
    import { startEngine } from ${JSON.stringify(join(process.cwd(), 'lib/local/engine.ts'))};
    const engine = await startEngine({ environment: {} });
    console.log(engine.pid);
    ${then}`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

async function pidFrom(child: ReturnType<typeof parent>): Promise<number> {
  const [chunk] = await once(child.stdout as NodeJS.ReadableStream, 'data');
  return Number(String(chunk).trim());
}

describe('startEngine', () => {
  test('default', async () => {
    const engine = await startEngine({ environment });
    expect(engine.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(isAlive(engine.pid)).toBe(true);
    await engine.stop();
    await engine.stop();
    expect(isAlive(engine.pid)).toBe(false);
  });

  test('args: port', async () => {
    const port = await freePort();
    const engine = await startEngine({ environment, port });
    expect(engine.endpoint).toBe(`http://127.0.0.1:${port}`);
    await engine.stop();
  });

  test('args: folder', async () => {
    const item = { pk: { S: 'kept' } };
    const first = await startEngine({ environment, folder });
    const client = clientOf(first.endpoint);
    await createTables(client, names);
    await client.send(new PutItemCommand({ TableName: names.ledger, Item: item }));
    client.destroy();
    await first.stop();

    const second = await startEngine({ environment, folder });
    const again = clientOf(second.endpoint);
    const read = await again.send(new GetItemCommand({ TableName: names.ledger, Key: item }));
    again.destroy();
    await second.stop();
    expect(read.Item).toEqual(item);
  });

  test('args: DYNAMODB_ENDPOINT', async () => {
    const engine = await startEngine({ environment: { DYNAMODB_ENDPOINT: 'http://127.0.0.1:1' } });
    expect({ ...engine, stop: undefined }).toEqual({
      endpoint: 'http://127.0.0.1:1',
      pid: undefined,
      stop: undefined,
    });
    await engine.stop();
  });

  test('error: folder in use', async () => {
    const engine = await startEngine({ environment, folder });
    await expect(startEngine({ environment, folder })).rejects.toThrow(/is in use by a runtime/);
    await engine.stop();
    await (await startEngine({ environment, folder })).stop();
  });

  test('error: port taken', async () => {
    const engine = await startEngine({ environment });
    const port = Number(new URL(engine.endpoint).port);
    await expect(startEngine({ environment, port })).rejects.toThrow(/already in use/);
    await engine.stop();
  });

  test('behavior: tells when the engine ends by itself', async () => {
    const told = Promise.withResolvers<Error>();
    const engine = await startEngine({ environment, onExit: told.resolve });
    process.kill(engine.pid ?? 0, 'SIGKILL');
    expect((await told.promise).message).toContain('SIGKILL');
    await engine.stop();
  });

  test.each([
    ['exits', 'process.exit(0)', undefined],
    ['throws', 'queueMicrotask(() => { throw new Error("boom") })', undefined],
    ['gets Ctrl-C', '', 'SIGINT'],
    ['is killed', '', 'SIGKILL'],
  ] as const)('behavior: ends with a parent that %s', async (_, then, signal) => {
    const child = parent(then);
    const closed = once(child, 'exit');
    const pid = await pidFrom(child);
    expect(pid).toBeGreaterThan(0);
    if (signal) child.kill(signal);
    await closed;
    expect(await gone(pid)).toBe(true);
  });

  test('behavior: leaves no watcher behind', async () => {
    const engine = await startEngine({ environment });
    const port = new URL(engine.endpoint).port;
    await engine.stop();
    await sleep(50);
    const { promise, resolve } = Promise.withResolvers<string>();
    execFile('ps', ['-eo', 'args'], (_error, stdout) => resolve(stdout));
    expect((await promise).split('\n').filter((line) => line.includes(`--port ${port}`))).toEqual(
      [],
    );
  });
});

describe('createTables', () => {
  test('behavior: leaves what exists as it is', async () => {
    const engine = await startEngine({ environment });
    const client = clientOf(engine.endpoint);
    const first = await createTables(client, names);
    const second = await createTables(client, names);
    expect(second).toEqual(first);
    expect(first.controlStreamArn).toContain('/stream/');
    client.destroy();
    await engine.stop();
  });
});
