import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as Meter from '../../lib/domain/meter.ts';
import * as Money from '../../lib/domain/money.ts';
import { charge, DAY_MS, HOUR_MS, MINUTE_MS, T0_MS } from '../support/builders.ts';
import * as Oracle from '../support/oracle.ts';

const METRICS = ['notional', 'amount', 'count', 'assets'] as const;
/** How far windows are widened with the shipped timing. */
const WIDEN_MS = 40_000;

/** Charges in order, each at its time, onto an empty meter. */
function metered(charges: readonly { readonly atMs: number; readonly added: Meter.Charge }[]) {
  return charges.reduce((meter, { atMs, added }) => Meter.charge(meter, added, atMs), Meter.EMPTY);
}

function notional(
  meter: Meter.Meter,
  window: { windowMs: number; nowMs: number; widenMs?: number },
) {
  return Meter.outflow(meter, { metric: 'notional', widenMs: 0, ...window });
}

/** Spans at which windows and slots begin and end, one ms either side, backwards, and long silences. */
const edges = Oracle.STEPS.flatMap(({ slotMs, windowMs }) => [slotMs, windowMs]);
const delta = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0, 1, ...edges.flatMap((ms) => [ms - 1, ms, ms + 1])) },
  { weight: 2, arbitrary: fc.nat({ max: 20_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: -3 * HOUR_MS, max: 3 * HOUR_MS }) },
  { weight: 1, arbitrary: fc.constantFrom(35 * DAY_MS, 400 * DAY_MS) },
);
const added: fc.Arbitrary<Meter.Charge> = fc.record({
  notional: fc.bigInt({ min: 0n, max: 10n ** 30n }),
  amount: fc.bigInt({ min: 0n, max: 2n ** 200n }),
  count: fc.nat({ max: 3 }),
  assets: fc.uniqueArray(fc.nat({ max: 9 }), { maxLength: 3 }),
});
const schedule = fc
  .tuple(
    fc.constantFrom(0, 1, 5_999),
    fc.array(fc.record({ delta, added, burst: fc.nat({ max: 2 }) }), {
      minLength: 1,
      maxLength: 25,
    }),
  )
  .map(([offset, steps]) => {
    // From a boundary of every slot at once, so that the edges above are the meter's own.
    let atMs = Math.floor(T0_MS / (180 * DAY_MS)) * 180 * DAY_MS + offset;
    return steps.flatMap((step) => {
      atMs += step.delta;
      return Array.from({ length: step.burst + 1 }, () => ({ atMs, added: step.added }));
    });
  });

describe('LADDER', () => {
  test('default', () => {
    expect(Meter.LADDER).toEqual(Oracle.STEPS);
  });

  test('behavior: H5: no slot is longer than a tenth of its window', () => {
    for (const step of Meter.LADDER) expect(step.slotMs * 10).toBeLessThanOrEqual(step.windowMs);
  });

  test('behavior: H84: a silent meter outlives the longest window', () => {
    const longest = Meter.LADDER.at(-1)!;
    expect(Meter.SILENCE_MS).toBeGreaterThanOrEqual(
      longest.windowMs + Meter.wideningMaxMs(longest),
    );
  });
});

describe('stepFor', () => {
  test.each([
    [1, MINUTE_MS],
    [MINUTE_MS, MINUTE_MS],
    [MINUTE_MS + 1, 5 * MINUTE_MS],
    [DAY_MS, DAY_MS],
    [30 * DAY_MS, 30 * DAY_MS],
  ])('args: a window of %i ms', (windowMs, served) => {
    expect(Meter.stepFor(windowMs)?.windowMs).toBe(served);
  });

  test('args: longer than the ladder', () => {
    expect(Meter.stepFor(30 * DAY_MS + 1)).toBeUndefined();
  });
});

describe('wideningMaxMs', () => {
  test('default', () => {
    expect(Meter.LADDER.map((step) => Meter.wideningMaxMs(step) / 1_000)).toMatchInlineSnapshot(`
      [
        60,
        90,
        270,
        1020,
        1020,
        1020,
        1020,
        1020,
      ]
    `);
  });
});

describe('charge', () => {
  test('default', () => {
    const meter = metered([
      { atMs: T0_MS, added: charge({ notional: 5n, count: 1, assets: [7] }) },
    ]);
    expect({ ...meter, steps: meter.steps.slice(0, 2) }).toMatchInlineSnapshot(`
      {
        "newestMs": 1694524860000,
        "steps": [
          [
            {
              "amount": 0n,
              "assets": [
                7,
              ],
              "count": 1,
              "index": 282420810,
              "notional": 5n,
            },
          ],
          [
            {
              "amount": 0n,
              "assets": [
                7,
              ],
              "count": 1,
              "index": 56484162,
              "notional": 5n,
            },
          ],
        ],
      }
    `);
    expect(meter.steps).toHaveLength(Oracle.STEPS.length);
  });

  test('behavior: H7: the meter that is charged stays as it was', () => {
    const before = metered([{ atMs: T0_MS, added: charge({ notional: 5n }) }]);
    const copy = structuredClone(before);
    Meter.charge(before, charge({ notional: 1n }), T0_MS + DAY_MS);
    expect(before).toEqual(copy);
    expect(Meter.EMPTY).toEqual({ newestMs: 0, steps: Oracle.STEPS.map(() => []) });
  });

  test('behavior: H13: never runs behind its newest charge', () => {
    const meter = metered([
      { atMs: T0_MS, added: charge({ notional: 5n }) },
      { atMs: T0_MS - HOUR_MS, added: charge({ notional: 7n }) },
    ]);
    expect(meter.newestMs).toBe(T0_MS);
    expect(notional(meter, { windowMs: MINUTE_MS, nowMs: T0_MS })).toBe(12n);
  });

  test('behavior: H8: a charge of nothing changes no sum', () => {
    fc.assert(
      fc.property(schedule, (charges) => {
        const meter = metered(charges);
        const nowMs = meter.newestMs;
        const idle = Meter.charge(meter, charge(), nowMs);
        for (const { windowMs } of Oracle.STEPS) {
          for (const metric of METRICS) {
            const window = { metric, windowMs, widenMs: WIDEN_MS, nowMs };
            expect(Meter.outflow(idle, window)).toBe(Meter.outflow(meter, window));
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test('behavior: charges within one slot add up in any order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ added, atMs: fc.integer({ min: 0, max: 5_999 }) }), { maxLength: 10 }),
        (charges) => {
          const atMs = T0_MS - (T0_MS % 6_000) + 5_999;
          const inOrder = metered(charges.map((one) => ({ ...one, atMs })));
          const turned = metered(charges.toReversed().map((one) => ({ ...one, atMs })));
          expect(turned).toEqual(inOrder);
        },
      ),
    );
  });

  test('behavior: H11: sums saturate, stay there and are never wrapped', () => {
    const meter = metered([
      { atMs: T0_MS, added: charge({ notional: Money.MAX - 1n, count: Meter.COUNT_MAX - 1 }) },
    ]);
    const at = { metric: 'notional', windowMs: DAY_MS, widenMs: 0, nowMs: T0_MS } as const;
    expect(Meter.outflow(meter, at)).toBe(Money.MAX - 1n);
    expect(Meter.outflow(meter, { ...at, metric: 'count' })).toBe(BigInt(Meter.COUNT_MAX - 1));
    const full = Meter.charge(meter, charge({ notional: 1n, count: 1 }), T0_MS);
    const over = Meter.charge(full, charge({ notional: Money.MAX, count: 5 }), T0_MS + HOUR_MS);
    for (const saturated of [full, over]) {
      expect(Meter.outflow(saturated, at)).toBe(Money.MAX);
      expect(Meter.outflow(saturated, { ...at, metric: 'count' })).toBe(Money.MAX);
    }
  });

  test.each([1_000, 90_000, 16 * HOUR_MS])(
    'behavior: H85: keeps a bounded number of slots with a charge every %i ms',
    (everyMs) => {
      let meter = Meter.EMPTY;
      for (let i = 0; i < 2_000; i += 1) {
        meter = Meter.charge(meter, charge({ count: 1 }), T0_MS + i * everyMs);
      }
      for (const [position, step] of Meter.LADDER.entries()) {
        const reachMs = step.windowMs + Meter.wideningMaxMs(step);
        const slots = meter.steps[position]!.length;
        expect(slots).toBeLessThanOrEqual(Math.ceil(reachMs / step.slotMs) + 1);
      }
      expect(meter.steps.flat().length).toBeLessThanOrEqual(120);
    },
  );

  test.each([{ notional: -1n }, { amount: -1n }, { count: -1 }])('error: H37: %o', (negative) => {
    expect(() => Meter.charge(Meter.EMPTY, charge(negative), T0_MS)).toThrow(
      Meter.NegativeChargeError,
    );
  });
});

describe('giveBack', () => {
  test('behavior: H19: a charge and its give-back change no sum, then and later', () => {
    fc.assert(
      fc.property(schedule, added, fc.nat({ max: DAY_MS }), (charges, taken, laterMs) => {
        const meter = metered(charges);
        const atMs = meter.newestMs + laterMs;
        const plain = Meter.charge(meter, charge(), atMs);
        const back = Meter.giveBack(Meter.charge(meter, taken, atMs), taken, atMs);
        for (const { windowMs } of Oracle.STEPS) {
          for (const metric of ['notional', 'amount', 'count'] as const) {
            const window = { metric, windowMs, widenMs: WIDEN_MS, nowMs: atMs };
            expect(Meter.outflow(back, window)).toBe(Meter.outflow(plain, window));
          }
        }
      }),
    );
  });

  test('behavior: H19: takes from the slot it was charged to and from no other', () => {
    const meter = metered([
      { atMs: T0_MS, added: charge({ notional: 5n, amount: 5n, count: 1 }) },
      { atMs: T0_MS + 10 * MINUTE_MS, added: charge({ notional: 7n, amount: 7n, count: 1 }) },
    ]);
    const back = Meter.giveBack(meter, charge({ notional: 5n, amount: 5n, count: 1 }), T0_MS);
    const nowMs = T0_MS + 10 * MINUTE_MS;
    expect(notional(back, { windowMs: MINUTE_MS, nowMs })).toBe(7n);
    expect(notional(back, { windowMs: HOUR_MS, nowMs })).toBe(7n);
    expect(back.newestMs).toBe(nowMs);
  });

  test('behavior: H19: a slot that has left the ladder is left alone', () => {
    const meter = metered([
      { atMs: T0_MS, added: charge({ notional: 5n }) },
      { atMs: T0_MS + 40 * DAY_MS, added: charge({ notional: 7n }) },
    ]);
    expect(Meter.giveBack(meter, charge({ notional: 5n }), T0_MS)).toEqual(meter);
  });

  test('behavior: H19: never below zero, and a saturated sum stays saturated', () => {
    const little = metered([{ atMs: T0_MS, added: charge({ notional: 5n, count: 1 }) }]);
    const none = Meter.giveBack(little, charge({ notional: 6n, count: 2 }), T0_MS);
    expect(notional(none, { windowMs: DAY_MS, nowMs: T0_MS })).toBe(0n);
    const full = metered([
      { atMs: T0_MS, added: charge({ notional: Money.MAX, count: Meter.COUNT_MAX }) },
    ]);
    expect(Meter.giveBack(full, charge({ notional: 6n, count: 2 }), T0_MS)).toEqual(full);
  });
});

describe('outflow', () => {
  test('behavior: P1, P4: never less than what left, never more than one slot more', () => {
    const widening = fc.constantFrom(0, 1, WIDEN_MS, MINUTE_MS);
    fc.assert(
      fc.property(schedule, widening, delta, (charges, widenMs, laterMs) => {
        const left: Oracle.Left[] = [];
        let meter = Meter.EMPTY;
        for (const one of charges) {
          meter = Meter.charge(meter, one.added, one.atMs);
          const newestMs = Math.max(left.at(-1)?.atMs ?? 0, one.atMs);
          left.push({ ...one.added, atMs: newestMs });
          for (const nowMs of [one.atMs, newestMs, newestMs + Math.max(laterMs, 0)]) {
            expectWithinOneSlot(meter, left, { widenMs, nowMs });
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  test('behavior: P1, H13: clocks that are off within the tolerance hide nothing', () => {
    const toleranceMs = 2_000;
    const step = fc.record({
      delta: delta.map(Math.abs),
      skewMs: fc.integer({ min: -toleranceMs, max: toleranceMs }),
      added,
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const left: Oracle.Left[] = [];
        let meter = Meter.EMPTY;
        let realMs = T0_MS;
        for (const one of steps) {
          realMs += one.delta;
          const nowMs = realMs + one.skewMs;
          meter = Meter.charge(meter, one.added, nowMs);
          left.push({ ...one.added, atMs: realMs });
          for (const { windowMs } of Oracle.STEPS) {
            const window = { metric: 'notional', windowMs, nowMs } as const;
            const span = { metric: 'notional', fromMs: realMs - windowMs, toMs: realMs } as const;
            expect(
              Meter.outflow(meter, { ...window, widenMs: 2 * toleranceMs }),
            ).toBeGreaterThanOrEqual(Oracle.sum(left, span));
          }
        }
      }),
    );
  });

  test.each(Oracle.STEPS)(
    'behavior: H3: the edge of $windowMs ms is inside, whatever the widening',
    (step) => {
      const { slotMs, windowMs } = step;
      for (const widenMs of [0, WIDEN_MS]) {
        const nowMs = Math.ceil(T0_MS / slotMs) * slotMs + windowMs + widenMs;
        const at = (atMs: number) =>
          notional(metered([{ atMs, added: charge({ notional: 1n }) }]), {
            windowMs,
            widenMs,
            nowMs,
          });
        const edgeMs = nowMs - windowMs - widenMs;
        expect([at(edgeMs + 1), at(edgeMs), at(edgeMs - 1)]).toEqual([1n, 1n, 0n]);
        // The oldest slot counts whole: one ms later the edge lies in it, and so does all of it.
        const late = metered([{ atMs: edgeMs, added: charge({ notional: 1n }) }]);
        const later = (ms: number) => notional(late, { windowMs, widenMs, nowMs: nowMs + ms });
        expect([later(1), later(slotMs - 1), later(slotMs)]).toEqual([1n, 1n, 0n]);
      }
    },
  );

  test.each(Oracle.STEPS)(
    'behavior: H1, H2: two full bursts either side of any boundary never both pass in $windowMs ms',
    (step) => {
      const { slotMs, windowMs } = step;
      const boundary = fc.constantFrom(slotMs, windowMs, DAY_MS, 7 * DAY_MS);
      const spans = fc.tuple(fc.nat({ max: windowMs }), fc.nat({ max: windowMs }));
      fc.assert(
        fc.property(boundary, spans, fc.nat({ max: 1_000 }), (every, [before, after], nth) => {
          fc.pre(before + after <= windowMs);
          const boundaryMs = (Math.floor(T0_MS / every) + nth) * every;
          const first = metered([
            { atMs: boundaryMs - before, added: charge({ notional: 1_000n }) },
          ]);
          expect(notional(first, { windowMs, nowMs: boundaryMs + after })).toBe(1_000n);
        }),
        { numRuns: 60 },
      );
    },
  );

  test('behavior: H5: whoever spends all headroom at once never gets more than the limit through any true window', () => {
    const allowed = 1_000n;
    const asked = fc.record({
      delta: delta.map(Math.abs),
      notional: fc.bigInt({ min: 1n, max: 1_000n }),
    });
    const window = fc.constantFrom(...Oracle.STEPS);
    fc.assert(
      fc.property(window, fc.array(asked, { maxLength: 60 }), ({ windowMs }, asks) => {
        const left: Oracle.Left[] = [];
        let meter = Meter.EMPTY;
        let nowMs = T0_MS;
        for (const ask of asks) {
          nowMs += ask.delta % (2 * windowMs);
          const one = charge({ notional: ask.notional });
          const after = Meter.charge(meter, one, nowMs);
          if (notional(after, { windowMs, nowMs }) > allowed) continue;
          meter = after;
          left.push({ ...one, atMs: nowMs });
        }
        for (const { atMs } of left) {
          const span = { metric: 'notional', fromMs: atMs - windowMs, toMs: atMs } as const;
          expect(Oracle.sum(left, span)).toBeLessThanOrEqual(allowed);
        }
      }),
    );
  });

  test('behavior: H7: asking often changes no answer', () => {
    fc.assert(
      fc.property(schedule, (charges) => {
        const meter = metered(charges);
        const copy = structuredClone(meter);
        const window = { windowMs: DAY_MS, nowMs: meter.newestMs + HOUR_MS };
        const first = notional(meter, window);
        for (let ms = 0; ms < HOUR_MS; ms += 7 * MINUTE_MS) {
          notional(meter, { windowMs: DAY_MS, nowMs: meter.newestMs + ms });
        }
        expect(notional(meter, window)).toBe(first);
        expect(meter).toEqual(copy);
      }),
      { numRuns: 30 },
    );
  });

  test('behavior: H6: after a silence of many windows everything has expired once', () => {
    const meter = metered([
      { atMs: T0_MS, added: charge({ notional: 9n, count: 1, assets: [1] }) },
    ]);
    const nowMs = T0_MS + 400 * DAY_MS;
    for (const metric of METRICS) {
      for (const { windowMs } of Oracle.STEPS) {
        expect(Meter.outflow(meter, { metric, windowMs, widenMs: 0, nowMs })).toBe(0n);
      }
    }
    const again = Meter.charge(meter, charge({ notional: 4n }), nowMs);
    expect(notional(again, { windowMs: 30 * DAY_MS, nowMs })).toBe(4n);
    expect(again.steps.flat()).toHaveLength(Oracle.STEPS.length);
  });

  test('behavior: H44: an empty meter holds nothing', () => {
    expect(notional(Meter.EMPTY, { windowMs: DAY_MS, nowMs: T0_MS })).toBe(0n);
  });

  test('behavior: H13: an evaluation behind the newest charge ends at that charge', () => {
    const meter = metered([{ atMs: T0_MS, added: charge({ notional: 9n }) }]);
    expect(notional(meter, { windowMs: MINUTE_MS, nowMs: T0_MS - DAY_MS })).toBe(9n);
  });

  test('behavior: H10: what the ladder cannot answer counts as the maximum', () => {
    const longest = 30 * DAY_MS;
    expect(notional(Meter.EMPTY, { windowMs: longest, nowMs: T0_MS })).toBe(0n);
    expect(notional(Meter.EMPTY, { windowMs: longest + 1, nowMs: T0_MS })).toBe(Money.MAX);
    const widened = (widenMs: number) =>
      notional(Meter.EMPTY, { windowMs: MINUTE_MS, nowMs: T0_MS, widenMs });
    expect([widened(MINUTE_MS), widened(MINUTE_MS + 1)]).toEqual([0n, Money.MAX]);
  });
});

/** The charges that a window of a step holds at a time, by the slots that reach into it. */
function heldAt(
  charges: readonly Oracle.Left[],
  window: { metric: Meter.Metric; windowMs: number; widenMs: number },
  nowMs: number,
): bigint {
  const { metric, windowMs, widenMs } = window;
  const { slotMs } = Oracle.STEPS.find((step) => step.windowMs >= windowMs)!;
  const fromMs = Math.floor((nowMs - windowMs - widenMs) / slotMs) * slotMs;
  return Oracle.sum(charges, { metric, fromMs, toMs: Number.POSITIVE_INFINITY });
}

describe('capacityAtMs', () => {
  const one = { metric: 'notional', windowMs: HOUR_MS, widenMs: 0 } as const;
  const slotMs = 6 * MINUTE_MS;
  const startMs = Math.floor(T0_MS / slotMs) * slotMs;

  test('default: when the slot in the way has left the window, not a ms before', () => {
    const meter = metered([{ atMs: startMs + 7, added: charge({ notional: 9n }) }]);
    const window = { ...one, nowMs: startMs + 8 };
    const atMs = startMs + slotMs + HOUR_MS;
    expect(Meter.capacityAtMs(meter, window, 8n)).toBe(atMs);
    expect(notional(meter, { ...one, nowMs: atMs - 1 })).toBe(9n);
    expect(notional(meter, { ...one, nowMs: atMs })).toBe(0n);
  });

  test('args: room that is there already, exactly and one unit short', () => {
    const meter = metered([{ atMs: startMs, added: charge({ notional: 9n }) }]);
    const nowMs = startMs + MINUTE_MS;
    expect(Meter.capacityAtMs(meter, { ...one, nowMs }, 9n)).toBe(nowMs);
    expect(Meter.capacityAtMs(meter, { ...one, nowMs }, 8n)).toBeGreaterThan(nowMs);
    expect(Meter.capacityAtMs(Meter.EMPTY, { ...one, nowMs }, 0n)).toBe(nowMs);
  });

  test('behavior: H13: a clock behind the newest charge is taken for that charge', () => {
    const meter = metered([{ atMs: T0_MS, added: charge({ notional: 9n }) }]);
    const window = { ...one, nowMs: T0_MS - DAY_MS };
    expect(Meter.capacityAtMs(meter, window, 9n)).toBe(T0_MS);
  });

  test('args: no time brings less than nothing, nor a window that the ladder lacks', () => {
    const meter = metered([{ atMs: T0_MS, added: charge({ notional: 9n }) }]);
    expect(Meter.capacityAtMs(meter, { ...one, nowMs: T0_MS }, -1n)).toBeUndefined();
    const month = { ...one, windowMs: 31 * DAY_MS, nowMs: T0_MS };
    expect(Meter.capacityAtMs(meter, month, 9n)).toBeUndefined();
    const wide = { ...one, widenMs: DAY_MS, nowMs: T0_MS };
    expect(Meter.capacityAtMs(meter, wide, 9n)).toBeUndefined();
  });

  test('behavior: a saturated slot is in the way until it leaves', () => {
    const meter = metered([
      { atMs: startMs, added: charge({ notional: Money.MAX, count: Meter.COUNT_MAX }) },
    ]);
    for (const metric of ['notional', 'count'] as const) {
      const window = { ...one, metric, nowMs: startMs };
      expect(Meter.capacityAtMs(meter, window, 10n ** 12n)).toBe(startMs + slotMs + HOUR_MS);
    }
  });

  test('behavior: the first ms at which the window holds no more than the room, for every window and metric', () => {
    const asked = fc.record({
      metric: fc.constantFrom(...METRICS),
      windowMs: fc.constantFrom(...Oracle.STEPS.map(({ windowMs }) => windowMs)),
      widenMs: fc.constantFrom(0, 1, WIDEN_MS, MINUTE_MS),
      laterMs: fc.oneof(fc.constant(0), fc.nat({ max: DAY_MS })),
      shareBps: fc.integer({ min: 0, max: 11_000 }),
    });
    fc.assert(
      fc.property(schedule, asked, (charges, { laterMs, shareBps, ...window }) => {
        const meter = metered(charges);
        let newestMs = 0;
        const left = charges.map(({ atMs, added: { notional, amount, count, assets } }) => {
          newestMs = Math.max(newestMs, atMs);
          return { atMs: newestMs, notional, amount, count, assets };
        });
        const nowMs = newestMs + laterMs;
        const room = (heldAt(left, window, nowMs) * BigInt(shareBps)) / 10_000n;
        const found = Meter.capacityAtMs(meter, { ...window, nowMs }, room);
        const { slotMs: stepMs } = Oracle.STEPS.find((one) => one.windowMs >= window.windowMs)!;
        // Nothing changes but at an edge of a slot: step over all of them.
        const reachMs = window.windowMs + window.widenMs;
        let brute = nowMs;
        while (heldAt(left, window, brute) > room) {
          brute = (Math.floor((brute - reachMs) / stepMs) + 1) * stepMs + reachMs;
        }
        expect(found).toBe(brute);
        if (brute > nowMs) expect(heldAt(left, window, brute - 1) > room).toBe(true);
      }),
      { numRuns: 400 },
    );
  });
});

describe('distinctAssets', () => {
  test.each([
    [[], 0n],
    [[[]], 0n],
    [[[1, 2], [2, 3], []], 3n],
  ])('args: H44: %j', (slots, expected) => {
    expect(Meter.distinctAssets(slots)).toBe(expected);
  });

  test('behavior: a slot that lost count is over every limit', () => {
    const assets = (length: number) => Array.from({ length }, (_, i) => i);
    const meter = (length: number) =>
      assets(length).reduce(
        (current, asset) => Meter.charge(current, charge({ assets: [asset] }), T0_MS),
        Meter.EMPTY,
      );
    const count = (length: number) =>
      Meter.outflow(meter(length), {
        metric: 'assets',
        windowMs: DAY_MS,
        widenMs: 0,
        nowMs: T0_MS,
      });
    expect([63, 64, 65, 200].map(count)).toEqual([63n, 64n, Money.MAX, Money.MAX]);
    expect(Meter.distinctAssets([assets(64), assets(64).map((asset) => asset + 64)])).toBe(128n);
  });
});

describe('what is lost count of', () => {
  const window = { windowMs: HOUR_MS, widenMs: 0, nowMs: T0_MS };

  test('behavior: H11: a count that is full is over every limit of counts, and of nothing else', () => {
    const meter = Meter.charge(
      Meter.EMPTY,
      charge({ notional: 5n, count: Meter.COUNT_MAX }),
      T0_MS,
    );
    expect(Meter.outflow(meter, { ...window, metric: 'count' })).toBe(Money.MAX);
    expect(Meter.outflow(meter, { ...window, metric: 'notional' })).toBe(5n);
  });

  test('behavior: H11: assets that are too many are kept as one fixed set', () => {
    const assets = (from: number, length: number) =>
      charge({ assets: Array.from({ length }, (_, n) => from + n) });
    const full = Meter.charge(Meter.EMPTY, assets(1_000, Meter.ASSETS_MAX), T0_MS);
    expect(Meter.outflow(full, { ...window, metric: 'assets' })).toBe(BigInt(Meter.ASSETS_MAX));
    const over = Meter.charge(full, assets(1, 5), T0_MS);
    expect(over.steps[0]?.[0]?.assets).toBe(Meter.SATURATED_ASSETS);
    expect(Meter.charge(over, assets(9_000, 5), T0_MS).steps[0]?.[0]?.assets).toBe(
      Meter.SATURATED_ASSETS,
    );
    expect(Meter.outflow(over, { ...window, metric: 'assets' })).toBe(Money.MAX);
  });

  test('error: a negative charge says what it was', () => {
    const negative = charge({ notional: -1n, amount: 2n, count: 3 });
    expect(() => Meter.charge(Meter.EMPTY, negative, T0_MS)).toThrow(
      'charge of notional -1, amount 2, count 3 must not be negative',
    );
    const { name } = new Meter.NegativeChargeError({ charge: negative });
    expect(name).toBe('Meter.NegativeChargeError');
  });
});

function expectWithinOneSlot(
  meter: Meter.Meter,
  left: readonly Oracle.Left[],
  at: { readonly widenMs: number; readonly nowMs: number },
): void {
  const { widenMs } = at;
  const toMs = Math.max(at.nowMs, left.at(-1)?.atMs ?? 0);
  for (const { slotMs, windowMs } of Oracle.STEPS) {
    for (const metric of METRICS) {
      const counted = Meter.outflow(meter, { metric, windowMs, widenMs, nowMs: at.nowMs });
      const fromMs = toMs - windowMs - widenMs;
      const least = Oracle.sum(left, { metric, fromMs, toMs });
      const most = Oracle.sum(left, { metric, fromMs: fromMs - slotMs + 1, toMs });
      if (counted < least || counted > most) {
        throw new Error(`${metric} of ${windowMs} ms: ${counted}, not in ${least}..${most}`);
      }
    }
  }
}
