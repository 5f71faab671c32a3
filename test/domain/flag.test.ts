import { describe, expect, test } from 'vitest';
import type * as Breaker from '../../lib/domain/breaker.ts';
import * as Flag from '../../lib/domain/flag.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import * as Meter from '../../lib/domain/meter.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import * as Scope from '../../lib/domain/scope.ts';
import {
  CHAIN,
  CUSTOMER,
  item,
  limit,
  OTHER_CHAIN,
  policy,
  subject,
  T0_MS,
  usd,
} from '../support/builders.ts';

const open: Breaker.Breaker = {
  state: 'open',
  epoch: 2,
  incidentId: 'INC7',
  openedAtMs: T0_MS - 1,
  causes: 1,
};

function evidence(overrides: Partial<Flag.Evidence> = {}): Flag.Evidence {
  return {
    policy: policy(),
    subject: subject(),
    unknown: [],
    kinds: Scope.KINDS,
    items: new Map(),
    leases: { [CHAIN]: T0_MS + 1 },
    nowMs: T0_MS,
    ...overrides,
  };
}

describe('evaluate', () => {
  test('default', () => {
    expect(Flag.evaluate(evidence())).toMatchInlineSnapshot(`
      {
        "enabled": true,
        "inForceUntilMs": 1694524860001,
        "reason": "enabled",
        "text": "withdrawals are enabled",
      }
    `);
  });

  test.each(Scope.KINDS)('behavior: H33: an open breaker of %s', (kind) => {
    const scope = Scope.key(Scope.of(kind, subject()));
    const items = new Map([[scope, item({ breaker: open })]]);
    expect(Flag.evaluate(evidence({ items }))).toEqual({
      enabled: false,
      reason: 'breaker-open',
      text: `${scope} is paused, incident INC7`,
      scope,
      incidentId: 'INC7',
      sinceMs: T0_MS - 1,
    });
    const isolated = new Map([[scope, item({ breaker: { ...open, state: 'isolated' } })]]);
    expect(Flag.evaluate(evidence({ items: isolated })).enabled).toBe(false);
  });

  describe('H78: a breaker that resumes in steps', () => {
    const scope: Scope.Key = 'wallet:hot-1';
    const halfOpen: Breaker.HalfOpen = {
      ...open,
      state: 'half-open',
      steps: [
        { shareBps: 1_000, forMs: 600_000, chains: [CHAIN] },
        { shareBps: 5_000, forMs: 600_000, chains: [OTHER_CHAIN] },
      ],
      step: 0,
      stepSinceMs: T0_MS - 60_000,
      mark: Meter.mark(Meter.EMPTY, T0_MS - 60_000),
      budget: usd(1_000),
    };
    const told = { scope, incidentId: 'INC7', sinceMs: T0_MS - 60_000 };
    const until = '2023-09-12T13:30:00.000Z';
    const head = `${scope} resumes in steps, 1 of 2, incident INC7`;
    const flag = (breaker: Breaker.Breaker, used: bigint, more: Partial<Flag.Evidence> = {}) => {
      const charge = { notional: used, amount: 0n, count: 1, assets: [] };
      const meter = Meter.charge(Meter.EMPTY, charge, T0_MS);
      const items = new Map([[scope, item({ breaker, meter })]]);
      return Flag.evaluate(evidence({ items, ...more }));
    };

    test('behavior: enabled while the step has anything left, and says within what', () => {
      expect(flag(halfOpen, usd(100) - 1n)).toEqual({
        enabled: true,
        reason: 'enabled',
        ...told,
        text: `${head}: withdrawals are enabled within 10% of the limits until ${until}`,
        inForceUntilMs: T0_MS + 1,
      });
    });

    test('behavior: not enabled once all that the step allows has left', () => {
      expect(flag(halfOpen, usd(100))).toEqual({
        enabled: false,
        reason: 'breaker-open',
        ...told,
        text: `${head}: what this step allows, 10% of the limits, is used up until ${until}`,
      });
    });

    test('behavior: money that the step does not name is not resumed', () => {
      expect(flag({ ...halfOpen, step: 1 }, 0n)).toEqual({
        enabled: false,
        reason: 'breaker-open',
        ...told,
        text: `${scope} resumes in steps, 2 of 2, incident INC7: this money is not resumed yet`,
      });
    });

    test('behavior: any one bound that is used up is enough', () => {
      const limits = [
        limit({ limitId: 'small', allowed: usd(100) }),
        limit({ limitId: 'large', allowed: usd(10_000) }),
      ];
      expect(flag(halfOpen, usd(10), { policy: policy({ limits }) }).enabled).toBe(false);
    });

    test('behavior: an open breaker of a wider scope stops it all the same', () => {
      const items = new Map([
        [scope, item({ breaker: halfOpen })],
        [Scope.GLOBAL_KEY, item({ breaker: open })],
      ]);
      expect(Flag.evaluate(evidence({ items }))).toMatchObject({
        enabled: false,
        scope: Scope.GLOBAL_KEY,
      });
    });

    test('behavior: of two that resume the narrower one is told', () => {
      const items = new Map<Scope.Key, Ledger.Item>([
        [scope, item({ breaker: halfOpen })],
        [Scope.GLOBAL_KEY, item({ breaker: { ...halfOpen, incidentId: 'INC8' } })],
      ]);
      expect(Flag.evaluate(evidence({ items }))).toMatchObject({ enabled: true, scope });
    });

    test('behavior: a scope that stops this money without counting it keeps it stopped', () => {
      const whole = `destination:${CUSTOMER}` as Scope.Key;
      const items = new Map([[whole, item({ breaker: halfOpen })]]);
      const answer = Flag.evaluate(evidence({ subject: subject({ memo: '77' }), items }));
      expect(answer).toMatchObject({ enabled: false, scope: whole });
      expect(answer.text).toContain('this money is not resumed yet');
    });
  });

  test('behavior: H33: a destination as a whole stops it under every memo, and no memo stops the whole', () => {
    const whole = `destination:${CUSTOMER}`;
    const tagged = subject({ memo: '77' });
    const items = (key: string) => new Map([[key, item({ breaker: open })]]);
    expect(Flag.evaluate(evidence({ subject: tagged, items: items(whole) })).scope).toBe(whole);
    expect(Flag.evaluate(evidence({ items: items(`${whole}|77`) })).enabled).toBe(true);
    expect(Flag.keys(['destination', 'global'], tagged)).toEqual([`${whole}|77`, whole, 'global']);
  });

  test('behavior: H32: a time that is no number enables nothing', () => {
    expect(Flag.evaluate(evidence({ nowMs: Number.NaN })).reason).toBe('lease-lapsed');
  });

  test('behavior: H33: a breaker of somebody else stops nobody else', () => {
    const others = ['wallet:hot-2', `chain:${OTHER_CHAIN}`, 'key-domain:vault-b', 'actor:%none'];
    const items = new Map(others.map((key) => [key, item({ breaker: open })]));
    expect(Flag.evaluate(evidence({ items })).enabled).toBe(true);
  });

  test('behavior: H83: the narrowest open scope is named, and a breaker before a lapsed lease', () => {
    const items = new Map(['global', 'wallet:hot-1'].map((key) => [key, item({ breaker: open })]));
    expect(Flag.evaluate(evidence({ items, leases: {} }))).toMatchObject({
      reason: 'breaker-open',
      scope: 'wallet:hot-1',
    });
  });

  test('behavior: H32: in force until its lease runs out, and not at that moment', () => {
    const at = (untilMs: number) => Flag.evaluate(evidence({ leases: { [CHAIN]: untilMs } }));
    expect(at(T0_MS + 1)).toMatchObject({ enabled: true, inForceUntilMs: T0_MS + 1 });
    expect(at(T0_MS)).toEqual({
      enabled: false,
      reason: 'lease-lapsed',
      text: 'no proof of health for eip155:1: its lease ran out at 2023-09-12T13:21:00.000Z',
    });
    expect(at(T0_MS - 1).enabled).toBe(false);
  });

  test.each([
    ['no lease', {}],
    ['the lease of another chain', { [OTHER_CHAIN]: T0_MS + 1 }],
    ['a lease that is no number', { [CHAIN]: Number.NaN }],
    ['a lease without an end', { [CHAIN]: Number.POSITIVE_INFINITY }],
  ])('behavior: H32: %s', (_, leases) => {
    expect(Flag.evaluate(evidence({ leases }))).toEqual({
      enabled: false,
      reason: 'lease-lapsed',
      text: 'no proof of health for eip155:1: its lease was never given',
    });
  });

  test('behavior: H25: a chain named like a property of every object has no lease', () => {
    const hostile = subject({ chain: '__proto__:x' });
    expect(Flag.evaluate(evidence({ subject: hostile })).reason).toBe('lease-lapsed');
    const inherited = Object.create({ [CHAIN]: T0_MS + 1 }) as Flag.Leases;
    expect(Flag.evaluate(evidence({ leases: inherited })).enabled).toBe(false);
  });

  test.each(['wallet', 'asset', 'chain'] as const)('behavior: H40: an unknown %s', (what) => {
    expect(Flag.evaluate(evidence({ unknown: [what] }))).toEqual({
      enabled: false,
      reason: 'unknown',
      text: `the policy does not know this ${what}`,
    });
    const withdrawal = (as: 'block' | 'hold' | 'allow'): Policy.Policy => {
      const { unknown } = policy();
      return policy({ unknown: { ...unknown, [what]: { ...unknown[what], withdrawal: as } } });
    };
    const enabled = (['block', 'hold', 'allow'] as const).map(
      (as) => Flag.evaluate(evidence({ unknown: [what], policy: withdrawal(as) })).enabled,
    );
    expect(enabled).toEqual([false, false, true]);
  });

  test('behavior: fields that were not asked about are not looked at', () => {
    const items = new Map([['actor:customer-1', item({ breaker: open })]]);
    expect(Flag.evaluate(evidence({ items, kinds: ['wallet', 'global'] })).enabled).toBe(true);
  });

  test('behavior: H54: shadow mode is enabled and says what it would be', () => {
    const shadow = policy({ mode: 'shadow' });
    expect(Flag.evaluate(evidence({ policy: shadow }))).toMatchObject({
      enabled: true,
      wouldBe: true,
    });
    expect(Flag.evaluate(evidence({ policy: shadow, leases: {} }))).toEqual({
      enabled: true,
      reason: 'lease-lapsed',
      wouldBe: false,
      text: 'shadow mode: enabled; enforced it would be: no proof of health for eip155:1: its lease was never given',
    });
  });
});

describe('unreachable', () => {
  test('behavior: H32: not enabled', () => {
    expect(Flag.unreachable('timed out')).toEqual({
      enabled: false,
      reason: 'unreachable',
      text: 'cannot tell, so not enabled: timed out',
    });
  });
});
