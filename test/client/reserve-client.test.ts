import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { createReserveClient, type Options } from '../../lib/client/reserve-client.ts';
import { RefusedError, type Unsigned } from '../../lib/client/reserve-http.ts';
import type { Request, ShadowVerdict, Verdict, Withdrawal } from '../../lib/client/reserve-wire.ts';
import { fakeTime, settled } from './fake-time.ts';
import { CUSTOMER, HOT } from './tokens.ts';

function withdrawal(withdrawalId: string, amount: bigint | string = 1_000n): Withdrawal {
  return { withdrawalId, wallet: HOT, asset: 'eip155:1/slip44:60', destination: CUSTOMER, amount };
}

function allow(withdrawalId: string): Verdict {
  const expiresAt = '2026-01-01T00:00:30.000Z';
  return { withdrawalId, verdict: 'allow', admission: `jws-${withdrawalId}`, expiresAt };
}

function allowAll({ withdrawals }: Request): { verdicts: Verdict[] } {
  return { verdicts: withdrawals.map((each) => allow(each.withdrawalId)) };
}

const limited = {
  withdrawalId: 'w-1',
  verdict: 'block',
  reason: 'limit',
  text: 'limit hourly: 900 of 1000 used, 100 left',
  provisional: true,
  limit: {
    limitId: 'hourly',
    scope: 'wallet:eth-hot-1',
    used: '900',
    allowed: '1000',
    headroom: '100',
  },
  capacityAt: '2026-01-01T01:00:00.000Z',
} as const satisfies Verdict;

/** A client on a time of its own, over a service that answers as told and remembers what it was asked. */
function setup(
  answer: (body: Request, call: number) => unknown = allowAll,
  options: Partial<Options> = {},
) {
  const time = fakeTime();
  const calls: Request[] = [];
  const client = createReserveClient({
    send: async (body) => {
      calls.push(body);
      return answer(body, calls.length);
    },
    clock: time.clock,
    timers: time.timers,
    random: () => 0,
    ...options,
  });
  const ids = () => calls.map((each) => each.withdrawals.map((one) => one.withdrawalId));
  return { time, client, calls, ids };
}

/** A call that ends when told to. */
function gate<T>() {
  let open: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

describe('createReserveClient', () => {
  test('default', async () => {
    const { client, time, calls } = setup();
    const verdict = client.reserve({
      ...withdrawal('w-1'),
      memo: 'tag',
      actor: 'a',
      fee: { asset: 'eip155:1/slip44:60', amount: 7n },
      nonce: 7,
    });
    await time.advance(20);
    expect(await verdict).toEqual(allow('w-1'));
    expect(calls).toMatchInlineSnapshot(`
      [
        {
          "withdrawals": [
            {
              "actor": "a",
              "amount": "1000",
              "asset": "eip155:1/slip44:60",
              "destination": "eip155:1:0x2222222222222222222222222222222222222222",
              "fee": {
                "amount": "7",
                "asset": "eip155:1/slip44:60",
              },
              "memo": "tag",
              "nonce": 7,
              "wallet": "eip155:1:0x1111111111111111111111111111111111111111",
              "withdrawalId": "w-1",
            },
          ],
        },
      ]
    `);
    expect(time.pending()).toBe(0);
  });

  test('args: audience', async () => {
    const { client, time, calls } = setup(allowAll, { audience: 'signer-1' });
    const verdict = client.reserve(withdrawal('w-1'));
    await time.advance(20);
    await verdict;
    expect(calls[0]?.audience).toBe('signer-1');
  });

  test('behavior: what comes within the wait is one call, and each gets its own answer', async () => {
    const { client, time, ids } = setup(({ withdrawals }) => ({
      verdicts: withdrawals.map(({ withdrawalId }) =>
        withdrawalId === 'w-1' ? limited : allow(withdrawalId),
      ),
    }));
    const first = client.reserve(withdrawal('w-1'));
    await time.advance(19);
    const second = client.reserve(withdrawal('w-2'));
    await time.advance(1);
    const third = client.reserve(withdrawal('w-3'));
    await time.advance(20);
    expect(ids()).toEqual([['w-1', 'w-2'], ['w-3']]);
    expect(await first).toEqual(limited);
    expect(await second).toEqual(allow('w-2'));
    expect(await third).toEqual(allow('w-3'));
  });

  test('behavior: a full batch goes at once', async () => {
    const { client, time, ids } = setup(allowAll, { batchMax: 3 });
    const all = [1, 2, 3, 4].map((at) => client.reserve(withdrawal(`w-${at}`)));
    await time.advance(0);
    expect(ids()).toEqual([['w-1', 'w-2', 'w-3']]);
    await time.advance(20);
    expect(ids()).toEqual([['w-1', 'w-2', 'w-3'], ['w-4']]);
    expect((await Promise.all(all)).map((each) => each.verdict)).toEqual(Array(4).fill('allow'));
  });

  test('args: waitMs of 0 waits for nothing', async () => {
    const { client, time, ids } = setup(allowAll, { waitMs: 0 });
    void client.reserve(withdrawal('w-1'));
    await time.advance(0);
    expect(ids()).toEqual([['w-1']]);
  });

  test('behavior: never more calls at one time than allowed; what waits meanwhile goes together', async () => {
    const gates = [gate<unknown>(), gate<unknown>(), gate<unknown>()];
    const { client, time, calls, ids } = setup((_body, call) => gates[call - 1]?.promise, {
      waitMs: 0,
    });
    const all = [1, 2, 3, 4].map((at) => client.reserve(withdrawal(`w-${at}`)));
    await time.advance(1_000);
    expect(ids()).toEqual([['w-1'], ['w-2']]);
    for (const at of [1, 0]) {
      const body = calls[at];
      if (body) gates[at]?.open(allowAll(body));
      await settled();
    }
    expect(ids()).toEqual([['w-1'], ['w-2'], ['w-3', 'w-4']]);
    gates[2]?.open({ verdicts: [allow('w-3'), allow('w-4')] });
    expect((await Promise.all(all)).map((each) => each.withdrawalId)).toEqual([
      'w-1',
      'w-2',
      'w-3',
      'w-4',
    ]);
  });

  test('behavior: the same withdrawal asked twice while it waits is sent once', async () => {
    const { client, time, ids } = setup();
    const twins = [client.reserve(withdrawal('w-1')), client.reserve(withdrawal('w-1', '1000'))];
    await time.advance(20);
    expect(await Promise.all(twins)).toEqual([allow('w-1'), allow('w-1')]);
    expect(ids()).toEqual([['w-1']]);
  });

  test('behavior: another body for the same id goes into the next batch', async () => {
    const { client, time, calls } = setup();
    const all = [
      client.reserve(withdrawal('w-1', 1n)),
      client.reserve(withdrawal('w-1', 2n)),
      client.reserve(withdrawal('w-2', 3n)),
    ];
    await time.advance(20);
    await Promise.all(all);
    const amounts = calls.map((each) => each.withdrawals.map((one) => one.amount));
    expect(amounts).toEqual([['1', '3'], ['2']]);
  });

  test('behavior: retries with the same ids', async () => {
    const { client, time, calls } = setup((body, call) => {
      if (call < 3) throw new Error('lost');
      return allowAll(body);
    });
    const verdict = client.reserve(withdrawal('w-1'));
    await time.advance(20 + 25 + 50);
    expect(await verdict).toEqual(allow('w-1'));
    expect(calls[1]).toEqual(calls[0]);
    expect(calls[2]).toEqual(calls[0]);
    expect(time.pending()).toBe(0);
  });

  test('behavior: an attempt that hangs is given up for another', async () => {
    const { client, time } = setup((body, call) =>
      call === 1 ? new Promise(() => {}) : allowAll(body),
    );
    const verdict = client.reserve(withdrawal('w-1'));
    await time.advance(20 + 3_000 + 25);
    expect(await verdict).toEqual(allow('w-1'));
  });

  test('error: unavailable, once the attempts are used up', async () => {
    const { client, time, calls } = setup(() => {
      throw new Error('down');
    });
    const verdict = client.reserve(withdrawal('w-1'));
    await time.advance(1_000);
    expect(await verdict).toEqual({
      withdrawalId: 'w-1',
      verdict: 'block',
      reason: 'unavailable',
      text: 'down',
      provisional: true,
    });
    expect(calls).toHaveLength(3);
    expect(time.pending()).toBe(0);
  });

  test('error: timeout, at 6 s to the millisecond', async () => {
    const late = gate<unknown>();
    const { client, time } = setup(() => late.promise, { attemptTimeoutMs: 6_000 });
    const verdict = client.reserve(withdrawal('w-1'));
    await time.advance(5_999);
    const answered = Promise.race([verdict, Promise.resolve('waits')]);
    expect(await answered).toBe('waits');
    await time.advance(1);
    late.open({ verdicts: [allow('w-1')] });
    expect(await verdict).toEqual({
      withdrawalId: 'w-1',
      verdict: 'block',
      reason: 'timeout',
      text: 'no verdict within 6000 ms',
      provisional: true,
    });
    expect(time.pending()).toBe(0);
  });

  test('error: timeout, when a busy process runs the late reply before its timer', async () => {
    const late = gate<unknown>();
    const { client, time } = setup(() => late.promise, { attemptTimeoutMs: 6_000 });
    const verdict = client.reserve(withdrawal('w-1'));
    await time.advance(20);
    time.stall(5_980);
    late.open({ verdicts: [allow('w-1')] });
    expect(await verdict).toMatchObject({ verdict: 'block', reason: 'timeout' });
  });

  test('error: timeout, while it waits for its turn', async () => {
    const { client, time, ids } = setup(() => new Promise(() => {}), { callsMax: 1, waitMs: 0 });
    const first = client.reserve(withdrawal('w-1'));
    const second = client.reserve(withdrawal('w-2'));
    await time.advance(6_000);
    expect(await Promise.all([first, second])).toMatchObject([
      { withdrawalId: 'w-1', reason: 'timeout' },
      { withdrawalId: 'w-2', reason: 'timeout' },
    ]);
    expect(ids().flat()).not.toContain('w-2');
  });

  test.each([
    ['no answer', undefined],
    ['a text', 'allow'],
    ['no verdicts', { verdicts: [] }],
    ['verdicts of another', { verdicts: [allow('w-2')] }],
    ['an allow without admission', { verdicts: [{ ...allow('w-1'), admission: '' }] }],
    ['an unknown verdict', { verdicts: [{ ...allow('w-1'), verdict: 'yes' }] }],
  ])('error: unavailable, %s', async (_name, answer) => {
    const { client, time, calls } = setup(() => answer);
    const verdict = client.reserve(withdrawal('w-1'));
    await time.advance(1_000);
    const text = 'the service gave no readable verdict';
    expect(await verdict).toMatchObject({ verdict: 'block', reason: 'unavailable', text });
    expect(calls).toHaveLength(1);
  });

  test('behavior: a verdict that cannot be read does not spoil those beside it', async () => {
    const { client, time } = setup(() => ({ verdicts: [{}, allow('w-2')] }));
    const all = [client.reserve(withdrawal('w-1')), client.reserve(withdrawal('w-2'))];
    await time.advance(20);
    expect((await Promise.all(all)).map((each) => each.verdict)).toEqual(['block', 'allow']);
  });

  test('behavior: a reason of a newer service is still a hold', async () => {
    const newer = { ...limited, verdict: 'hold', reason: 'full-moon' };
    const { client, time } = setup(() => ({ verdicts: [newer] }));
    const verdict = client.reserve(withdrawal('w-1'));
    await time.advance(20);
    expect(await verdict).toMatchObject({ verdict: 'hold', reason: 'unavailable' });
  });

  test('behavior: a batch that is refused is halved, so that one misfit fails alone', async () => {
    const { client, time, calls } = setup((body) => {
      if (body.withdrawals.some((each) => each.withdrawalId === 'w-5')) {
        throw new RefusedError({ why: 'HTTP 400: checksum' });
      }
      return allowAll(body);
    });
    const all = Array.from({ length: 8 }, (_, at) => client.reserve(withdrawal(`w-${at}`)));
    await time.advance(20);
    const verdicts = await Promise.all(all);
    const refused = verdicts.filter((each) => each.verdict !== 'allow');
    expect(refused).toEqual([
      {
        withdrawalId: 'w-5',
        verdict: 'block',
        reason: 'unavailable',
        text: 'the request was refused: HTTP 400: checksum',
        provisional: false,
      },
    ]);
    expect(calls.length).toBeLessThanOrEqual(7);
  });

  test.each([
    ['an amount that is a number', { amount: 1 as unknown as bigint }],
    ['an amount below 0', { amount: -1n }],
    ['an amount with a point', { amount: '1.5' }],
    ['no wallet', { wallet: 'eth-hot-1' }],
    ['no id', { withdrawalId: '' }],
    ['too long an actor', { actor: 'a'.repeat(257) }],
    ['a fee in nothing', { fee: { asset: 'ETH', amount: 1n } }],
    ['a nonce that is none', { nonce: -1 }],
    ['a nonce between two', { nonce: 1.5 }],
  ])('error: unavailable without a call, %s', async (_name, field) => {
    const { client, calls, time } = setup();
    const verdict = await client.reserve({ ...withdrawal('w-1'), ...field });
    expect(verdict).toMatchObject({ verdict: 'block', reason: 'unavailable', provisional: false });
    expect(calls).toEqual([]);
    expect(time.pending()).toBe(0);
  });

  test('error: unavailable, too many wait', async () => {
    const { client, time } = setup(allowAll, { waitingMax: 2 });
    const all = [1, 2, 3].map((at) => client.reserve(withdrawal(`w-${at}`)));
    const again = client.reserve(withdrawal('w-1'));
    await time.advance(20);
    expect((await Promise.all(all)).map((each) => each.verdict)).toEqual([
      'allow',
      'allow',
      'block',
    ]);
    expect((await again).verdict).toBe('allow');
  });

  test('behavior: flush sends what waits and ends when it is answered', async () => {
    const { client, time, ids } = setup(allowAll, { batchMax: 2, callsMax: 1 });
    const all = [1, 2, 3].map((at) => client.reserve(withdrawal(`w-${at}`)));
    await client.flush();
    expect(ids()).toEqual([['w-1', 'w-2'], ['w-3']]);
    expect(time.pending()).toBe(0);
    await Promise.all(all);
    void client.reserve(withdrawal('w-4'));
    await settled();
    expect(ids()).toHaveLength(2);
  });

  test('behavior: close answers what waits and takes no more', async () => {
    const { client, time, ids } = setup();
    const last = client.reserve(withdrawal('w-1'));
    await client.close();
    expect((await last).verdict).toBe('allow');
    expect(await client.reserve(withdrawal('w-2'))).toMatchObject({ text: 'the client is closed' });
    expect(ids()).toEqual([['w-1']]);
    expect(time.pending()).toBe(0);
  });

  test('behavior: each caller gets exactly its own verdict, in time, whatever the service does', async () => {
    const step = fc.record({ afterMs: fc.nat(30), id: fc.nat(12), amount: fc.bigInt(1n, 2n) });
    const deed = fc.constantFrom('answer', 'lose', 'refuse', 'hang', 'shuffle', 'garble');
    const deeds = fc.infiniteStream(deed);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), deeds, async (steps, doing) => {
        const { client, time } = setup((body) => act(body, doing.next().value), {
          batchMax: 5,
          timeoutMs: 1_000,
        });
        const asked: { readonly id: string; readonly verdict: Promise<Verdict> }[] = [];
        for (const { afterMs, id, amount } of steps) {
          await time.advance(afterMs);
          const verdict = client.reserve(withdrawal(`w-${id}`, amount));
          asked.push({ id: `w-${id}`, verdict });
        }
        await time.advance(1_000);
        for (const { id, verdict } of asked) {
          const given = await Promise.race([verdict, settled()]);
          expect(given?.withdrawalId).toBe(id);
          if (given?.verdict === 'allow') expect(given.admission).toBe(`jws-${id}`);
        }
        await time.advance(10_000);
        expect(time.pending()).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  test.each<[string, () => unknown, Partial<Verdict | ShadowVerdict>]>([
    ['allowed', () => ({ verdicts: [allow('w-1')] }), allow('w-1')],
    [
      'blocked',
      () => ({ verdicts: [limited] }),
      { wouldBe: 'block', reason: 'limit', text: limited.text, limit: limited.limit },
    ],
    [
      'held',
      () => ({ verdicts: [{ ...limited, verdict: 'hold' }] }),
      { wouldBe: 'hold', reason: 'limit' },
    ],
    [
      'unreachable',
      () => Promise.reject(new Error('down')),
      { wouldBe: 'block', reason: 'unavailable', text: 'down' },
    ],
    [
      'refused as such',
      () => Promise.reject(new RefusedError({ why: 'HTTP 403' })),
      { wouldBe: 'block', reason: 'unavailable' },
    ],
    ['silent', () => new Promise(() => {}), { wouldBe: 'block', reason: 'timeout' }],
    ['garbled', () => ({ verdicts: [{}] }), { wouldBe: 'block', reason: 'unavailable' }],
  ])('args: shadow, what is %s is allowed', async (_name, answer, expected) => {
    const time = fakeTime();
    const { clock, timers } = time;
    const client = createReserveClient({ send: async () => answer(), clock, timers, shadow: true });
    const asked = client.reserve(withdrawal('w-1'));
    await time.advance(6_000);
    const verdict = await asked;
    expect(verdict).toMatchObject({ withdrawalId: 'w-1', verdict: 'allow', ...expected });
    if (verdict.verdict !== 'allow') throw new Error('it is');
    // What Breakwater did not admit has nothing for a signer, and the type says so.
    expectTypeOf(verdict.admission).toEqualTypeOf<string | undefined>();
    expect(verdict.admission).toBe('admission' in expected ? 'jws-w-1' : undefined);
    const closed = await client
      .close()
      .then(() => client.reserve({ ...withdrawal(''), amount: -1n }));
    expect(closed).toMatchObject({ verdict: 'allow', wouldBe: 'block', reason: 'unavailable' });
  });

  test.each(['false', 'true', '', 0, 1, null, {}])(
    'error: shadow %j, which is neither true nor false',
    (shadow) => {
      const options = { send: async () => ({}), shadow: shadow as boolean };
      expect(() => createReserveClient(options)).toThrow('shadow must be true or false');
    },
  );

  test('args: shadow, without it every admission is there', async () => {
    const { client, time } = setup();
    const verdict = client.reserve(withdrawal('w-1'));
    await time.advance(20);
    const given = await verdict;
    if (given.verdict === 'allow') expectTypeOf(given.admission).toEqualTypeOf<string>();
    expect(given).toEqual(allow('w-1'));
  });

  test('error: options', () => {
    const send = async () => ({});
    expect(() => createReserveClient({ send, batchMax: 101 })).toThrow(
      'batchMax must be a whole number, at most 100',
    );
    expect(() => createReserveClient({ send, callsMax: 0 })).toThrow('callsMax');
    expect(() => createReserveClient({ send, waitMs: -1 })).toThrow('waitMs');
    expect(() => createReserveClient({ send, timeoutMs: Number.NaN })).toThrow('timeoutMs');
    const url = 'http://breakwater.example/reserve';
    expect(() => createReserveClient({ url })).toThrow('must begin with https://');
  });
});

/** What goes wrong with one call. */
function act(body: Request, deed: string | undefined): unknown {
  switch (deed) {
    case 'lose':
      throw new Error('lost');
    case 'refuse':
      throw new RefusedError({ why: 'HTTP 400' });
    case 'hang':
      return new Promise(() => {});
    case 'shuffle':
      return { verdicts: allowAll(body).verdicts.reverse() };
    case 'garble':
      return { verdicts: [null] };
    default:
      return allowAll(body);
  }
}

describe('createHttpSend', () => {
  const url = 'https://abc.lambda-url.eu-west-1.on.aws/';

  function over(respond: (call: number) => Response, options: Partial<Options> = {}) {
    const requests: { url: string; init: RequestInit }[] = [];
    const time = fakeTime();
    const fetch = async (to: string, init: RequestInit) => {
      requests.push({ url: to, init });
      return respond(requests.length);
    };
    const client = createReserveClient({
      url,
      fetch,
      clock: time.clock,
      timers: time.timers,
      waitMs: 0,
      ...options,
    });
    const ask = async () => {
      const verdict = client.reserve(withdrawal('w-1'));
      await time.advance(1_000);
      return verdict;
    };
    return { requests, ask };
  }

  test('default', async () => {
    const { requests, ask } = over(() => Response.json({ verdicts: [allow('w-1')] }));
    expect(await ask()).toEqual(allow('w-1'));
    const [request] = requests;
    expect(request?.url).toBe(url);
    expect(request?.init).toMatchObject({
      method: 'POST',
      redirect: 'error',
      headers: { 'content-type': 'application/json' },
    });
    expect(JSON.parse(String(request?.init.body))).toMatchObject({
      withdrawals: [{ withdrawalId: 'w-1', amount: '1000' }],
    });
  });

  test('args: headers and sign, at each attempt', async () => {
    const signed: Unsigned[] = [];
    const { requests, ask } = over(
      (call) =>
        call === 1
          ? new Response('{}', { status: 503 })
          : Response.json({ verdicts: [allow('w-1')] }),
      {
        headers: { 'x-service': 'withdrawals' },
        sign: async (request) => {
          signed.push(request);
          return { ...request.headers, authorization: `signature-${signed.length}` };
        },
      },
    );
    expect((await ask()).verdict).toBe('allow');
    expect(signed[0]).toMatchObject({ method: 'POST', url, body: requests[0]?.init.body });
    expect(requests.map((each) => each.init.headers)).toEqual([
      {
        'content-type': 'application/json',
        'x-service': 'withdrawals',
        authorization: 'signature-1',
      },
      {
        'content-type': 'application/json',
        'x-service': 'withdrawals',
        authorization: 'signature-2',
      },
    ]);
  });

  test.each([400, 401, 403, 404, 413])('error: HTTP %i is final', async (status) => {
    const { requests, ask } = over(() => Response.json({ problems: ['wrong'] }, { status }));
    const text = `the request was refused: HTTP ${status}: {"problems":["wrong"]}`;
    expect(await ask()).toMatchObject({ verdict: 'block', text, provisional: false });
    expect(requests).toHaveLength(1);
  });

  test.each([408, 429, 500, 502, 503, 504])('error: HTTP %i is tried again', async (status) => {
    const { requests, ask } = over(() => new Response('<html>', { status }));
    const text = `the service answered HTTP ${status}`;
    expect(await ask()).toMatchObject({ verdict: 'block', text, provisional: true });
    expect(requests).toHaveLength(3);
  });

  test('error: an answer that is no JSON, or too long', async () => {
    const html = over(() => new Response('<html>'));
    expect(await html.ask()).toMatchObject({ text: 'the answer cannot be read: it is not JSON' });
    const long = over(() => new Response('x'.repeat(2 ** 20 + 1)));
    expect(await long.ask()).toMatchObject({
      text: 'the answer cannot be read: it is longer than 1048576 bytes',
    });
  });
});
