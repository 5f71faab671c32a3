import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { recordEvents } from '../../lib/actions/record-events.ts';
import { reportLimits } from '../../lib/actions/report-limits.ts';
import { reserveWithdrawals } from '../../lib/actions/reserve-withdrawals.ts';
import { reportBalance } from '../../lib/actions/snapshot-balances.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import { readyWorld, type TestWorld } from '../support/action-world.ts';
import {
  HOT_1,
  HOT_2,
  HOUR_MS,
  hash,
  incoming,
  MINUTE_MS,
  policy,
  T0_MS,
  USDC,
  withdrawal,
} from '../support/builders.ts';

/** A quarter of the wallet's balance in an hour. */
function share(overrides: Partial<Policy.Limit> = {}): Policy.Limit {
  return {
    limitId: 'quarter',
    scope: 'wallet-asset',
    where: { asset: USDC },
    metric: 'share',
    windowMs: HOUR_MS,
    allowed: 2_500n,
    action: { kind: 'pause', scope: 'wallet-asset' },
    mode: 'enforce',
    ...overrides,
  };
}

async function ready(limits: readonly Policy.Limit[] = [share()]): Promise<TestWorld> {
  const made = await readyWorld(policy({ limits, outstandingMax: 100_000 }));
  await lease(made, 1_000 * HOUR_MS);
  return made;
}

async function lease({ world, clock }: TestWorld, forMs: number): Promise<void> {
  const untilMs = clock.nowMs + forMs;
  await world.store.health.renew({ 'eip155:1': untilMs, 'eip155:56': untilMs }, clock.nowMs);
}

/** What the wallet holds, seen now. */
async function see({ world, clock }: TestWorld, amount: bigint, account = HOT_1): Promise<void> {
  const { balances, alerts } = world.store;
  const deps = { balances, alerts, policy: world.decision.policy, clock: world.clock };
  await reportBalance(deps, { account, asset: USDC, amount, atMs: clock.nowMs });
}

/** One look a minute until an hour and two slots have gone by. */
async function seeFor(made: TestWorld, amount: bigint, forMs = HOUR_MS + 12 * MINUTE_MS) {
  const untilMs = made.clock.nowMs + forMs;
  for (; made.clock.nowMs <= untilMs; made.clock.nowMs += MINUTE_MS) await see(made, amount);
}

let asked = 0;

async function ask({ world }: TestWorld, amount: bigint, account = HOT_1) {
  asked += 1;
  const wanted = withdrawal(`share-${asked}`, { amount, account });
  const bodyHash = hash(`${asked}`);
  const { reserve } = world;
  const [verdict] = await reserveWithdrawals(reserve, {
    asks: [{ withdrawal: wanted, bodyHash }],
    audience: 'test',
  });
  return verdict;
}

describe('a share of the balance', () => {
  test('default: just below, at and just above', async () => {
    const made = await ready();
    await seeFor(made, 1_000n);
    expect((await ask(made, 249n))?.kind).toBe('allow');
    expect((await ask(made, 1n))?.kind).toBe('allow');
    expect(await ask(made, 1n)).toMatchObject({
      kind: 'block',
      reason: 'limit',
      limit: { used: 250n, allowed: 250n, headroom: 0n },
    });
  });

  test('error: H38 without a balance nothing leaves, and it says why', async () => {
    const made = await ready();
    const verdict = await ask(made, 1n);
    expect(verdict).toMatchObject({ kind: 'block', reason: 'limit', limit: { allowed: 0n } });
    expect(verdict?.kind === 'block' && verdict.text).toContain(
      '25% of a balance that is not known',
    );
  });

  test('error: H39 a share of nothing is nothing', async () => {
    const made = await ready();
    await seeFor(made, 0n);
    expect((await ask(made, 1n))?.kind).toBe('block');
  });

  test('behavior: in shadow mode a missing balance stops nothing', async () => {
    const made = await ready([share({ mode: 'shadow' })]);
    expect((await ask(made, 1n))?.kind).toBe('allow');
  });

  test('behavior: H38 a deposit within the window makes no room', async () => {
    const made = await ready();
    await seeFor(made, 1_000n);
    await seeFor(made, 1_000_000n, 30 * MINUTE_MS);
    expect((await ask(made, 251n))?.kind).toBe('block');
    expect((await ask(made, 250n))?.kind).toBe('allow');
  });

  test('behavior: H38 a balance that falls makes no room and stops nothing at once', async () => {
    const made = await ready();
    await seeFor(made, 1_000n);
    await seeFor(made, 300n, 30 * MINUTE_MS);
    expect((await ask(made, 251n))?.kind).toBe('block');
    expect((await ask(made, 250n))?.kind).toBe('allow');
  });

  test('behavior: H38 money moved from one own wallet to another gives neither more', async () => {
    const made = await ready();
    const untilMs = made.clock.nowMs + HOUR_MS + 12 * MINUTE_MS;
    for (; made.clock.nowMs <= untilMs; made.clock.nowMs += MINUTE_MS) {
      await see(made, 1_000n);
      await see(made, 100n, HOT_2);
    }
    await see(made, 0n);
    await see(made, 1_100n, HOT_2);
    expect((await ask(made, 26n, HOT_2))?.kind).toBe('block');
    expect((await ask(made, 25n, HOT_2))?.kind).toBe('allow');
  });

  test('behavior: what left trips, with the share in its text', async () => {
    const made = await ready();
    await seeFor(made, 1_000n);
    const [recorded] = await recordEvents(made.world.decision, [
      incoming(withdrawal('reported', { amount: 251n })),
    ]);
    expect(recorded).toMatchObject({ outcome: { trips: [{ opened: true }] } });
    const [incident] = await made.world.store.incidents.list(1);
    expect(incident?.scope).toBe(`wallet-asset:hot-1|${USDC}`);
    expect(incident?.first.text).toContain('25% of the 0.001 USDC held 1h ago');
  });

  test('behavior: H61 a share needs no price', async () => {
    const assets = [{ pattern: USDC, symbol: 'USDC', decimals: 6 }];
    const rule = { withdrawal: 'allow', outflow: 'alert', scope: 'wallet' } as const;
    const unknown = { wallet: rule, asset: rule, chain: rule, price: rule };
    const made = await readyWorld(policy({ limits: [share()], assets, unknown }));
    await lease(made, 1_000 * HOUR_MS);
    await seeFor(made, 1_000n);
    expect((await ask(made, 251n))?.kind).toBe('block');
    expect((await ask(made, 250n))?.kind).toBe('allow');
  });

  test('behavior: limits show what it is a share of', async () => {
    const made = await ready();
    await seeFor(made, 1_000_000n);
    await ask(made, 100_000n);
    const { decisions } = made.world.store;
    const deps = { decisions, policy: made.world.decision.policy, clock: made.world.clock };
    const { lines } = await reportLimits(deps, { scope: `wallet-asset:hot-1|${USDC}` });
    expect(lines).toMatchObject([
      {
        metric: 'share',
        used: '100000',
        limit: '250000',
        limitText: '0.25 USDC: 25% of the 1 USDC held 1h ago',
        usedBps: 4_000,
      },
    ]);
    const missing = await reportLimits(deps, { scope: `wallet-asset:hot-2|${USDC}` });
    expect(missing.lines).toMatchObject([{ limit: '0', usedBps: 99_999 }]);
  });
});

describe('law', () => {
  const SLOT_MS = 6 * MINUTE_MS;

  property.prop(
    [
      fc.array(
        fc.record({
          gapS: fc.integer({ min: 10, max: 200 }),
          balance: fc.option(fc.bigInt(0n, 1_000n)),
          ask: fc.option(fc.bigInt(1n, 200n)),
        }),
        { minLength: 40, maxLength: 90 },
      ),
    ],
    { numRuns: 25 },
  )('in any window at most the share of what was held at its start leaves', async (steps) => {
    const made = await ready();
    const seen: { atMs: number; amount: bigint }[] = [];
    const left: { atMs: number; amount: bigint }[] = [];
    await seeFor(made, 400n);
    for (let atMs = T0_MS; atMs < made.clock.nowMs; atMs += MINUTE_MS) {
      seen.push({ atMs, amount: 400n });
    }
    for (const { gapS, balance, ask: amount } of steps) {
      made.clock.nowMs += gapS * 1_000;
      const atMs = made.clock.nowMs;
      if (balance !== null) {
        await see(made, balance);
        seen.push({ atMs, amount: balance });
      }
      if (amount === null) continue;
      if ((await ask(made, amount))?.kind === 'allow') left.push({ atMs, amount });
    }
    for (const last of left) {
      const startMs = last.atMs - HOUR_MS;
      const within = left.filter(({ atMs }) => atMs >= startMs && atMs <= last.atMs);
      const sum = within.reduce((total, { amount }) => total + amount, 0n);
      const held = seen.findLast(({ atMs }) => atMs <= startMs);
      const isYoung = held && startMs - held.atMs < SLOT_MS;
      if (isYoung) expect(sum * 10_000n).toBeLessThanOrEqual(held.amount * 2_500n);
    }
    expect(left.every(({ atMs }) => atMs >= T0_MS + HOUR_MS)).toBe(true);
  });
});
