import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as Money from '../../../lib/domain/money.ts';
import { incidentTraffic, trafficAssets } from '../../../lib/local/replay/incident-traffic.ts';
import { loadIncident } from '../../../lib/local/replay/load-incident.ts';
import * as Traffic from '../../../lib/local/replay/traffic.ts';
import * as Calibration from '../../../lib/local/replay/traffic-calibration.ts';

const ROOT = `${import.meta.dirname}/../../../`;
const RONIN = loadIncident(`${ROOT}examples/incidents/ronin-2022.csv`);
const BASELINE = `${ROOT}../shared/baseline/`;
const ASSETS = trafficAssets(RONIN);
const HOUR_MS = 3_600_000;
const DAYS = 82;
const START_MS = Date.parse('2022-01-01T00:00:00Z');
const SPAN = { seed: '3', startMs: START_MS, durationMs: DAYS * 24 * HOUR_MS };

const events = [...incidentTraffic(RONIN, SPAN)];
const sizes = events.map(usdOf).sort((a, b) => a - b);
const hours = countBy(events.map(({ atMs }) => atMs));

function usdOf(event: Traffic.TrafficEvent): number {
  const { decimals, pricePicoUsd } = ASSETS.find(({ asset }) => asset === event.detail.asset)!;
  return (
    Number(
      Money.notionalMicroUsd({ amount: BigInt(event.detail.amount), decimals, pricePicoUsd }),
    ) / 1e6
  );
}

function countBy(timesMs: readonly number[]): readonly number[] {
  const counts = new Array<number>(DAYS * 24).fill(0);
  for (const atMs of timesMs) {
    const hour = Math.floor((atMs - START_MS) / HOUR_MS);
    if (hour < counts.length) counts[hour] = (counts[hour] ?? 0) + 1;
  }
  return counts;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(share * sorted.length)]!;
}

/** Two-sample Kolmogorov-Smirnov distance: the largest gap between the two distribution functions. */
function distance(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [a, b].map((values) => [...values].sort((low, high) => low - high)) as [
    number[],
    number[],
  ];
  let [i, j, gap] = [0, 0, 0];
  while (i < x.length && j < y.length) {
    const bound = Math.min(x[i]!, y[j]!);
    while (i < x.length && x[i]! <= bound) i += 1;
    while (j < y.length && y[j]! <= bound) j += 1;
    gap = Math.max(gap, Math.abs(i / x.length - j / y.length));
  }
  return gap;
}

describe('generateTraffic', () => {
  test('default', () => {
    expect(events[0]).toMatchInlineSnapshot(`
      {
        "atMs": 1640995461585,
        "detail": {
          "actor": "customer-6231",
          "amount": "32764980000000000",
          "asset": "eip155:1/slip44:60",
          "destination": "eip155:1:0xfeb35eb490eb5ea8dea00c8cc6c7245fb8b64415",
          "wallet": "eip155:1:0x1a2a1c938ce3ec39b6d47113c7955baa9dd454f2",
          "withdrawalId": "w-3-455832-0",
        },
        "detailType": "withdrawal.reported",
      }
    `);
  });

  test('behavior: a pure function of its seed', () => {
    const day = { ...SPAN, durationMs: 24 * HOUR_MS };
    expect([...incidentTraffic(RONIN, day)]).toEqual([...incidentTraffic(RONIN, day)]);
    expect([...incidentTraffic(RONIN, { ...day, seed: '4' })]).not.toEqual([
      ...incidentTraffic(RONIN, day),
    ]);
  });

  test('behavior: any cut of the time gives the same withdrawals', () => {
    const startMs = START_MS + 5.5 * HOUR_MS;
    const durationMs = 3.25 * HOUR_MS;
    const cut = [...incidentTraffic(RONIN, { ...SPAN, startMs, durationMs })];
    expect(cut).toEqual(
      events.filter(({ atMs }) => atMs >= startMs && atMs < startMs + durationMs),
    );
    expect(cut.length).toBeGreaterThan(10);
  });

  test('behavior: in order, with ids of their own', () => {
    expect(
      events.every((event, index) => index === 0 || event.atMs >= events[index - 1]!.atMs),
    ).toBe(true);
    expect(new Set(events.map(({ detail }) => detail.withdrawalId)).size).toBe(events.length);
  });

  test('behavior: 290 a day within 5 %, over-dispersed like the bridge, rarely in bursts', () => {
    const mean = events.length / (DAYS * 24);
    const variance = hours.reduce((sum, count) => sum + (count - mean) ** 2, 0) / hours.length;
    expect(Math.abs(events.length / DAYS / Calibration.RATE_PER_DAY - 1)).toBeLessThan(0.05);
    expect(variance / mean).toBeGreaterThan(2.5);
    expect(variance / mean).toBeLessThan(4.5);
    expect(Math.max(...hours)).toBeGreaterThan(60);
    expect(Math.max(...hours)).toBeLessThan(110);
    expect(hours.filter((count) => count > 60).length).toBeLessThan(8);
  });

  test.each([
    [0.1, 27.43],
    [0.5, 105.89],
    [0.9, 418.47],
    [0.95, 657.39],
    [0.99, 2_129.86],
  ])('behavior: the quantile %d of sizes lies within 25 %% of %d USD', (share, usd) => {
    expect(Math.abs(quantile(sizes, share) / usd - 1)).toBeLessThan(0.25);
  });

  test('behavior: few carry most, as large legitimate moves do', () => {
    const sum = sizes.reduce((total, size) => total + size, 0);
    const top = sizes
      .slice(Math.floor(sizes.length * 0.99))
      .reduce((total, size) => total + size, 0);
    expect(top / sum).toBeGreaterThan(0.75);
    expect(sizes.at(-1)).toBeGreaterThan(20_000_000);
    expect(sizes.at(-1)).toBeLessThan(388_000_000);
  });

  test('behavior: amounts are cut to 8 fraction digits and never zero', () => {
    for (const { detail } of events.slice(0, 2_000)) {
      const { decimals } = ASSETS.find(({ asset }) => asset === detail.asset)!;
      const amount = BigInt(detail.amount);
      expect(amount).toBeGreaterThan(0n);
      expect(amount % 10n ** BigInt(Math.max(0, decimals - 8))).toBe(0n);
    }
  });

  test('behavior: most destinations are seen once, and no customer dominates', () => {
    const count = (values: readonly string[]) => {
      const counts = new Map<string, number>();
      for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
      return counts;
    };
    const destinations = count(events.map(({ detail }) => detail.destination));
    const actors = count(events.map(({ detail }) => detail.actor!));
    expect(destinations.size / events.length).toBeGreaterThan(0.65);
    expect(destinations.size / events.length).toBeLessThan(0.8);
    expect(Math.max(...actors.values()) / events.length).toBeLessThan(0.01);
  });

  test('args: ratePerDay scales bursts and all', () => {
    const busy = [
      ...incidentTraffic(RONIN, { ...SPAN, ratePerDay: 1_450, durationMs: 10 * 24 * HOUR_MS }),
    ];
    const calm = events.filter(({ atMs }) => atMs < START_MS + 10 * 24 * HOUR_MS);
    expect(busy.length / calm.length).toBeGreaterThan(4);
    expect(busy.length / calm.length).toBeLessThan(6);
  });

  test('args: sizes', () => {
    const heavy = [...incidentTraffic(RONIN, { ...SPAN, sizes: Calibration.SIZES_HEAVY })];
    const median = quantile(
      heavy.map(usdOf).sort((a, b) => a - b),
      0.5,
    );
    expect(Math.abs(median / 737 - 1)).toBeLessThan(0.25);
  });

  test('error: an asset on a chain without a wallet', () => {
    const parameters = { ...SPAN, ratePerDay: 290, assets: ASSETS, wallets: [] };
    expect(() => Traffic.generateTraffic(parameters).next()).toThrow('no wallet on the chain of');
    expect(() => Traffic.generateTraffic({ ...parameters, assets: [] }).next()).toThrow(
      'no asset has',
    );
  });

  test('behavior: resembles the real traffic, where its files lie beside the project', ({
    skip,
  }) => {
    skip(!existsSync(BASELINE), 'the baseline files are not beside the project');
    const read = (file: string) =>
      readFileSync(`${BASELINE}${file}`, 'utf8').trim().split('\n').slice(1);
    const theftMs = Date.parse('2022-03-23T13:29:09Z');
    const arrivals = read('ronin_bridge_arrivals.csv').map((line) => Date.parse(line));
    const realHours = countBy(arrivals.filter((atMs) => atMs < theftMs));
    const realSizes = read('ronin_bridge_normal_sample.csv').map((line) =>
      Number(line.split(',')[6]),
    );
    const hourly = distance(hours, realHours);
    const size = distance(sizes, realSizes);
    console.log(
      `Kolmogorov-Smirnov distance: hourly counts ${hourly.toFixed(3)}, sizes ${size.toFixed(3)}`,
    );
    expect(hourly).toBeLessThan(0.1);
    expect(size).toBeLessThan(0.1);
  });
});

describe('sizeUsd', () => {
  test('behavior: meets every quantile, rises between them, and is bounded on both sides', () => {
    for (const { deviate, usd } of Calibration.SIZES) {
      expect(Traffic.sizeUsd(Calibration.SIZES, deviate)).toBeCloseTo(usd, 4);
    }
    for (let deviate = -5; deviate < 5; deviate += 0.01) {
      const [low, high] = [deviate, deviate + 0.01].map((x) =>
        Traffic.sizeUsd(Calibration.SIZES, x),
      );
      expect(high).toBeGreaterThanOrEqual(low!);
    }
    expect(Traffic.sizeUsd(Calibration.SIZES, 9)).toBe(387_000_000);
    expect(Traffic.sizeUsd(Calibration.SIZES, -9)).toBe(Calibration.USD_MIN);
  });

  test('error: too few quantiles', () => {
    expect(() => Traffic.sizeUsd(Calibration.SIZES.slice(0, 1), 0)).toThrow(RangeError);
  });
});
