import { describe, expect, test } from 'vitest';
import type * as Breaker from '../../lib/domain/breaker.ts';
import * as Draft from '../../lib/domain/draft.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import * as Meter from '../../lib/domain/meter.ts';
import * as Policy from '../../lib/domain/policy.ts';
import * as Standing from '../../lib/domain/standing.ts';
import type { Refusal } from '../../lib/domain/verdict.ts';
import type { Transfer } from '../../lib/domain/withdrawal.ts';
import {
  CHAIN,
  CUSTOMER,
  context,
  ETH,
  HOUR_MS,
  item,
  loaded,
  OTHER_CHAIN,
  policy,
  STRANGER,
  T0_MS,
  transfer,
  UNLISTED,
  USDC,
} from '../support/builders.ts';

type Items = Readonly<Record<string, Ledger.Item>>;

const draftOf = (items: Items = {}, rules: Policy.Policy = policy()) =>
  Draft.start(context({ policy: rules }), loaded({ items: { global: item(), ...items } }));

const stopped = (state: 'open' | 'isolated', incidentId = 'INC7') =>
  item({ breaker: { state, epoch: 1, incidentId, openedAtMs: T0_MS, causes: 1 } });

const halfOpen = (step: Partial<Breaker.Step> = {}) =>
  item({
    breaker: {
      state: 'half-open',
      epoch: 1,
      incidentId: 'INC7',
      openedAtMs: T0_MS,
      causes: 1,
      steps: [
        { shareBps: 1_000, forMs: HOUR_MS },
        { shareBps: 2_500, forMs: HOUR_MS, ...step },
        { shareBps: 10_000, forMs: HOUR_MS },
      ],
      step: 1,
      stepSinceMs: T0_MS,
      mark: Meter.mark(Meter.EMPTY, T0_MS),
      budget: 0n,
    },
  });

describe('standing', () => {
  const against = (
    items: Items,
    given: {
      readonly money?: Partial<Transfer>;
      readonly rules?: Policy.Policy;
      readonly isReleased?: boolean;
    } = {},
  ) => {
    const { money = {}, rules = policy(), isReleased = false } = given;
    const resolved = Policy.resolve(rules, transfer(money));
    return Standing.standing(draftOf(items, rules), 'w1', { resolved, isReleased });
  };

  test('default: nothing, where every breaker is closed and all is known', () => {
    expect(against({ 'wallet:hot-1': item(), 'wallet:hot-2': stopped('open') })).toBeUndefined();
  });

  test('behavior: an open breaker, whoever let it go; one that an operator opened is called paused', () => {
    const refusal = {
      kind: 'block',
      withdrawalId: 'w1',
      reason: 'paused',
      text: 'wallet:hot-1 is tripped, incident INC7',
      provisional: true,
      scope: 'wallet:hot-1',
      incidentId: 'INC7',
    };
    const open = { 'wallet:hot-1': stopped('open') };
    expect(against(open)).toEqual(refusal);
    expect(against(open, { isReleased: true })).toEqual(refusal);
    expect(against({ 'wallet:hot-1': stopped('isolated') })).toEqual({
      ...refusal,
      text: 'wallet:hot-1 is paused, incident INC7',
    });
  });

  test.each([
    'actor:customer-1',
    `destination:${CUSTOMER}`,
    'wallet:hot-1',
    `asset:${USDC}`,
    `chain:${CHAIN}`,
    'key-domain:vault-a',
    'global',
  ])('behavior: %s stops its money', (scope) => {
    expect(against({ [scope]: stopped('open') })).toMatchObject({ reason: 'paused', scope });
  });

  test('behavior: the narrowest is named; the asset of the fee, and the destination without its memo, stop too', () => {
    const both = { global: stopped('open'), 'actor:customer-1': stopped('open', 'INC8') };
    expect(against(both)).toMatchObject({ scope: 'actor:customer-1', incidentId: 'INC8' });
    const fee = { asset: ETH, amount: 1n };
    const ether = { [`asset:${ETH}`]: stopped('open') };
    expect(against(ether)).toBeUndefined();
    expect(against(ether, { money: { fee } })).toMatchObject({ scope: `asset:${ETH}` });
    const whole = { [`destination:${CUSTOMER}`]: stopped('open') };
    expect(against(whole, { money: { memo: '7' } })).toMatchObject({
      scope: `destination:${CUSTOMER}`,
    });
  });

  test('behavior: H33: a scope that resumes in steps lets flow what its step names, and says where it stands', () => {
    expect(against({ 'wallet:hot-1': halfOpen() })).toBeUndefined();
    expect(against({ 'wallet:hot-1': halfOpen({ assets: [USDC] }) })).toBeUndefined();
    expect(against({ 'wallet:hot-1': halfOpen({ assets: [ETH] }) })).toMatchObject({
      kind: 'block',
      reason: 'paused',
      text: 'wallet:hot-1 is not resumed yet for this money: step 2 of 3, incident INC7',
      scope: 'wallet:hot-1',
      incidentId: 'INC7',
    });
    expect(against({ 'wallet:hot-1': halfOpen({ chains: [OTHER_CHAIN] }) })).toMatchObject({
      reason: 'paused',
    });
  });

  test('behavior: H78: one that resumes does not hide a wider one that is open', () => {
    const items = { 'wallet:hot-1': halfOpen(), 'key-domain:vault-a': stopped('open', 'INC9') };
    expect(against(items)).toMatchObject({ scope: 'key-domain:vault-a', incidentId: 'INC9' });
  });

  test('behavior: H78: what no step can bound waits: money with a memo, to its destination as a whole', () => {
    const items = { [`destination:${CUSTOMER}`]: halfOpen() };
    expect(against(items)).toBeUndefined();
    expect(against(items, { money: { memo: '7' } })).toMatchObject({
      reason: 'paused',
      scope: `destination:${CUSTOMER}`,
      text: `destination:${CUSTOMER} is not resumed yet for this money: step 2 of 3, incident INC7`,
    });
  });

  test('behavior: what is unknown blocks, holds or passes; a person lets go what is held and no more', () => {
    const ruled = (withdrawal: Policy.UnknownRule['withdrawal']) => {
      const { unknown } = policy();
      const rule = { ...unknown.asset, withdrawal };
      return policy({ unknown: { ...unknown, asset: rule, price: rule } });
    };
    const money = { asset: UNLISTED };
    const refusal = {
      withdrawalId: 'w1',
      reason: 'unknown',
      provisional: true,
      scope: 'wallet:hot-1',
    };
    const of = (rules: Policy.Policy, isReleased: boolean) =>
      against({}, { money, rules, isReleased });
    expect(of(ruled('block'), true)).toMatchObject({ kind: 'block', ...refusal });
    expect(of(ruled('hold'), false)).toMatchObject({ kind: 'hold', ...refusal });
    expect(of(ruled('hold'), true)).toBeUndefined();
    expect(of(ruled('allow'), false)).toBeUndefined();
    expect(of(ruled('hold'), false)?.text).toContain(UNLISTED);
  });

  test('behavior: of two unknowns what blocks goes before what holds, in its own scope', () => {
    const { unknown } = policy();
    const rules = policy({
      unknown: {
        ...unknown,
        asset: { ...unknown.asset, withdrawal: 'hold' },
        price: { ...unknown.price, scope: 'global' },
      },
    });
    expect(against({}, { money: { asset: UNLISTED }, rules })).toMatchObject({
      kind: 'block',
      scope: 'global',
    });
  });
});

describe('unproven', () => {
  const unproven = (leases: Parameters<typeof Standing.unproven>[2]['leases']) =>
    Standing.unproven(draftOf(), 'w1', { resolved: Policy.resolve(policy(), transfer()), leases });

  test('default: a lease that ends later is proof, one that ends now is none', () => {
    expect(unproven({ [CHAIN]: T0_MS + 1 })).toBeUndefined();
    expect(unproven({ [CHAIN]: T0_MS })).toEqual({
      kind: 'block',
      withdrawalId: 'w1',
      reason: 'lease',
      text: `no proof of health for ${CHAIN}`,
      provisional: true,
    });
  });

  test('behavior: none, and one of another chain, are no proof', () => {
    expect(unproven({})).toMatchObject({ reason: 'lease' });
    expect(unproven({ [OTHER_CHAIN]: T0_MS + 1 })).toMatchObject({ reason: 'lease' });
  });
});

describe('heldAlert', () => {
  const refusal: Refusal = {
    kind: 'hold',
    withdrawalId: 'w1',
    reason: 'unknown',
    text: 'the asset is unknown',
    provisional: true,
  };
  const at = (nowMs: number, more: Partial<Refusal> = {}) =>
    Standing.heldAlert(Draft.start(context({ nowMs }), loaded({ items: { global: item() } })), {
      ...refusal,
      ...more,
    });

  test('default: who waits, and for what', () => {
    expect(at(T0_MS, { scope: 'wallet:hot-1' })).toEqual({
      alertId: `held|unknown|the asset is unknown|wallet:hot-1|${Math.floor(T0_MS / HOUR_MS)}`,
      kind: 'held',
      atMs: T0_MS,
      scope: 'wallet:hot-1',
      rowId: 'withdrawal:w1',
      text: 'withdrawal w1 is held until a person lets it go: the asset is unknown',
    });
    expect(at(T0_MS).scope).toBe('global');
  });

  test('behavior: one for each cause, scope and hour, whoever waits', () => {
    const hourMs = Math.ceil(T0_MS / HOUR_MS) * HOUR_MS;
    const { alertId } = at(hourMs);
    expect(at(hourMs + HOUR_MS - 1, { withdrawalId: 'w2' }).alertId).toBe(alertId);
    const others = [
      at(hourMs - 1),
      at(hourMs + HOUR_MS),
      at(hourMs, { reason: 'limit' }),
      at(hourMs, { text: 'other' }),
      at(hourMs, { scope: 'wallet:hot-1' }),
    ];
    expect(new Set([alertId, ...others.map((other) => other.alertId)]).size).toBe(6);
  });
});

describe('tooManyOpen', () => {
  const open = (outstanding: number) => ({ 'actor:customer-1': item({ outstanding }) });
  const tooMany = (items: Items, row?: Ledger.Row, actor: string | undefined = 'customer-1') => {
    const { subject } = Policy.resolve(policy(), transfer());
    const draft = draftOf(items, policy({ outstandingMax: 2 }));
    return Standing.tooManyOpen(draft, 'w1', { subject: { ...subject, actor }, row });
  };
  const rowOf = (state: Ledger.Row['state'], actor?: string): Ledger.Row => ({
    rowId: 'withdrawal:w1',
    version: 1,
    state,
    decisionId: 'd',
    bodyHash: '',
    atMs: T0_MS,
    policyVersion: 1,
    ...(actor && {
      money: {
        transfer: transfer(),
        subject: { ...Policy.resolve(policy(), transfer()).subject, actor },
        charged: [],
        chargedAtMs: T0_MS,
      },
    }),
  });

  test('default: H20: one below the cap, and at it', () => {
    expect(tooMany({})).toBeUndefined();
    expect(tooMany(open(1))).toBeUndefined();
    expect(tooMany(open(2))).toEqual({
      kind: 'block',
      withdrawalId: 'w1',
      reason: 'outstanding',
      text: 'actor:customer-1 has 2 reservations whose outcome is open, of 2 allowed',
      provisional: true,
      scope: 'actor:customer-1',
    });
  });

  test('behavior: money that names nobody has no cap', () => {
    const { subject } = Policy.resolve(policy(), transfer({ actor: undefined }));
    const draft = draftOf({ 'actor:%none': item({ outstanding: 9 }) });
    expect(Standing.tooManyOpen(draft, 'w1', { subject, row: undefined })).toBeUndefined();
  });

  test('behavior: H20: one that is open already is not counted against itself, in the name of nobody else', () => {
    for (const state of ['reserved', 'held'] as const) {
      expect(tooMany(open(2), rowOf(state, 'customer-1'))).toBeUndefined();
      expect(tooMany(open(2), rowOf(state, STRANGER))).toMatchObject({ reason: 'outstanding' });
      expect(tooMany(open(2), rowOf(state))).toMatchObject({ reason: 'outstanding' });
    }
    expect(tooMany(open(2), rowOf('matched', 'customer-1'))).toMatchObject({
      reason: 'outstanding',
    });
  });
});
