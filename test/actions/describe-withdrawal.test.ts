import { describe, expect, test } from 'vitest';
import { closeWithdrawal } from '../../lib/actions/close-withdrawal.ts';
import { describeWithdrawal } from '../../lib/actions/describe-withdrawal.ts';
import { operateBreaker } from '../../lib/actions/operate-breaker.ts';
import { recordEvents } from '../../lib/actions/record-events.ts';
import { releaseWhereRoom, releaseWithdrawal } from '../../lib/actions/release-held.ts';
import { reserveWithdrawals } from '../../lib/actions/reserve-withdrawals.ts';
import { readyWorld, type TestWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import { ask, holding } from '../support/holding.ts';
import { failed } from '../support/outcomes.ts';

const { HOUR_MS, T0_MS } = Build;

/** A world in which `a` was admitted, `b` is held, and a person is asked about `c`. */
async function ready(): Promise<TestWorld> {
  const made = await readyWorld(Build.policy({ limits: [holding()], outstandingMax: 1_000 }));
  const asks = [ask('a', 1_000), ask('b', 400), ask('c', 2_000, { account: Build.HOT_3 })];
  await reserveWithdrawals(made.world.reserve, { asks, audience: 'signer' });
  return made;
}

function describeOne({ world }: TestWorld, withdrawalId: string) {
  return describeWithdrawal(world.reserve, withdrawalId);
}

async function pause({ world }: TestWorld): Promise<void> {
  const { incidents } = world.store;
  const deps = { ...world.decision, incidents, compilePolicy: world.compilePolicy };
  const scope = 'global';
  const command = { kind: 'pause', commandId: 'pause', scope, reason: 'drill' } as const;
  await operateBreaker(deps, { command, actor: 'ann' });
}

function sweep({ world }: TestWorld) {
  return releaseWhereRoom({ ...world.reserve, held: world.store.held });
}

describe('describeWithdrawal', () => {
  test('default: what is held, and writes nothing', async () => {
    const made = await ready();
    const count = made.committed.length;
    expect(await describeOne(made, 'b')).toMatchObject({ state: 'held', lift: 'time' });
    expect(await describeOne(made, 'c')).toMatchObject({ state: 'held', lift: 'operators' });
    expect(await describeOne(made, 'nobody-asked')).toBeUndefined();
    expect(made.committed.length).toBe(count);
  });

  test('H83: what was admitted may be signed, whatever stands against it now', async () => {
    const made = await ready();
    const onItsWay = {
      withdrawalId: 'a',
      state: 'admitted',
      text: expect.stringMatching(/on its/),
    };
    expect(await describeOne(made, 'a')).toEqual(onItsWay);
    await pause(made);
    expect(await describeOne(made, 'a')).toEqual(onItsWay);
  });

  test('H83: what became of an admission that has expired is not known', async () => {
    const made = await ready();
    made.clock.nowMs = T0_MS + HOUR_MS;
    const unknown = {
      withdrawalId: 'a',
      state: 'admitted',
      text: 'It was approved. Whether it has been sent is not known yet.',
    };
    expect(await describeOne(made, 'a')).toEqual(unknown);
    await pause(made);
    expect(await describeOne(made, 'a')).toEqual(unknown);
  });

  test('H83: what was let go is ready until it is asked for, and waits while it is paused', async () => {
    const made = await ready();
    made.clock.nowMs = T0_MS + 2 * HOUR_MS;
    expect(await sweep(made)).toEqual(['b']);
    const parameters = { withdrawalId: 'c', actor: 'ann' };
    const { world } = made;
    await releaseWithdrawal({ ...world.reserve, held: world.store.held }, parameters);
    for (const id of ['b', 'c']) {
      expect(await describeOne(made, id), id).toMatchObject({ state: 'ready' });
    }
    made.clock.nowMs += 5 * 60_000;
    expect(await describeOne(made, 'b')).toMatchObject({ state: 'ready' });
    await reserveWithdrawals(world.reserve, { asks: [ask('b', 400)], audience: 'signer' });
    await pause(made);
    expect(await describeOne(made, 'b')).toMatchObject({ state: 'admitted' });
    expect(await describeOne(made, 'c')).toMatchObject({ state: 'waiting', reason: 'paused' });
  });

  test('behavior: what has left, and what will not', async () => {
    const made = await ready();
    const { world } = made;
    const out = Build.outflow(
      { transaction: '0xaa', withdrawalId: 'a' },
      { amount: Build.usd(1_000) },
    );
    await recordEvents(world.decision, [Build.incoming(out)]);
    await closeWithdrawal({ ...world.decision, alerts: world.store.alerts }, failed('b'));
    expect(await describeOne(made, 'a')).toMatchObject({ state: 'sent' });
    expect(await describeOne(made, 'b')).toMatchObject({ state: 'closed' });
  });
});
