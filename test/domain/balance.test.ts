import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import * as Balance from '../../lib/domain/balance.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, T0_MS } from '../support/builders.ts';

const SLOT_MS = 6 * MINUTE_MS;
/** Start of a slot of the hour's step. */
const START_MS = Math.ceil(T0_MS / SLOT_MS) * SLOT_MS;
const WIDEN_MS = 40_000;

function noted(seen: readonly Balance.Seen[]): Balance.Balance | undefined {
  return seen.reduce<Balance.Balance | undefined>(Balance.note, undefined);
}

/** One look a minute, the same each time. */
function steady(amount: bigint, from: { readonly atMs: number; readonly forMs: number }) {
  const looks = Math.floor(from.forMs / MINUTE_MS) + 1;
  return Array.from({ length: looks }, (_, n) => ({ amount, atMs: from.atMs + n * MINUTE_MS }));
}

function atStart(balance: Balance.Balance | undefined, nowMs: number, windowMs = HOUR_MS) {
  return Balance.atStart(balance, { windowMs, widenMs: WIDEN_MS, nowMs });
}

describe('note', () => {
  test('default: the least of a slot stays', () => {
    const balance = noted([
      { amount: 5n, atMs: START_MS },
      { amount: 3n, atMs: START_MS + 1 },
      { amount: 9n, atMs: START_MS + 2 },
    ]);
    expect(balance?.steps[0]).toEqual([{ index: START_MS / SLOT_MS, least: 3n }]);
    expect(balance?.newest).toBe(9n);
  });

  test('behavior: a slot begins with what was seen last before it, if that is lower', () => {
    const low = { amount: 1n, atMs: START_MS - 1 };
    const [newest] = noted([low, { amount: 9n, atMs: START_MS }])?.steps[0] ?? [];
    expect(newest?.least).toBe(1n);
    const long = { amount: 1n, atMs: START_MS - SLOT_MS - 1 };
    const [after] = noted([long, { amount: 9n, atMs: START_MS }])?.steps[0] ?? [];
    expect(after?.least).toBe(9n);
  });

  test('behavior: the same again in the same slot is no news', () => {
    const once = Balance.note(undefined, { amount: 5n, atMs: START_MS });
    expect(Balance.note(once, { amount: 5n, atMs: START_MS + MINUTE_MS })).toBe(once);
    expect(Balance.note(once, { amount: 5n, atMs: START_MS + SLOT_MS })).not.toBe(once);
  });

  test('behavior: H38 what comes late can lower and never raise', () => {
    const now = noted([
      { amount: 5n, atMs: START_MS },
      { amount: 5n, atMs: START_MS + SLOT_MS },
    ]);
    expect(now && Balance.note(now, { amount: 9n, atMs: START_MS })).toBe(now);
    const lower = now && Balance.note(now, { amount: 2n, atMs: START_MS + 1 });
    expect(lower?.steps[0]?.map(({ least }) => least)).toEqual([5n, 2n]);
    expect(lower?.newest).toBe(5n);
  });

  test('behavior: slots that no window reaches are forgotten', () => {
    const month = noted(steady(1n, { atMs: START_MS, forMs: 2 * DAY_MS }));
    expect(month?.steps.map((slots) => slots.length)).toEqual([14, 12, 12, 4, 2]);
  });
});

describe('atStart', () => {
  const hour = steady(100n, { atMs: START_MS, forMs: HOUR_MS });

  test('default: what was held at the start of the window', () => {
    const later = steady(7n, { atMs: START_MS + HOUR_MS + MINUTE_MS, forMs: HOUR_MS });
    const middle = noted([...hour, ...later.slice(0, 10)]);
    expect(atStart(noted(hour), START_MS + HOUR_MS + SLOT_MS)).toBe(100n);
    expect(atStart(middle, START_MS + HOUR_MS + 11 * MINUTE_MS)).toBe(100n);
    // The first slot after the change begins with what was seen before it.
    expect(atStart(noted([...hour, ...later]), START_MS + 2 * HOUR_MS + MINUTE_MS)).toBe(7n);
  });

  test('behavior: H38 a slot in which nothing was seen is not known', () => {
    expect(atStart(undefined, START_MS)).toBeUndefined();
    expect(atStart(noted(hour), START_MS + HOUR_MS - MINUTE_MS)).toBeUndefined();
    const gap = noted([
      ...steady(5n, { atMs: START_MS, forMs: SLOT_MS - 1 }),
      ...steady(5n, { atMs: START_MS + 2 * SLOT_MS, forMs: HOUR_MS }),
    ]);
    const inGap = START_MS + HOUR_MS + SLOT_MS + 2 * MINUTE_MS;
    expect(atStart(gap, inGap)).toBeUndefined();
    expect(atStart(gap, inGap + SLOT_MS)).toBe(5n);
  });

  test('behavior: H38 a deposit that comes and goes within a slot makes no room', () => {
    const spike = START_MS + 2 * MINUTE_MS;
    const balance = noted(
      hour.map((seen) => (seen.atMs === spike ? { ...seen, amount: 10_000n } : seen)),
    );
    expect(atStart(balance, spike + HOUR_MS + WIDEN_MS)).toBe(100n);
  });

  test('behavior: H39 an empty wallet has a balance of nothing, which is not "no limit"', () => {
    const empty = noted(steady(0n, { atMs: START_MS, forMs: 2 * HOUR_MS }));
    expect(atStart(empty, START_MS + 2 * HOUR_MS)).toBe(0n);
  });

  test('args: windows that balances are not kept for', () => {
    const balance = noted(hour);
    expect(atStart(balance, START_MS + HOUR_MS + SLOT_MS, 15 * MINUTE_MS)).toBeUndefined();
    expect(atStart(balance, START_MS + HOUR_MS + SLOT_MS, 31 * DAY_MS)).toBeUndefined();
  });

  property.prop([
    fc.array(fc.record({ gapS: fc.integer({ min: 5, max: 400 }), amount: fc.bigInt(0n, 100n) }), {
      minLength: 10,
      maxLength: 120,
    }),
    fc.integer({ min: 0, max: 3_600 }),
  ])('law: never more than either look around the start of the window', (looks, offsetS) => {
    let atMs = START_MS;
    const seen = looks.map(({ gapS, amount }) => {
      atMs += gapS * 1_000;
      return { amount, atMs };
    });
    const nowMs = atMs + offsetS * 1_000;
    const startMs = nowMs - HOUR_MS;
    const basis = Balance.atStart(noted(seen), { windowMs: HOUR_MS, widenMs: WIDEN_MS, nowMs });
    if (basis === undefined) return;
    const slotOf = (time: number) => Math.floor(time / SLOT_MS);
    const before = seen.findLast((one) => one.atMs <= startMs);
    const within = seen.find((one) => one.atMs >= startMs && slotOf(one.atMs) === slotOf(startMs));
    if (before && slotOf(before.atMs) >= slotOf(startMs) - 1) {
      expect(basis).toBeLessThanOrEqual(before.amount);
    }
    if (within) expect(basis).toBeLessThanOrEqual(within.amount);
  });
});

describe('atStart, of slots that differ', () => {
  const slotMs = (index: number) => START_MS + index * SLOT_MS;

  test.each([
    [5n, 3n],
    [3n, 5n],
  ])('behavior: H38: of %d and %d the least counts, whichever came first', (first, second) => {
    const steps = Balance.STEPS.map((step) => [
      { index: slotMs(1) / step.slotMs, least: second },
      { index: slotMs(0) / step.slotMs, least: first },
    ]);
    const balance = { newestMs: slotMs(1), newest: second, steps };
    const nowMs = slotMs(1) + HOUR_MS + 1;
    const at = (widenMs: number) => Balance.atStart(balance, { windowMs: HOUR_MS, widenMs, nowMs });
    expect(at(WIDEN_MS)).toBe(3n);
    expect(at(0)).toBe(second);
  });

  test('behavior: H38: a window shorter than an hour, or longer than any step, is not known', () => {
    const balance = noted(steady(9n, { atMs: START_MS, forMs: 2 * HOUR_MS }));
    const nowMs = START_MS + 2 * HOUR_MS;
    const at = (windowMs: number) => Balance.atStart(balance, { windowMs, widenMs: 0, nowMs });
    expect(at(HOUR_MS)).toBe(9n);
    expect(at(HOUR_MS - 1)).toBeUndefined();
    expect(at(400 * DAY_MS)).toBeUndefined();
  });
});
