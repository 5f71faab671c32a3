import { describe, expect, test } from 'vitest';
import { CHAIN, usd } from '../support/builders.ts';
import { fee, scene } from '../support/seeing.ts';

describe('count', () => {
  test('behavior: its outflow is awaited, with what was said of the transaction', () => {
    const { report, ends, row, counted } = scene();
    const sent = { transaction: '0xa', nonce: 4 };
    expect(report('w1', {}, sent)).toBe('new-withdrawal');
    expect(row('w1')).toMatchObject({ state: 'reported', sent });
    expect(ends().approvals).toEqual([{ rowIds: ['withdrawal:w1'], amount: usd(1), ...sent }]);
    expect(counted()).toEqual([1n, 1]);
  });

  test('behavior: its outflow has to show where the chain is watched', () => {
    const watch = { confirmations: 0, blindAfterMs: 1 };
    const { report, row } = scene({ chains: [{ pattern: CHAIN, name: 'Ethereum', watch }] });
    report('w1');
    expect(row('w1')?.isAwaited).toBe(true);
    const blind = scene();
    blind.report('w1');
    expect(blind.row('w1')?.isAwaited).toBeUndefined();
  });
});

describe('late', () => {
  test('behavior: after an outflow that nobody approved: linked, counted once; the incident stays', () => {
    const { see, report, row, counted, ends, trips } = scene();
    expect(see('0xa')).toBe('unmatched-outflow');
    expect(report('w1')).toBe('late-report');
    expect(row('w1')).toMatchObject({ state: 'matched', link: row('0xa')?.rowId });
    expect(row('0xa')).toMatchObject({ state: 'matched', link: 'withdrawal:w1' });
    expect(row('w1')?.money?.charged).toEqual([]);
    expect(counted()).toEqual([1n, 1]);
    expect(ends()).toMatchObject({ approvals: [], seen: [] });
    expect(trips()).toBe(1);
    expect([report('w1'), see('0xa')]).toEqual(['duplicate', 'duplicate']);
    expect(counted()).toEqual([1n, 1]);
  });

  test('behavior: after one that named it', () => {
    const { see, report, row, counted } = scene();
    expect(see('0xa', { claims: 'w1' })).toBe('unmatched-outflow');
    expect(row('w1')?.state).toBe('claimed');
    expect(report('w1')).toBe('late-report');
    expect([row('w1')?.state, row('0xa')?.state]).toEqual(['matched', 'matched']);
    expect(row('w1')?.money?.subject.actor).toBe('customer-1');
    expect(counted()).toEqual([1n, 1]);
  });

  test('behavior: the second report of two alike counts afresh, and its outflow is awaited', () => {
    const { see, report, counted } = scene();
    see('0xa');
    expect([report('w1'), report('w2'), see('0xb'), see('0xc')]).toEqual([
      'late-report',
      'new-withdrawal',
      'matched-outflow',
      'unmatched-outflow',
    ]);
    expect(counted()).toEqual([3n, 3]);
  });

  test('behavior: of two that were seen it is its own nonce that is remembered', () => {
    const { see, report, row, ends } = scene();
    see('0xa', { nonce: 3, sequence: 1 });
    see('0xb', { nonce: 4, sequence: 2 });
    report('w1', {}, { transaction: '0xb' });
    expect(ends().met).toEqual([{ rowId: row('0xb')?.rowId, nonce: 4 }]);
  });

  test('behavior: of two that were seen the one with its hash', () => {
    const { see, report, row } = scene();
    see('0xa');
    see('0xb');
    report('w1', {}, { transaction: '0xb' });
    expect(row('0xb')?.link).toBe('withdrawal:w1');
    expect(row('0xa')?.state).toBe('unmatched');
  });

  test('behavior: it keeps what was said of its transaction, and that its outflow has to show', () => {
    const watch = { confirmations: 0, blindAfterMs: 1 };
    const { see, report, row } = scene({ chains: [{ pattern: CHAIN, name: 'Ethereum', watch }] });
    see('0xa');
    report('w1', {}, { transaction: '0xa', nonce: 3 });
    expect(row('w1')).toMatchObject({ isAwaited: true, sent: { transaction: '0xa', nonce: 3 } });
    const blind = scene();
    blind.see('0xa');
    blind.report('w1');
    expect(blind.row('w1')).not.toHaveProperty('isAwaited');
    expect(blind.row('w1')).not.toHaveProperty('sent');
  });

  test('behavior: H66: its nonce is remembered, so that what supersedes it meets the same report', () => {
    const { see, report, row, ends, trips } = scene();
    see('0xa', { nonce: 3, sequence: 1 });
    report('w1');
    expect(ends().met).toEqual([{ rowId: row('0xa')?.rowId, nonce: 3 }]);
    expect(see('0xb', { nonce: 3, sequence: 2 })).toBe('matched-outflow');
    expect([row('0xa')?.state, row('w1')?.link]).toEqual(['removed', row('0xb')?.rowId]);
    expect(trips()).toBe(1);
  });

  test.each([{ sequence: 1 }, { nonce: 3 }])(
    'behavior: nothing is remembered of a sight with %o alone',
    (more) => {
      const { see, report, ends } = scene();
      see('0xa', more);
      report('w1');
      expect(ends().met ?? []).toEqual([]);
    },
  );

  test('behavior: of another amount it is another one', () => {
    const { see, report } = scene();
    see('0xa');
    expect(report('w1', { amount: usd(2) })).toBe('new-withdrawal');
  });
});

describe('again', () => {
  test('behavior: brings the hash that was not known before', () => {
    const { report, row, ends } = scene();
    report('w1');
    const sent = { transaction: '0xa' };
    expect(report('w1', {}, sent)).toBe('duplicate');
    expect(row('w1')?.sent).toEqual(sent);
    expect(ends().approvals).toMatchObject([sent]);
    const before = row('w1');
    report('w1', {}, sent);
    report('w1');
    expect(row('w1')).toBe(before);
  });

  test('behavior: what is matched, or failed, awaits nothing again', () => {
    const { report, see, ends, row } = scene();
    report('w1');
    see('0xa');
    report('w1', {}, { transaction: '0xb' });
    expect(ends().approvals).toEqual([]);
    expect(row('w1')?.sent).toBeUndefined();
  });

  test('behavior: for a reservation too, which stays one', () => {
    const { reserve, report, row, ends } = scene();
    reserve('w1');
    report('w1', {}, { nonce: 3 });
    expect(row('w1')).toMatchObject({ state: 'reserved', sent: { nonce: 3 } });
    expect(ends().approvals).toHaveLength(1);
  });
});

describe('late: fees', () => {
  test('behavior: H24: the outflow carries its fee', () => {
    const { see, report, counted } = scene();
    see('0xa', { transfer: { fee: fee(3) } });
    report('w1');
    expect(counted()).toEqual([4n, 1]);
  });
});
