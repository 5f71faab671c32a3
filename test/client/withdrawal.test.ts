import { describe, expect, test } from 'vitest';
import { createWithdrawalReader } from '../../lib/client/withdrawal.ts';

const HELD = {
  withdrawalId: 'w 1/ü',
  state: 'held',
  text: 'It keeps its place.',
  lift: 'time',
  since: '2026-01-01T00:00:00.000Z',
  until: '2026-01-01T01:00:00.000Z',
  position: 3,
  reason: 'queue',
};

function readerOf(answer: (url: string, init: RequestInit) => Response | Promise<Response>) {
  const asked: { url: string; init: RequestInit }[] = [];
  const reader = createWithdrawalReader({
    url: 'http://localhost:4780/',
    timeoutMs: 200,
    fetch: async (url, init) => {
      asked.push({ url, init });
      return answer(url, init);
    },
  });
  return { ...reader, asked };
}

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });

describe('createWithdrawalReader', () => {
  test('default: the notice, asked for by its encoded id', async () => {
    const { read, asked } = readerOf(() => json(HELD));
    expect(await read('w 1/ü')).toEqual(HELD);
    expect(asked[0]?.url).toBe('http://localhost:4780/withdrawals/w%201%2F%C3%BC');
    expect(asked[0]?.init.method).toBe('GET');
  });

  test('args: sign, which gives the headers', async () => {
    const seen: RequestInit[] = [];
    const reader = createWithdrawalReader({
      url: 'https://reserve.example',
      sign: async ({ headers, url }) => ({ ...headers, authorization: `over ${url}` }),
      fetch: async (_, init) => {
        seen.push(init);
        return json(HELD);
      },
    });
    await reader.read('a');
    expect(seen[0]?.headers).toMatchObject({
      authorization: 'over https://reserve.example/withdrawals/a',
    });
  });

  test('behavior: what was never held or admitted is undefined', async () => {
    const { read } = readerOf(() => json({ error: 'no' }, 404));
    expect(await read('a')).toBeUndefined();
  });

  test.each([
    ['another status', () => json({}, 500)],
    ['no JSON', () => new Response('<html>')],
    ['another shape', () => json({ ...HELD, position: -1 })],
    ['a time that is none', () => json({ ...HELD, since: 'soon' })],
    ['no answer', () => new Promise<Response>(() => {})],
  ])('error: %s', async (_, answer) => {
    const { read } = readerOf(answer);
    await expect(read('a')).rejects.toThrow('the notice cannot be read');
  });

  test('error: a URL that anybody could answer for', () => {
    expect(() => createWithdrawalReader({ url: 'http://reserve.example' })).toThrow('https://');
  });
});
