import { describe, expect, test } from 'vitest';
import * as Approval from '../../lib/domain/approval.ts';
import type { AccountId } from '../../lib/domain/caip.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import * as Outflow from '../../lib/domain/outflow.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import type { Sent, Transfer } from '../../lib/domain/withdrawal.ts';
import {
  CUSTOMER,
  ETH,
  HOT_2,
  incoming,
  limit,
  MINUTE_MS,
  outflow,
  PRICELESS,
  policy,
  STRANGER,
  T0_MS,
  transfer,
  UNLISTED,
  USDC,
  usd,
  withdrawal,
} from '../support/builders.ts';
import { expectMetersToCover, expectOutstandingToBeRows } from '../support/ledger-check.ts';
import { failed, nonceSpent, say } from '../support/outcomes.ts';
import { load, openScopes, reserve, submit, world } from '../support/world.ts';

const MILLI_ETH = 10n ** 15n;
const ENDS = Approval.endsId(transfer());

function scene(overrides: Partial<Policy.Policy> = {}) {
  const here = world();
  const state = { policy: policy(overrides), nowMs: T0_MS };
  const check = () => {
    expectMetersToCover(here);
    expectOutstandingToBeRows(here);
  };
  return {
    here,
    state,
    report: (id: string, more: Partial<Transfer> = {}, sent?: Sent) => {
      const event = { ...withdrawal(id, more), ...(sent && { sent }) };
      const [outcome] = submit(here, { ...state, events: [incoming(event)] }).outcomes;
      check();
      return outcome?.result;
    },
    reserve: (id: string) => {
      const asked = withdrawal(id);
      const asks = [{ withdrawal: asked, bodyHash: incoming(asked).bodyHash }];
      const [verdict] = reserve(here, { ...state, asks }).verdicts;
      check();
      return verdict?.kind;
    },
    see: (transaction: string, more: Partial<Transfer> = {}, nonce?: number) => {
      const event = { ...outflow({ transaction }, more), nonce };
      const [outcome] = submit(here, { ...state, events: [incoming(event)] }).outcomes;
      check();
      return outcome!;
    },
    row: (id: string): Ledger.Row | undefined =>
      here.rows.get(id.startsWith('0x') ? `outflow:eip155:1:${id}:top` : `withdrawal:${id}`),
    ends: () => here.rows.get(ENDS)?.ends ?? Approval.NOTHING,
    declare: (movement: Approval.Movement) => {
      const ends = { ...Approval.NOTHING, movements: [movement] };
      const kept = { version: 1, decisionId: 'd', bodyHash: '', atMs: T0_MS, policyVersion: 1 };
      here.rows.set(ENDS, { rowId: ENDS, state: 'noted', ...kept, ends });
    },
    counted: (scope = 'global') => {
      const slots = load(here, { rows: [], items: [scope] })
        .items.get(scope)
        ?.meter.steps.at(-1);
      return {
        notional: (slots ?? []).reduce((sum, one) => sum + one.notional, 0n),
        count: (slots ?? []).reduce((sum, one) => sum + one.count, 0),
      };
    },
  };
}

const results = (some: readonly { readonly result: string }[]) => some.map(({ result }) => result);

describe('deductedMax', () => {
  test('behavior: the policy’s bound in the asset’s units; nothing without bound, rule or price', () => {
    const matching = { deductedFeeMax: usd(3), graceMs: 0, unseenMs: 1 };
    const rules = policy({ matching });
    expect(Outflow.deductedMax(rules, transfer())).toBe(usd(3));
    expect(Outflow.deductedMax(rules, transfer({ asset: ETH }))).toBe(2n * MILLI_ETH);
    expect(Outflow.deductedMax(rules, transfer({ asset: PRICELESS }))).toBe(0n);
    expect(Outflow.deductedMax(rules, transfer({ asset: UNLISTED }))).toBe(0n);
    expect(Outflow.deductedMax(policy(), transfer())).toBe(0n);
  });
});

describe('consume', () => {
  test('behavior: H63: two identical withdrawals, three outflows: two match, one trips', () => {
    const { report, see, here, row, ends, counted } = scene();
    report('w1');
    report('w2');
    expect(results([see('0xa'), see('0xb')])).toEqual(['matched-outflow', 'matched-outflow']);
    expect(openScopes(here)).toEqual([]);
    expect([row('w1')?.link, row('w2')?.link]).toEqual([row('0xa')?.rowId, row('0xb')?.rowId]);
    expect(see('0xc')).toMatchObject({ result: 'unmatched-outflow', notional: usd(1) });
    expect(openScopes(here)).toEqual(['key-domain:vault-a']);
    expect(counted()).toEqual({ notional: usd(3), count: 3 });
    expect(ends()).toMatchObject({ approvals: [], seen: [{ transaction: '0xc' }] });
  });

  test('behavior: H63: a transaction that is seen again takes no second one', () => {
    const { report, see, ends, row } = scene();
    report('w1');
    report('w2');
    expect(results([see('0xa'), see('0xa'), see('0xa')])).toEqual([
      'matched-outflow',
      'duplicate',
      'duplicate',
    ]);
    expect(ends().approvals).toHaveLength(1);
    expect(row('w2')?.state).toBe('reported');
  });

  test('behavior: H23: alike ones in one batch, more than there are approvals', () => {
    const { report, here, state } = scene();
    for (const id of ['w1', 'w2', 'w3']) report(id);
    const events = [1, 2, 3, 4].map((n) =>
      incoming(outflow({ transaction: '0xa', place: `log:${n}` })),
    );
    expect(results(submit(here, { ...state, events }).outcomes)).toEqual([
      'matched-outflow',
      'matched-outflow',
      'matched-outflow',
      'unmatched-outflow',
    ]);
  });

  test('behavior: a hash or a nonce that was said decides which of two it is', () => {
    const { report, see, row } = scene();
    report('w1', {}, { transaction: '0xa' });
    report('w2', {}, { nonce: 6 });
    report('w3');
    see('0x6', {}, 6);
    see('0xa', {}, 5);
    expect(row('w2')?.link).toBe(row('0x6')?.rowId);
    expect(row('w1')?.link).toBe(row('0xa')?.rowId);
    expect(see('0x7', {}, 7).result).toBe('matched-outflow');
  });

  test('behavior: H22: a speed-up has the nonce and another hash', () => {
    const { report, see } = scene();
    report('w1', {}, { transaction: '0xa', nonce: 6 });
    expect(see('0xfaster', {}, 6).result).toBe('matched-outflow');
  });

  test('behavior: H63: another nonce than was said trips', () => {
    const { report, see } = scene();
    report('w1', {}, { nonce: 6 });
    expect(see('0xa', {}, 7).result).toBe('unmatched-outflow');
  });

  test('behavior: short of its amount by a fee: within the bound it matches and its charge stays', () => {
    const matching = { deductedFeeMax: 100n, graceMs: 0, unseenMs: 1 };
    const { report, see, counted } = scene({ matching });
    report('w1');
    report('w2');
    expect(see('0xa', { amount: usd(1) - 100n })).toMatchObject({
      result: 'matched-outflow',
      notional: 0n,
    });
    expect(counted()).toEqual({ notional: usd(2), count: 2 });
    expect(see('0xb', { amount: usd(1) - 101n }).result).toBe('unmatched-outflow');
  });

  test('behavior: beyond its amount the difference counts, as money and as no withdrawal, and trips', () => {
    const { report, see, here, row, counted } = scene();
    report('w1', {}, { transaction: '0xa' });
    expect(see('0xa', { amount: usd(4) })).toMatchObject({
      result: 'matched-outflow',
      notional: usd(3),
      trips: [{ scope: 'key-domain:vault-a' }],
    });
    expect(here.incidents.get('INC1')?.first).toMatchObject({
      notional: usd(3),
      text: expect.stringMatching(/outflow of 3 USDC .* that much more than was approved/),
    });
    expect(counted()).toEqual({ notional: usd(4), count: 1 });
    expect(row('0xa')).toMatchObject({ state: 'matched', money: { transfer: { amount: usd(4) } } });
  });

  test('behavior: H24: beyond its amount, with a fee in another asset', () => {
    const { report, see, counted } = scene();
    report('w1', {}, { nonce: 3 });
    const fee = { asset: ETH, amount: 2n * MILLI_ETH };
    expect(see('0xa', { amount: usd(2), fee }, 3).notional).toBe(usd(4));
    expect(counted()).toEqual({ notional: usd(5), count: 1 });
  });

  test('behavior: a reservation is open no more', () => {
    const { reserve: ask, see, here, row } = scene();
    expect(ask('w1')).toBe('allow');
    expect(see('0xa').result).toBe('matched-outflow');
    expect(here.items.get('actor:customer-1')?.outstanding).toBeUndefined();
    expect(row('w1')?.state).toBe('matched');
    expect(ask('w1')).toBe('block');
  });

  test('behavior: H20: asked for again, also after its admission has expired, it awaits one outflow', () => {
    const { reserve: ask, see, ends, state } = scene();
    for (const afterMs of [0, 10, MINUTE_MS]) {
      state.nowMs += afterMs;
      expect(ask('w1')).toBe('allow');
      expect(ends().approvals).toHaveLength(1);
    }
    expect(results([see('0xa'), see('0xb')])).toEqual(['matched-outflow', 'unmatched-outflow']);
  });

  test('behavior: H63: what failed or was cancelled is awaited no more', () => {
    const { report, see, ends, here, state } = scene();
    report('w1');
    say(here, { ...state, outcomes: [failed('w1', nonceSpent, 'cancelled')] });
    expect(ends().approvals).toEqual([]);
    expect(see('0xa').result).toBe('unmatched-outflow');
  });
});

describe('move', () => {
  test('behavior: to an address of its own nothing is counted but the fee, and nothing trips', () => {
    const { see, here, counted, row } = scene({ own: [STRANGER] });
    const fee = { asset: ETH, amount: 2n * MILLI_ETH };
    expect(see('0xa', { destination: STRANGER, fee })).toMatchObject({
      result: 'moved-outflow',
      notional: usd(3),
      trips: [],
    });
    expect(see('0xb', { destination: HOT_2 })).toMatchObject({
      result: 'moved-outflow',
      trips: [],
    });
    expect(counted()).toEqual({ notional: usd(3), count: 0 });
    expect([row('0xa')?.state, row('0xb')?.state]).toEqual(['kept', 'kept']);
    expect(openScopes(here)).toEqual([]);
  });

  test('behavior: a sweep passes whatever is unknown of the asset, and whatever window is full', () => {
    const { see, here, report } = scene({
      own: [STRANGER],
      limits: [limit({ allowed: usd(1) })],
    });
    report('w1', { amount: usd(2) });
    expect(openScopes(here)).toEqual(['wallet:hot-1']);
    for (const [n, asset] of [USDC, PRICELESS, UNLISTED].entries()) {
      expect(see(`0x${n}`, { destination: STRANGER, asset })).toMatchObject({
        result: 'moved-outflow',
        trips: [],
      });
    }
    const fee = { asset: ETH, amount: 1n };
    expect(see('0xf', { destination: STRANGER, asset: UNLISTED, fee }).trips).toMatchObject([
      { scope: 'wallet:hot-1', opened: false },
    ]);
    const calm = scene({ own: [STRANGER] });
    expect(calm.see('0xf', { destination: STRANGER, asset: UNLISTED, fee }).trips).toEqual([]);
  });

  test('behavior: H64: under a declared movement it counts, trips nothing, and uses it up', () => {
    const { see, declare, counted, here, ends, row } = scene();
    declare({ movementId: 'm', left: usd(2), untilMs: T0_MS + MINUTE_MS });
    expect(results([see('0xa'), see('0xb')])).toEqual(['moved-outflow', 'moved-outflow']);
    expect(row('0xa')).toMatchObject({ state: 'moved', movementId: 'm' });
    expect(counted()).toEqual({ notional: usd(2), count: 2 });
    expect(openScopes(here)).toEqual([]);
    expect(ends().movements).toMatchObject([{ left: 0n }]);
    expect(see('0xc').result).toBe('unmatched-outflow');
    expect(here.graces.size).toBe(0);
  });

  test('behavior: H64: after its end it is as if it had not been declared', () => {
    const { see, declare, state } = scene();
    declare({ movementId: 'm', left: usd(2), untilMs: T0_MS + MINUTE_MS });
    state.nowMs = T0_MS + MINUTE_MS;
    expect(see('0xa').result).toBe('unmatched-outflow');
  });

  test('behavior: limits hold for what was declared', () => {
    const { see, declare, here } = scene({ limits: [limit({ allowed: usd(1) - 1n })] });
    declare({ movementId: 'm', left: usd(2), untilMs: T0_MS + MINUTE_MS });
    see('0xa');
    expect(openScopes(here)).toEqual(['wallet:hot-1']);
  });
});

describe('payFee', () => {
  test('behavior: H24: a fee for nothing counts, is no withdrawal, and people hear of it once an hour', () => {
    const { see, counted, here, row, state } = scene();
    const fee = { asset: ETH, amount: 2n * MILLI_ETH };
    for (const transaction of ['0xa', '0xb']) {
      expect(see(transaction, { asset: ETH, amount: 0n, fee })).toMatchObject({
        result: 'fee-only',
        notional: usd(3),
        trips: [],
      });
    }
    expect(counted()).toEqual({ notional: usd(6), count: 0 });
    expect(row('0xa')?.state).toBe('kept');
    expect([...here.alerts.values()]).toEqual([
      {
        alertId: `fee|wallet:hot-1|${Math.floor(T0_MS / (60 * MINUTE_MS))}`,
        kind: 'risk',
        atMs: T0_MS,
        scope: 'wallet:hot-1',
        rowId: row('0xb')?.rowId,
        text: `hot-1 paid a fee for a transaction to ${CUSTOMER} that moved nothing: a call that nobody declared, or one that failed`,
      },
    ]);
    state.nowMs += 60 * MINUTE_MS;
    see('0xc', { asset: ETH, amount: 0n, fee });
    expect(here.alerts.size).toBe(2);
  });

  test('behavior: a fee drain trips by its sum', () => {
    const { see, here } = scene({ limits: [limit({ allowed: usd(5) })] });
    const fee = { asset: ETH, amount: 2n * MILLI_ETH };
    see('0xa', { asset: ETH, amount: 0n, fee });
    expect(openScopes(here)).toEqual([]);
    see('0xb', { asset: ETH, amount: 0n, fee });
    expect(openScopes(here)).toEqual(['wallet:hot-1']);
  });

  test('behavior: a call that a withdrawal of zero announces is matched', () => {
    const { report, see } = scene();
    report('call', { asset: ETH, amount: 0n });
    const fee = { asset: ETH, amount: MILLI_ETH };
    expect(see('0xa', { asset: ETH, amount: 0n, fee }).result).toBe('matched-outflow');
  });
});

describe('count', () => {
  test('behavior: H72: a look-alike of the receiver matches nothing; dust from a stranger creates nothing', () => {
    const { report, see, ends, here } = scene();
    report('w1');
    const alike: AccountId = `eip155:1:0x${'c'.repeat(39)}d`;
    expect(see('0xdust', { destination: alike, amount: 0n }).result).toBe('nothing-moved');
    expect(see('0xdust2', { amount: 0n }).result).toBe('nothing-moved');
    expect(ends().approvals).toHaveLength(1);
    expect(openScopes(here)).toEqual([]);
    expect(see('0xa', { destination: alike }).result).toBe('unmatched-outflow');
  });

  test('behavior: H62: one unit, to a known address, while another amount is awaited there', () => {
    const { report, see } = scene();
    report('w1');
    expect(see('0xa', { amount: 1n })).toMatchObject({
      result: 'unmatched-outflow',
      trips: [{ scope: 'key-domain:vault-a' }],
    });
  });
});

describe('consume: what is remembered', () => {
  const met = (more: { readonly nonce?: number; readonly sequence?: number }) => {
    const { here, state, report, ends } = scene();
    report('w1');
    const events = [incoming({ ...outflow({ transaction: '0xa' }), ...more })];
    submit(here, { ...state, events });
    return ends().met;
  };

  test('behavior: H66: an outflow with its nonce, for another transaction with the same', () => {
    const rowId = 'outflow:eip155:1:0xa:top';
    expect(met({ nonce: 0, sequence: 0 })).toEqual([{ rowId, nonce: 0 }]);
  });

  test('behavior: nothing of one whose nonce or place in the chain is not known', () => {
    expect([met({ nonce: 3 }), met({ sequence: 1 }), met({})]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('again', () => {
  test('behavior: a sight without a number changes nothing, nor is one kept of what did not move', () => {
    const { here, state, report, row } = scene();
    report('w1');
    const tell = (sequence?: number, amount = usd(1)) =>
      submit(here, {
        ...state,
        events: [
          incoming({
            ...outflow({ transaction: '0xa' }, { amount }),
            ...(sequence && { sequence }),
          }),
        ],
      });
    tell(5);
    tell();
    expect(row('0xa')).toMatchObject({ sequence: 5, state: 'matched' });
  });

  test('behavior: H66: a newer sight is kept, so that an older removal changes nothing', () => {
    const { here, state, report, row } = scene();
    report('w1');
    const tell = (sequence: number) =>
      submit(here, {
        ...state,
        events: [incoming({ ...outflow({ transaction: '0xa' }), sequence })],
      });
    tell(5);
    tell(7);
    expect(row('0xa')?.sequence).toBe(7);
    tell(6);
    expect(row('0xa')?.sequence).toBe(7);
    const rowId = row('0xa')!.rowId;
    const removed = { kind: 'removed', removed: { rowId, sequence: 6 } } as const;
    const [outcome] = submit(here, { ...state, events: [removed] }).outcomes;
    expect([outcome?.result, row('0xa')?.state]).toEqual(['duplicate', 'matched']);
  });
});
