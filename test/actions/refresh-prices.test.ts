import { describe, expect, test } from 'vitest';
import { readFlag } from '../../lib/actions/read-flag.ts';
import { EVERY_MS, refreshPrices } from '../../lib/actions/refresh-prices.ts';
import { reportLimits } from '../../lib/actions/report-limits.ts';
import { reserveWithdrawals } from '../../lib/actions/reserve-withdrawals.ts';
import type * as Price from '../../lib/domain/price.ts';
import type { PriceReader } from '../../lib/ports.ts';
import { readyWorld, type TestWorld } from '../support/action-world.ts';
import {
  DAY_MS,
  ETH,
  eth,
  HOT_1,
  HOUR_MS,
  hash,
  limit,
  policy,
  T0_MS,
  USDC,
  usd,
  withdrawal,
} from '../support/builders.ts';

const FEED: Price.Feed = { kind: 'http', id: 'ethereum' };
const OTHER: Price.Feed = { kind: 'http', id: 'usd-coin' };
const ASSETS = [
  {
    pattern: ETH,
    symbol: 'ETH',
    decimals: 18,
    floorPricePicoUsd: 1_500n * 10n ** 12n,
    sources: [{ feed: FEED, maxAgeMs: HOUR_MS, keepMs: DAY_MS }],
  },
  {
    pattern: USDC,
    symbol: 'USDC',
    decimals: 6,
    sources: [{ feed: OTHER, maxAgeMs: HOUR_MS, keepMs: DAY_MS }],
  },
];

/** A provider that says these prices in USD, dated now; what is not here fails. */
function provider(made: Pick<TestWorld, 'clock'>, prices: Record<string, number>): PriceReader {
  return {
    read: async (feeds) =>
      feeds.map((feed): Price.Reading => {
        const price = feed.kind === 'http' ? prices[feed.id] : undefined;
        if (price === undefined) return { kind: 'failed', feed, why: 'no answer' };
        return {
          kind: 'quote',
          feed,
          pricePicoUsd: BigInt(price) * 10n ** 12n,
          atMs: made.clock.nowMs,
        };
      }),
  };
}

function refresh(
  { world }: TestWorld,
  reader: PriceReader,
  sleep: (ms: number) => Promise<void> = () => new Promise(() => undefined),
) {
  const { prices, alerts } = world.store;
  const { policy: inForce } = world.decision;
  return refreshPrices({ prices, reader, alerts, policy: inForce, clock: world.clock, sleep });
}

async function ready(limits: Parameters<typeof policy>[0] = {}): Promise<TestWorld> {
  return readyWorld(policy({ assets: ASSETS, ...limits }));
}

let asked = 0;

async function ask({ world }: TestWorld, amount: bigint, asset = ETH) {
  asked += 1;
  const wanted = withdrawal(`price-${asked}`, { amount, asset, account: HOT_1 });
  const asks = [{ withdrawal: wanted, bodyHash: hash(`${asked}`) }];
  const [verdict] = await reserveWithdrawals(world.reserve, { asks, audience: 'test' });
  return verdict;
}

const alerts = (made: TestWorld) =>
  made.records.flatMap((record) => (record.type === 'alert-raised' ? [record.alert] : []));

describe('refreshPrices', () => {
  test('default: what was said is what money is valued at', async () => {
    const made = await ready({ limits: [limit({ allowed: usd(3_000) })] });
    expect(await refresh(made, provider(made, { ethereum: 3_000, 'usd-coin': 1 }))).toEqual([]);
    expect((await ask(made, eth(1)))?.kind).toBe('allow');
    expect((await ask(made, 1n))?.kind).toBe('block');
    expect(alerts(made).filter(({ kind }) => kind === 'price')).toEqual([]);
  });

  test('args: a policy without feeds asks nobody', async () => {
    const made = await readyWorld(policy());
    const nobody: PriceReader = {
      read: async () => {
        throw new Error('asked');
      },
    };
    expect(await refresh(made, nobody)).toEqual([]);
  });

  test('behavior: once a minute, however often it is called', async () => {
    const made = await ready();
    let reads = 0;
    const reader = provider(made, { ethereum: 2_000, 'usd-coin': 1 });
    const counting: PriceReader = {
      read: (feeds) => {
        reads += 1;
        return reader.read(feeds);
      },
    };
    await refresh(made, counting);
    made.clock.nowMs += EVERY_MS - 1;
    await refresh(made, counting);
    expect(reads).toBe(1);
    made.clock.nowMs += 1;
    await refresh(made, counting);
    expect(reads).toBe(2);
  });

  test('behavior: H55 one feed that fails spoils no other, and people hear of it once an hour', async () => {
    const made = await ready();
    const reader = provider(made, { ethereum: 2_000 });
    await refresh(made, reader);
    made.clock.nowMs += EVERY_MS;
    await refresh(made, reader);
    const told = alerts(made).filter(({ kind }) => kind === 'price');
    expect(told).toHaveLength(1);
    expect(told[0]?.text).toContain('http usd-coin: no answer');
    expect((await ask(made, 1n, ETH))?.kind).toBe('allow');
    expect((await ask(made, 1n, USDC))?.kind).toBe('block');
  });

  test('behavior: H55 a feed that died: the last good price, then the floor, and limits tell its age', async () => {
    const made = await ready({ limits: [limit({ allowed: usd(3_000) })] });
    await refresh(made, provider(made, { ethereum: 6_000, 'usd-coin': 1 }));
    made.clock.nowMs += 2 * HOUR_MS;
    await refresh(made, provider(made, {}));
    expect((await ask(made, eth(1)))?.kind).toBe('block');
    const { decisions } = made.world.store;
    const deps = { decisions, policy: made.world.decision.policy, clock: made.world.clock };
    expect((await reportLimits(deps)).stalePrices?.[0]).toEqual({
      feed: 'http ethereum',
      symbols: ['ETH'],
      text: 'its last good price is 2 h old and is still used',
      ageMs: 2 * HOUR_MS,
    });
    made.clock.nowMs = T0_MS + DAY_MS + 1;
    await made.world.store.health.renew(
      { 'eip155:1': made.clock.nowMs + HOUR_MS },
      made.clock.nowMs,
    );
    expect((await ask(made, eth(1)))?.kind).toBe('allow');
  });

  test('behavior: H57 a provider that hangs is given up, and the last good price stands', async () => {
    const made = await ready();
    const hanging: PriceReader = { read: () => new Promise(() => undefined) };
    const doubts = await refresh(made, hanging, async () => undefined);
    expect(doubts.map(({ why }) => why)).toContain('did not answer in time');
  });

  test('behavior: H59 a price pushed down 90% lifts no limit in native units', async () => {
    const native = {
      limitId: 'eth-hour',
      scope: 'wallet-asset',
      where: { asset: ETH },
      metric: 'amount',
      allowed: eth(2),
    } as const;
    const made = await ready({ limits: [limit(native), limit({ allowed: usd(20_000) })] });
    await refresh(made, provider(made, { ethereum: 20_000, 'usd-coin': 1 }));
    made.clock.nowMs += EVERY_MS;
    await refresh(made, provider(made, { ethereum: 2_000, 'usd-coin': 1 }));
    expect(await ask(made, eth(3))).toMatchObject({
      kind: 'block',
      limit: { limitId: 'eth-hour' },
    });
    expect((await ask(made, eth(2)))?.kind).toBe('allow');
  });

  test('behavior: H60 what was charged keeps its price when the price moves', async () => {
    const made = await ready({ limits: [limit({ allowed: usd(10_000) })] });
    await refresh(made, provider(made, { ethereum: 4_000, 'usd-coin': 1 }));
    expect((await ask(made, eth(1)))?.kind).toBe('allow');
    made.clock.nowMs += EVERY_MS;
    await refresh(made, provider(made, { ethereum: 6_000, 'usd-coin': 1 }));
    expect((await ask(made, eth(1)))?.kind).toBe('allow');
    expect(await ask(made, 1n)).toMatchObject({ kind: 'block', limit: { used: usd(10_000) } });
  });

  test('behavior: the flag knows an asset by its feed', async () => {
    const made = await ready();
    const { decisions, health } = made.world.store;
    const deps = { decisions, health, policy: made.world.decision.policy, clock: made.world.clock };
    const question = { wallet: 'hot-2', chain: 'eip155:1', asset: USDC };
    expect((await readFlag(deps, question)).enabled).toBe(false);
    await refresh(made, provider(made, { ethereum: 2_000, 'usd-coin': 1 }));
    expect((await readFlag(deps, question)).enabled).toBe(true);
  });
});
