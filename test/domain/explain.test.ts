import { describe, expect, test } from 'vitest';
import type * as Evaluate from '../../lib/domain/evaluate.ts';
import * as Explain from '../../lib/domain/explain.ts';
import * as Money from '../../lib/domain/money.ts';
import * as Step from '../../lib/domain/step.ts';
import {
  DAY_MS,
  ETH,
  eth,
  HOT_2,
  HOUR_MS,
  incoming,
  limit,
  MINUTE_MS,
  outflow,
  policy,
  STRANGER,
  subject,
  T0_MS,
  transfer,
  UNLISTED,
  USDC,
  usd,
  withdrawal,
} from '../support/builders.ts';
import { submit, world } from '../support/world.ts';

const breach: Evaluate.Breach = {
  level: 'breach',
  limit: limit(),
  scope: { kind: 'wallet', id: 'hot-1' },
  used: usd(1_001),
};

describe('amount', () => {
  test.each([
    [{ asset: ETH, amount: eth(4_947) }, '4,947 ETH'],
    [{ asset: ETH, amount: eth(1_234_567) + 5n * 10n ** 17n }, '1,234,567.5 ETH'],
    [{ asset: ETH, amount: 1n }, '0.000000000000000001 ETH'],
    [{ amount: 0n }, '0 USDC'],
    [{ asset: UNLISTED, amount: 77n }, `77 base units of ${UNLISTED}`],
  ])('args: %o', (parts, text) => {
    expect(Explain.amount(policy(), transfer(parts))).toBe(text);
  });
});

describe('unmatched', () => {
  test('args: a wallet with and without a name', () => {
    const text = (account = HOT_2) => Explain.unmatched(policy(), transfer({ account }), 'why');
    const to = outflow({ transaction: '0xa' }).transfer.destination;
    expect(text()).toBe(`outflow of 1 USDC from hot-2 to ${to} that nobody approved: why`);
    expect(text(STRANGER)).toBe(
      `outflow of 1 USDC from ${STRANGER} to ${to} that nobody approved: why`,
    );
  });
});

describe('limit', () => {
  test('default', () => {
    expect(Explain.limit(policy(), breach)).toMatchInlineSnapshot(`
      {
        "limit": {
          "allowed": 1000000000n,
          "limitId": "wallet-hour",
          "used": 1001000000n,
        },
        "text": "limit wallet-hour on wallet:hot-1: $1,001 in 1h of $1,000 allowed",
      }
    `);
  });

  test('args: one withdrawal', () => {
    const single = limit({ limitId: 'single', metric: 'single', windowMs: 0 });
    expect(Explain.limit(policy(), { ...breach, limit: single }).text).toBe(
      'limit single on wallet:hot-1: $1,001 in one withdrawal of $1,000 allowed',
    );
  });
});

describe('step', () => {
  const of = {
    scope: 'wallet:hot-1',
    incidentId: 'INC1',
    epoch: 2,
    step: 1,
    steps: 3,
    shareBps: 2_550,
    sinceMs: T0_MS,
    whole: usd(1_000),
  };
  const rule = { ...limit({ allowed: usd(255) }), step: of };

  test('default: what has left since when, of what the step allows', () => {
    const text =
      'step 2 of 3 of resuming wallet:hot-1: $256 since 2023-09-12T13:21:00.000Z of $255 allowed (25.5% of limit wallet-hour of $1,000)';
    expect(Explain.step(policy(), rule, usd(256))).toBe(text);
    expect(Explain.limit(policy(), { ...breach, limit: rule, used: usd(256) })).toEqual({
      limit: { limitId: 'wallet-hour', used: usd(256), allowed: usd(255) },
      text,
    });
  });

  test('behavior: of the budget of the order, and of what the step does not name', () => {
    const budget = { ...rule, limitId: Step.BUDGET_ID };
    expect(Explain.step(policy(), budget, usd(1))).toContain('(25.5% of the budget of $1,000)');
    const unnamed = { ...rule, step: { ...of, isUnnamed: true as const } };
    expect(Explain.step(policy(), unnamed, usd(1))).toBe(
      'step 2 of 3 of resuming wallet:hot-1: it left where this step lets nothing flow yet',
    );
  });

  test('behavior: its alert is one for each step of each epoch', () => {
    const at = (step: Partial<typeof of>) =>
      Explain.alert(
        policy(),
        { ...breach, limit: { ...rule, step: { ...of, ...step } } },
        { atMs: T0_MS, rowId: 'r', late: false },
      ).alertId;
    expect(at({})).toMatch(/\|step\|2\|1$/);
    expect(new Set([at({}), at({ step: 2 }), at({ epoch: 3 })]).size).toBe(3);
  });
});

describe('ofWhat', () => {
  const rule = limit({ metric: 'amount', where: { asset: ETH }, windowMs: DAY_MS });

  test('default: nothing of a limit that is no share', () => {
    expect(Explain.ofWhat(policy(), rule)).toBe('');
  });

  test('behavior: of what was held, and of what nobody read', () => {
    expect(Explain.ofWhat(policy(), { ...rule, share: { bps: 1_250n, basis: eth(8) } })).toBe(
      ': 12.5% of the 8 ETH held 24h ago',
    );
    expect(Explain.ofWhat(policy(), { ...rule, share: { bps: 1_250n } })).toBe(
      ': 12.5% of a balance that is not known (none was read 24h ago)',
    );
  });
});

describe('headroom', () => {
  test.each([
    [limit(), 19_999n, '$0.01'],
    [limit({ metric: 'single', windowMs: 0 }), 19_999n, '$0.01'],
    [limit(), Money.MAX, 'more than can be counted'],
    [limit(), Money.MAX - 1n, Money.formatUsdDown(Money.MAX - 1n)],
    [limit({ metric: 'count' }), 7n, '7'],
    [limit({ metric: 'amount', where: { asset: ETH } }), eth(3) / 2n, '1.5 ETH'],
  ])('args: %o %s, never rounded up', (rule, value, text) => {
    expect(Explain.headroom(policy(), rule, value)).toBe(text);
  });
});

describe('alert', () => {
  const fact = { atMs: T0_MS, rowId: 'withdrawal:a', late: false };

  test('default', () => {
    expect(Explain.alert(policy(), { ...breach, level: 'warn' }, fact)).toMatchInlineSnapshot(`
      {
        "alertId": "warn|wallet-hour|wallet:hot-1|470701",
        "atMs": 1694524860000,
        "kind": "warn",
        "rowId": "withdrawal:a",
        "scope": "wallet:hot-1",
        "text": "limit wallet-hour on wallet:hot-1: $1,001 in 1h of $1,000 allowed",
      }
    `);
  });

  test('behavior: told once for a window, again in the next', () => {
    const ids = [0, MINUTE_MS, HOUR_MS].map(
      (ms) => Explain.alert(policy(), breach, { ...fact, atMs: T0_MS + ms }).alertId,
    );
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
    const other = { ...breach, scope: { kind: 'wallet', id: 'hot-2' } } as const;
    expect(Explain.alert(policy(), other, fact).alertId).not.toBe(ids[0]);
  });

  test('behavior: H83: says when a backlog is why nothing was tripped', () => {
    const text = (late: boolean, level: 'warn' | 'breach') =>
      Explain.alert(policy(), { ...breach, level }, { ...fact, late }).text.includes(
        'late backlog',
      );
    expect([text(true, 'breach'), text(true, 'warn'), text(false, 'breach')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('wouldTrip', () => {
  test('default', () => {
    const cause = {
      kind: 'unmatched',
      atMs: T0_MS,
      rowId: 'r',
      text: 'an outflow',
      notional: 1n,
    } as const;
    expect(Explain.wouldTrip('wallet:a', cause)).toMatchInlineSnapshot(`
      {
        "alertId": "would-trip|unmatched|wallet:a|470701",
        "atMs": 1694524860000,
        "kind": "would-trip",
        "rowId": "r",
        "scope": "wallet:a",
        "text": "would have tripped wallet:a: an outflow",
      }
    `);
  });
});

describe('unknown', () => {
  test.each([
    ['wallet', 'the policy does not know wallet hot-1'],
    ['asset', `the policy does not know asset ${USDC}`],
    ['chain', 'the policy does not know chain eip155:1'],
    ['price', `no price is known for ${USDC}`],
  ] as const)('args: %s', (what, text) => {
    expect(Explain.unknown(what, subject())).toBe(text);
  });
});

describe('conflict', () => {
  test('default', () => {
    const here = world();
    submit(here, { policy: policy(), nowMs: T0_MS, events: [incoming(withdrawal('a'))] });
    const other = withdrawal('a', { amount: 2n, memo: '7' });
    expect(Explain.conflict(other, here.rows.get('withdrawal:a'))).toBe(
      'withdrawal a came again with other content: memo none → 7, amount 1000000 → 2',
    );
  });

  test('behavior: H44: what it had and has not, and nothing known about the first', () => {
    const back = withdrawal('a', { memo: '7' });
    const here = world();
    submit(here, { policy: policy(), nowMs: T0_MS, events: [incoming(back)] });
    expect(Explain.conflict(withdrawal('a'), here.rows.get('withdrawal:a'))).toContain(
      'memo 7 → none',
    );
    expect(Explain.conflict(outflow({ transaction: '0xa' }), undefined)).toBe(
      'outflow 0xa top came again with other content: unknown fields',
    );
  });
});

describe('quantity', () => {
  test.each([
    [limit(), usd(1_000), '$1,000'],
    [limit({ metric: 'single', windowMs: 0 }), 1n, '$0.01'],
    [limit({ metric: 'count' }), 7n, '7'],
    [limit({ metric: 'assets' }), 7n, '7'],
    [limit({ metric: 'amount', where: { asset: ETH } }), eth(3) / 2n, '1.5 ETH'],
    [limit({ metric: 'amount' }), 7n, '7 base units'],
    [limit({ metric: 'share' as never }), 1_250n, '12.5%'],
    [limit(), Money.MAX, 'more than can be counted'],
  ])('args: %o %s', (rule, value, text) => {
    expect(Explain.quantity(policy(), rule, value)).toBe(text);
  });
});

describe('duration', () => {
  test.each([
    [20_000, '20s'],
    [MINUTE_MS + 1_000, '61s'],
    [MINUTE_MS, '1m'],
    [15 * MINUTE_MS, '15m'],
    [HOUR_MS, '1h'],
    [6 * HOUR_MS, '6h'],
    [DAY_MS, '24h'],
    [7 * DAY_MS, '7d'],
    [30 * DAY_MS, '30d'],
  ])('args: %i ms', (windowMs, text) => {
    expect(Explain.duration(windowMs)).toBe(text);
  });
});
