import { describe, expect, test } from 'vitest';
import { reportHeld } from '../../lib/actions/report-held.ts';
import { reportStatus } from '../../lib/actions/report-status.ts';
import { reserveWithdrawals } from '../../lib/actions/reserve-withdrawals.ts';
import { readyWorld, type TestWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import { ask, holding } from '../support/holding.ts';

const limits = [holding(), holding({ limitId: 'all', scope: 'global', allowed: Build.usd(1_500) })];

async function waiting(): Promise<TestWorld> {
  const made = await readyWorld(Build.policy({ limits }));
  const hot3 = { account: Build.HOT_3 };
  const asks = [ask('a', 1_000), ask('x', 500, hot3), ask('b', 900), ask('y', 400, hot3)];
  await reserveWithdrawals(made.world.reserve, {
    asks: [...asks, ask('large', 1_001)],
    audience: 'signer',
  });
  return made;
}

describe('reportHeld', () => {
  test('default: each once, oldest first, where most stand before it', async () => {
    const { world } = await waiting();
    const report = await reportHeld({ ...world.decision, held: world.store.held });
    expect(report).toMatchObject({ atMs: Build.T0_MS, truncated: false });
    expect(report.held.map(({ withdrawalId, waitsFor }) => [withdrawalId, waitsFor])).toEqual([
      ['b', { limitId: expect.any(String), scope: expect.any(String), position: 1 }],
      ['large', undefined],
      ['y', { limitId: 'all', scope: 'global', position: 2 }],
    ]);
  });

  test('args: none', async () => {
    const { world } = await readyWorld(Build.policy({ limits }));
    const report = await reportHeld({ ...world.decision, held: world.store.held });
    expect(report).toEqual({ atMs: Build.T0_MS, held: [], truncated: false });
  });
});

describe('reportStatus', () => {
  test('behavior: counts withdrawals, not the queues that they stand in', async () => {
    const { world } = await waiting();
    const { decisions, incidents, health, held } = world.store;
    const { deadLetters, clock } = world;
    const { policy } = world.decision;
    const deps = { decisions, incidents, health, held, deadLetters, policy, clock };
    expect((await reportStatus(deps)).held).toEqual({
      count: 3,
      forPeople: 1,
      oldestAtMs: Build.T0_MS,
    });
  });
});
