import { describe, expect, test } from 'vitest';
import * as Breaker from '../../lib/domain/breaker.ts';
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
