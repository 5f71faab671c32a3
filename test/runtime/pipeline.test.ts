import { describe, expect, test } from 'vitest';
import { localContext } from '../../lib/local/context.ts';
import { pipeline } from '../../lib/runtime/pipeline.ts';
import type { Log } from '../../lib/runtime/world.ts';

function logTo(lines: unknown[]): Log {
  const note = (message: string, fields: unknown) => lines.push({ message, fields });
  return { info: note, error: note };
}

describe('pipeline', () => {
  test('default', async () => {
    const options = { name: 'f', log: logTo([]), onTimeout: () => 'late' };
    const handler = pipeline(async (event: string) => `seen ${event}`, options);
    expect(await handler('event', localContext('f', 10_000))).toBe('seen event');
  });

  test('behavior: the early answer goes out half a second before the end', async () => {
    const never = () => new Promise<string>(() => undefined);
    const handler = pipeline(never, { name: 'f', log: logTo([]), onTimeout: () => 'late' });
    const startedAtMs = performance.now();
    expect(await handler('event', localContext('f', 560))).toBe('late');
    expect(performance.now() - startedAtMs).toBeLessThan(400);
  });

  test('behavior: with less than half a second left the answer is the early one at once', async () => {
    const never = () => new Promise<string>(() => undefined);
    const handler = pipeline(never, { name: 'f', log: logTo([]), onTimeout: () => 'late' });
    expect(await handler('event', localContext('f', 100))).toBe('late');
  });

  test('error: logged once with the request, and thrown', async () => {
    const lines: unknown[] = [];
    const fall = async () => {
      throw new TypeError('why');
    };
    const handler = pipeline(fall, { name: 'f', log: logTo(lines), onTimeout: () => 'late' });
    const context = localContext('f', 10_000);
    await expect(handler('event', context)).rejects.toThrow('why');
    const fields = {
      function: 'f',
      requestId: context.awsRequestId,
      error: 'TypeError',
      reason: 'why',
    };
    expect(lines).toEqual([{ message: 'function failed', fields }]);
  });
});
