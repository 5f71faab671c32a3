import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SQSEvent } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createQueue, type Queue } from '../../lib/local/queue.ts';
import type { QueueParameters } from '../../lib/local/queue-state.ts';

const T0_MS = 1_700_000_000_000;
let folder: string;
let queues: Queue[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'breakwater-queue-'));
});
afterEach(async () => {
  await Promise.all(queues.map((queue) => queue.stop()));
  queues = [];
  await rm(folder, { recursive: true });
});

let ids = 0;
async function open(parameters: Partial<QueueParameters> = {}): Promise<Queue> {
  const queue = await createQueue({
    name: 'events',
    clock: { nowMs: () => T0_MS },
    newId: () => `id-${++ids}`,
    visibilityMs: 5,
    ...parameters,
  });
  queues.push(queue);
  return queue;
}

/** A handler that keeps the bodies of each batch and fails those that `isBad` names. */
function recorder(isBad: (body: string, receives: number) => boolean = () => false) {
  const batches: string[][] = [];
  const handler = async ({ Records }: SQSEvent) => {
    batches.push(Records.map(({ body }) => body));
    const failed = Records.filter(({ body, attributes }) =>
      isBad(body, Number(attributes.ApproximateReceiveCount)),
    );
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
  return { batches, handler };
}

describe('createQueue', () => {
  test('default', async () => {
    ids = 0;
    const queue = await open();
    const events: SQSEvent[] = [];
    const messageId = await queue.send('hello', {
      reason: { dataType: 'String', stringValue: 'why' },
    });
    expect(messageId).toBe('id-1');
    queue.consume({
      handler: async (event) => {
        events.push(event);
      },
    });
    await queue.idle();
    expect(events).toMatchInlineSnapshot(`
      [
        {
          "Records": [
            {
              "attributes": {
                "ApproximateFirstReceiveTimestamp": "1700000000000",
                "ApproximateReceiveCount": "1",
                "SenderId": "000000000000",
                "SentTimestamp": "1700000000000",
              },
              "awsRegion": "local-1",
              "body": "hello",
              "eventSource": "aws:sqs",
              "eventSourceARN": "arn:aws:sqs:local-1:000000000000:events",
              "md5OfBody": "5d41402abc4b2a76b9719d911017c592",
              "messageAttributes": {
                "reason": {
                  "dataType": "String",
                  "stringValue": "why",
                },
              },
              "messageId": "id-1",
              "receiptHandle": "id-2",
            },
          ],
        },
      ]
    `);
    expect(queue.depth()).toBe(0);
  });

  test('args: batchMax', async () => {
    const queue = await open({ batchMax: 2 });
    const { batches, handler } = recorder();
    for (const body of ['a', 'b', 'c']) await queue.send(body);
    queue.consume({ handler });
    await queue.idle();
    expect(batches).toEqual([['a', 'b'], ['c']]);
  });

  test('args: concurrency', async () => {
    const queue = await open({ batchMax: 1 });
    let running = 0;
    let most = 0;
    for (const body of 'abcdefgh') await queue.send(body);
    queue.consume({
      concurrency: 3,
      handler: async () => {
        most = Math.max(most, ++running);
        await sleep(2);
        running -= 1;
      },
    });
    await queue.idle();
    expect(most).toBe(3);
  });

  test('behavior: delivers again what failed, and that only', async () => {
    const queue = await open();
    const { batches, handler } = recorder((body, receives) => body === 'b' && receives < 3);
    for (const body of ['a', 'b', 'c']) await queue.send(body);
    queue.consume({ handler });
    await queue.idle();
    expect(batches).toEqual([['a', 'b', 'c'], ['b'], ['b']]);
  });

  test.each([
    ['throws', () => Promise.reject(new Error('boom'))],
    [
      'throws at once',
      () => {
        throw new Error('boom');
      },
    ],
    ['names an unknown message', async () => ({ batchItemFailures: [{ itemIdentifier: 'x' }] })],
    ['names none', async () => ({ batchItemFailures: [{ itemIdentifier: '' }] })],
  ] as const)('behavior: a handler that %s fails the whole batch', async (_, answer) => {
    const queue = await open();
    const { batches, handler } = recorder();
    await queue.send('a');
    await queue.send('b');
    let calls = 0;
    queue.consume({ handler: (event) => (++calls === 1 ? answer() : handler(event)) });
    await queue.idle();
    expect(batches.flat()).toEqual(['a', 'b']);
    expect(calls).toBeGreaterThan(1);
  });

  test('behavior: waits for the visibility that the handler asked for', async () => {
    const queue = await open({ visibilityMs: 60_000 });
    let calls = 0;
    await queue.send('a');
    queue.consume({
      handler: async ({ Records }) => {
        calls += 1;
        const [record] = Records;
        expect(queue.changeVisibility(record?.receiptHandle ?? '', 1)).toBe(true);
        if (calls === 1) throw new Error('again soon');
      },
    });
    await queue.idle();
    expect(calls).toBe(2);
    expect(queue.changeVisibility('unknown', 1)).toBe(false);
  });

  test('behavior: a message that fails too often goes to the dead-letter queue', async () => {
    const deadLetter = await open({ name: 'dead' });
    const queue = await open({ maxReceiveCount: 3, deadLetter });
    const { batches, handler } = recorder((body) => body === 'bad');
    const id = await queue.send('bad');
    await queue.send('good');
    queue.consume({ handler });
    await queue.idle();
    expect(batches).toEqual([['bad', 'good'], ['bad'], ['bad']]);
    expect(deadLetter.peek(10)).toMatchObject([{ messageId: id, body: 'bad', sentAtMs: T0_MS }]);
    expect(deadLetter.depth()).toBe(1);
    await deadLetter.idle();
  });

  test('behavior: counts and ages', async () => {
    let nowMs = T0_MS;
    const queue = await open({ clock: { nowMs: () => nowMs }, visibilityMs: 60_000, batchMax: 1 });
    expect(queue.oldestSentAtMs()).toBeUndefined();
    await queue.send('a');
    nowMs += 1_000;
    await queue.send('b');
    await queue.send('c');
    const entered = Promise.withResolvers<void>();
    const leave = Promise.withResolvers<void>();
    queue.consume({
      handler: async ({ Records }) => {
        if (Records[0]?.body === 'a') throw new Error('later');
        entered.resolve();
        await leave.promise;
      },
    });
    await entered.promise;
    expect(queue.counts()).toEqual({ visible: 1, inFlight: 1, delayed: 1 });
    expect(queue.depth()).toBe(3);
    expect(queue.oldestSentAtMs()).toBe(T0_MS);
    leave.resolve();
  });

  test('behavior: stop waits for the batch under way and takes no more', async () => {
    const queue = await open({ journal: folder });
    const entered = Promise.withResolvers<void>();
    let isDone = false;
    await queue.send('a');
    queue.consume({
      handler: async () => {
        entered.resolve();
        await sleep(20);
        isDone = true;
      },
    });
    await entered.promise;
    const idle = queue.idle();
    await Promise.all([expect(idle).resolves.toBeUndefined(), queue.stop()]);
    expect(isDone).toBe(true);
    await expect(queue.send('b')).rejects.toThrow(/stopped/);
    await expect(queue.idle()).rejects.toThrow(/stopped/);
    expect((await open({ journal: folder })).depth()).toBe(0);
  });

  test('args: journal', async () => {
    const first = await open({ journal: folder });
    const id = await first.send('kept', { a: { dataType: 'String', stringValue: 'b' } });
    await first.send('done');
    const { handler } = recorder((body) => body === 'kept');
    first.consume({ handler });
    while (first.depth() > 1) await sleep(1);
    await first.stop();
    const second = await open({ journal: folder });
    expect(second.peek(10)).toMatchObject([
      {
        messageId: id,
        body: 'kept',
        attributes: { a: { dataType: 'String', stringValue: 'b' } },
        sentAtMs: T0_MS,
        receiveCount: expect.toSatisfy((count: number) => count >= 1),
      },
    ]);
  });

  test('behavior: a torn last line does not spoil what follows', async () => {
    const first = await open({ journal: folder });
    await first.send('a');
    await first.stop();
    await appendFile(join(folder, 'events.queue'), '{"op":"send","mess');
    const second = await open({ journal: folder });
    await second.send('b');
    await second.stop();
    const third = await open({ journal: folder });
    expect(third.peek(10).map(({ body }) => body)).toEqual(['a', 'b']);
  });

  test('behavior: a message received too often before a kill is not delivered again', async () => {
    const deadLetter = await open({ name: 'dead' });
    const first = await open({ journal: folder, maxReceiveCount: 2 });
    await first.send('kills the process');
    const { handler } = recorder((_, receives) => receives < 9);
    first.consume({ handler });
    while ((first.peek(1)[0]?.receiveCount ?? 9) < 3) await sleep(1);
    await first.stop();
    const second = await open({ journal: folder, maxReceiveCount: 2, deadLetter });
    const { batches, handler: never } = recorder();
    second.consume({ handler: never });
    await second.idle();
    expect(batches).toEqual([]);
    expect(deadLetter.depth()).toBe(1);
  });

  test('error: damaged journal', async () => {
    await writeFile(join(folder, 'events.queue'), 'garbage\n{"op":"delete","messageId":"a"}\n');
    await expect(open({ journal: folder })).rejects.toThrow(/line 1 of the journal/);
  });

  test('behavior: what send took survives a kill', async () => {
    const script = `
      import { createQueue } from ${JSON.stringify(join(process.cwd(), 'lib/local/queue.ts'))};
      let id = 0;
      const queue = await createQueue({
        name: 'events', journal: ${JSON.stringify(folder)},
        clock: { nowMs: () => Date.now() }, newId: () => String(++id),
      });
      const sendOne = async () => process.stdout.write((await queue.send('x'.repeat(200))) + '\\n');
      for (;;) await Promise.all([sendOne(), sendOne(), sendOne()]);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (output.length > 1_000) child.kill('SIGKILL');
    });
    await once(child, 'close');
    const taken = output.split('\n').slice(0, -1);
    const kept = new Set((await open({ journal: folder })).peek(1e6).map((each) => each.messageId));
    expect(taken.length).toBeGreaterThan(100);
    expect(taken.filter((id) => !kept.has(id))).toEqual([]);
  });
});
