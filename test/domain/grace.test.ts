import { describe, expect, test } from 'vitest';
import * as Breaker from '../../lib/domain/breaker.ts';
import * as Draft from '../../lib/domain/draft.ts';
import * as Grace from '../../lib/domain/grace.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import * as Meter from '../../lib/domain/meter.ts';
import {
  CUSTOMER,
  context,
  HOT_1,
  HOT_2,
  incoming,
  item,
  loaded,
  MINUTE_MS,
  outflow,
  policy,
  subject,
  T0_MS,
  transfer,
} from '../support/builders.ts';
import { scene } from '../support/seeing.ts';
import { expire, submit, world } from '../support/world.ts';

const ROW: Ledger.Row = {
  rowId: 'outflow:eip155:1:0xa:top',
  version: 1,
  state: 'unmatched',
  decisionId: 'd',
  bodyHash: '',
  atMs: T0_MS,
  policyVersion: 1,
};
const GRACE = { matching: { deductedFeeMax: 0n, graceMs: MINUTE_MS, unseenMs: 1 } };

describe('begin', () => {
  test.each([undefined, 'w1'])('behavior: it counts and trips nothing yet; named: %s', (claims) => {
    const { see, here, row, counted, trips } = scene(GRACE);
    expect(see('0xa', claims === undefined ? {} : { claims })).toBe('unmatched-outflow');
    expect([counted(), trips()]).toEqual([[1n, 1], 0]);
    expect(row('0xa')?.graceUntilMs).toBe(T0_MS + MINUTE_MS);
    expect([...here.graces.values()]).toEqual([
      { rowId: row('0xa')?.rowId, untilMs: T0_MS + MINUTE_MS },
    ]);
  });
});

describe('end', () => {
  test.each([undefined, 'w1'])('behavior: the report comes in time; named: %s', (claims) => {
    const { see, report, here, row, state, expire, counted, trips } = scene(GRACE);
    see('0xa', claims === undefined ? {} : { claims });
    state.nowMs += MINUTE_MS - 1;
    expect(report('w1')).toBe('late-report');
    expect([here.graces.size, row('0xa')?.graceUntilMs]).toEqual([0, undefined]);
    state.nowMs += MINUTE_MS;
    expect(expire()).toBeUndefined();
    expect([counted(), trips()]).toEqual([[1n, 1], 0]);
  });
});

describe('expire', () => {
  test('behavior: just before its end nothing, at its end it trips, once, with its size', () => {
    const { see, state, expire, here, row, trips } = scene(GRACE);
    see('0xa');
    state.nowMs += MINUTE_MS - 1;
    expect(expire()).toBeUndefined();
    state.nowMs += 1;
    expect(expire()).toMatchObject({ trips: [{ scope: 'key-domain:vault-a', opened: true }] });
    expect(here.incidents.get('INC1')?.first).toMatchObject({
      kind: 'unmatched',
      notional: 1_000_000n,
      text: expect.stringContaining('no report of it has come in time'),
    });
    expect([here.graces.size, row('0xa')?.graceUntilMs]).toEqual([0, undefined]);
    expect(expire()).toBeUndefined();
    expect(trips()).toBe(1);
  });

  test('behavior: each opens its own scope, whatever the one before it has opened again', () => {
    const here = world();
    const opened = {
      state: 'open',
      epoch: 1,
      incidentId: 'WIDE',
      openedAtMs: T0_MS,
      causes: 1,
    } as const;
    const steps = [{ shareBps: 10_000, forMs: MINUTE_MS }];
    const mark = Meter.mark(Meter.EMPTY, T0_MS);
    const breaker = Breaker.resume(opened, { incidentId: 'WIDE', steps, budget: 10n ** 12n, mark });
    here.items.set('global', item({ ...(breaker && { breaker }) }));
    const rules = policy({ ...GRACE, unmatched: { scope: 'wallet', risks: 'pause' } });
    const at = { policy: rules, nowMs: T0_MS };
    const seen = [HOT_1, HOT_2].map((account, number) =>
      incoming(outflow({ transaction: `0x${number}` }, { account })),
    );
    submit(here, { ...at, events: seen });
    const effect = expire(here, { ...at, nowMs: T0_MS + MINUTE_MS });
    expect(effect?.trips.map(({ scope }) => scope)).toEqual([
      'wallet:hot-1',
      'global',
      'wallet:hot-2',
    ]);
  });

  test('behavior: in shadow it says what it would have done', () => {
    const { see, state, expire, here } = scene({ ...GRACE, mode: 'shadow' });
    see('0xa');
    state.nowMs += MINUTE_MS;
    expect(expire()).toMatchObject({ trips: [], wouldTrip: ['key-domain:vault-a'] });
    expect(here.incidents.size).toBe(0);
  });

  test('behavior: a report after its end is linked; the incident stays', () => {
    const { see, report, state, expire, counted, trips } = scene(GRACE);
    see('0xa');
    state.nowMs += MINUTE_MS;
    expire();
    expect(report('w1')).toBe('late-report');
    expect([counted(), trips()]).toEqual([[1n, 1], 1]);
  });

  test('behavior: H66: removed within its grace it trips never; seen again it has a new one', () => {
    const { see, remove, here, state, expire, trips, counted } = scene(GRACE);
    see('0xa', { sequence: 1 });
    remove('0xa', 2);
    expect([here.graces.size, counted()]).toEqual([0, [0n, 0]]);
    state.nowMs += 1;
    see('0xa', { sequence: 3 });
    state.nowMs += MINUTE_MS - 1;
    expect(expire()).toBeUndefined();
    state.nowMs += 1;
    expire();
    expect(trips()).toBe(1);
  });

  test('behavior: H66: removed and seen again in one decision it has the new grace and no other', () => {
    const { see, record, removal, sight, here, state } = scene(GRACE);
    see('0xa', { sequence: 1 });
    state.nowMs += 5;
    record(removal('0xa', 2), sight('0xa', { sequence: 3 }));
    expect([...here.graces.values()].map(({ untilMs }) => untilMs)).toEqual([
      T0_MS + 5 + MINUTE_MS,
    ]);
  });

  test('behavior: reported, removed, seen again: it is approved, and never trips', () => {
    const { see, remove, report, state, expire, trips, counted, here } = scene(GRACE);
    see('0xa', { sequence: 1 });
    report('w1');
    remove('0xa', 2);
    expect(see('0xa', { sequence: 3 })).toBe('matched-outflow');
    state.nowMs += 2 * MINUTE_MS;
    expect(expire()).toBeUndefined();
    expect([here.graces.size, trips(), counted()]).toEqual([0, 0, [1n, 1]]);
  });
});

describe('keys', () => {
  const money = {
    transfer: transfer(),
    subject: subject(),
    charged: [],
    chargedAtMs: T0_MS,
  };

  test('default: what each of them may open; nothing of a row without money', () => {
    expect(Grace.keys(policy(), [{ ...ROW, money }, ROW])).toEqual([
      'key-domain:vault-a',
      'global',
      'wallet:hot-1',
      `destination:${CUSTOMER}`,
    ]);
    expect(Grace.keys(policy(), [ROW])).toEqual([]);
  });

  test('behavior: expire leaves alone what is matched, what has no grace, and what is not there', () => {
    const expired = (more: Partial<Ledger.Row>) => {
      const rows = [{ ...ROW, money, graceUntilMs: T0_MS, ...more }];
      const draft = Draft.start(context(), loaded({ rows, items: { global: item() } }));
      return { effect: Grace.expire(draft, [ROW.rowId, 'outflow:none']), draft };
    };
    expect(expired({}).effect?.trips).toMatchObject([{ scope: 'key-domain:vault-a' }]);
    expect([...expired({}).draft.graces.values()]).toEqual([
      { grace: { rowId: ROW.rowId, untilMs: T0_MS }, change: 'delete' },
    ]);
    for (const more of [
      { state: 'matched' },
      { graceUntilMs: T0_MS + 1 },
      { graceUntilMs: undefined as never },
      { money: undefined as never },
    ] as const) {
      expect(expired(more).effect).toBeUndefined();
    }
  });

  test('behavior: one that begins is put, one whose row has none is not taken away', () => {
    const draft = Draft.start(context(), loaded());
    Grace.begin(draft, 'outflow:x', T0_MS);
    Grace.end(draft, ROW);
    expect([...draft.graces.values()]).toEqual([
      { grace: { rowId: 'outflow:x', untilMs: T0_MS }, change: 'put' },
    ]);
  });
});
