import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Question } from '../../lib/actions/read-flag.ts';
import { createFlagClient, type Options } from '../../lib/client/flag-client.ts';
import type { Change, Health } from '../../lib/client/flag-watched.ts';
import { type Flag, unreachable } from '../../lib/domain/flag.ts';
import { fakeTime, settled } from './fake-time.ts';

const WALLET: Question = { wallet: 'eth-hot-1' };
const LEASE_MS = 15_000;

const tripped: Flag = {
  enabled: false,
  reason: 'breaker-open',
  text: 'wallet:eth-hot-1 is open, incident i-1',
  scope: 'wallet:eth-hot-1',
  incidentId: 'i-1',
  sinceMs: 1_000_000,
};

type Answer = (question: Question) => Promise<Flag> | Flag;

/** A client on a time of its own, over a source whose answer can be changed. */
function setup(options: Partial<Options> = {}, first?: Answer) {
  const time = fakeTime();
  const enabled = (leaseMs = LEASE_MS): Flag => ({
    enabled: true,
    reason: 'enabled',
    text: 'withdrawals are enabled',
    inForceUntilMs: time.clock.nowMs() + leaseMs,
  });
  const source: { reads: number; answer: Answer } = {
    reads: 0,
    answer: first ?? ((): Flag => enabled()),
  };
  const client = createFlagClient({
    read: async (question) => {
      source.reads += 1;
      return source.answer(question);
    },
    clock: time.clock,
    steadyClock: time.clock,
    timers: time.timers,
    ...options,
  });
  const changes: [boolean, string][] = [];
  const healths: Health[] = [];
  client.onChange(({ flag }: Change) => changes.push([flag.enabled, flag.reason]));
  client.onHealth((health) => healths.push(health));
  return { time, source, client, changes, healths, enabled };
}

describe('createFlagClient', () => {
  test('default', async () => {
    const { client, enabled, source, time } = setup();
    expect(await client.check(WALLET)).toEqual(enabled());
    source.answer = () => tripped;
    expect(await client.check(WALLET)).toEqual(tripped);
    expect(source.reads).toBe(2);
    expect(time.pending()).toBe(0);
  });

  test.each([
    ['throws', () => Promise.reject(new Error('down')), 'down'],
    ['gives nothing', () => undefined, 'form of a flag'],
    ['gives "true"', () => ({ enabled: 'true', reason: 'enabled', text: '' }), 'form of a flag'],
    ['gives an unknown reason', () => ({ ...tripped, reason: 'sunny' }), 'form of a flag'],
    ['contradicts itself', () => ({ ...tripped, enabled: true }), 'contradicts itself'],
  ])('error: check of a reader that %s', async (_name, answer, text) => {
    const { client, source } = setup();
    source.answer = answer as () => Flag;
    expect(await client.check(WALLET)).toEqual({
      enabled: false,
      reason: 'unreachable',
      text: expect.stringContaining(text),
    });
  });

  test('error: check of a reader that hangs', async () => {
    const { client, source, time } = setup();
    source.answer = () => new Promise(() => {});
    const flag = client.check(WALLET);
    await time.advance(2_000);
    expect(await flag).toMatchObject({ enabled: false, reason: 'unreachable' });
    expect(time.pending()).toBe(0);
  });

  test('error: check of an answer without a lease in force', async () => {
    const { client, source, enabled } = setup();
    source.answer = () => enabled(0);
    expect(await client.check(WALLET)).toMatchObject({ enabled: false, reason: 'lease-lapsed' });
    const { inForceUntilMs: _, ...without } = enabled();
    source.answer = () => without;
    expect(await client.check(WALLET)).toMatchObject({ enabled: false, reason: 'lease-lapsed' });
  });

  test('behavior: shadow mode needs no lease', async () => {
    const { client, source, time } = setup({ contexts: [WALLET] });
    const shadow: Flag = { ...tripped, enabled: true, wouldBe: false };
    source.answer = () => shadow;
    expect(await client.check(WALLET)).toEqual(shadow);
    await time.advance(500);
    expect(client.cached(WALLET)).toEqual(shadow);
  });

  test('args: shadow, every answer is enabled and says what it would have been', async () => {
    const { client, enabled, source, time, changes, healths } = setup({
      shadow: true,
      contexts: [WALLET],
    });
    expect(client.isShadow).toBe(true);
    expect(client.cached(WALLET)).toMatchObject({ enabled: true, wouldBe: false });
    await client.refresh();
    expect(client.cached(WALLET)).toEqual({
      ...enabled(),
      wouldBe: true,
      text: 'shadow mode: enabled; enforced it would be: withdrawals are enabled',
    });
    source.answer = () => tripped;
    const text = `shadow mode: enabled; enforced it would be: ${tripped.text}`;
    expect(await client.check(WALLET)).toEqual({ ...tripped, enabled: true, wouldBe: false, text });
    source.answer = () => ({ ...tripped, enabled: true, wouldBe: false });
    expect((await client.check(WALLET)).text).toBe(tripped.text);
    source.answer = () => Promise.reject(new Error('down'));
    const gone = { enabled: true, wouldBe: false, reason: 'unreachable' };
    expect(await client.check(WALLET)).toMatchObject(gone);
    await time.advance(60_000);
    expect(client.cached(WALLET)).toMatchObject(gone);
    expect(client.cached({ wallet: 'nobody-watches' })).toMatchObject(gone);
    expect(changes.length).toBeGreaterThan(1);
    expect(changes.every(([isEnabled]) => isEnabled)).toBe(true);
    expect(healths.at(-1)).toBe('lost');
    client.close();
    expect(client.cached(WALLET)).toMatchObject(gone);
    expect(await client.check(WALLET)).toMatchObject(gone);
  });

  test('behavior: cached answers for watched questions, from the last poll', async () => {
    const { client, enabled, source, time } = setup({ contexts: [WALLET] });
    expect(client.cached(WALLET)).toMatchObject({ enabled: false, text: /no answer yet/ });
    await client.refresh();
    expect(client.cached({ ...WALLET })).toEqual(enabled());
    const other = { wallet: 'eth-hot-2' };
    expect(client.cached(other)).toMatchObject({ enabled: false, text: /nobody watches/ });
    const unwatch = client.watch(other);
    await client.refresh();
    expect(client.cached(other).enabled).toBe(true);
    unwatch();
    unwatch();
    expect(client.cached(other).enabled).toBe(false);
    expect(client.cached(WALLET).enabled).toBe(true);
    source.answer = () => tripped;
    await time.advance(500);
    expect(client.cached(WALLET)).toEqual(tripped);
  });

  test('behavior: refresh reads what was watched while a poll ran', async () => {
    const { client, time } = setup({ contexts: [WALLET] });
    const other = { wallet: 'eth-hot-2' };
    client.watch(other);
    await client.refresh();
    expect(client.cached(other).enabled).toBe(true);
    client.close();
    expect(time.pending()).toBe(0);
  });

  test('behavior: fields of a question do not run into each other', async () => {
    const { client } = setup({ contexts: [{ wallet: 'a', chain: 'b' }] }, ({ wallet }) => ({
      ...tripped,
      text: wallet,
    }));
    await client.refresh();
    expect(client.cached({ wallet: 'a', chain: 'b' }).text).toBe('a');
    for (const other of [{ wallet: 'a' }, { wallet: 'ab' }, { wallet: 'a', asset: 'b' }]) {
      expect(client.cached(other).text).toMatch('nobody watches');
    }
  });

  test('behavior: a trip shows within one poll', async () => {
    const { client, source, time, changes } = setup({ contexts: [WALLET] });
    await time.advance(500);
    source.answer = () => tripped;
    await time.advance(499);
    expect(client.cached(WALLET).enabled).toBe(true);
    await time.advance(1);
    expect(client.cached(WALLET)).toEqual(tripped);
    expect(changes).toEqual([
      [true, 'enabled'],
      [false, 'breaker-open'],
    ]);
  });

  test('behavior: a trip that a strong read sees shows to cached at once', async () => {
    const { client, source, time } = setup({ contexts: [WALLET] });
    await time.advance(600);
    source.answer = () => tripped;
    await client.check(WALLET);
    expect(client.cached(WALLET)).toEqual(tripped);
  });

  test('behavior: a slow read that began before a later one does not undo it', async () => {
    const { client, source, time, enabled } = setup({ contexts: [WALLET] });
    await time.advance(100);
    let answer: (flag: Flag) => void = () => {};
    source.answer = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    await time.advance(400);
    await time.advance(10);
    source.answer = () => tripped;
    await client.check(WALLET);
    answer(enabled());
    await settled();
    expect(client.cached(WALLET)).toEqual(tripped);
  });

  test('behavior: cached ends with the lease, to the millisecond', async () => {
    const { client, source, time, enabled } = setup({ contexts: [WALLET], maxAgeMs: 60_000 });
    await time.advance(0);
    const last = enabled();
    source.answer = () => last;
    await time.advance(14_999);
    expect(client.cached(WALLET).enabled).toBe(true);
    await time.advance(1);
    expect(client.cached(WALLET)).toMatchObject({ enabled: false, reason: 'lease-lapsed' });
  });

  test('behavior: cached ends with its age, to the millisecond', async () => {
    const { client, source, time } = setup({ contexts: [WALLET] });
    await time.advance(0);
    source.answer = () => Promise.reject(new Error('down'));
    await time.advance(2_000);
    expect(client.cached(WALLET).enabled).toBe(true);
    time.stall(1);
    expect(client.cached(WALLET)).toEqual(unreachable('down'));
  });

  test('behavior: cached ends when the reader hangs, too', async () => {
    const { client, source, time, changes } = setup({ contexts: [WALLET] });
    await time.advance(0);
    source.answer = () => new Promise(() => {});
    await time.advance(2_500);
    expect(client.cached(WALLET)).toMatchObject({ enabled: false, reason: 'unreachable' });
    expect(changes.at(-1)).toEqual([false, 'unreachable']);
  });

  test('behavior: a clock that goes backwards makes nothing young', async () => {
    const { client, time } = setup({ contexts: [WALLET] });
    await time.advance(0);
    time.stall(-10);
    expect(client.cached(WALLET)).toMatchObject({ enabled: false, reason: 'unreachable' });
  });

  test('behavior: tells once what changed, and how the poll does', async () => {
    const { source, time, changes, healths, enabled } = setup({ contexts: [WALLET] });
    await time.advance(1_000);
    source.answer = () => unreachable('throttled');
    await time.advance(1_000);
    expect(healths).toEqual(['late']);
    expect(changes).toEqual([[true, 'enabled']]);
    await time.advance(2_000);
    expect(healths).toEqual(['late', 'lost']);
    source.answer = () => enabled();
    await time.advance(1_000);
    source.answer = () => tripped;
    await time.advance(2_000);
    expect(healths).toEqual(['late', 'lost', 'fresh']);
    expect(changes).toEqual([
      [true, 'enabled'],
      [false, 'unreachable'],
      [true, 'enabled'],
      [false, 'breaker-open'],
    ]);
  });

  test('behavior: listeners end, and one that throws stops nothing', async () => {
    const { client, source, time, changes } = setup({ contexts: [WALLET] });
    client.onChange(() => {
      throw new Error('mine');
    });
    const heard: Change[] = [];
    const end = client.onChange((change) => heard.push(change));
    await time.advance(500);
    end();
    source.answer = () => tripped;
    await time.advance(500);
    expect(heard).toHaveLength(1);
    expect(heard[0]?.question).toEqual(WALLET);
    expect(changes).toHaveLength(2);
  });

  test('behavior: one poll at a time, however slow', async () => {
    const { source, time } = setup({ contexts: [WALLET] }, () => new Promise(() => {}));
    await time.advance(1_999);
    expect(source.reads).toBe(1);
    await time.advance(501);
    expect(source.reads).toBe(2);
  });

  test('behavior: a question whose read hangs delays no other: a trip shows within one poll', async () => {
    const slow = { wallet: 'slow' };
    const { client, source, time, enabled } = setup({ contexts: [WALLET, slow] });
    const hangs = () => new Promise<Flag>(() => {});
    source.answer = ({ wallet }) => (wallet === 'slow' ? hangs() : enabled());
    await time.advance(600);
    source.answer = ({ wallet }) => (wallet === 'slow' ? hangs() : tripped);
    await time.advance(500);
    expect(client.cached(WALLET)).toEqual(tripped);
  });

  test('behavior: close leaves no timers and enables nothing', async () => {
    const { client, time, source } = setup({ contexts: [WALLET] });
    await time.advance(1_200);
    client.close();
    expect(time.pending()).toBe(0);
    const { reads } = source;
    expect(client.cached(WALLET)).toMatchObject({ enabled: false, text: /is closed/ });
    expect(await client.check(WALLET)).toMatchObject({ enabled: false, text: /is closed/ });
    client.watch({ wallet: 'eth-hot-2' })();
    await client.refresh();
    expect([source.reads, time.pending()]).toEqual([reads, 0]);
  });

  test('behavior: nothing watched, nothing polled', async () => {
    const { client, time, source } = setup({ contexts: [WALLET] });
    client.watch(WALLET)();
    await time.advance(1_000);
    expect(source.reads).toBeGreaterThan(0);
    const { client: idle, time: still } = setup();
    idle.watch(WALLET)();
    await still.advance(1_000);
    expect(still.pending()).toBe(0);
  });

  test('behavior: cached is never enabled without an answer that is young and whose lease runs', async () => {
    const event = fc.record({
      afterMs: fc.nat(3_000),
      source: fc.constantFrom('up', 'down', 'hangs', 'tripped'),
      leaseMs: fc.nat(4_000),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 15 }), async (events) => {
        const down = () => Promise.reject(new Error('down'));
        const { client, source, time, enabled } = setup({ contexts: [WALLET] }, down);
        let good = { atMs: Number.NEGATIVE_INFINITY, untilMs: 0 };
        for (const { afterMs, source: kind, leaseMs } of events) {
          source.answer = () => {
            if (kind === 'down') throw new Error('down');
            if (kind === 'hangs') return new Promise(() => {});
            if (kind === 'tripped') return tripped;
            const nowMs = time.clock.nowMs();
            good = { atMs: nowMs, untilMs: nowMs + leaseMs };
            return enabled(leaseMs);
          };
          await time.advance(afterMs);
          if (!client.cached(WALLET).enabled) continue;
          const nowMs = time.clock.nowMs();
          expect(nowMs - good.atMs).toBeLessThanOrEqual(2_000);
          expect(nowMs).toBeLessThan(good.untilMs);
        }
        client.close();
      }),
      { numRuns: 40 },
    );
  });

  test('behavior: cached does no IO (its time is printed, not judged)', async () => {
    const { client, source } = setup({ contexts: [WALLET] });
    await client.refresh();
    const { reads } = source;
    const timesNs: number[] = [];
    for (let at = 0; at < 100_000; at += 1) {
      const startedAtNs = process.hrtime.bigint();
      client.cached(WALLET);
      timesNs.push(Number(process.hrtime.bigint() - startedAtNs));
    }
    timesNs.sort((a, b) => a - b);
    const at = (share: number) => timesNs[Math.floor(timesNs.length * share)];
    console.log(`cached: p50 ${at(0.5)} ns, p99 ${at(0.99)} ns, p99.9 ${at(0.999)} ns`);
    expect(source.reads).toBe(reads);
  });

  test('error: cached and check of what is no question', async () => {
    const { client, source } = setup({ contexts: [WALLET] });
    source.answer = () => {
      throw new TypeError('no question');
    };
    for (const odd of [undefined, null, 7, { wallet: 1n }]) {
      expect(client.cached(odd as unknown as Question).enabled).toBe(false);
      expect((await client.check(odd as unknown as Question)).enabled).toBe(false);
    }
  });

  test('error: options', () => {
    expect(() => setup({ pollMs: 0 })).toThrow('pollMs: must be above 0');
    for (const shadow of ['false', 'true', '', 0, 1, null] as unknown as boolean[]) {
      expect(() => setup({ shadow })).toThrow('shadow: must be true or false');
    }
    expect(() => setup({ maxAgeMs: Number.POSITIVE_INFINITY })).toThrow('maxAgeMs');
    const { client } = setup({ contextsMax: 1, contexts: [WALLET] });
    client.watch({ ...WALLET });
    expect(() => client.watch({ wallet: 'eth-hot-2' })).toThrow('contexts: at most 1');
    expect(() => createFlagClient({ url: 'http://breakwater.example/flag' })).toThrow('https://');
  });
});

describe('createHttpRead', () => {
  function over(respond: () => Response) {
    const urls: string[] = [];
    const fetch = async (url: string) => {
      urls.push(url);
      return respond();
    };
    const clock = { nowMs: () => 1_000 };
    const url = 'http://localhost:4700/flag';
    return { urls, client: createFlagClient({ url, fetch, clock }) };
  }

  test('default', async () => {
    const answer = { enabled: true, reason: 'enabled', text: 'yes', inForceUntilMs: 2_000 };
    const { client, urls } = over(() => Response.json(answer));
    const question = { wallet: 'a&b', chain: 'eip155:1', asset: 'eip155:1/slip44:60', memo: 'x' };
    expect(await client.check(question)).toEqual(answer);
    expect(urls).toEqual([
      'http://localhost:4700/flag?wallet=a%26b&chain=eip155%3A1&asset=eip155%3A1%2Fslip44%3A60&memo=x',
    ]);
  });

  test.each([
    ['HTTP 500', () => Response.json({ enabled: true }, { status: 500 })],
    ['HTTP 204', () => new Response(null, { status: 204 })],
    ['not JSON', () => new Response('<html>')],
    ['another form', () => Response.json({ enabled: true })],
  ])('error: %s', async (_name, respond) => {
    const { client } = over(respond);
    expect(await client.check(WALLET)).toMatchObject({ enabled: false, reason: 'unreachable' });
  });
});
