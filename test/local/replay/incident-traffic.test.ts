import { describe, expect, test } from 'vitest';
import { incidentTraffic, trafficAssets } from '../../../lib/local/replay/incident-traffic.ts';
import { loadIncident } from '../../../lib/local/replay/load-incident.ts';

const FOLDER = `${import.meta.dirname}/../../../examples/incidents/`;
const COINEX = loadIncident(`${FOLDER}coinex-2023.csv`);
const DAY = { seed: '1', startMs: 0, durationMs: 86_400_000 };

describe('trafficAssets', () => {
  test('default', () => {
    const assets = trafficAssets(COINEX);
    expect(assets).toHaveLength(15);
    expect(assets.some(({ asset }) => /\/(mixed|usd):/.test(asset))).toBe(false);
  });

  test('behavior: without weights every token with a price moves equally', () => {
    const assets = COINEX.assets.map((asset) => ({ ...asset, trafficWeight: 0 }));
    expect(trafficAssets({ ...COINEX, assets }).every(({ weight }) => weight === 1)).toBe(true);
  });
});

describe('incidentTraffic', () => {
  test('default', () => {
    const chains = new Set([...incidentTraffic(COINEX, DAY)].map(({ detail }) => detail.wallet));
    expect(chains.size).toBeGreaterThan(5);
  });

  test('behavior: no priced token, no traffic', () => {
    expect([...incidentTraffic({ ...COINEX, assets: [] }, DAY)]).toEqual([]);
  });
});
