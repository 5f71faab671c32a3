import { describe, expect, test } from 'vitest';
import * as Approval from '../../lib/domain/approval.ts';
import type { AccountId } from '../../lib/domain/caip.ts';
import * as Forewarn from '../../lib/domain/forewarn.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import type { Risk, RiskKind } from '../../lib/domain/risk.ts';
import {
  CUSTOMER,
  HOT_1,
  HOT_2,
  policy,
  STRANGER,
  T0_MS,
  transfer,
  UNLISTED,
  USDC,
} from '../support/builders.ts';
import { openScopes, submit, toldIncidents, world } from '../support/world.ts';

function risk(more: Partial<Risk> = {}): Risk {
  return {
    riskId: 'approval|0xa|3',
    kind: 'approval',
    account: HOT_1,
    transaction: '0xa',
    asset: USDC,
    about: CUSTOMER,
    text: 'wallet hot-1 lets somebody move 5 USDC',
    ...more,
  };
}

function scene(overrides: Partial<Policy.Policy> = {}) {
  const here = world();
  const rules = policy(overrides);
  const raise = (one: Risk) =>
    submit(here, { policy: rules, nowMs: T0_MS, events: [{ kind: 'risk', risk: one }] })
      .outcomes[0];
  return { here, raise };
}

describe('rowIds', () => {
  test('behavior: its own, and what was declared for the way that it opens', () => {
    expect(Forewarn.rowIds(risk())).toEqual([
      'risk:approval|0xa|3',
      Approval.endsId(transfer({ actor: undefined })),
    ]);
  });

  test('behavior: without a token or a party, the native coin and nobody', () => {
    const { asset: _, about: __, ...control } = risk({ kind: 'control' });
    expect(Forewarn.rowIds(control)[1]).toBe(
      `match:${HOT_1}|eip155:1/slip44:60|eip155:1:0x${'0'.repeat(40)}`,
    );
  });
});

describe('keys', () => {
  test('behavior: the scope that the policy names for what nobody approved, and wider ones', () => {
    const beside = ['wallet:hot-1', expect.stringMatching(/^destination:/)];
    expect(Forewarn.keys(policy(), risk())).toEqual(['key-domain:vault-a', 'global', ...beside]);
    const wallet = policy({ unmatched: { scope: 'wallet', risks: 'pause' } });
    expect(Forewarn.keys(wallet, risk())).toEqual([
      'wallet:hot-1',
      'key-domain:vault-a',
      'global',
      expect.stringMatching(/^destination:/),
    ]);
  });
});

describe('raise', () => {
  test.each<RiskKind>(['approval', 'permit', 'delegation', 'control'])(
    'behavior: H65: %s by its own word trips, once',
    (kind) => {
      const { here, raise } = scene();
      expect(raise(risk({ kind }))).toMatchObject({
        rowId: 'risk:approval|0xa|3',
        result: 'risk',
        notional: 0n,
        trips: [{ scope: 'key-domain:vault-a', opened: true }],
      });
      expect(here.incidents.get('INC1')?.first).toMatchObject({
        kind: 'unmatched',
        notional: 0n,
        text: risk().text,
      });
      expect(raise(risk({ kind }))).toMatchObject({ result: 'duplicate', trips: [] });
      expect([toldIncidents(here).length, here.causes.size]).toEqual([1, 0]);
    },
  );

  test('behavior: what a foreign contract claims is told, once, and stops nothing', () => {
    const { here, raise } = scene();
    const strange = risk({ riskId: 'strange|x', kind: 'strange', asset: UNLISTED });
    expect(raise(strange)).toMatchObject({ result: 'risk', trips: [], wouldTrip: [] });
    expect(raise(strange)).toMatchObject({ result: 'duplicate' });
    expect(openScopes(here)).toEqual([]);
    expect([...here.alerts.values()]).toMatchObject([
      { kind: 'risk', alertId: 'risk:strange|x', scope: 'wallet:hot-1' },
    ]);
  });

  test('behavior: a policy that only wants to hear of them', () => {
    const { here, raise } = scene({ unmatched: { scope: 'key-domain', risks: 'alert' } });
    raise(risk());
    expect([openScopes(here), here.alerts.size]).toEqual([[], 1]);
  });

  test('behavior: in shadow it says what it would have done', () => {
    const { here, raise } = scene({ mode: 'shadow' });
    expect(raise(risk())).toMatchObject({ trips: [], wouldTrip: ['key-domain:vault-a'] });
    expect([...here.alerts.values()]).toMatchObject([{ kind: 'would-trip' }]);
  });

  test.each<readonly [string, AccountId, Partial<Policy.Policy>]>([
    ['its own wallet', HOT_2, {}],
    ['cold storage', STRANGER, { own: [STRANGER] }],
  ])('behavior: a way to %s is told and stops nothing', (_, about, overrides) => {
    const { here, raise } = scene(overrides);
    raise(risk({ about }));
    expect([openScopes(here), here.alerts.size]).toEqual([[], 1]);
  });

  test.each([
    ['alive', { left: 5n, untilMs: T0_MS + 1 }, []],
    ['of no amount', { left: 0n, untilMs: T0_MS + 1 }, []],
    ['over', { left: 5n, untilMs: T0_MS }, ['key-domain:vault-a']],
  ] as const)('behavior: H64: a way that was declared, and is %s', (_, declared, open) => {
    const { here, raise } = scene();
    const rowId = Approval.endsId(transfer());
    const kept = { version: 1, decisionId: 'd', bodyHash: '', atMs: T0_MS, policyVersion: 1 };
    const ends = { ...Approval.NOTHING, movements: [{ movementId: 'm', ...declared }] };
    here.rows.set(rowId, { rowId, state: 'noted', ...kept, ends });
    raise(risk());
    expect(openScopes(here)).toEqual(open);
  });

  test('behavior: without a party nothing was declared', () => {
    const { here, raise } = scene();
    const { about: _, ...control } = risk({ kind: 'control' });
    raise(control);
    expect(openScopes(here)).toEqual(['key-domain:vault-a']);
  });
});
