import { describe, expect, test } from 'vitest';
import * as Approval from '../../lib/domain/approval.ts';
import * as Build from '../support/builders.ts';
import { scene } from '../support/resuming.ts';
import { fee } from '../support/seeing.ts';
import { submit } from '../support/world.ts';

const { DAY_MS, HOUR_MS, limit, STRANGER, T0_MS, usd } = Build;
type Scene = ReturnType<typeof scene>;

/** A step is 10 % of this: 100 USD. */
const DAY = limit({ limitId: 'wallet-day', windowMs: DAY_MS });

function resuming(overrides: Parameters<typeof scene>[0] = {}): Scene {
  const here = scene({ limits: [DAY], ...overrides });
  here.steal(1, { destination: STRANGER });
  expect(here.resume().kind).toBe('resumed');
  here.clock.nowMs += 1;
  return here;
}

function alerts({ here }: Scene, kind: string): readonly string[] {
  return [...here.alerts.values()].filter((one) => one.kind === kind).map(({ text }) => text);
}

describe('what a step allows', () => {
  test('behavior: fees that the wallet pays may leave beyond it; money may not', () => {
    const here = resuming();
    expect(here.report(100).trips).toEqual([]);
    const event = Build.outflow({ transaction: '0xf' }, { amount: usd(100), fee: fee(3) });
    const at = { policy: here.rules, nowMs: here.clock.nowMs };
    const seen = submit(here.here, { ...at, events: [Build.incoming(event)] });
    expect(seen.outcomes).toMatchObject([{ result: 'matched-outflow', trips: [] }]);
    expect(here.breakerOf()).toMatchObject({ state: 'half-open', epoch: 1 });
    const more = Build.outflow({ transaction: '0xe' }, { amount: 0n, fee: fee(3) });
    const paid = submit(here.here, { ...at, events: [Build.incoming(more)] });
    expect(paid.outcomes).toMatchObject([{ trips: [], notional: usd(3) }]);
    expect(here.breakerOf().state).toBe('half-open');
    expect(here.report(1).trips).toMatchObject([{ scope: 'wallet:hot-1', opened: true }]);
  });

  test('behavior: H64: what operators declared leaves too: beyond the step it opens again', () => {
    const here = resuming();
    const ends = Approval.endsId(Build.transfer());
    const movements = [{ movementId: 'm', left: usd(101), untilMs: T0_MS + DAY_MS }];
    const kept = { version: 1, decisionId: 'd', bodyHash: '', atMs: T0_MS, policyVersion: 1 };
    const row = { rowId: ends, state: 'noted' as const, ...kept };
    here.here.rows.set(ends, { ...row, ends: { ...Approval.NOTHING, movements } });
    const event = Build.outflow({ transaction: '0xf' }, { amount: usd(101) });
    const at = { policy: here.rules, nowMs: here.clock.nowMs };
    const seen = submit(here.here, { ...at, events: [Build.incoming(event)] });
    expect(seen.outcomes).toMatchObject([
      { result: 'moved-outflow', trips: [{ scope: 'wallet:hot-1', opened: true }] },
    ]);
  });

  test('behavior: what came before the step began has left before: people hear that it is late', () => {
    const here = resuming();
    const beganMs = here.clock.nowMs - 1;
    here.clock.nowMs = beganMs + 5_000;
    expect(here.report(101, {}, 5_001).trips).toEqual([]);
    expect(here.breakerOf().state).toBe('half-open');
    expect(alerts(here, 'breach')).toEqual([
      expect.stringMatching(/step 1 of 3.*late backlog: alerted, not tripped/),
    ]);
  });

  test('behavior: what came with its beginning has not', () => {
    const here = resuming();
    here.clock.nowMs += 4_999;
    expect(here.report(101, {}, 5_000).trips).toMatchObject([{ scope: 'wallet:hot-1' }]);
    expect(alerts(here, 'breach')).toEqual([]);
  });

  test('behavior: in shadow it opens nothing, and says what it would have opened', () => {
    const here = resuming();
    const event = Build.incoming(Build.withdrawal('w', { amount: usd(101) }));
    const rules = { ...here.rules, mode: 'shadow' as const };
    const at = { policy: rules, nowMs: here.clock.nowMs };
    const [outcome] = submit(here.here, { ...at, events: [event] }).outcomes;
    expect(outcome).toMatchObject({ trips: [], wouldTrip: ['wallet:hot-1'] });
    expect(here.breakerOf().state).toBe('half-open');
    expect(alerts(here, 'would-trip')).toHaveLength(1);
  });
});

describe('a theft', () => {
  test('behavior: H78: opens again what is wider and resumes, and nothing wider that is closed', () => {
    const here = scene({
      limits: [
        limit({ scope: 'global', action: { kind: 'pause', scope: 'global' }, allowed: usd(5) }),
      ],
    });
    here.report(6);
    expect(here.breakerOf('global').state).toBe('open');
    expect(here.resume({ scope: 'global' }).kind).toBe('resumed');
    here.clock.nowMs += 1;
    const { trips } = here.steal(0, { amount: 1n, destination: STRANGER });
    // The last one is its limit, which the same money has passed again.
    expect(trips.map(({ scope, opened }) => [scope, opened])).toEqual([
      ['wallet:hot-1', true],
      ['global', true],
      ['global', false],
    ]);
    expect(here.breakerOf('global')).toMatchObject({ state: 'open', epoch: 2, unmatched: 1 });
    for (const key of ['key-domain:vault-a', 'chain:eip155:1', `asset:${Build.USDC}`]) {
      expect(here.breakerOf(key).state).toBe('closed');
    }
  });

  test('behavior: in shadow none of them', () => {
    const here = scene({ mode: 'shadow' });
    expect(here.steal(1)).toMatchObject({ trips: [], wouldTrip: ['wallet:hot-1'] });
    expect(here.breakerOf().state).toBe('closed');
  });
});

describe('open', () => {
  const single = limit({
    limitId: 'single',
    metric: 'single',
    windowMs: 0,
    allowed: usd(10),
    action: { kind: 'pause', scope: 'wallet' },
  });
  const wide = limit({
    limitId: 'wide',
    scope: 'key-domain',
    action: { kind: 'pause', scope: 'key-domain' },
    allowed: usd(20),
  });

  test('behavior: what shows once opens its own scope beside a wider one that is open already', () => {
    const here = scene({ limits: [wide, single] });
    here.report(9);
    here.report(9);
    here.report(9);
    expect(here.breakerOf('key-domain:vault-a').state).toBe('open');
    expect(here.breakerOf().state).toBe('closed');
    expect(here.report(11).trips.map(({ scope }) => scope)).toContain('wallet:hot-1');
    expect(here.breakerOf().state).toBe('open');
  });

  test('behavior: beside one that it opens itself too, where a wider one is open from before', () => {
    const everything = limit({
      ...wide,
      scope: 'global',
      action: { kind: 'pause', scope: 'global' },
    });
    const rule = { withdrawal: 'block', outflow: 'pause', scope: 'asset' } as const;
    const unknown = { wallet: rule, asset: rule, chain: rule, price: rule };
    const here = scene({ limits: [everything], unknown });
    here.report(21);
    const stolen = { asset: Build.PRICELESS, amount: 1n, destination: STRANGER };
    expect(here.steal(0, stolen).trips.map(({ scope }) => scope)).toEqual([
      'wallet:hot-1',
      `asset:${Build.PRICELESS}`,
      'global',
    ]);
    expect(here.breakerOf(`asset:${Build.PRICELESS}`).state).toBe('open');
  });

  test('behavior: what shows again is a cause of the wider one that is open already', () => {
    const hour = limit({ allowed: usd(30) });
    const here = scene({ limits: [wide, hour] });
    here.report(21);
    expect(here.report(10).trips.map(({ scope }) => scope)).toContain('key-domain:vault-a');
    expect(here.breakerOf().state).toBe('closed');
  });
});

describe('what is unknown', () => {
  test('behavior: where it only alerts people hear of it once a day for each scope', () => {
    const rule = { withdrawal: 'block', outflow: 'alert', scope: 'wallet' } as const;
    const here = scene({ unknown: { wallet: rule, asset: rule, chain: rule, price: rule } });
    const told = (atMs: number) => {
      here.clock.nowMs = atMs;
      here.report(0, { asset: Build.PRICELESS, amount: 1n });
      return [...here.here.alerts.values()].filter(({ kind }) => kind === 'unknown');
    };
    const day = Math.floor(T0_MS / DAY_MS);
    expect(told(T0_MS)).toMatchObject([
      { alertId: `unknown|price|wallet:hot-1|${day}`, scope: 'wallet:hot-1', atMs: T0_MS },
    ]);
    expect(told(T0_MS + HOUR_MS)).toHaveLength(1);
    expect(told(T0_MS + DAY_MS)).toHaveLength(2);
    expect(here.breakerOf().state).toBe('closed');
  });
});
