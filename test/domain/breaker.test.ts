import { describe, expect, test } from 'vitest';
import * as Breaker from '../../lib/domain/breaker.ts';
import type * as Meter from '../../lib/domain/meter.ts';
import { T0_MS } from '../support/builders.ts';

const cause: Breaker.Cause = {
  kind: 'limit',
  atMs: T0_MS,
  rowId: 'withdrawal:w1',
  text: 'limit wallet-hour',
  notional: 5n,
};
const opening = { scope: 'wallet:hot-1', cause, incidentId: 'INC1', policyVersion: 3 };
const second = {
  ...opening,
  cause: { ...cause, kind: 'unmatched' as const, atMs: T0_MS + 1, rowId: 'outflow:o2' },
  incidentId: 'INC2',
};

const mark: Meter.Mark = { atMs: T0_MS + 50, held: [] };
const steps: readonly Breaker.Step[] = [
  { shareBps: 1_000, forMs: 600, chains: ['eip155:1'] },
  { shareBps: 5_000, forMs: 900 },
];
const asked = { incidentId: 'INC1', steps, budget: 7n, mark };

function tripped(kind: Breaker.Cause['kind'] = 'limit'): Breaker.Breaker {
  return Breaker.trip(Breaker.CLOSED, { ...opening, cause: { ...cause, kind } }).breaker;
}

function halfOpen(): Breaker.HalfOpen {
  return Breaker.resume(tripped(), asked)!;
}

describe('permits', () => {
  test('behavior: only a closed breaker lets withdrawals flow', () => {
    const { breaker } = Breaker.trip(Breaker.CLOSED, opening);
    const isolated = Breaker.trip(Breaker.CLOSED, {
      ...opening,
      cause: { ...cause, kind: 'operator' },
    });
    expect([Breaker.CLOSED, breaker, isolated.breaker].map(Breaker.permits)).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('stops', () => {
  test('behavior: open and isolated stop everything, closed and half-open do not', () => {
    const all = [Breaker.CLOSED, tripped(), tripped('operator'), halfOpen()];
    expect(all.map(Breaker.stops)).toEqual([false, true, true, false]);
    expect(Breaker.permits(halfOpen())).toBe(false);
  });
});

describe('trip', () => {
  test('default', () => {
    expect(Breaker.trip(Breaker.CLOSED, opening)).toMatchInlineSnapshot(`
      {
        "breaker": {
          "causes": 1,
          "epoch": 1,
          "incidentId": "INC1",
          "openedAtMs": 1694524860000,
          "state": "open",
        },
        "causeNumber": 1,
        "incidentId": "INC1",
        "opened": {
          "epoch": 1,
          "first": {
            "atMs": 1694524860000,
            "kind": "limit",
            "notional": 5n,
            "rowId": "withdrawal:w1",
            "text": "limit wallet-hour",
          },
          "incidentId": "INC1",
          "openedAtMs": 1694524860000,
          "policyVersion": 3,
          "scope": "wallet:hot-1",
          "state": "open",
        },
      }
    `);
  });

  test('behavior: H29: a second trip keeps incident, epoch, time and first cause', () => {
    const first = Breaker.trip(Breaker.CLOSED, opening);
    expect(Breaker.trip(first.breaker, second)).toEqual({
      breaker: { ...first.breaker, causes: 2, unmatched: 1 },
      causeNumber: 2,
      incidentId: 'INC1',
    });
  });

  test('behavior: H29: neither side takes the breaker from the other', () => {
    const operator = { ...opening, cause: { ...cause, kind: 'operator' as const } };
    const isolated = Breaker.trip(Breaker.CLOSED, operator).breaker;
    const open = Breaker.trip(Breaker.CLOSED, opening).breaker;
    expect(Breaker.trip(isolated, second).breaker.state).toBe('isolated');
    expect(Breaker.trip(open, operator).breaker.state).toBe('open');
  });

  test('behavior: causes beyond those kept in full are counted', () => {
    let tripped = Breaker.trip(Breaker.CLOSED, opening);
    for (let i = 0; i < Breaker.CAUSES_MAX + 5; i += 1)
      tripped = Breaker.trip(tripped.breaker, second);
    expect(tripped.causeNumber).toBe(Breaker.CAUSES_MAX + 6);
    expect(tripped.incidentId).toBe('INC1');
  });

  test('behavior: causes that are not unmatched leave no count of them', () => {
    const { breaker } = Breaker.trip(tripped(), opening);
    expect(Object.keys(breaker)).not.toContain('unmatched');
  });

  test('behavior: H78: one that resumes in steps opens again: same incident, new epoch, nothing of its steps', () => {
    expect(Breaker.trip(halfOpen(), second)).toEqual({
      breaker: {
        state: 'open',
        epoch: 2,
        incidentId: 'INC1',
        openedAtMs: T0_MS + 1,
        causes: 2,
        unmatched: 1,
      },
      reopened: true,
      causeNumber: 2,
      incidentId: 'INC1',
    });
    const operator = { ...second, cause: { ...second.cause, kind: 'operator' as const } };
    expect(Breaker.trip(halfOpen(), operator).breaker.state).toBe('isolated');
  });

  test('behavior: each opening has an epoch of its own', () => {
    const first = Breaker.trip(Breaker.CLOSED, opening).breaker;
    const closed = Breaker.reset(first, 'INC1')!;
    const again = Breaker.trip(closed, second);
    expect(again.opened).toMatchObject({ epoch: 2, incidentId: 'INC2', first: second.cause });
  });
});

describe('alsoUnmatched', () => {
  test('H62: counts the unmatched ones after the first cause, and nothing else', () => {
    const trip = (from: Breaker.Breaker, kind: Breaker.Cause['kind']) =>
      Breaker.trip(from, { ...opening, cause: { ...cause, kind } }).breaker;
    const kinds = ['unmatched', 'limit', 'unmatched', 'conflict', 'unmatched'] as const;
    let breaker = Breaker.CLOSED;
    const counts = kinds.map((kind) => {
      breaker = trip(breaker, kind);
      return Breaker.alsoUnmatched(breaker);
    });
    expect(counts).toEqual([0, 0, 1, 1, 2]);
    expect(Breaker.alsoUnmatched({ state: 'closed', epoch: 1 })).toBe(0);
  });
});

describe('resume', () => {
  test.each(['limit', 'operator'] as const)('default: opened by %s', (kind) => {
    expect(Breaker.resume(tripped(kind), asked)).toEqual({
      ...tripped(kind),
      state: 'half-open',
      steps,
      step: 0,
      stepSinceMs: T0_MS + 50,
      mark,
      budget: 7n,
    });
  });

  test('args: another incident, and no steps', () => {
    expect(Breaker.resume(tripped(), { ...asked, incidentId: 'INC2' })).toBeUndefined();
    expect(Breaker.resume(tripped(), { ...asked, steps: [] })).toBeUndefined();
  });

  test('behavior: neither a closed one nor one that resumes already', () => {
    expect(Breaker.resume(Breaker.CLOSED, asked)).toBeUndefined();
    expect(Breaker.resume(halfOpen(), asked)).toBeUndefined();
  });
});

describe('stepEndsAtMs', () => {
  test('default', () => {
    expect(Breaker.stepEndsAtMs(halfOpen())).toBe(T0_MS + 650);
    expect(Breaker.stepEndsAtMs({ ...halfOpen(), step: 1 })).toBe(T0_MS + 950);
  });

  test('behavior: a step that is not there is over at once', () => {
    expect(Breaker.stepEndsAtMs({ ...halfOpen(), step: 2 })).toBe(T0_MS + 50);
  });
});

describe('advance', () => {
  const later: Meter.Mark = { atMs: T0_MS + 650, held: [] };

  test('behavior: H78: the next step begins when the step is over, not 1 ms before', () => {
    const at = (nowMs: number) => Breaker.advance(halfOpen(), { mark: later, nowMs });
    expect(at(T0_MS + 649)).toBeUndefined();
    expect(at(T0_MS + 650)).toEqual({
      ...halfOpen(),
      step: 1,
      stepSinceMs: T0_MS + 650,
      mark: later,
    });
  });

  test('behavior: H13: it lasts from its mark on, where a charge lies ahead of the clock', () => {
    const ahead = { ...later, atMs: T0_MS + 2_650 };
    const next = Breaker.advance(halfOpen(), { mark: ahead, nowMs: T0_MS + 650 });
    expect(next).toMatchObject({ step: 1, stepSinceMs: T0_MS + 2_650 });
    const early = { mark: later, nowMs: T0_MS + 3_549 };
    expect(Breaker.advance(next as Breaker.HalfOpen, early)).toBeUndefined();
  });

  test('behavior: however late, one call is one step, and the last one closes', () => {
    const late = { ...later, atMs: T0_MS + 9_000 };
    const next = Breaker.advance(halfOpen(), { mark: late, nowMs: T0_MS + 9_000 });
    expect(next).toMatchObject({ state: 'half-open', step: 1, stepSinceMs: T0_MS + 9_000 });
    const last = Breaker.advance(next as Breaker.HalfOpen, { mark: late, nowMs: T0_MS + 9_900 });
    expect(last).toEqual({ state: 'closed', epoch: 1 });
  });
});

describe('reset', () => {
  const { breaker } = Breaker.trip(Breaker.CLOSED, opening);

  test('default', () => {
    expect(Breaker.reset(breaker, 'INC1')).toEqual({ state: 'closed', epoch: 1 });
  });

  test.each(['INC2', ''])('args: another incident %j', (incidentId) => {
    expect(Breaker.reset(breaker, incidentId)).toBeUndefined();
  });

  test('behavior: what is closed is not closed again', () => {
    expect(Breaker.reset(Breaker.CLOSED, 'INC1')).toBeUndefined();
  });
});
