import { describe, expect, test } from 'vitest';
import { expireGraces } from '../../lib/actions/expire-graces.ts';
import { recordEvents } from '../../lib/actions/record-events.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import { readyWorld, type TestWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';

const GRACE_MS = 30_000;

function ready(overrides: Partial<Policy.Policy> = {}): Promise<TestWorld> {
  const matching = { deductedFeeMax: 0n, graceMs: GRACE_MS, unseenMs: Build.DAY_MS };
  return readyWorld(Build.policy({ matching, ...overrides }));
}

function expire({ world }: TestWorld) {
  return expireGraces({ ...world.decision, graces: world.store.graces });
}

async function decide({ world }: TestWorld, event: Parameters<typeof Build.incoming>[0]) {
  const [recorded] = await recordEvents(world.decision, [Build.incoming(event)]);
  return recorded?.kind === 'decided' ? recorded.outcome.result : recorded?.error;
}

async function open({ world }: TestWorld): Promise<readonly string[]> {
  const incidents = await world.store.incidents.list(100);
  return incidents.filter((one) => !one.quarantinedBy).map(({ scope }) => scope);
}

function waiting({ world }: TestWorld): Promise<readonly string[]> {
  return world.store.graces.over(Number.MAX_SAFE_INTEGER, 100);
}

describe('expireGraces', () => {
  test('default: nothing waits, nothing is written', async () => {
    const made = await ready();
    const before = made.committed.length;
    expect(await expire(made)).toBeUndefined();
    expect(made.committed.length).toBe(before);
  });

  test.each([
    [GRACE_MS - 1, []],
    [GRACE_MS, ['key-domain:vault-a']],
  ])('behavior: %d ms after an outflow that nobody reported: %j', async (laterMs, scopes) => {
    const made = await ready();
    expect(await decide(made, Build.outflow({ transaction: '0xa' }))).toBe('unmatched-outflow');
    expect(await open(made)).toEqual([]);
    made.clock.nowMs += laterMs;
    const effect = await expire(made);
    expect(effect?.trips.map(({ scope }) => scope) ?? []).toEqual(scopes);
    expect(await open(made)).toEqual(scopes);
  });

  test('behavior: it trips once, and says why', async () => {
    const made = await ready();
    await decide(made, Build.outflow({ transaction: '0xa' }));
    made.clock.nowMs += GRACE_MS;
    await expire(made);
    expect(await expire(made)).toBeUndefined();
    expect(await waiting(made)).toEqual([]);
    const [incident] = await made.world.store.incidents.list(10);
    expect(incident?.first.text).toContain('no report of it has come in time');
    expect(incident?.first.notional).toBe(Build.usd(1));
  });

  test('behavior: a report within its time ends it, and nothing trips or counts twice', async () => {
    const made = await ready();
    await decide(made, Build.outflow({ transaction: '0xa' }));
    made.clock.nowMs += GRACE_MS - 1;
    expect(await decide(made, Build.withdrawal('w-1'))).toBe('late-report');
    expect(await waiting(made)).toEqual([]);
    made.clock.nowMs += GRACE_MS;
    expect(await expire(made)).toBeUndefined();
    expect(await open(made)).toEqual([]);
  });

  test('behavior: a report after its time is linked, and the incident stays', async () => {
    const made = await ready();
    await decide(made, Build.outflow({ transaction: '0xa' }));
    made.clock.nowMs += GRACE_MS;
    await expire(made);
    expect(await decide(made, Build.withdrawal('w-1'))).toBe('late-report');
    expect(await open(made)).toEqual(['key-domain:vault-a']);
  });

  test('behavior: the limits do not wait for it', async () => {
    const made = await ready({ limits: [Build.limit({ allowed: 1n })] });
    await decide(made, Build.outflow({ transaction: '0xa' }));
    expect(await open(made)).toEqual(['wallet:hot-1']);
  });

  test('behavior: more than one round takes are all told, the first first', async () => {
    const made = await ready();
    for (let number = 0; number < 23; number += 1) {
      made.clock.nowMs += 1;
      await decide(made, Build.outflow({ transaction: `0x${number}` }));
    }
    made.clock.nowMs += GRACE_MS;
    for (const left of [17, 11, 5, 0]) {
      await expire(made);
      expect((await waiting(made)).length).toBe(left);
    }
    expect(await expire(made)).toBeUndefined();
    expect(await open(made)).toEqual(['key-domain:vault-a']);
  });

  test('behavior: in shadow mode people are told what would have tripped', async () => {
    const made = await ready({ mode: 'shadow' });
    await decide(made, Build.outflow({ transaction: '0xa' }));
    made.clock.nowMs += GRACE_MS;
    expect((await expire(made))?.wouldTrip).toEqual(['key-domain:vault-a']);
    expect(await open(made)).toEqual([]);
  });

  test('behavior: H16: a report that comes at the same time wins or loses, and nothing is lost', async () => {
    const made = await ready();
    await decide(made, Build.outflow({ transaction: '0xa' }));
    made.clock.nowMs += GRACE_MS;
    const [, reported] = await Promise.all([expire(made), decide(made, Build.withdrawal('w-1'))]);
    expect(reported).toBe('late-report');
    expect(await waiting(made)).toEqual([]);
  });

  test('error: a store that is down is thrown, and told at the next round', async () => {
    const made = await ready();
    await decide(made, Build.outflow({ transaction: '0xa' }));
    made.clock.nowMs += GRACE_MS;
    const { world } = made;
    const down = { over: () => Promise.reject(new Error('down')) };
    await expect(expireGraces({ ...world.decision, graces: down })).rejects.toThrow('down');
    expect((await expire(made))?.trips).toHaveLength(1);
  });
});
