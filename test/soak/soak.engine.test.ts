import { describe, expect, test } from 'vitest';
import { findAnvil } from '../../lib/local/chain-node.ts';
import { lifeOf } from './memory.ts';
import { runSoak } from './run.ts';

describe.skipIf(!findAnvil())('runSoak', () => {
  test('default: one kill of each, and everything that was taken is in the ledger once', async () => {
    const { lives: _, ...report } = await runSoak({
      seconds: 12,
      rate: 10,
      payEvery: 10,
      kills: [
        { atMs: 3_000, victim: 'engine', downMs: 500 },
        { atMs: 6_000, victim: 'node', downMs: 500 },
        { atMs: 9_000, victim: 'runtime', downMs: 0 },
      ],
      lifeLeastS: 60,
    });
    expect(report).toMatchObject({ sent: 120, taken: 120, paid: 12 });
    // One that begins while the engine is away begins again.
    expect(report.starts).toBeGreaterThanOrEqual(2);
    expect(report).toMatchObject({
      kills: { runtime: 1, engine: 1, node: 1 },
      lost: [],
      unmatched: [],
      incidents: [],
      disagreements: [],
      processes: [],
      files: [],
    });
  }, 120_000);
});

describe('lifeOf', () => {
  const samples = (grow: number) =>
    Array.from({ length: 25 }, (_, at) => ({
      lifeS: at * 5,
      rss: 200e6,
      heapUsed: 50e6 + at * grow,
      external: 5e6,
    }));

  test('default: flat, or by how much it grows', () => {
    expect(lifeOf(samples(0), 60)).toMatchObject({
      lifeS: 120,
      samples: 19,
      heapUsed: { first: 50, median: 50, last: 50, slopePerMin: 0 },
    });
    expect(lifeOf(samples(1e6), 60)?.heapUsed.slopePerMin).toBe(12);
  });

  test('behavior: a short life tells nothing', () => {
    expect(lifeOf(samples(0), 121)).toBeUndefined();
  });
});
