import { describe, expect, test } from 'vitest';
import * as Approval from '../../lib/domain/approval.ts';
import * as Reorg from '../../lib/domain/reorg.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, STRANGER, T0_MS, transfer, usd } from '../support/builders.ts';
import { failed, neverSigned, nonceSpent, operator, replaced, say } from '../support/outcomes.ts';
import { fee, scene } from '../support/seeing.ts';

const ROW = 'outflow:eip155:1:0xa:top';

describe('rowIds', () => {
  test('default', () => {
    expect(Reorg.rowIds({ rowId: ROW, sequence: 1 })).toEqual([ROW]);
  });
});

describe('further', () => {
  test('behavior: its withdrawals and its ends; nothing of what is not known', () => {
    const { report, see, here } = scene();
    const further = () => Reorg.further(here.rows, { rowId: ROW, sequence: 1 });
    expect(further()).toEqual([]);
    report('w1');
    see('0xa');
    expect(further()).toEqual(['withdrawal:w1', Approval.endsId(transfer())]);
  });
});

describe('remove', () => {
  test('behavior: H66: matched: its fee is given back, its withdrawal awaits it again, once', () => {
    const { report, see, remove, row, ends, counted, trips } = scene();
    report('w1');
    see('0xa', { sequence: 1, transfer: { fee: fee(3) } });
    expect(counted()).toEqual([4n, 1]);
    expect(remove('0xa', 2)).toBe('removed');
    expect(counted()).toEqual([1n, 1]);
    expect(row('0xa')).toMatchObject({ state: 'removed', sequence: 2, money: { charged: [] } });
    expect(row('0xa')?.link).toBeUndefined();
    expect(row('w1')).toMatchObject({ state: 'reported' });
    expect(ends().approvals).toEqual([{ rowIds: ['withdrawal:w1'], amount: usd(1) }]);
    expect([remove('0xa', 2), counted()]).toEqual(['duplicate', [1n, 1]]);
    expect(see('0xa', { sequence: 3, transfer: { fee: fee(3) } })).toBe('matched-outflow');
    expect([counted(), trips()]).toEqual([[4n, 1], 0]);
  });

  test('behavior: a reservation was signed for: it is as reported, and admitted no more', () => {
    const { reserve, see, remove, row, here } = scene();
    reserve('w1');
    see('0xa', { sequence: 1 });
    remove('0xa', 2);
    expect(row('w1')?.state).toBe('reported');
    expect(here.items.get('actor:customer-1')?.outstanding).toBeUndefined();
    expect(reserve('w1')).toBe('block');
  });

  test('behavior: H66: removed for good: evidence gives the withdrawal back', () => {
    const { report, see, remove, tell, counted } = scene();
    report('w1');
    see('0xa', { sequence: 1 });
    expect(tell(failed('w1', nonceSpent))).toEqual(['refused']);
    remove('0xa', 2);
    expect(tell(failed('w1', nonceSpent))).toEqual(['recorded']);
    expect(counted()).toEqual([0n, 0]);
    expect(see('0xa', { sequence: 3 })).toBe('unmatched-outflow');
  });

  test('behavior: H66: unmatched: all is given back, the incident stays, and seen again it is one more cause', () => {
    const { see, remove, counted, trips, ends, here } = scene();
    see('0xa', { sequence: 1, transfer: { fee: fee(3) } });
    remove('0xa', 2);
    expect([counted(), trips(), ends().seen]).toEqual([[0n, 0], 1, []]);
    expect(ends().approvals).toEqual([]);
    expect(see('0xa', { sequence: 3 })).toBe('unmatched-outflow');
    expect([counted(), trips(), here.causes.size]).toEqual([[1n, 1], 1, 1]);
  });

  test('behavior: own and declared: given back, and the movement has its room again', () => {
    const { see, remove, counted, here, ends, trips } = scene({ own: [STRANGER] });
    const toOwn = { transfer: { destination: STRANGER, fee: fee(3) } };
    see('0xb', { ...toOwn, sequence: 1 });
    remove('0xb', 2);
    expect(counted()).toEqual([0n, 0]);
    const rowId = Approval.endsId(transfer());
    const movements = [{ movementId: 'm', left: usd(1), untilMs: T0_MS + HOUR_MS }];
    const kept = { version: 1, decisionId: 'd', bodyHash: '', atMs: T0_MS, policyVersion: 1 };
    const declared = { ...Approval.NOTHING, movements };
    here.rows.set(rowId, { rowId, state: 'noted', ...kept, ends: declared });
    expect(see('0xa', { sequence: 3 })).toBe('moved-outflow');
    expect(ends().movements).toMatchObject([{ left: 0n }]);
    remove('0xa', 4);
    expect([counted(), ends().movements]).toEqual([[0n, 0], movements]);
    expect(see('0xa', { sequence: 5 })).toBe('moved-outflow');
    expect([counted(), trips()]).toEqual([[1n, 1], 0]);
  });

  test('behavior: beyond its amount: what was beyond is given back', () => {
    const { report, see, remove, counted } = scene();
    report('w1', {}, { transaction: '0xa' });
    see('0xa', { sequence: 1, transfer: { amount: usd(5) } });
    expect(counted()).toEqual([5n, 1]);
    remove('0xa', 2);
    expect(counted()).toEqual([1n, 1]);
    expect(see('0xa', { sequence: 3, transfer: { amount: usd(1) } })).toBe('matched-outflow');
    expect(counted()).toEqual([1n, 1]);
  });

  test.each([undefined, 'w1'])(
    'behavior: seen before its report: the charge of both stays with the withdrawal, with its fee; named: %s',
    (named) => {
      const { report, see, remove, counted, row, tell } = scene();
      const claims = named === undefined ? {} : { claims: named };
      see('0xa', { ...claims, sequence: 1, transfer: { fee: fee(3) } });
      report('w1');
      remove('0xa', 2);
      expect([row('w1')?.state, counted()]).toEqual(['reported', [4n, 1]]);
      // It is counted where it was: nobody knew the customer.
      expect(counted('actor:customer-1')).toEqual([0n, 0]);
      expect(see('0xa', { ...claims, sequence: 3, transfer: { fee: fee(6) } })).toBe(
        'matched-outflow',
      );
      expect(counted()).toEqual([7n, 1]);
      remove('0xa', 4);
      expect(counted()).toEqual([4n, 1]);
      expect(tell(failed('w1', nonceSpent))).toEqual(['recorded']);
      expect(counted()).toEqual([0n, 0]);
    },
  );

  test('behavior: H66: one that named its withdrawal is gone when the report comes: it counts', () => {
    const { report, see, remove, counted, row } = scene();
    see('0xa', { claims: 'w1', sequence: 1 });
    remove('0xa', 2);
    expect(report('w1')).toBe('new-withdrawal');
    expect([counted(), row('w1')?.state]).toEqual([[1n, 1], 'reported']);
    expect(see('0xa', { claims: 'w1', sequence: 3 })).toBe('matched-outflow');
    expect(counted()).toEqual([1n, 1]);
  });

  test('behavior: H66: told before its first sight, which then does not count; what is newer does', () => {
    const { see, remove, counted, row, trips } = scene();
    expect(remove('0xa', 6)).toBe('removed');
    expect(see('0xa', { sequence: 5 })).toBe('duplicate');
    expect([counted(), trips(), row('0xa')?.state]).toEqual([[0n, 0], 0, 'removed']);
    expect(see('0xa', { sequence: 7 })).toBe('unmatched-outflow');
  });

  test('behavior: H66: the second sight comes before the removal that it follows', () => {
    const { report, see, remove, row, counted } = scene();
    report('w1');
    see('0xa', { sequence: 5 });
    expect(see('0xa', { sequence: 7 })).toBe('duplicate');
    expect(remove('0xa', 6)).toBe('duplicate');
    expect([row('0xa')?.state, counted()]).toEqual(['matched', [1n, 1]]);
  });

  test('behavior: H66: removed twice, and the sight between comes last', () => {
    const { see, remove, counted } = scene();
    see('0xa', { sequence: 1 });
    remove('0xa', 2);
    expect(remove('0xa', 4)).toBe('removed');
    expect(see('0xa', { sequence: 3 })).toBe('duplicate');
    expect(counted()).toEqual([0n, 0]);
  });

  test('behavior: H66: a sight without a number counts, and keeps what is known of the order', () => {
    const { see, remove, row } = scene();
    see('0xa', { sequence: 1 });
    remove('0xa', 2);
    expect(see('0xa')).toBe('unmatched-outflow');
    expect(row('0xa')?.sequence).toBe(2);
    expect(remove('0xa', 2)).toBe('duplicate');
    expect(remove('0xa', 3)).toBe('removed');
  });

  test('behavior: what was noted, or replaced, is nothing to take back', () => {
    const { see, remove, report, tell, row } = scene();
    see('0xdust', { transfer: { amount: 0n } });
    expect(remove('0xdust', 2)).toBe('duplicate');
    report('w1');
    see('0xa');
    tell(replaced('w1', '0xa'));
    expect([remove('0xa', 2), row('0xa')?.state]).toEqual(['duplicate', 'replaced']);
  });

  test('behavior: H19: days later it is given back out of the slots that it was charged to', () => {
    const { see, remove, state, counted, record, sight } = scene();
    see('0xa', { sequence: 1 });
    state.nowMs += 2 * DAY_MS;
    record(sight('0xb', { sequence: 2 }));
    expect(remove('0xa', 3)).toBe('removed');
    expect(counted()).toEqual([1n, 1]);
    state.nowMs += 33 * DAY_MS;
    record(sight('0xc', { sequence: 4 }));
    expect(remove('0xb', 5)).toBe('removed');
    expect(counted()).toEqual([1n, 1]);
  });

  test('behavior: H23: a batch waits together again', () => {
    const { report, here, record, see, remove, ends, row, counted } = scene();
    report('w1', { destination: STRANGER });
    report('w2', { destination: STRANGER, amount: usd(2) });
    const batch = {
      batchId: 'b',
      transfer: transfer({ actor: undefined, amount: usd(3) }),
      withdrawalIds: ['w1', 'w2'],
    };
    expect(record({ kind: 'batch', batch, bodyHash: 'h' })[0]?.result).toBe('batch');
    const paid = { transfer: { amount: usd(3), fee: fee(3) } };
    expect(see('0xa', { ...paid, sequence: 1 })).toBe('matched-outflow');
    expect(row('0xa')).toMatchObject({ link: 'withdrawal:w1', links: ['withdrawal:w2'] });
    remove('0xa', 2);
    expect(row('0xa')?.links).toBeUndefined();
    expect(ends().approvals).toEqual([
      { rowIds: ['withdrawal:w1', 'withdrawal:w2'], amount: usd(3) },
    ]);
    expect(counted()).toEqual([3n, 2]);
    expect(see('0xa', { ...paid, sequence: 3 })).toBe('matched-outflow');
    expect([counted(), here.incidents.size]).toEqual([[6n, 2], 0]);
  });

  test('behavior: H66: what was seen was signed, and is not given back on a record that it was not', () => {
    const { reserve, see, remove, tell, row, counted, state, here } = scene();
    reserve('w1');
    see('0xa', { sequence: 1 });
    remove('0xa', 2);
    expect(row('w1')).toMatchObject({ state: 'reported', wasSeen: true });
    state.nowMs += MINUTE_MS;
    const { results, alerts } = say(here, { ...state, outcomes: [failed('w1', neverSigned)] });
    expect(results).toMatchObject([
      { kind: 'refused', why: expect.stringContaining('its outflow was seen on chain before') },
    ]);
    expect(alerts).toMatchObject([{ kind: 'refused', rowId: 'withdrawal:w1' }]);
    expect(counted()).toEqual([1n, 1]);
    expect(see('0xa', { sequence: 3 })).toBe('matched-outflow');
    remove('0xa', 4);
    expect(tell(failed('w1', nonceSpent))).toEqual(['recorded']);
    expect(counted()).toEqual([0n, 0]);
  });

  test('behavior: an operator who has looked may give it back', () => {
    const { reserve, see, remove, tell, state } = scene();
    reserve('w1');
    see('0xa', { sequence: 1 });
    remove('0xa', 2);
    state.nowMs += MINUTE_MS;
    expect(tell(failed('w1', operator))).toEqual(['recorded']);
  });
});
