import { describe, expect, test } from 'vitest';
import type * as Breaker from '../../lib/domain/breaker.ts';
import * as Meter from '../../lib/domain/meter.ts';
import type * as Scope from '../../lib/domain/scope.ts';
import * as Step from '../../lib/domain/step.ts';
import { CHAIN, ETH, item, limit, OTHER_CHAIN, T0_MS, USDC, usd } from '../support/builders.ts';

const scope: Scope.Scope = { kind: 'wallet', id: 'hot-1' };
const flows = { chain: CHAIN, asset: USDC };
const mark = Meter.mark(Meter.EMPTY, T0_MS);
const breaker: Breaker.HalfOpen = {
  state: 'half-open',
  epoch: 3,
  incidentId: 'INC1',
  openedAtMs: T0_MS - 5,
  causes: 1,
  steps: [
    { shareBps: 1_000, forMs: 600, assets: [USDC] },
    { shareBps: 5_000, forMs: 900 },
    { shareBps: 10_000, forMs: 1_200 },
  ],
  step: 0,
  stepSinceMs: T0_MS,
  mark,
  budget: usd(500),
};
const resuming = item({ breaker });
const of: Step.Of = {
  scope: 'wallet:hot-1',
  incidentId: 'INC1',
  epoch: 3,
  step: 0,
  steps: 3,
  shareBps: 1_000,
  sinceMs: T0_MS,
  whole: usd(1_000),
};

describe('lets', () => {
  const all = { shareBps: 1, forMs: 1 };

  test('default: what names nothing lets everything flow', () => {
    expect(Step.lets(all, flows)).toBe(true);
  });

  test('args: chains and assets, both have to name it, by any of their patterns', () => {
    const lets = (chains: string[], assets: string[]) =>
      Step.lets({ ...all, chains, assets }, flows);
    expect(lets([OTHER_CHAIN, CHAIN], [ETH, USDC])).toBe(true);
    expect(lets([OTHER_CHAIN], [USDC])).toBe(false);
    expect(lets([CHAIN], [ETH])).toBe(false);
    expect(lets([], [USDC])).toBe(false);
    expect(lets(['eip155:*'], ['eip155:1/*'])).toBe(true);
  });
});

describe('current', () => {
  test('default', () => {
    expect(Step.current({ ...breaker, step: 1 })).toEqual({ shareBps: 5_000, forMs: 900 });
  });

  test('behavior: H78: a step that is not there lets nothing flow', () => {
    const none = Step.current({ ...breaker, step: 3 });
    expect(none.shareBps).toBe(0);
    expect(none.forMs).toBe(0);
    expect(Step.lets(none, flows)).toBe(false);
  });
});

describe('bounds', () => {
  const bounds = (limits: Parameters<typeof Step.bounds>[1]['limits'], over = {}) =>
    Step.bounds(resuming, { scope, flows, limits, ...over });

  test('default: a share of a limit, with what the step is', () => {
    const plain = limit();
    expect(bounds([limit({ warnBps: 8_000, tripOnRefusal: true })])).toEqual([
      { ...plain, allowed: usd(100), step: of },
    ]);
  });

  test('behavior: shares are rounded down', () => {
    expect(bounds([limit({ allowed: 19n })])[0]?.allowed).toBe(1n);
  });

  test.each(['closed', 'open', 'none'])('args: a breaker that is %s has no bounds', (state) => {
    const open = { state: 'open', epoch: 1, incidentId: 'I', openedAtMs: 0, causes: 1 } as const;
    const items = { closed: item(), open: item({ breaker: open }), none: undefined };
    const here = items[state as keyof typeof items];
    expect(Step.bounds(here, { scope, flows, limits: [limit()] })).toEqual([]);
    expect(Step.boundsOf(here, { scope, limits: [limit()] })).toEqual([]);
    expect(Step.boundOf(here, { scope, limit: limit() })).toBeUndefined();
    expect(Step.roomAtMs(here, of, { need: 1n, nowMs: T0_MS })).toBeUndefined();
    if (here) expect(Step.markOf(here, of)).toBeUndefined();
  });

  test('behavior: H78: of money that the step does not name not even one may leave', () => {
    const [only, ...more] = bounds([limit()], { flows: { chain: CHAIN, asset: ETH } });
    expect(more).toEqual([]);
    expect(only).toEqual({
      limitId: '%resume-budget',
      scope: 'wallet',
      where: {},
      metric: 'count',
      windowMs: Meter.LONGEST_MS,
      allowed: 0n,
      action: { kind: 'pause', scope: 'wallet' },
      mode: 'enforce',
      step: { ...of, whole: 0n, isUnnamed: true },
    });
  });

  test('behavior: without a notional limit of its own the order’s budget bounds it', () => {
    const count = limit({ limitId: 'count', metric: 'count', allowed: 40n });
    const all = Step.boundsOf(resuming, { scope, limits: [count] });
    expect(all.map(({ limitId, allowed }) => [limitId, allowed])).toEqual([
      ['count', 4n],
      ['%resume-budget', usd(50)],
    ]);
    expect(all[1]).toMatchObject({ metric: 'notional', mode: 'enforce' });
    const both = Step.boundsOf(resuming, { scope, limits: [count, limit()] });
    expect(both.map(({ limitId }) => limitId)).toEqual(['count', 'wallet-hour']);
  });

  test('behavior: only sums of limits that act are shared out', () => {
    const ids = (over: Parameters<typeof limit>[0]) =>
      Step.boundsOf(resuming, { scope, limits: [limit({ limitId: 'it', ...over })] }).map(
        ({ limitId }) => limitId,
      );
    expect(ids({ metric: 'notional' })).toEqual(['it']);
    expect(ids({ metric: 'amount' })).toContain('it');
    expect(ids({ metric: 'count' })).toContain('it');
    for (const metric of ['single', 'assets'] as const) expect(ids({ metric })).not.toContain('it');
    expect(ids({ mode: 'shadow' })).toEqual(['%resume-budget']);
    expect(ids({ action: { kind: 'alert' } })).toEqual(['%resume-budget']);
  });
});

describe('boundOf', () => {
  test('default', () => {
    expect(Step.boundOf(resuming, { scope, limit: limit() })).toEqual({
      ...limit(),
      allowed: usd(100),
      step: of,
    });
  });

  test('behavior: a limit that no step bounds', () => {
    expect(Step.boundOf(resuming, { scope, limit: limit({ metric: 'single' }) })).toBeUndefined();
  });
});

describe('markOf', () => {
  test('behavior: H78: only of the very step of the very opening', () => {
    expect(Step.markOf(resuming, of)).toBe(mark);
    expect(Step.markOf(resuming, { ...of, step: 1 })).toBeUndefined();
    expect(Step.markOf(resuming, { ...of, epoch: 2 })).toBeUndefined();
  });
});

describe('roomAtMs', () => {
  const room = (need: bigint, nowMs: number, step = 0) =>
    Step.roomAtMs(item({ breaker: { ...breaker, step } }), of, { need, nowMs });

  test('behavior: the start of the first later step whose share has the room', () => {
    expect(room(usd(500), T0_MS)).toBe(T0_MS + 600);
    expect(room(usd(500) + 1n, T0_MS)).toBe(T0_MS + 1_500);
    expect(room(usd(1_000), T0_MS)).toBe(T0_MS + 1_500);
  });

  test('behavior: where none has it, when all of them are over', () => {
    expect(room(usd(1_000) + 1n, T0_MS)).toBe(T0_MS + 2_700);
    expect(room(1n, T0_MS, 2)).toBe(T0_MS + 1_200);
  });

  test('behavior: a step that is over already begins the next one now', () => {
    expect(room(usd(500), T0_MS + 5_000)).toBe(T0_MS + 5_000);
  });
});
