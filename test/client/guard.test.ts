import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import type { Question } from '../../lib/actions/read-flag.ts';
import { guardWithdrawals, type Options } from '../../lib/client/guard.ts';
import type { Flag } from '../../lib/domain/flag.ts';

const ENABLED: Flag = { enabled: true, reason: 'enabled', text: 'yes' };
const TRIPPED: Flag = {
  enabled: false,
  reason: 'breaker-open',
  text: 'wallet:eth-hot-1 is open, incident i-1',
  scope: 'wallet:eth-hot-1',
  incidentId: 'i-1',
  sinceMs: 0,
};

function request(): Request {
  const body = JSON.stringify({ wallet: 'eth-hot-1' });
  return new Request('http://localhost/withdrawals', { method: 'POST', body });
}

async function question(asked: Request): Promise<Question> {
  return { wallet: await walletIn(asked) };
}

async function walletIn(asked: Request): Promise<string> {
  const body = (await asked.json()) as Question;
  return body.wallet;
}

async function pass(options: Partial<Options>, asked = request()) {
  let passed = 0;
  const guard = guardWithdrawals({ flag: () => ENABLED, question, ...options });
  const response = await guard(asked, async () => {
    passed += 1;
    return new Response(`sent for ${await walletIn(asked)}`);
  });
  return { response, passed };
}

describe('guardWithdrawals', () => {
  test('default', async () => {
    const questions: unknown[] = [];
    const flag = async (question: unknown) => {
      questions.push(question);
      return ENABLED;
    };
    const { response, passed } = await pass({ flag });
    expect([response.status, await response.text(), passed]).toEqual([
      200,
      'sent for eth-hot-1',
      1,
    ]);
    expect(questions).toEqual([{ wallet: 'eth-hot-1' }]);
  });

  test('behavior: a refusal says why', async () => {
    const { response, passed } = await pass({ flag: () => TRIPPED });
    expect(passed).toBe(0);
    expect(response.status).toBe(503);
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
      'retry-after': '30',
    });
    expect(await response.json()).toEqual({
      type: 'urn:breakwater:problem:withdrawals-not-enabled',
      title: 'Withdrawals are not enabled',
      status: 503,
      detail: 'wallet:eth-hot-1 is open, incident i-1',
      reason: 'breaker-open',
      scope: 'wallet:eth-hot-1',
      incidentId: 'i-1',
      since: '1970-01-01T00:00:00.000Z',
    });
  });

  test('args: status and retryAfterS', async () => {
    const { response } = await pass({ flag: () => TRIPPED, status: 423, retryAfterS: 5 });
    expect([response.status, response.headers.get('retry-after')]).toEqual([423, '5']);
    expect(await response.json()).toMatchObject({ status: 423 });
  });

  test.each<[string, Partial<Options>]>([
    ['a flag that throws', { flag: () => Promise.reject(new Error('down')) }],
    ['a flag that is nothing', { flag: () => undefined as unknown as Flag }],
    ['a flag that is nearly true', { flag: () => ({ ...ENABLED, enabled: 1 as unknown as true }) }],
    ['a question that throws', { question: () => Promise.reject(new Error('no wallet')) }],
  ])('error: %s is a refusal', async (_name, options) => {
    const { response, passed } = await pass(options);
    expect([response.status, passed]).toEqual([503, 0]);
  });

  test('error: a body that was read already is a refusal', async () => {
    const used = request();
    await used.text();
    const { response, passed } = await pass({}, used);
    expect([response.status, passed]).toEqual([503, 0]);
  });

  test.each<[string, Partial<Options>]>([
    ['a flag that says no', { flag: () => TRIPPED }],
    ['a flag that throws', { flag: () => Promise.reject(new Error('down')) }],
    ['a question that throws', { question: () => Promise.reject(new Error('no wallet')) }],
  ])('args: shadow, %s lets it pass', async (_name, options) => {
    const { response, passed } = await pass({ ...options, shadow: true });
    expect([response.status, passed]).toEqual([200, 1]);
  });

  test('error: what comes after it throws through', async () => {
    const guard = guardWithdrawals({ flag: () => ENABLED, question: () => ({ wallet: 'a' }) });
    await expect(guard(request(), () => Promise.reject(new Error('theirs')))).rejects.toThrow(
      'theirs',
    );
  });

  test('behavior: in front of a Hono route', async () => {
    let flag = ENABLED;
    const guard = guardWithdrawals({ flag: () => flag, question: () => ({ wallet: 'eth-hot-1' }) });
    const app = new Hono();
    app.use('/withdrawals', (c, next) => guard(c.req.raw, () => next().then(() => c.res)));
    app.post('/withdrawals', async (c) => c.json(await c.req.json(), 202));
    const sent = await app.request(request());
    expect([sent.status, await sent.json()]).toEqual([202, { wallet: 'eth-hot-1' }]);
    flag = TRIPPED;
    expect((await app.request(request())).status).toBe(503);
  });

  test('error: a status that would look like success', () => {
    const options = { flag: () => ENABLED, question: () => ({ wallet: 'a' }) };
    expect(() => guardWithdrawals({ ...options, status: 200 })).toThrow('400 to 599');
    for (const shadow of ['false', 'true', '', 0, 1, null] as unknown as boolean[]) {
      expect(() => guardWithdrawals({ ...options, shadow })).toThrow(
        'shadow must be true or false',
      );
    }
    expect(() => guardWithdrawals({ ...options, status: Number.NaN })).toThrow('400 to 599');
  });
});
