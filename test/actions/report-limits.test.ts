import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { recordEvents } from '../../lib/actions/record-events.ts';
import { type Line, reportLimits } from '../../lib/actions/report-limits.ts';
import type { Limit } from '../../lib/domain/policy.ts';
import type { World } from '../../lib/runtime/world.ts';
import { ledgerOf, readyWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import { STEPS, sum } from '../support/oracle.ts';

function report(world: World, scope?: string) {
  const { decisions } = world.store;
  return reportLimits({ decisions, policy: world.decision.policy, clock: world.clock }, { scope });
}

function names(lines: readonly Line[]): readonly string[] {
  return lines.map(({ limitId, scope }) => `${limitId} ${scope}`).sort();
}

/** A limit for every kind of scope that the policy can name. */
const EVERYWHERE: readonly Limit[] = (
  ['global', 'key-domain', 'chain', 'asset', 'wallet', 'wallet-asset'] as const
).map((scope) => Build.limit({ limitId: `of-${scope}`, scope }));

describe('reportLimits', () => {
  test('default', async () => {
    const { world } = await readyWorld(Build.policy({ limits: [Build.limit()] }));
    const paid = Build.withdrawal('w-1', { amount: Build.usd(250) });
    await recordEvents(world.decision, [Build.incoming(paid)]);
    const { lines, truncated } = await report(world);
    expect(truncated).toBe(false);
    expect(names(lines)).toEqual([
      'wallet-hour wallet:hot-1',
      'wallet-hour wallet:hot-2',
      'wallet-hour wallet:hot-3',
    ]);
    expect(lines.find(({ scope }) => scope === 'wallet:hot-1')).toMatchObject({
      metric: 'notional',
      window: '1h',
      used: '250000000',
      limit: '1000000000',
      headroom: '750000000',
      usedText: '$250',
      limitText: '$1,000',
      usedBps: 2_500,
      mode: 'enforce',
    });
  });

  test('behavior: every scope that the policy can name, once, shared budgets included', async () => {
    const { world } = await readyWorld(Build.policy({ limits: EVERYWHERE }));
    expect(names((await report(world)).lines)).toEqual(
      [
        'of-global global',
        'of-key-domain key-domain:vault-a',
        'of-key-domain key-domain:vault-b',
        `of-chain chain:${Build.CHAIN}`,
        `of-chain chain:${Build.OTHER_CHAIN}`,
        ...['hot-1', 'hot-2', 'hot-3'].map((wallet) => `of-wallet wallet:${wallet}`),
        ...[Build.ETH, Build.USDC, Build.PRICELESS].map((asset) => `of-asset asset:${asset}`),
        ...['hot-1', 'hot-2', 'hot-3'].flatMap((wallet) =>
          [Build.ETH, Build.USDC, Build.PRICELESS].map(
            (asset) => `of-wallet-asset wallet-asset:${wallet}|${asset}`,
          ),
        ),
      ].sort(),
    );
  });

  test('H26: a wallet that holds an asset only under its other id is listed under the shared budget', async () => {
    const wallets = [{ name: 'bnb', keyDomain: 'vault', addresses: [Build.HOT_1_OTHER_CHAIN] }];
    const limits = [Build.limit({ scope: 'wallet-asset' })];
    const { world } = await readyWorld(Build.policy({ wallets, limits }));
    const amount = 10n ** 8n / 10n;
    const paid = { account: Build.HOT_1_OTHER_CHAIN, asset: Build.WRAPPED_ETH, amount };
    const to = { destination: `eip155:56:0x${'c'.repeat(40)}` as const };
    await recordEvents(world.decision, [
      Build.incoming(Build.withdrawal('w-1', { ...paid, ...to })),
    ]);
    const { lines } = await report(world);
    expect(lines).toMatchObject([{ scope: `wallet-asset:bnb|${Build.ETH}`, usedText: '$150' }]);
  });

  test('behavior: a limit is shown for the scopes that its where lets it speak about', async () => {
    const limits = [
      Build.limit({ limitId: 'one', where: { wallet: 'hot-2' } }),
      Build.limit({ limitId: 'domain', where: { keyDomain: 'vault-b' } }),
      Build.limit({
        limitId: 'pair',
        scope: 'wallet-asset',
        where: { keyDomain: 'vault-b', asset: Build.ETH },
      }),
      Build.limit({ limitId: 'chains', scope: 'chain', where: { chain: 'eip155:5*' } }),
    ];
    const { world } = await readyWorld(Build.policy({ limits }));
    expect(names((await report(world)).lines)).toEqual([
      `chains chain:${Build.OTHER_CHAIN}`,
      'domain wallet:hot-3',
      'one wallet:hot-2',
      `pair wallet-asset:hot-3|${Build.ETH}`,
    ]);
  });

  test.each([
    ['actor:customer-1', 'of-actor', '250000000'],
    [`destination:${Build.CUSTOMER}`, 'of-destination', '250000000'],
    ['actor:customer-2', 'of-actor', '0'],
  ])('args: scope: %s', async (scope, limitId, used) => {
    const limits = [
      Build.limit({ limitId: 'of-actor', scope: 'actor' }),
      Build.limit({ limitId: 'of-destination', scope: 'destination' }),
    ];
    const { world } = await readyWorld(Build.policy({ limits }));
    const paid = Build.withdrawal('w-1', { amount: Build.usd(250) });
    await recordEvents(world.decision, [Build.incoming(paid)]);
    expect((await report(world, scope)).lines).toMatchObject([{ limitId, scope, used }]);
  });

  test('error: a scope that is none', async () => {
    const { world } = await readyWorld(Build.policy());
    await expect(report(world, 'wallets:x')).rejects.toThrow('is not a scope');
  });

  test('H83: what is left out is said', async () => {
    const assets = Array.from({ length: 400 }, (_, n) => ({
      pattern: `eip155:1/erc20:0x${n.toString(16).padStart(40, '0')}`,
      symbol: `T${n}`,
      decimals: 18,
    }));
    const { world } = await readyWorld(Build.policy({ assets, limits: EVERYWHERE }));
    const { lines, truncated } = await report(world);
    expect({ truncated, lines: lines.length }).toEqual({ truncated: true, lines: 300 });
  });

  test('H90: use far over a limit has no headroom and a share that stays finite', async () => {
    const limits = [Build.limit({ allowed: 1n })];
    const { world } = await readyWorld(Build.policy({ limits }));
    const huge = Build.withdrawal('w-1', { amount: 2n ** 256n - 1n });
    await recordEvents(world.decision, [Build.incoming(huge)]);
    const [line] = (await report(world, 'wallet:hot-1')).lines;
    expect(line).toMatchObject({
      headroom: '0',
      usedBps: 99_999,
      usedText: 'more than can be counted',
    });
  });

  test('behavior: in shadow mode every limit is shown as shadow', async () => {
    const limits = [Build.limit()];
    const { world } = await readyWorld(Build.policy({ mode: 'shadow', limits }));
    expect(new Set((await report(world)).lines.map(({ mode }) => mode))).toEqual(
      new Set(['shadow']),
    );
  });

  test('H49: a policy that another process put in force is the one that is shown', async () => {
    const made = await readyWorld(Build.policy());
    expect((await report(made.world)).lines).toEqual([]);
    const same = () => ({ store: made.world.store, ids: made.world.ids });
    await readyWorld(Build.policy({ name: 'second', limits: [Build.limit()] }), same);
    expect((await report(made.world)).lines.length).toBe(3);
  });

  const payment = fc.record({
    afterMs: fc.integer({ min: 0, max: 20 * Build.MINUTE_MS }),
    amount: fc.bigInt({ min: 0n, max: Build.usd(1_000) }),
  });
  test.prop([fc.array(payment, { minLength: 1, maxLength: 12 }), fc.constantFrom(...STEPS)], {
    numRuns: 40,
  })(
    'behavior: what is shown lies between the true window and one slot more, as the reference counts',
    async (payments, { slotMs, windowMs }) => {
      const made = await readyWorld(
        Build.policy({
          limits: (['notional', 'count'] as const).map((metric) =>
            Build.limit({ limitId: metric, metric, windowMs, allowed: 10n ** 30n }),
          ),
        }),
      );
      const { world, clock } = made;
      for (const [n, { afterMs, amount }] of payments.entries()) {
        clock.nowMs += afterMs;
        await recordEvents(world.decision, [
          Build.incoming(Build.withdrawal(`w-${n}`, { amount })),
        ]);
      }
      const { rows } = await ledgerOf(world.store, made.committed);
      const left = [...rows.values()].flatMap(({ money }) =>
        money
          ? [
              {
                atMs: money.chargedAtMs,
                notional: money.charged[0]?.notional ?? 0n,
                amount: 0n,
                count: 1,
                assets: [],
              },
            ]
          : [],
      );
      for (const line of (await report(world, 'wallet:hot-1')).lines) {
        const metric = line.metric === 'count' ? 'count' : 'notional';
        const toMs = clock.nowMs;
        const least = sum(left, { metric, fromMs: toMs - windowMs, toMs });
        const most = sum(left, { metric, fromMs: toMs - windowMs - 40_000 - slotMs, toMs });
        expect(BigInt(line.used)).toBeGreaterThanOrEqual(least);
        expect(BigInt(line.used)).toBeLessThanOrEqual(most);
        expect(BigInt(line.headroom) + BigInt(line.used)).toBe(BigInt(line.limit));
      }
    },
  );
});
