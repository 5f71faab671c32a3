import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type * as Breaker from '../../lib/domain/breaker.ts';
import * as Evaluate from '../../lib/domain/evaluate.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import * as Meter from '../../lib/domain/meter.ts';
import * as Money from '../../lib/domain/money.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import * as Scope from '../../lib/domain/scope.ts';
import * as Step from '../../lib/domain/step.ts';
import {
  charge,
  DAY_MS,
  ETH,
  HOUR_MS,
  item,
  limit,
  policy,
  subject,
  T0_MS,
  USDC,
} from '../support/builders.ts';

/** Judges one limit after a charge onto what was there before. */
function judge(
  rule: Policy.Limit,
  parts: {
    readonly before?: Meter.Charge;
    readonly added?: Meter.Charge;
    readonly notional?: bigint;
  },
) {
  const before = parts.before ? Meter.charge(Meter.EMPTY, parts.before, T0_MS) : Meter.EMPTY;
  const after = parts.added ? Meter.charge(before, parts.added, T0_MS) : before;
  const key = Scope.key(Scope.of(rule.scope, subject()));
  return Evaluate.breaches(policy({ limits: [rule] }), {
    subject: subject(),
    notional: parts.notional ?? 0n,
    before: new Map([[key, item({ meter: before })]]),
    after: new Map([[key, item({ meter: after })]]),
    nowMs: T0_MS,
  });
}

/** A charge of this much in one metric. */
function of(metric: Meter.Metric, much: number): Meter.Charge {
  if (metric === 'assets') return charge({ assets: Array.from({ length: much }, (_, i) => i) });
  return charge({ [metric]: metric === 'count' ? much : BigInt(much) });
}

describe('breaches', () => {
  test.each(['notional', 'amount', 'count', 'assets'] as const)(
    'behavior: H4: a %s equal to the limit passes, one unit more breaches',
    (metric) => {
      const rule = limit({ metric, allowed: 10n });
      const levels = [9, 10, 11].map((much) => judge(rule, { added: of(metric, much) })[0]?.level);
      expect(levels).toEqual([undefined, undefined, 'breach']);
    },
  );

  test('behavior: H4: a single withdrawal equal to the limit passes, one unit more breaches', () => {
    const rule = limit({ metric: 'single', windowMs: 0, allowed: 10n });
    const levels = [9n, 10n, 11n].map((notional) => judge(rule, { notional })[0]?.level);
    expect(levels).toEqual([undefined, undefined, 'breach']);
  });

  test('behavior: H4: the sum decides, not its parts', () => {
    const rule = limit({ allowed: 10n });
    const sums = [4n, 5n, 6n].map(
      (notional) =>
        judge(rule, { before: charge({ notional: 5n }), added: charge({ notional }) })[0]?.used,
    );
    expect(sums).toEqual([undefined, undefined, 11n]);
  });

  test('behavior: H41: a limit of zero lets nothing through', () => {
    expect(judge(limit({ allowed: 0n }), { added: charge({ notional: 1n }) })).toHaveLength(1);
    expect(judge(limit({ allowed: 0n }), {})).toHaveLength(0);
  });

  test('behavior: H11: a saturated sum is over every limit, also over one of the same size', () => {
    const rule = limit({ allowed: Money.MAX });
    expect(judge(rule, { added: charge({ notional: Money.MAX - 1n }) })).toEqual([]);
    expect(judge(rule, { added: charge({ notional: Money.MAX }) })[0]?.level).toBe('breach');
    const count = limit({ metric: 'count', allowed: Money.MAX });
    expect(judge(count, { added: charge({ count: Meter.COUNT_MAX }) })[0]?.level).toBe('breach');
    const single = limit({ metric: 'single', windowMs: 0, allowed: Money.MAX });
    expect(judge(single, { notional: Money.MAX * 2n })[0]?.level).toBe('breach');
  });

  test('behavior: H43: every limit is judged, narrowest scope first, whatever their order', () => {
    const limits = [...Scope.KINDS].map((scope) =>
      limit({ limitId: scope, scope, metric: 'single', windowMs: 0, allowed: 0n }),
    );
    fc.assert(
      fc.property(fc.shuffledSubarray(limits, { minLength: limits.length }), (shuffled) => {
        const found = Evaluate.breaches(policy({ limits: shuffled }), {
          subject: subject(),
          notional: 1n,
          before: new Map(),
          after: new Map(),
          nowMs: T0_MS,
        });
        expect(found.map((breach) => breach.limit.limitId)).toEqual([...Scope.KINDS]);
      }),
      { numRuns: 20 },
    );
  });

  test('behavior: H33: a limit looks at its own scope only', () => {
    const key = 'wallet:hot-2';
    const meter = Meter.charge(Meter.EMPTY, charge({ notional: 11n }), T0_MS);
    const found = Evaluate.breaches(policy({ limits: [limit({ allowed: 10n })] }), {
      subject: subject(),
      notional: 0n,
      before: new Map(),
      after: new Map([[key, item({ meter })]]),
      nowMs: T0_MS,
    });
    expect(found).toEqual([]);
  });

  test('behavior: the window is widened by clocks, admissions and commits', () => {
    const meter = Meter.charge(Meter.EMPTY, charge({ notional: 11n }), T0_MS);
    const at = (nowMs: number) =>
      Evaluate.breaches(policy({ limits: [limit({ allowed: 10n })] }), {
        subject: subject(),
        notional: 0n,
        before: new Map(),
        after: new Map([['wallet:hot-1', item({ meter })]]),
        nowMs,
      }).length;
    const slotMs = 6 * 60_000;
    expect(at(T0_MS + HOUR_MS + 40_000)).toBe(1);
    expect(at(T0_MS + HOUR_MS + 40_000 + slotMs)).toBe(0);
  });

  test('behavior: and by the life of the admissions of the wallet that is judged', () => {
    const meter = Meter.charge(Meter.EMPTY, charge({ notional: 11n }), T0_MS);
    const [wallet] = policy().wallets;
    const rules = policy({
      limits: [limit({ allowed: 10n })],
      wallets: [{ ...wallet!, name: 'hot-1', admissionMs: 15 * 60_000 }],
    });
    const at = (name: string, nowMs: number) =>
      Evaluate.breaches(rules, {
        subject: subject({ wallet: name }),
        notional: 0n,
        before: new Map(),
        after: new Map([[`wallet:${name}`, item({ meter })]]),
        nowMs,
      }).length;
    const slotMs = 6 * 60_000;
    const endMs = T0_MS + HOUR_MS + 15 * 60_000 + 10_000;
    expect([at('hot-1', endMs), at('hot-1', endMs + slotMs)]).toEqual([1, 0]);
    expect(at('hot-2', endMs)).toBe(0);
  });

  test('behavior: a warning comes once, when its level is crossed', () => {
    const rule = limit({ allowed: 100n, warnBps: 8_000 });
    const level = (before: bigint, added: bigint) =>
      judge(rule, { before: charge({ notional: before }), added: charge({ notional: added }) })[0]
        ?.level;
    expect(level(0n, 80n)).toBeUndefined();
    expect(level(0n, 81n)).toBe('warn');
    expect(level(80n, 1n)).toBe('warn');
    expect(level(81n, 1n)).toBeUndefined();
    expect(level(0n, 100n)).toBe('warn');
    expect(level(0n, 101n)).toBe('breach');
  });

  test('behavior: a warning about a single withdrawal comes each time', () => {
    const rule = limit({ metric: 'single', windowMs: 0, allowed: 100n, warnBps: 8_000 });
    const levels = [80n, 81n, 100n].map((notional) => judge(rule, { notional })[0]?.level);
    expect(levels).toEqual([undefined, 'warn', 'warn']);
  });

  test('behavior: H10: a window that the ladder cannot answer is breached', () => {
    const rule = limit({ windowMs: 31 * DAY_MS, allowed: 10n ** 30n });
    expect(judge(rule, {})[0]).toMatchObject({ level: 'breach', used: Money.MAX });
  });

  test('behavior: H44: no limits, no breaches', () => {
    const event = {
      subject: subject(),
      notional: 1n,
      before: new Map(),
      after: new Map(),
      nowMs: T0_MS,
    };
    expect(Evaluate.breaches(policy(), event)).toEqual([]);
  });
});

describe('used', () => {
  const at = { nowMs: T0_MS, widenMs: 0 };

  test('default', () => {
    const meter = Meter.charge(Meter.EMPTY, charge({ notional: 11n, count: 2 }), T0_MS);
    expect(Evaluate.used(item({ meter }), limit(), at)).toBe(11n);
    expect(Evaluate.used(item({ meter }), limit({ metric: 'count' }), at)).toBe(2n);
    expect(Evaluate.used(item({ meter }), limit({ metric: 'single', windowMs: 0 }), at)).toBe(0n);
  });

  test('behavior: H44: a scope that nothing has touched', () => {
    expect(Evaluate.used(undefined, limit(), at)).toBe(0n);
  });
});

describe('use', () => {
  test('behavior: H90: headroom is never negative, also after the limit was lowered', () => {
    const meter = Meter.charge(Meter.EMPTY, charge({ notional: 10n }), T0_MS);
    const headroom = (allowed: bigint) =>
      Evaluate.use(item({ meter }), limit({ allowed }), {
        scope: 'wallet:hot-1',
        nowMs: T0_MS,
        widenMs: 0,
      }).headroom;
    expect([11n, 10n, 9n, 0n].map(headroom)).toEqual([1n, 0n, 0n, 0n]);
  });
});

const halfOpen: Breaker.HalfOpen = {
  state: 'half-open',
  epoch: 1,
  incidentId: 'INC1',
  openedAtMs: T0_MS - 9,
  causes: 1,
  steps: [
    { shareBps: 1_000, forMs: 600 },
    { shareBps: 5_000, forMs: 600 },
  ],
  step: 0,
  stepSinceMs: T0_MS,
  mark: Meter.mark(Meter.EMPTY, T0_MS),
  budget: 500n,
};

describe('stepBounds', () => {
  test.each([
    ['wallet', 'of-paid'],
    ['chain', 'of-paid'],
    ['asset', 'of-fee'],
    ['wallet-asset', 'of-fee'],
  ] as const)('behavior: a fee is judged in a scope of %s by the limit %s', (kind, limitId) => {
    const fee = subject({ asset: ETH });
    const limits = [
      limit({ limitId: 'of-fee', scope: kind, where: { asset: ETH } }),
      limit({ limitId: 'of-paid', scope: kind, where: { asset: USDC } }),
    ];
    const bounds = Evaluate.stepBounds(policy({ limits }), {
      item: item({ breaker: halfOpen }),
      scope: Scope.of(kind, fee),
      subject: fee,
      flows: subject({ asset: USDC }),
      nowMs: T0_MS,
    });
    expect(bounds.map((bound) => bound.limitId)).toEqual([limitId]);
  });
});

describe('inForce', () => {
  const rule = limit({ allowed: 1_001n });
  const allowance = { limitId: 'wallet-hour', extraBps: 5_000, untilMs: T0_MS + 1 };
  const allowed = (overrides: Partial<Ledger.Item>, nowMs = T0_MS) =>
    Evaluate.inForce(rule, item(overrides), nowMs).allowed;

  test('default: as it is written, also in a scope that nothing has touched', () => {
    expect(Evaluate.inForce(rule, undefined, T0_MS)).toBe(rule);
    expect(Evaluate.inForce(rule, item(), T0_MS)).toBe(rule);
  });

  test('behavior: an allowance adds its part until its time, and not at it', () => {
    const allowances = [allowance];
    expect(allowed({ allowances })).toBe(1_501n);
    expect(allowed({ allowances }, T0_MS + 1)).toBe(1_001n);
  });

  test('behavior: an allowance of another limit adds nothing', () => {
    const allowances = [{ ...allowance, limitId: 'other' }];
    expect(allowed({ allowances })).toBe(1_001n);
  });
});

describe('capacityAtMs', () => {
  const meter = Meter.charge(Meter.EMPTY, charge({ notional: 60n }), T0_MS);
  const at = { need: 40n, nowMs: T0_MS, widenMs: 0 };
  const rule = limit({ allowed: 100n });

  test('default: now, where the window has the room, to the last unit', () => {
    expect(Evaluate.capacityAtMs(item({ meter }), rule, at)).toBe(T0_MS);
    expect(Evaluate.capacityAtMs(item({ meter }), rule, { ...at, need: 41n })).toBeGreaterThan(
      T0_MS,
    );
    expect(Evaluate.capacityAtMs(undefined, rule, at)).toBe(T0_MS);
  });

  test('behavior: H79: no time brings room for more than the limit allows, nor for a single one', () => {
    expect(Evaluate.capacityAtMs(item({ meter }), rule, { ...at, need: 100n })).toBeDefined();
    expect(Evaluate.capacityAtMs(item({ meter }), rule, { ...at, need: 101n })).toBeUndefined();
    const single = limit({ metric: 'single', windowMs: 0, allowed: 100n });
    expect(Evaluate.capacityAtMs(item({ meter }), single, at)).toBeUndefined();
  });

  test('behavior: H78: of a step now, to the last unit, or when one begins that has the room', () => {
    const here = item({ meter, breaker: halfOpen });
    const [bound] = Step.boundsOf(here, {
      scope: Scope.of('wallet', subject()),
      limits: [limit({ allowed: 1_000n })],
    });
    const when = (need: bigint) => Evaluate.capacityAtMs(here, bound!, { ...at, need });
    expect(when(40n)).toBe(T0_MS);
    expect(when(41n)).toBe(T0_MS + 600);
  });

  test('behavior: H78: what is bound by a step that is over counts as more than any limit', () => {
    const here = item({ meter, breaker: halfOpen });
    const [bound] = Step.boundsOf(here, {
      scope: Scope.of('wallet', subject()),
      limits: [limit()],
    });
    const over = item({ meter, breaker: { ...halfOpen, step: 1 } });
    expect(Evaluate.used(over, bound!, at)).toBe(Money.MAX);
    expect(Evaluate.used(here, bound!, at)).toBe(60n);
  });
});
