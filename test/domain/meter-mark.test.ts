import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as Meter from '../../lib/domain/meter.ts';
import * as Money from '../../lib/domain/money.ts';
import { charge, DAY_MS, HOUR_MS, MINUTE_MS, T0_MS } from '../support/builders.ts';

const SUMS = ['notional', 'amount', 'count'] as const;
/** A boundary of every slot at once. */
const EDGE_MS = Math.floor(T0_MS / (180 * DAY_MS)) * 180 * DAY_MS;
const whole = { windowMs: Meter.LONGEST_MS, widenMs: 0 };

/** One charge of the naive list; `back`: after how many others it is given back, 0 for never. */
type Entry = { readonly added: Meter.Charge; readonly delta: number; readonly back: number };
type Left = { readonly added: Meter.Charge; readonly atMs: number; readonly after: boolean };

const entry: fc.Arbitrary<Entry> = fc.record({
  added: fc.record({
    notional: fc.bigInt({ min: 0n, max: 10n ** 20n }),
    amount: fc.bigInt({ min: 0n, max: 2n ** 200n }),
    count: fc.nat({ max: 3 }),
    assets: fc.uniqueArray(fc.nat({ max: 9 }), { maxLength: 3 }),
  }),
  delta: fc.oneof(
    fc.constantFrom(0, 0, 1, 5_999, 6_000, 6_001, 89_999, 90_000, HOUR_MS, DAY_MS),
    fc.nat({ max: 10 * MINUTE_MS }),
  ),
  back: fc.nat({ max: 4 }),
});
const entries = fc.array(entry, { maxLength: 12 });

/** Runs a schedule over a meter and its mark and over a naive list, and looks after every step. */
function run(
  schedule: { readonly before: readonly Entry[]; readonly after: readonly Entry[] },
  look: (seen: { meter: Meter.Meter; mark: Meter.Mark; left: Left[]; nowMs: number }) => void,
) {
  let meter = Meter.EMPTY;
  let mark: Meter.Mark | undefined;
  let nowMs = EDGE_MS;
  let left: Left[] = [];
  const due: { left: Left; in: number }[] = [];
  const one = (next: Entry, after: boolean) => {
    nowMs += next.delta;
    meter = Meter.charge(meter, next.added, nowMs);
    const put = { added: next.added, atMs: nowMs, after };
    left.push(put);
    if (next.back > 0) due.push({ left: put, in: next.back });
    for (const each of [...due]) {
      each.in -= 1;
      if (each.in > 0) continue;
      due.splice(due.indexOf(each), 1);
      meter = Meter.giveBack(meter, each.left.added, each.left.atMs);
      mark &&= Meter.lowerMark(mark, each.left.added, each.left.atMs);
      left = left.filter((other) => other !== each.left);
    }
    if (mark) look({ meter, mark, left, nowMs });
  };
  for (const next of schedule.before) one(next, false);
  mark = Meter.mark(meter, nowMs);
  look({ meter, mark, left, nowMs });
  for (const next of schedule.after) one(next, true);
}

function since(seen: { meter: Meter.Meter; mark: Meter.Mark; nowMs: number }) {
  return (metric: Meter.Metric) =>
    Meter.outflow(seen.meter, { ...whole, metric, nowMs: seen.nowMs, since: seen.mark });
}

function total(left: readonly Left[], metric: (typeof SUMS)[number]) {
  return left.reduce((sum, { added }) => sum + BigInt(added[metric]), 0n);
}

describe('mark', () => {
  test('default', () => {
    const meter = Meter.charge(Meter.EMPTY, charge({ notional: 5n, count: 1 }), T0_MS);
    const mark = Meter.mark(meter, T0_MS + 1);
    expect(mark.atMs).toBe(T0_MS + 1);
    expect(mark.held).toHaveLength(Meter.LADDER.length);
    expect(mark.held.at(-1)).toEqual({ notional: 5n, amount: 0n, count: 1 });
  });

  test('behavior: it never lies behind the newest charge', () => {
    const meter = Meter.charge(Meter.EMPTY, charge({ notional: 5n }), T0_MS);
    expect(Meter.mark(meter, T0_MS - HOUR_MS).atMs).toBe(T0_MS);
    expect(Meter.mark(Meter.EMPTY, T0_MS).held.every(({ count }) => count === 0)).toBe(true);
  });
});

describe('outflow since a mark', () => {
  test('behavior: H76, H78: never less than what left since, and without give-backs exactly that', () => {
    fc.assert(
      fc.property(entries, entries, (before, after) => {
        const none = (list: readonly Entry[]) => list.map((one) => ({ ...one, back: 0 }));
        run({ before: none(before), after: none(after) }, (seen) => {
          for (const metric of SUMS) {
            const after = seen.left.filter((one) => one.after);
            expect(since(seen)(metric)).toBe(total(after, metric));
          }
        });
      }),
    );
  });

  test('behavior: H19, H78: give-backs of older charges make no room, in any order', () => {
    fc.assert(
      fc.property(entries, entries, (before, after) => {
        run({ before, after }, (seen) => {
          for (const metric of SUMS) {
            const after = seen.left.filter((one) => one.after);
            expect(since(seen)(metric)).toBeGreaterThanOrEqual(total(after, metric));
          }
        });
      }),
    );
  });

  test('behavior: a charge of the mark’s own millisecond that is given back makes no room on either side', () => {
    const five = charge({ notional: 5n });
    const old = Meter.charge(Meter.EMPTY, five, T0_MS);
    const mark = Meter.mark(old, T0_MS);
    const meter = Meter.charge(old, charge({ notional: 7n }), T0_MS);
    const back = Meter.giveBack(meter, five, T0_MS);
    const lower = Meter.lowerMark(mark, five, T0_MS);
    expect(since({ meter: back, mark: lower, nowMs: T0_MS })('notional')).toBe(7n);
  });

  test('behavior: what came after it and is given back is room again', () => {
    const mark = Meter.mark(Meter.EMPTY, T0_MS);
    const five = charge({ notional: 5n });
    const meter = Meter.giveBack(Meter.charge(Meter.EMPTY, five, T0_MS + 1), five, T0_MS + 1);
    expect(Meter.lowerMark(mark, five, T0_MS + 1)).toBe(mark);
    expect(since({ meter, mark, nowMs: T0_MS + 1 })('notional')).toBe(0n);
  });

  test('behavior: it hides no charge that has left the window, and none of the window', () => {
    const mark = Meter.mark(Meter.EMPTY, EDGE_MS);
    let meter = Meter.charge(Meter.EMPTY, charge({ notional: 5n }), EDGE_MS);
    meter = Meter.charge(meter, charge({ notional: 7n }), EDGE_MS + 3 * HOUR_MS);
    const hour = { metric: 'notional' as const, windowMs: HOUR_MS, widenMs: 0, since: mark };
    expect(Meter.outflow(meter, { ...hour, nowMs: EDGE_MS + 3 * HOUR_MS })).toBe(7n);
  });

  test('behavior: of assets the mark’s slot counts whole', () => {
    const meter = Meter.charge(Meter.EMPTY, charge({ assets: [1, 2] }), T0_MS);
    const mark = Meter.mark(meter, T0_MS);
    const again = Meter.charge(meter, charge({ assets: [2] }), T0_MS + 1);
    expect(since({ meter: again, mark, nowMs: T0_MS + 1 })('assets')).toBe(2n);
  });

  test('behavior: H10: a saturated slot is over every limit, whatever a mark holds of it', () => {
    const full = charge({ notional: Money.MAX, amount: Money.MAX, count: Meter.COUNT_MAX });
    const meter = Meter.charge(Meter.EMPTY, full, T0_MS);
    const mark = Meter.mark(meter, T0_MS);
    const seen = since({ meter, mark, nowMs: T0_MS });
    expect(SUMS.map(seen)).toEqual([Money.MAX, Money.MAX, Money.MAX]);
    expect(Meter.lowerMark(mark, full, T0_MS)).toEqual(mark);
  });
});

describe('what a mark leaves out', () => {
  const five = charge({ notional: 5n, count: 1 });
  const seven = charge({ notional: 7n, count: 1 });

  test('behavior: H78: slots before the mark’s are not counted, also where the window reaches them', () => {
    let meter = Meter.charge(Meter.EMPTY, five, EDGE_MS);
    const atMs = EDGE_MS + 30 * MINUTE_MS;
    meter = Meter.charge(meter, five, atMs);
    const mark = Meter.mark(meter, atMs);
    meter = Meter.charge(meter, seven, atMs + MINUTE_MS);
    const window = { metric: 'notional', windowMs: HOUR_MS, widenMs: 0 } as const;
    const nowMs = atMs + MINUTE_MS;
    expect(Meter.outflow(meter, { ...window, nowMs, since: mark })).toBe(7n);
    expect(Meter.outflow(meter, { ...window, nowMs })).toBe(17n);
  });

  test('behavior: a window that no longer reaches the mark is what it is without one', () => {
    let meter = Meter.charge(Meter.EMPTY, five, EDGE_MS);
    const mark = Meter.mark(meter, EDGE_MS);
    const nowMs = EDGE_MS + 3 * HOUR_MS;
    meter = Meter.charge(meter, seven, nowMs);
    const window = { metric: 'notional', windowMs: HOUR_MS, widenMs: 0, nowMs } as const;
    expect(Meter.outflow(meter, { ...window, since: mark })).toBe(7n);
  });

  test('behavior: a mark holds what is in its own slot, not what lies before', () => {
    const meter = Meter.charge(Meter.EMPTY, five, EDGE_MS);
    const mark = Meter.mark(meter, EDGE_MS + 10 * MINUTE_MS);
    const held = mark.held.map(({ notional }) => notional);
    expect(held).toEqual(Meter.LADDER.map(({ slotMs }) => (slotMs > 10 * MINUTE_MS ? 5n : 0n)));
    expect(held).toContain(0n);
  });

  test('behavior: H19: giving back lowers a mark only where both lie in one slot', () => {
    const later = EDGE_MS + 10 * MINUTE_MS;
    let meter = Meter.charge(Meter.EMPTY, five, EDGE_MS);
    meter = Meter.charge(meter, seven, later);
    const mark = Meter.mark(meter, later);
    const lowered = Meter.lowerMark(mark, five, EDGE_MS);
    expect(lowered.held.map(({ notional }) => notional)).toEqual(Meter.LADDER.map(() => 7n));
    expect(lowered.held.map(({ count }) => count)).toEqual(Meter.LADDER.map(() => 1));
    expect(Meter.lowerMark(mark, five, later + 1)).toBe(mark);
  });
});
